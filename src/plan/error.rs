//! What ends planning without the campaign being at fault.

use crate::{message, store};

/// Planning could not go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store could not be read or written.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A Message-ID could not be made.
    #[error(transparent)]
    Message(#[from] message::Error),
    /// A row could not be written down.
    #[error("a row cannot be written as JSON: {0}")]
    Cells(#[from] serde_json::Error),
    /// A thread that rendered rows ended too early.
    #[error("rendering ended too early")]
    Incomplete,
}
