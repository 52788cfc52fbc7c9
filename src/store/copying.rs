//! A copy of the store, made while others write to it.
//!
//! It is of one moment, one file without any beside it, looked through before it gets its name, and there whole or
//! not at all. It belongs where the store belongs: opened elsewhere it is known as a copy and sends nothing.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;
use tempfile::NamedTempFile;

use super::checking::{Checkup, flaws_as_found, look_through, open_known, open_to_read};
use super::error::Trouble;
use super::{Error, Store, schema};

/// A copy that has no name yet; it is gone with this, unless it gets one.
#[derive(Debug)]
pub(super) struct Unnamed {
    file: NamedTempFile,
    target: PathBuf,
    pub(super) checkup: Checkup,
}

impl Unnamed {
    /// Copies the store at `from`, to lie beside `target`, and looks it through.
    ///
    /// # Errors
    /// [`Error::NotSound`] for a store that is not whole.
    pub(super) fn of(from: &Path, target: &Path) -> Result<Self, Error> {
        let source = open_known(from)?;
        if schema::height(&source)? == 0 {
            return Err(Error::NoStore {
                path: from.to_owned(),
                what: "there is nothing in it",
            });
        }
        let file = tempfile::Builder::new()
            .prefix(".postroom-copy-")
            .tempfile_in(folder_of(target))
            .map_err(|source| moved(target, source))?;
        let written = source.execute("VACUUM INTO ?", [file.path().to_string_lossy()]);
        drop(source);
        match written {
            Ok(_) => {}
            Err(error) if is_damage(&error) => return Err(not_sound(from)),
            Err(error) => {
                return Err(Error::Copy {
                    path: target.to_owned(),
                    why: error.to_string(),
                    trouble: Trouble::of(&error),
                });
            }
        }
        file.as_file()
            .sync_all()
            .map_err(|source| moved(target, source))?;
        let checkup = flaws_as_found(look_through(&open_to_read(file.path())?))?;
        if !checkup.is_sound() {
            return Err(Error::NotSound {
                path: from.to_owned(),
                flaws: checkup.flaws,
            });
        }
        Ok(Self {
            file,
            target: target.to_owned(),
            checkup,
        })
    }

    /// Gives it its name: whatever is there is replaced if it may be.
    pub(super) fn name(self, replace: bool) -> Result<Checkup, Error> {
        let Self {
            file,
            target,
            checkup,
        } = self;
        let named = if replace {
            file.persist(&target)
        } else {
            file.persist_noclobber(&target)
        };
        match named {
            Ok(_) => {}
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(Error::Taken { path: target });
            }
            Err(error) => return Err(moved(&target, error.error)),
        }
        keep_names(&target);
        Ok(checkup)
    }
}

impl Store {
    /// Copies the store at `from` into the new file `to`, which its owner alone can read, while others use it.
    ///
    /// # Errors
    /// [`Error::Taken`] where there is such a file and it is not to be replaced; [`Error::NotSound`] when the store
    /// is damaged; [`Error::Copy`] and [`Error::Move`] when it cannot be written. Then there is no new file, and what
    /// was there is as it was.
    pub fn back_up(from: &Path, to: &Path, replace: bool) -> Result<Checkup, Error> {
        let is_there = to.symlink_metadata();
        let is_file = is_there.as_ref().is_ok_and(std::fs::Metadata::is_file);
        // Not even by force: it would be the store itself that is replaced, or a folder.
        let is_itself = from.canonicalize().ok() == to.canonicalize().ok();
        if is_there.is_ok() && (!replace || !is_file || is_itself) {
            return Err(Error::Taken {
                path: to.to_owned(),
            });
        }
        Unnamed::of(from, to)?.name(replace)
    }
}

fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    )
}

fn not_sound(path: &Path) -> Error {
    Error::NotSound {
        path: path.to_owned(),
        flaws: vec![],
    }
}

pub(super) fn moved(path: &Path, source: io::Error) -> Error {
    Error::Move {
        path: path.to_owned(),
        source,
    }
}

fn folder_of(path: &Path) -> &Path {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    folder.unwrap_or(Path::new("."))
}

/// Has the folder's names on the disk, where the system can do that for a folder: a power cut must not undo them.
pub(super) fn keep_names(path: &Path) {
    let _elsewhere = File::open(folder_of(path)).and_then(|folder| folder.sync_all());
}
