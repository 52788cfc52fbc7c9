//! Connection slots: a mailbox's connections are counted over all processes, by a lock of the operating
//! system for each of them, which ends with the process that holds it.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use super::place::{beside, look_at, open_private};
use super::{Error, Store};

/// One of a mailbox's connections, until it is dropped.
#[derive(Debug)]
pub struct ConnectionSlot {
    _file: File,
    number: usize,
}

impl ConnectionSlot {
    /// Which one it is, from 0.
    pub fn number(&self) -> usize {
        self.number
    }
}

/// Says, as long as it lives, that somebody waits for one of a mailbox's connections and has none.
#[derive(Debug)]
pub struct SlotWanted {
    _file: File,
}

pub(super) fn slot_path(store: &Path, mailbox: &str, kind: &str) -> PathBuf {
    let digest = blake3::hash(mailbox.as_bytes()).to_hex();
    beside(store, &format!(".{}.{kind}", &digest[..16]))
}

/// Whether some process has no connection of this mailbox's and waits for one.
pub fn is_slot_wanted(store: &Path, mailbox: &str) -> bool {
    look_at(&slot_path(store, mailbox, "want"))
        .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

impl Store {
    /// Says that a connection of this mailbox's is waited for: who has one gives it up when it can. None while
    /// somebody is just looking whether it is so, or waits as well.
    ///
    /// # Errors
    /// [`Error::Lock`] when a file beside the store cannot be made or locked.
    pub fn want_slot(&self, mailbox: &str) -> Result<Option<SlotWanted>, Error> {
        let path = slot_path(self.path(), mailbox, "want");
        let failed = |source| Error::Lock {
            path: path.clone(),
            source,
        };
        let file = open_private(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(SlotWanted { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    /// [`connection_slot`] of this store's mailboxes.
    ///
    /// # Errors
    /// [`Error::Lock`] when a file beside the store cannot be made or locked.
    pub fn connection_slot(
        &self,
        mailbox: &str,
        most: usize,
    ) -> Result<Option<ConnectionSlot>, Error> {
        connection_slot(self.path(), mailbox, most)
    }
}

/// Takes one of a mailbox's `most` connections; none when all of them are taken, here or in another process.
/// Processes that allow different numbers share the lower slots, so the largest number holds over all of them.
/// The store at this path need not be open.
///
/// # Errors
/// [`Error::Lock`] when a file beside the store cannot be made or locked.
pub fn connection_slot(
    store: &Path,
    mailbox: &str,
    most: usize,
) -> Result<Option<ConnectionSlot>, Error> {
    for number in 0..most {
        let path = slot_path(store, mailbox, &format!("{number}.slot"));
        let failed = |source| Error::Lock {
            path: path.clone(),
            source,
        };
        let file = open_private(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {
                return Ok(Some(ConnectionSlot {
                    _file: file,
                    number,
                }));
            }
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
    }
    Ok(None)
}
