//! What keeps a preview from being made.

use std::path::PathBuf;

use crate::plan::{self, FrozenError};
use crate::{message, store};

/// A preview failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store could not be read.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The campaign could not be planned for the preview.
    #[error(transparent)]
    Plan(#[from] plan::Error),
    /// The plan cannot be rendered.
    #[error(transparent)]
    Frozen(#[from] FrozenError),
    /// A message cannot be built.
    #[error(transparent)]
    Message(#[from] message::Error),
    /// The row's frozen cells cannot be read.
    #[error("a frozen row cannot be read: {0}")]
    Cells(#[from] serde_json::Error),
    /// What is rendered now is not what the plan proved.
    #[error("the message of row {0} would differ from what was planned")]
    Differs(u64),
    /// A folder that is there and not empty.
    #[error("the folder {} is not empty", .0.display())]
    NotEmpty(PathBuf),
    /// The page cannot be served.
    #[error("the preview page cannot be served on this machine: {0}")]
    Serve(std::io::Error),
    /// A file or folder could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}
