//! Rules and rolling windows: may this message go now, and if not, when?
//!
//! Pure: time is an argument. Must not know where its entries are kept (the `store` feeds it from the
//! ledger). `plan`, `status`, the rehearsal and `send` all ask the same [`Limiter`]; the stand-in
//! server counts with code of its own, on purpose.

mod limiter;
mod rule;

pub use limiter::{Decision, Limiter, Reservation};
pub use rule::{Rule, RuleError, Unit, Weight, parse_duration};
