//! Files and folders that commands make: never over anything that is there, and there whole or not at all.
//!
//! Each is written under a hidden name first and gets its own in the end, so that a full disk or a kill leaves nothing
//! that could be taken for whole, and the command can be run again.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, TempDir};

use super::disk::{cannot_create, cannot_write};
use super::exit::Exit;
use super::failure::Failure;

/// What the names of unfinished folders begin with.
const UNFINISHED: &str = ".postroom-unfinished-";

/// By these a folder is taken for whole: they get their names last.
const LAST: [&str; 2] = ["campaign.toml", "index.html"];

/// A file for its owner alone, that has no name yet.
pub(super) fn begin_private(path: &Path) -> io::Result<NamedTempFile> {
    tempfile::Builder::new()
        .prefix(".postroom-file-")
        .tempfile_in(folder_of(path))
}

/// Gives a file its name, if nothing has it.
pub(super) fn name_private(file: NamedTempFile, path: &Path) -> io::Result<()> {
    file.persist_noclobber(path)
        .map(drop)
        .map_err(|error| error.error)
}

/// Writes a new file that its owner alone can read: what stands in it is for its recipients.
pub(super) fn write_private(path: &Path, content: &[u8]) -> Result<(), Failure> {
    let mut file = begin_private(path).map_err(|cause| cannot_create(path, &cause))?;
    file.write_all(content)
        .map_err(|cause| cannot_write(path.display(), &cause))?;
    name_private(file, path).map_err(|cause| cannot_create(path, &cause))
}

/// Makes a folder and those above it that are not there.
fn make_folders(folder: &Path, access: Access) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    if access == Access::Private {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(folder)
}

/// The folder that a file is to lie in.
pub(super) fn folder_of(path: &Path) -> &Path {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    folder.unwrap_or(Path::new("."))
}

/// Who may look into a new folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Its owner alone: there are mails in it.
    Private,
    /// Whoever may by the person's own settings.
    Usual,
}

/// A folder that is being written. What is in it is gone with this, unless it is finished.
pub(super) struct NewFolder {
    unfinished: TempDir,
    target: PathBuf,
    /// The target was there, and empty.
    is_there: bool,
}

impl NewFolder {
    /// Refuses one that has something in it.
    pub(super) fn begin(target: &Path, access: Access) -> Result<Self, Failure> {
        let failed = |cause: io::Error| cannot_create(target, &cause);
        if target.symlink_metadata().is_ok() && !target.is_dir() {
            return Err(failed(io::ErrorKind::AlreadyExists.into()));
        }
        refuse_full(target)?;
        let is_there = target.is_dir();
        let place = if is_there { target } else { folder_of(target) };
        make_folders(place, access).map_err(failed)?;
        let mut builder = tempfile::Builder::new();
        builder.prefix(UNFINISHED);
        if access == Access::Private {
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt;
                builder.permissions(fs::Permissions::from_mode(0o700));
            }
        }
        Ok(Self {
            unfinished: builder.tempdir_in(place).map_err(failed)?,
            target: target.to_owned(),
            is_there,
        })
    }

    /// Where to write.
    pub(super) fn path(&self) -> &Path {
        self.unfinished.path()
    }

    /// What is in it gets its place.
    pub(super) fn finish(self) -> Result<(), Failure> {
        let target = self.target;
        let failed = |cause: io::Error| cannot_create(&target, &cause);
        if !self.is_there {
            let unfinished = self.unfinished.keep();
            return fs::rename(&unfinished, &target).map_err(|cause| {
                let _left = fs::remove_dir_all(&unfinished);
                failed(cause)
            });
        }
        // A folder that is there may be where somebody stands, or a disk: it stays.
        let mut entries = Vec::new();
        for entry in fs::read_dir(self.unfinished.path()).map_err(failed)? {
            entries.push(entry.map_err(failed)?.file_name());
        }
        entries.sort_by_key(|name| LAST.iter().any(|last| name == *last));
        for name in entries {
            fs::rename(self.unfinished.path().join(&name), target.join(&name)).map_err(failed)?;
        }
        Ok(())
    }
}

/// Refuses a folder that has something in it, other than what a command that was killed has left.
pub(super) fn refuse_full(folder: &Path) -> Result<(), Failure> {
    let is_something = |entry: io::Result<fs::DirEntry>| {
        entry.is_ok_and(|entry| !entry.file_name().to_string_lossy().starts_with(UNFINISHED))
    };
    if fs::read_dir(folder).is_ok_and(|mut entries| entries.any(is_something)) {
        return Err(Failure::new(
            Exit::CannotCreate,
            format!(
                "the folder {} is not empty, and nothing is ever overwritten",
                folder.display()
            ),
            "name a folder that is not there yet",
        ));
    }
    Ok(())
}
