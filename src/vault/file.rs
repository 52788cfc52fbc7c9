//! Files that only their owner can read, replaced as a whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};

use super::VaultError;

/// No secret is larger; what is, is not one of ours.
const MAX_BYTES: u64 = 256 * 1024;

/// Makes the folder for its owner alone, and takes others' rights from one that is there.
pub(super) fn make_folder(folder: &Path) -> Result<(), VaultError> {
    let failed = |error: io::Error| VaultError::file(folder, &error);
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(failed)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(folder).map_err(failed)?.permissions().mode();
        if mode & 0o077 != 0 {
            fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).map_err(failed)?;
        }
    }
    Ok(())
}

/// Opens a file of ours for a lock, making it where there is none.
pub(super) fn open_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// What the file holds; none when it is not there.
pub(super) fn read(path: &Path) -> Result<Option<SecretString>, VaultError> {
    let failed = |error: &io::Error| VaultError::file(path, error);
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(&error)),
    };
    let mut text = Zeroizing::new(String::new());
    file.take(MAX_BYTES)
        .read_to_string(&mut text)
        .map_err(|error| failed(&error))?;
    Ok(Some(SecretString::from(text.as_str())))
}

/// Writes beside the file and puts that in its place, so that after a crash one of the two is whole. A link
/// that stands in the place is replaced, not followed.
pub(super) fn replace(path: &Path, secret: &SecretString) -> Result<(), VaultError> {
    let failed = |error: &io::Error| VaultError::file(path, error);
    let folder = path.parent().unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let prefix = format!("{name}.new-");
    remove_left_over(folder, &prefix);
    let write = || -> io::Result<()> {
        // Readable by its owner alone from the first moment (0600).
        let mut file = tempfile::Builder::new()
            .prefix(&prefix)
            .tempfile_in(folder)?;
        file.write_all(secret.expose_secret().as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        sync_folder(folder)
    };
    write().map_err(|error| failed(&error))
}

/// What a process left that was killed while it wrote. Nobody else writes now: the caller holds the lock.
fn remove_left_over(folder: &Path, prefix: &str) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix)) {
        // It does no harm where it is: the next write tries again.
        let _ = fs::remove_file(entry.path());
    }
}

/// A rename is on disk once its folder is.
fn sync_folder(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}

/// Removes the file; true when it was there.
pub(super) fn remove(path: &Path) -> Result<bool, VaultError> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(VaultError::file(path, &error)),
    }
}
