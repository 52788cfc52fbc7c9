//! Rules, rolling windows and calendars: may this message go now, and if not, when?
//!
//! Pure: time is an argument. Must not know where its entries are kept (the `store` feeds it from the
//! ledger). `plan`, `status`, the rehearsal and `send` all ask the same [`Limiter`] by the same
//! [`earliest`]; the stand-in server counts with code of its own, on purpose.

mod calendar;
mod cutting;
mod hours;
mod limiter;
mod rule;

pub use calendar::{Calendar, Closed, Schedule};
pub use cutting::{Shared, WORTH};
pub use hours::{Hours, HoursError};
pub use limiter::{Decision, Limiter, Quota, Reason, Reservation, earliest, in_hours, in_openings};
pub use rule::{Rule, RuleError, Unit, Weight, parse_duration};
