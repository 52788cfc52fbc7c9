//! Rehearsing: a whole campaign sent to the stand-in, with what goes wrong on purpose, and the stand-in's
//! log held against the store.
//!
//! It sets the stand-in up for a [`Scenario`], ends a sender in the middle as a crash would
//! ([`live`]), and [`compare`]s: same recipients, same bytes, nobody twice. It must not decide how a
//! campaign is sent: what is rehearsed is `send` itself. Called by `cli` (`rehearse`).

mod compare;
mod life;
mod scenario;
#[cfg(test)]
mod tests;

pub use compare::{Compared, Renderers, compare};
pub use life::{Kill, Life, LifeError, live};
pub use scenario::{Extent, Scenario, Staged, stage};
