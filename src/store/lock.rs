//! One sender per campaign: a lock of the operating system, which ends with the process that holds it.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::path::PathBuf;

use jiff::Timestamp;

use super::{Error, Store};

/// Held by the one process that sends a campaign.
#[derive(Debug)]
pub struct SenderLock {
    _file: File,
}

impl Store {
    fn lock_path(&self, campaign: &str) -> PathBuf {
        let digest = blake3::hash(campaign.as_bytes()).to_hex();
        // By whatever way the file is reached, it has one lock.
        let path = self.path().canonicalize();
        let mut name = path
            .as_deref()
            .unwrap_or(self.path())
            .as_os_str()
            .to_owned();
        name.push(format!(".{}.lock", &digest[..16]));
        PathBuf::from(name)
    }

    /// Takes the campaign for sending.
    ///
    /// # Errors
    /// [`Error::Locked`] when another process sends it: says which and since when.
    pub fn lock_for_sending(&self, campaign: &str, now: Timestamp) -> Result<SenderLock, Error> {
        let path = self.lock_path(campaign);
        let failed = |source| Error::Lock {
            path: path.clone(),
            source,
        };
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        let mut file = options.open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // On some systems a locked file cannot be read either: the name is a courtesy.
                let _unread = file.read_to_string(&mut holder);
                return Err(Error::Locked {
                    campaign: campaign.to_owned(),
                    holder,
                });
            }
            Err(std::fs::TryLockError::Error(source)) => return Err(failed(source)),
        }
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| write!(file, "process {}, since {now}", std::process::id()))
            .map_err(failed)?;
        Ok(SenderLock { _file: file })
    }

    /// True while some process sends the campaign.
    pub fn is_being_sent(&self, campaign: &str) -> bool {
        File::open(self.lock_path(campaign))
            .is_ok_and(|file| matches!(file.try_lock(), Err(std::fs::TryLockError::WouldBlock)))
    }
}
