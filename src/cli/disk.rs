//! Files that cannot be read, made or written: why, in plain words, and what to do about that very reason.

use std::fmt::Display;
use std::io::{self, ErrorKind};
use std::path::Path;

use super::exit::Exit;
use super::failure::Failure;
use crate::store::Trouble;

/// What was to be done with a file or folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    Read,
    Make,
    Write,
}

/// A file that is needed cannot be read.
pub(super) fn cannot_read(path: &Path, cause: &io::Error) -> Failure {
    let exit = match cause.kind() {
        ErrorKind::NotFound => Exit::NoInput,
        _ => Exit::Io,
    };
    failure(exit, path.display(), Deed::Read, cause)
}

/// A new file or folder cannot be made.
pub(super) fn cannot_create(path: &Path, cause: &io::Error) -> Failure {
    failure(Exit::CannotCreate, path.display(), Deed::Make, cause)
}

/// Standard output or a file cannot be written.
pub(super) fn cannot_write(what: impl Display, cause: &io::Error) -> Failure {
    failure(Exit::Io, what, Deed::Write, cause)
}

fn failure(exit: Exit, what: impl Display, deed: Deed, cause: &io::Error) -> Failure {
    let done = match deed {
        Deed::Read => "read",
        Deed::Make => "made",
        Deed::Write => "written",
    };
    tracing::debug!(because = ?cause.to_string(), "cannot be {done}");
    let exit = match cause.kind() {
        // Whatever was to be done there.
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Exit::Io,
        _ => exit,
    };
    let (why, remedy) = reason(cause, deed);
    Failure::new(exit, format!("{what} cannot be {done}: {why}"), remedy)
}

/// Why, and what to do.
fn reason(cause: &io::Error, deed: Deed) -> (String, &'static str) {
    let (why, remedy) = match (cause.kind(), deed) {
        (ErrorKind::NotFound, Deed::Read) => ("it is not there", "correct the name"),
        (ErrorKind::NotFound, _) => (
            "the folder that it is to lie in is not there",
            "make that folder first, or correct the path",
        ),
        (ErrorKind::IsADirectory, _) => ("it is a folder", "name a file"),
        (ErrorKind::NotADirectory, _) => (
            "a part of its path is a file and no folder",
            "correct the path",
        ),
        (ErrorKind::AlreadyExists, _) => (
            "a file of this name, or of a folder's name in its path, is there already",
            "name another one: nothing is overwritten",
        ),
        (ErrorKind::PermissionDenied, Deed::Read) => (
            "you may not read it",
            "ask its owner, or whoever looks after this machine, for the right to read it",
        ),
        (ErrorKind::PermissionDenied, _) => (
            "you may not write there",
            "name a place where you may write, or ask whoever looks after this machine for the right to",
        ),
        (ErrorKind::ReadOnlyFilesystem, _) => (
            "what lies on that disk can be read and not changed",
            "name a place on another disk",
        ),
        (ErrorKind::StorageFull, _) => NO_ROOM,
        (ErrorKind::QuotaExceeded, _) => (
            "your share of the disk is used up",
            "delete what you do not need or name a place on another disk, then run it again",
        ),
        (ErrorKind::InvalidFilename, _) => {
            ("no file can be named so", "give it a shorter, plainer name")
        }
        (_, Deed::Read) => {
            return (
                cause.to_string(),
                "see that the disk is well, then run it again",
            );
        }
        _ => {
            return (
                cause.to_string(),
                "see that the disk is well and that you may write there, then run it again",
            );
        }
    };
    (why.to_owned(), remedy)
}

const NO_ROOM: (&str, &str) = (
    "there is no room left on the disk",
    "make room on it, then run it again",
);

/// The store's file, or one beside it, cannot be made or used.
pub(super) fn no_store(exit: Exit, path: &Path, cause: &io::Error) -> Failure {
    let what = format!("the store {}", path.display());
    // Its file may be there; what else is, is a file where a folder is to be made.
    let through_file = ErrorKind::NotADirectory.into();
    let cause = match cause.kind() {
        ErrorKind::AlreadyExists => &through_file,
        _ => cause,
    };
    let failure = failure(exit, what, Deed::Make, cause);
    let remedy = format!(
        "{}; another file is named with --store, or POSTROOM_STORE in the environment",
        failure.remedy
    );
    Failure { remedy, ..failure }
}

/// What to do about a store that could not be read or written. What was recorded before stays.
pub(super) fn mend_store(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::NoRoom => {
            "make room on the store's disk, then run it again: nothing is lost, and it goes on where it was"
        }
        Trouble::ReadOnly => {
            "see that you may write to the store's file and to its folder, and that its disk is not set to be read only; \
             nothing is lost"
        }
        Trouble::CannotOpen => {
            "see that the store is a file which you may read and write, in a folder where you may write; nothing is lost"
        }
        Trouble::Busy => {
            "another program has held the store for minutes (a backup, a plan of a very long list): wait until that is \
             done, then run it again; nothing is lost"
        }
        Trouble::Damaged => {
            "do not send from it: `postroom store check` says what is wrong; see that the disk is well, and put a backup in \
             its place with `postroom store restore FILE`, which says what that one may not know of. Without a backup, keep \
             the file, look into the mailbox's Sent Items who was sent their mail, and send to the others as a new campaign \
             with a store of its own (--store)"
        }
        Trouble::Disk => {
            "see that the store's disk is well and connected, then run it again: what was recorded before stays"
        }
        Trouble::Other => {
            "run it again: nothing is lost; if it goes on so, please report it with the command and this message"
        }
    }
}

/// What to do about a copy of the store that could not be written. The store is as it was.
pub(super) fn mend_copy(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::NoRoom => {
            "make room on its disk, or name a file on another one; the store is as it was, and there is no half copy"
        }
        Trouble::ReadOnly | Trouble::CannotOpen => {
            "name a place where you may write; the store is as it was"
        }
        _ => "see that its disk is well, then run it again; the store is as it was",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_has_a_sentence_and_a_remedy_of_its_own() {
        let path = Path::new("a/b");
        for (kind, why, remedy) in [
            (ErrorKind::IsADirectory, "a folder", "name a file"),
            (ErrorKind::NotADirectory, "no folder", "correct the path"),
            (ErrorKind::NotFound, "not there", "make that folder"),
            (ErrorKind::PermissionDenied, "may not write", "may write"),
            (ErrorKind::ReadOnlyFilesystem, "not changed", "another disk"),
            (ErrorKind::StorageFull, "no room", "make room"),
            (ErrorKind::QuotaExceeded, "your share", "delete"),
            (ErrorKind::AlreadyExists, "already", "name another"),
            (ErrorKind::InvalidFilename, "named so", "shorter"),
        ] {
            let failure = cannot_create(path, &kind.into());
            let said = (&failure.message, &failure.remedy);
            assert!(failure.message.contains(why), "{said:?}");
            assert!(failure.remedy.contains(remedy), "{said:?}");
            let is_about_room = failure.remedy.contains("room");
            assert_eq!(is_about_room, kind == ErrorKind::StorageFull, "{said:?}");
        }
        let missing = cannot_read(path, &ErrorKind::NotFound.into());
        assert_eq!(missing.exit, Exit::NoInput);
        assert!(missing.remedy.contains("correct the name"), "{missing:?}");
        let other = cannot_write("the report", &io::Error::other("a cable came loose"));
        assert!(other.message.contains("a cable came loose"), "{other:?}");
    }
}
