//! One sender per campaign: a lock of the operating system, which ends with the process that holds it.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::PathBuf;

use jiff::Timestamp;

use super::place::{beside, look_at, machine_name, open_private};
use super::{Error, Store, mark};

/// Held by the one process that sends a campaign.
#[derive(Debug)]
pub struct SenderLock {
    _file: File,
    store: PathBuf,
}

/// The process that sends a campaign, as far as it can be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AtWork {
    /// Which process of which machine: `process 4711 on mailhost`.
    pub who: String,
    /// Since when.
    pub since: Option<Timestamp>,
}

/// Held while something of a campaign is put right that nobody sends.
#[derive(Debug)]
pub struct Moment {
    // In this order: who waits for its turn finds the campaign free.
    _lock: SenderLock,
    _turn: File,
}

impl Drop for SenderLock {
    fn drop(&mut self) {
        // The last commits of a send may be another thread's, or have raced with another process's.
        mark::keep_up(&self.store);
    }
}

impl Store {
    fn lock_path(&self, campaign: &str) -> PathBuf {
        self.beside(campaign, "lock")
    }

    /// The lock under which the sender's lock is tried: held only as long as that takes, or while something
    /// is put right.
    fn turn_path(&self, campaign: &str) -> PathBuf {
        self.beside(campaign, "turn")
    }

    fn beside(&self, campaign: &str, kind: &str) -> PathBuf {
        let digest = blake3::hash(campaign.as_bytes()).to_hex();
        beside(self.path(), &format!(".{}.{kind}", &digest[..16]))
    }

    /// Takes the campaign for sending, or for putting right what a sender that is gone has left.
    ///
    /// # Errors
    /// [`Error::Locked`] when another process sends it: says which and since when. [`Error::Elsewhere`]
    /// when this store is not at home: then nothing was written.
    pub fn lock_for_sending(&self, campaign: &str, now: Timestamp) -> Result<SenderLock, Error> {
        let (lock, turn) = self.take(campaign, now)?;
        drop(turn);
        Ok(lock)
    }

    /// The same for a moment, in which something is put right. Who comes to send it meanwhile waits for that
    /// moment to end, and is not told that it is being sent.
    ///
    /// # Errors
    /// As [`Self::lock_for_sending`].
    pub fn lock_for_a_moment(&self, campaign: &str, now: Timestamp) -> Result<Moment, Error> {
        let (lock, turn) = self.take(campaign, now)?;
        Ok(Moment {
            _lock: lock,
            _turn: turn,
        })
    }

    fn take(&self, campaign: &str, now: Timestamp) -> Result<(SenderLock, File), Error> {
        // What a process left that has ended without closing the store, or what was put together of two, shows here.
        // While somebody sends the campaign there is no lock to be had, and no need to read a large file through.
        if self.was_left_open && !self.fleeting && !self.is_being_sent(campaign) {
            self.look_at_file()?;
        }
        self.come_home()?;
        let (path, turn) = (self.lock_path(campaign), self.turn_path(campaign));
        let failed = |source| Error::Lock {
            path: path.clone(),
            source,
        };
        let turn = open_private(&turn).map_err(failed)?;
        turn.lock().map_err(failed)?;
        let mut file = open_private(&path).map_err(failed)?;
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
            .and_then(|()| write!(file, "{}", holder(now)))
            .map_err(failed)?;
        // Another store may have been put in its place meanwhile.
        self.come_home()?;
        let lock = SenderLock {
            _file: file,
            store: self.path().to_owned(),
        };
        Ok((lock, turn))
    }

    /// True while some process sends the campaign.
    pub fn is_being_sent(&self, campaign: &str) -> bool {
        self.sent_by(campaign).is_some()
    }

    /// The process that sends the campaign, if one does.
    pub fn sent_by(&self, campaign: &str) -> Option<AtWork> {
        let turn = look_at(&self.turn_path(campaign));
        let _turn = turn.map(|turn| turn.lock().map(|()| turn));
        let mut file = look_at(&self.lock_path(campaign)).ok()?;
        let Err(std::fs::TryLockError::WouldBlock) = file.try_lock_shared() else {
            return None;
        };
        let mut holder = String::new();
        // On some systems a locked file cannot be read either: the name is a courtesy.
        let _unread = file.read_to_string(&mut holder);
        let (who, since) = match holder.rsplit_once(SINCE) {
            Some((who, since)) => (who.to_owned(), since.trim().parse().ok()),
            None => ("another process".to_owned(), None),
        };
        Some(AtWork { who, since })
    }
}

/// What stands between who it is and since when.
const SINCE: &str = ", since ";

/// Who this process is, for whoever finds the campaign taken.
fn holder(now: Timestamp) -> String {
    let place = machine_name().map_or_else(String::new, |name| format!(" on {name}"));
    format!("process {}{place}{SINCE}{now}", std::process::id())
}
