//! What can happen to a message and its recipients: states, transitions, replies, verdicts, back-off.
//!
//! Pure: no clock of its own, no file, no network. Called by `store` (which lets a state change only
//! through [`MessageState::after`]), by `provider` (which sorts replies into verdicts), by `smtp`
//! (which reports phases and replies) and by `send`.

mod backoff;
mod outcome;
mod reply;
mod state;

pub use backoff::Backoff;
pub use outcome::{Class, Phase, Scope, Verdict};
pub use reply::{EnhancedCode, Reply};
pub use state::{Event, IllegalTransition, MessageState, RecipientState};
