//! Puts a copy in the store's place.
//!
//! Nothing is deleted: what was there is set aside under a name with the time. The mark beside it stays, or another
//! store's is written where there is none, so that the next send finds a store that was restored ([`super::home`])
//! and sends nothing before it is claimed. Whoever is killed in the middle leaves a store or none, and then the mark,
//! by which nobody makes a new one: it is done again.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::copying::{Unnamed, keep_names, moved};
use super::home::random_identity;
use super::mark::{self, Mark, MarkFile, Watermark};
use super::place::{beside, open_private};
use super::{Checkup, Error, Store, create_private_folder, length};

/// What was put in the store's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaced {
    /// The store that is there now.
    pub checkup: Checkup,
    /// Where the former one is, if there was one.
    pub aside: Option<PathBuf>,
}

/// The files that SQLite keeps beside a store.
const COMPANIONS: [&str; 2] = ["-wal", "-shm"];

impl Store {
    /// Puts a copy of the store `from` in the place of the one at `path`, whatever state that one is in.
    ///
    /// # Errors
    /// [`Error::InUse`] while some process sends from it; [`Error::NotSound`], [`Error::NoStore`] and
    /// [`Error::Newer`] for what cannot take its place; [`Error::Copy`] and [`Error::Move`] when it cannot be
    /// written. Nothing was changed then, or it can be done again.
    pub fn replace(path: &Path, from: &Path, now: Timestamp) -> Result<Replaced, Error> {
        let path = &path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if from.canonicalize().is_ok_and(|from| from == *path) {
            return Err(Error::Taken {
                path: from.to_owned(),
            });
        }
        if let Some(folder) = path.parent().filter(|folder| *folder != Path::new("")) {
            create_private_folder(folder).map_err(|source| moved(path, source))?;
        }
        let copy = Unnamed::of(from, path)?;
        let _held = hold_all(path)?;
        remember(path)?;
        let aside = set_aside(path, now)?;
        Ok(Replaced {
            checkup: copy.name(false)?,
            aside,
        })
    }
}

/// Takes every lock beside the store, so that nobody begins to send.
fn hold_all(path: &Path) -> Result<Vec<File>, Error> {
    let own = beside(path, ".restoring.lock");
    let mut held = vec![hold(&own)?];
    let mut locks = Vec::new();
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Ok(held);
    };
    let prefix = format!("{}.", name.to_string_lossy());
    let entries = fs::read_dir(folder).map_err(|source| moved(path, source))?;
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_one = |kinds: &[&str]| {
            name.starts_with(&prefix) && kinds.iter().any(|kind| name.ends_with(kind))
        };
        if is_one(&[".turn"]) {
            // Whoever looks or puts something right has it for a moment.
            let turn = open_private(&entry.path()).map_err(|source| moved(path, source))?;
            turn.lock().map_err(|source| moved(path, source))?;
            held.push(turn);
        } else if is_one(&[".lock", ".single", ".slot"]) && entry.path() != own {
            locks.push(entry.path());
        }
    }
    for lock in locks {
        held.push(hold(&lock)?);
    }
    Ok(held)
}

fn hold(path: &Path) -> Result<File, Error> {
    let failed = |source| Error::Lock {
        path: path.to_owned(),
        source,
    };
    let mut file = open_private(path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            // On some systems a locked file cannot be read either: the name is a courtesy.
            let _unread = file.read_to_string(&mut holder);
            if holder.is_empty() {
                holder.push_str("another process");
            }
            Err(Error::InUse { holder })
        }
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// Sees that there is a mark by which what comes into the store's place is known for restored.
fn remember(path: &Path) -> Result<(), Error> {
    if Mark::beside(path).is_some() {
        return Ok(());
    }
    let mark = Mark {
        identity: random_identity()?,
        watermark: Watermark {
            highest: 0,
            in_hand: 0,
        },
    };
    MarkFile::open(path)
        .and_then(|mut file| file.replace(&mark))
        .map_err(|source| moved(&mark::path(path), source))
}

/// Moves the store away with its companions. It gets its second name first and loses its own then, so that at any
/// moment it is whole under one of them.
fn set_aside(path: &Path, now: Timestamp) -> Result<Option<PathBuf>, Error> {
    let companions = COMPANIONS.map(|name| beside(path, name));
    if path.symlink_metadata().is_err() && length(&beside(path, "-wal")) == 0 {
        // What is left of one that was removed says nothing without it.
        for companion in companions {
            let _none = fs::remove_file(companion);
        }
        return Ok(None);
    }
    let parts = std::iter::once(path.to_owned()).chain(companions);
    let parts: Vec<PathBuf> = parts
        .filter(|part| part.symlink_metadata().is_ok())
        .collect();
    let aside = free_name(path, now);
    let away = |part: &Path| {
        let companion = COMPANIONS.iter().find(|name| beside(path, name) == part);
        let mut name = aside.clone().into_os_string();
        name.push(companion.unwrap_or(&""));
        PathBuf::from(name)
    };
    let linked = parts
        .iter()
        .all(|part| fs::hard_link(part, away(part)).is_ok());
    if !linked {
        // Those that got one after all: they have their own names too.
        for part in &parts {
            let _none = fs::remove_file(away(part));
        }
    }
    for part in &parts {
        let gone = if linked {
            fs::remove_file(part)
        } else {
            fs::rename(part, away(part))
        };
        match gone {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(moved(part, source));
            }
            _ => {}
        }
    }
    keep_names(path);
    Ok(Some(aside))
}

/// `postroom.db.before-20261129-195300`, or with a number behind it.
fn free_name(path: &Path, now: Timestamp) -> PathBuf {
    let dated = format!(".before-{}", now.strftime("%Y%m%d-%H%M%S"));
    let mut names = (1..).map(|number: u32| match number {
        1 => beside(path, &dated),
        number => beside(path, &format!("{dated}-{number}")),
    });
    let is_free = |name: &PathBuf| {
        let also = COMPANIONS.map(|companion| beside(name, companion));
        name.symlink_metadata().is_err() && also.iter().all(|name| name.symlink_metadata().is_err())
    };
    names.find(is_free).unwrap_or_else(|| beside(path, &dated))
}
