//! What ends a send without the account or the server being at fault.

use crate::{message, store};

/// An error that ends a send.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store could not be read or written: nothing more may be sent.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// What was frozen can no longer be turned into a mail.
    #[error("message {number} cannot be built from the plan: {source}")]
    Content {
        /// Its place in the plan.
        number: u64,
        /// Why.
        source: message::Error,
    },
    /// What is rendered now is not what the plan proved.
    #[error("message {number} would differ from what was planned and previewed")]
    Differs {
        /// Its place in the plan.
        number: u64,
    },
    /// The plan has a message that no window of this rule can ever hold.
    #[error("message {number} alone is more than the account's rule '{rule}' allows")]
    NeverFits {
        /// Its place in the plan.
        number: u64,
        /// The rule in words.
        rule: String,
    },
    /// A worker ended in the middle of its work.
    #[error("a part of the program failed while it was sending: {0}")]
    Worker(String),
}
