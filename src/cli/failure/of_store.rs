//! What went wrong with the store, in plain words.

use super::Failure;
use crate::cli::disk;
use crate::cli::exit::Exit;
use crate::store::{Error, Trouble};

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match &error {
            Error::Create { path, source } => disk::no_store(Exit::CannotCreate, path, source),
            Error::Lock { path, source } => disk::no_store(Exit::Io, path, source),
            Error::Move { path, source } => disk::cannot_write(path.display(), source),
            Error::Illegal(_) | Error::Random(_) | Error::WriterGone => Self::own(&error),
            _ => {
                let exit = exit(&error);
                let code = code(&error).unwrap_or(exit.name());
                Self::new(exit, &error, remedy(&error)).named(code)
            }
        }
    }
}

/// The name of an error that has one of its own.
fn code(error: &Error) -> Option<&'static str> {
    match error {
        Error::Newer { .. } => Some("store-newer"),
        Error::NoStore { .. } => Some("no-store"),
        Error::Locked { .. } | Error::InUse { .. } => Some("being-sent"),
        Error::Lost { .. } => Some("store-lost"),
        Error::NotSound { .. } => Some("store-damaged"),
        Error::PlannedMeanwhile(_) => Some("planned-meanwhile"),
        Error::Elsewhere(_) => Some("store-elsewhere"),
        other => (other.trouble() == Some(Trouble::Damaged)).then_some("store-damaged"),
    }
}

fn exit(error: &Error) -> Exit {
    match error {
        Error::Taken { .. } => Exit::CannotCreate,
        Error::InUse { .. }
        | Error::Locked { .. }
        | Error::PlannedMeanwhile(_)
        | Error::UpdatedMeanwhile(_)
        | Error::Elsewhere(_) => Exit::NotFinished,
        _ => Exit::Io,
    }
}

fn remedy(error: &Error) -> &'static str {
    match error {
        Error::Taken { .. } => "name another file; nothing was changed",
        Error::InUse { .. } => {
            "stop that send first, with Ctrl-C where it runs or with `postroom halt`; nothing was changed"
        }
        Error::Lost { .. } => {
            "put it back: `postroom store restore FILE` with a backup, or move the file to where it was; if it was moved on \
             purpose, name it with --store. Nothing was changed, and no new store is begun in its place: whoever wants that \
             moves the file that ends with .mark away too"
        }
        Error::NotSound { .. } => {
            "`postroom store check` says what is wrong with a store, also with a backup (--store FILE); take another backup"
        }
        Error::Copy { trouble, .. } => disk::mend_copy(*trouble),
        Error::NoStore { .. } => {
            "correct --store, or POSTROOM_STORE in the environment; nothing was changed"
        }
        Error::Newer { .. } => {
            "use the newer version of postroom that wrote it; the store was not touched"
        }
        Error::Locked { .. } => {
            "wait for the other one, or stop it: with Ctrl-C where it runs, or with `postroom halt`; nothing was sent here"
        }
        Error::PlannedMeanwhile(_) => "run it again: it goes by that plan",
        Error::UpdatedMeanwhile(_) => {
            "nothing was changed here; look at the plan with `postroom plan`, then run it again"
        }
        Error::Elsewhere(_) => {
            "`postroom store claim` says what that means and makes this store the one that sends; nothing was sent"
        }
        other => disk::mend_store(other.trouble().unwrap_or(Trouble::Other)),
    }
}
