//! Files and folders that commands make: never over anything that is there.

use std::fs::{self, File, OpenOptions};
use std::path::Path;

use super::exit::Exit;
use super::failure::Failure;

/// A new file that its owner alone can read: what stands in it is for its recipients.
pub(super) fn create_private(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}

/// Refuses a folder that has something in it.
pub(super) fn refuse_full(folder: &Path) -> Result<(), Failure> {
    if fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
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
