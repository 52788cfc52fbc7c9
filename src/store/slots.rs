//! Connection slots: a mailbox's connections are counted over all processes, by a lock of the operating
//! system for each of them, which ends with the process that holds it.

use std::fs::{File, TryLockError};

use super::place::{beside, open_private};
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

impl Store {
    /// Takes one of a mailbox's `most` connections; none when all of them are taken, here or in another
    /// process. Processes that allow different numbers share the lower slots, so the largest number holds
    /// over all of them.
    ///
    /// # Errors
    /// [`Error::Lock`] when a file beside the store cannot be made or locked.
    pub fn connection_slot(
        &self,
        mailbox: &str,
        most: usize,
    ) -> Result<Option<ConnectionSlot>, Error> {
        let digest = blake3::hash(mailbox.as_bytes()).to_hex();
        for number in 0..most {
            let path = beside(self.path(), &format!(".{}.{number}.slot", &digest[..16]));
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
}
