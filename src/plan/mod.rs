//! Planning: list × templates → findings, messages, batches and a timetable.
//!
//! A campaign is proved in one pass over its list: every row rendered, every address parsed, every
//! attachment opened, every size known. [`check`] only counts what comes of it; [`plan`] freezes it
//! in the store all at once, so that a defect or a crash leaves nothing half-written; [`update()`] does so with
//! the next edition of a campaign that is planned, and may be being sent. Rows
//! stream by in waves that are rendered on all cores, while others are read and written down; what stays in memory is a few bytes for each
//! distinct address and content.
//!
//! # Where the time goes
//!
//! From profiles (`perf record`) of `postroom plan` with a million rows on two cores.
//!
//! Rows that share their messages: two thirds of the time are the pass over the list, where the thread that packs people
//! and writes the draft is busy for three quarters of it, the one that reads for half, and those that prove for hardly
//! any, because rows that agree in all that decides their mail are proved once. The other third is one thread that
//! copies the draft into the store, in one transaction, where each person is entered into an index by address, at a
//! place in no order. SQLite is half of all of it. So what a plan costs beyond the floor is mostly that it is written
//! twice: a transaction as long as the pass would hold up whoever sends a campaign meanwhile.
//!
//! A mail of their own for everybody: in the pass all cores are at work, with rendering, measuring and the digests of
//! the mails (8 % of all) and with the draft; the copy takes ten seconds of one thread, since each message has a row and
//! entries in the indices of its own.
//!
//! What brought it there: a reader and provers of their own, a draft without indices, triggers and checks, counting at
//! the end, and larger waves (512 people; with 128 a tenth of the time went into waking each other). What is no way: to
//! write without a draft, which holds up senders, and to build the indices afterwards, which hold the other campaigns
//! too. What is left to try: a thread of its own for the draft, and a quicker allocator, which is an eighth of the pass.
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
