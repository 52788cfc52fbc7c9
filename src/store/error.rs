//! What can go wrong with the store.

use std::path::PathBuf;

use rusqlite::{ErrorCode, ffi};

use super::{Away, Flaw};
use crate::delivery::IllegalTransition;

/// An error of the store. Each kind has an exit code of its own in `cli`.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file or its folder could not be made.
    #[error("cannot create the store {}: {source}", path.display())]
    Create {
        /// The store's file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Written by a later version of this program; it was not touched.
    #[error(
        "the store {} was written by a newer version of postroom (format {found}; this version knows up to {known})",
        path.display()
    )]
    Newer {
        /// The store's file.
        path: PathBuf,
        /// The format it has.
        found: i64,
        /// The newest format known here.
        known: i64,
    },
    /// What lies there is no store.
    #[error("{} is no store of Postroom: {what}", path.display())]
    NoStore {
        /// The file or folder.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// The file beside it tells of a store, and what lies there is none any more; nothing was changed.
    #[error(
        "the store {} is lost: {what}, though the files beside it tell of one that was there",
        path.display()
    )]
    Lost {
        /// The store's file.
        path: PathBuf,
        /// What is there instead.
        what: &'static str,
    },
    /// What stands in its file cannot be; nothing was changed.
    #[error("the store {} is damaged", path.display())]
    Damaged {
        /// The store's file.
        path: PathBuf,
    },
    /// A copy that was made, or is to be put in the store's place, is not sound; nothing was changed.
    #[error("{} cannot take the store's place: it is damaged", path.display())]
    NotSound {
        /// The copied file.
        path: PathBuf,
        /// What is wrong with it.
        flaws: Vec<Flaw>,
    },
    /// Some process uses the store to send.
    #[error("the store is in use ({holder}), and is not replaced under its hands")]
    InUse {
        /// Who that is and since when, as that process wrote it down.
        holder: String,
    },
    /// A file is in the way.
    #[error("{} is there already", path.display())]
    Taken {
        /// The file.
        path: PathBuf,
    },
    /// A copy of a store could not be written.
    #[error("{} could not be written: {why}", path.display())]
    Copy {
        /// The copy.
        path: PathBuf,
        /// In SQLite's words.
        why: String,
        /// What kind of thing that is.
        trouble: Trouble,
    },
    /// A file could not be moved to where it belongs.
    #[error("cannot put {} in its place: {source}", path.display())]
    Move {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// SQLite could not read or write.
    #[error("the store could not be read or written: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// Another process holds the campaign.
    #[error("campaign '{campaign}' is being sent by another process ({holder})")]
    Locked {
        /// The campaign's name.
        campaign: String,
        /// Who holds it and since when, as that process wrote it down.
        holder: String,
    },
    /// Another process has planned the campaign while this one did; nothing was written.
    #[error("the campaign '{0}' was planned by another process at the same time")]
    PlannedMeanwhile(String),
    /// Another process has taken an edited campaign in, or has dropped it, while this one took one in; nothing was
    /// written.
    #[error("the campaign '{0}' was planned anew by another process at the same time")]
    UpdatedMeanwhile(String),
    /// This store is a copy, or was restored: it may send only after it was claimed.
    #[error("{0}: it may not know of all that was sent, and sends nothing before it is claimed")]
    Elsewhere(Box<Away>),
    /// A lock file, or the mark of the store, could not be used.
    #[error("cannot use {}, a file that is kept beside the store: {source}", path.display())]
    Lock {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A message was in a state that does not allow what was asked.
    #[error(transparent)]
    Illegal(#[from] IllegalTransition),
    /// The store holds something that this program never writes.
    #[error("the store holds something unexpected: {0}")]
    Corrupt(String),
    /// A commit failed: nothing of it was written.
    #[error("the store could not be written: {why}")]
    Commit {
        /// In SQLite's words.
        why: String,
        /// What kind of thing that is.
        trouble: Trouble,
    },
    /// The system has no random number for a new store.
    #[error("no random number can be had: {0}")]
    Random(String),
    /// The thread that writes the store has ended.
    #[error("the store's writer has ended")]
    WriterGone,
}

/// What kind of thing keeps a store from being read or written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The disk is full.
    NoRoom,
    /// It may only be read.
    ReadOnly,
    /// The file, or one beside it, cannot be opened.
    CannotOpen,
    /// Somebody else holds it, for longer than anybody waits.
    Busy,
    /// What is in it cannot be.
    Damaged,
    /// The disk has failed.
    Disk,
    /// Something else.
    Other,
}

impl Trouble {
    pub(super) fn of(error: &rusqlite::Error) -> Self {
        use rusqlite::Error as Cause;
        match error {
            // A file beside it that grows with its use.
            Cause::SqliteFailure(code, _) if code.extended_code == ffi::SQLITE_IOERR_SHMSIZE => {
                return Self::NoRoom;
            }
            Cause::FromSqlConversionFailure(..)
            | Cause::IntegralValueOutOfRange(..)
            | Cause::InvalidColumnType(..)
            | Cause::Utf8Error(..) => return Self::Damaged,
            _ => {}
        }
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::NoRoom,
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Self::ReadOnly,
            Some(ErrorCode::CannotOpen) => Self::CannotOpen,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged,
            Some(ErrorCode::SystemIoFailure) => Self::Disk,
            _ => Self::Other,
        }
    }
}

impl Error {
    /// What kind of thing kept the store from being read or written, where that is what it is about.
    pub fn trouble(&self) -> Option<Trouble> {
        match self {
            Self::Sqlite(error) => Some(Trouble::of(error)),
            Self::Commit { trouble, .. } | Self::Copy { trouble, .. } => Some(*trouble),
            Self::Damaged { .. } | Self::Corrupt(_) => Some(Trouble::Damaged),
            _ => None,
        }
    }

    pub(super) fn commit(error: &rusqlite::Error) -> Self {
        Self::Commit {
            why: error.to_string(),
            trouble: Trouble::of(error),
        }
    }
}
