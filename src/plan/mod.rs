//! Planning: list × templates → findings, messages, batches and a timetable.
//!
//! A campaign is proved in one pass over its list: every row rendered, every address parsed, every
//! attachment opened, every size known. [`check`] only counts what comes of it; [`plan`] freezes it
//! in the store all at once, so that a defect or a crash leaves nothing half-written; [`update()`] does so with
//! the next edition of a campaign that is planned, and may be being sent. Rows
//! stream by in waves that are rendered on all cores, while others are read and written down; what stays in memory is a few bytes for each
//! distinct address and content.
//!
//! Must not send, print, or decide what a mail looks like (`message` does). Called by `cli`, and by
//! `preview` for a campaign that is not planned yet.

mod alike;
mod alternatives;
mod cases;
mod check;
mod content;
mod cutting;
mod error;
mod excerpt;
mod files;
mod filtering;
mod findings;
mod fingerprint;
mod forecast;
mod freeze;
mod frozen;
mod gathering;
mod inputs;
mod judge;
mod line;
mod mending;
mod packing;
mod person;
mod places;
mod prove;
mod reading;
mod ready;
mod restoring;
mod row_findings;
mod sources;
#[cfg(test)]
mod tests;
mod timetable;
mod update;
mod walk;
mod watch;

pub use alternatives::{Alternative, People, alternatives};
pub use cases::{Case, planned_cases};
pub use check::{BadRow, Checked, check};
pub use error::Error;
pub use excerpt::Excerpt;
pub use findings::{Finding, Severity};
pub use fingerprint::is_edited;
pub use forecast::{AccountQuota, Forecast, Outlook, usage};
pub use freeze::{Frozen, plan};
pub use frozen::{FrozenError, frozen_editions, frozen_renderer};
pub use inputs::{AccountLimits, Inputs};
pub use packing::Mode;
pub use ready::{Ready, open};
pub use restoring::{RestoreError, restored};
pub use timetable::{Laid, Message, Timetable, Track};
pub use update::{Update, Updating, update};
pub use walk::Progress;
