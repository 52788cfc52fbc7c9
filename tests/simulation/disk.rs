//! The disk: what is left of the store after a crash, and writes that fail.
//!
//! A store syncs its log at every commit (`synchronous = FULL`), and nothing else has to be on the disk before
//! somebody is answered. So the world takes an image of the files when it notices a commit, and one after the
//! next commit, before anybody outside could have learned of that one: whatever lies between the two is what a
//! crash may leave, and any part of the log's new frames may be missing or garbled. A virtual file system below
//! `SQLite` would need unsafe code, which is forbidden here; and this works on the very files that are used.
//! What it cannot show: a sync that reports a failure though the commit is on the disk all the same, without
//! a crash.
//!
//! Writes fail by triggers in the store, switched on and off from outside: at the commit (a deferred constraint
//! that cannot be met), at a statement, or at a statement that takes the transaction with it, which is what
//! `SQLite` itself does when the disk is full.

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::dice::Dice;

/// How writes go.
pub(crate) const WELL: &str = "well";
pub(crate) const FAILURES: [&str; 3] = ["commit", "statement", "rollback"];

const PREPARE: &str = "
    CREATE TABLE simulated_disk (mode TEXT NOT NULL);
    INSERT INTO simulated_disk VALUES ('well');
    CREATE TABLE simulated_room (id INTEGER PRIMARY KEY);
    CREATE TABLE simulated_write (room INTEGER REFERENCES simulated_room DEFERRABLE INITIALLY DEFERRED);
    CREATE TRIGGER simulated_commit AFTER UPDATE OF state ON message
        WHEN (SELECT mode FROM simulated_disk) = 'commit'
        BEGIN INSERT INTO simulated_write VALUES (1); END;
    CREATE TRIGGER simulated_statement BEFORE UPDATE OF state ON message
        WHEN (SELECT mode FROM simulated_disk) = 'statement'
        BEGIN SELECT RAISE(ABORT, 'disk I/O error'); END;
    CREATE TRIGGER simulated_rollback BEFORE UPDATE OF state ON message
        WHEN (SELECT mode FROM simulated_disk) = 'rollback'
        BEGIN SELECT RAISE(ROLLBACK, 'database or disk is full'); END;
";

/// Makes a store one whose writes can fail.
pub(crate) fn prepare(store: &Path) {
    Connection::open(store)
        .unwrap()
        .execute_batch(PREPARE)
        .unwrap();
}

/// From now on writes go so.
pub(crate) fn set(store: &Path, mode: &str) {
    let connection = Connection::open(store).unwrap();
    connection
        .execute("UPDATE simulated_disk SET mode = ?", [mode])
        .unwrap();
}

/// Writes a file's contents anew; it stays the same file.
pub(crate) fn overwrite(path: &Path, contents: &[u8]) {
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(true).open(path);
    file.unwrap().write_all(contents).unwrap();
}

fn beside(store: &Path, ending: &str) -> PathBuf {
    let mut path = store.as_os_str().to_owned();
    path.push(ending);
    path.into()
}

/// Another value after every commit: the header of the log's index counts them.
pub(crate) fn stamp(store: &Path) -> Option<[u8; 48]> {
    let mut header = [0; 48];
    let mut index = std::fs::File::open(beside(store, "-shm")).ok()?;
    index.read_exact(&mut header).ok()?;
    Some(header)
}

/// The store's files at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Image {
    database: Vec<u8>,
    log: Option<Vec<u8>>,
    mark: Option<Vec<u8>>,
}

const SECTOR: usize = 512;

impl Image {
    pub(crate) fn take(store: &Path) -> Self {
        Self {
            database: std::fs::read(store).unwrap(),
            log: std::fs::read(beside(store, "-wal")).ok(),
            mark: std::fs::read(beside(store, ".mark")).ok(),
        }
    }

    /// Puts the files back as they were.
    pub(crate) fn restore(&self, store: &Path) {
        overwrite(store, &self.database);
        let files = [
            ("-wal", self.log.as_ref()),
            (".mark", self.mark.as_ref()),
            ("-shm", None),
        ];
        for (ending, contents) in files {
            let path = beside(store, ending);
            match contents {
                Some(contents) => overwrite(&path, contents),
                None => drop(std::fs::remove_file(&path)),
            }
        }
    }

    /// What a power cut leaves when nothing but the log was synced: the mark may be gone, or older.
    pub(crate) fn after_power_cut(mut self, before: Option<&Self>, dice: &mut Dice) -> Self {
        match dice.within(0..=3) {
            0 => self.mark = None,
            1 => self.mark = before.and_then(|before| before.mark.clone()),
            2 => {
                if let Some(mark) = &mut self.mark {
                    mark.truncate(dice.within(0..=mark.len() as u64) as usize);
                }
            }
            _ => {}
        }
        self
    }

    /// What a crash in the midst of the commit between the two images leaves.
    pub(crate) fn torn(before: &Self, after: &Self, dice: &mut Dice) -> Self {
        let mut left = before.clone();
        let empty = Vec::new();
        let old = before.log.as_ref().unwrap_or(&empty);
        let new = after.log.as_ref().unwrap_or(&empty);
        // The log was begun anew, or pages went into the database itself: the one or the other.
        if before.database != after.database {
            return if dice.once_in(2) { left } else { after.clone() };
        }
        let header = 32.min(old.len());
        if old[..header] != new[..header.min(new.len())] {
            let at = (dice.within(0..=new.len() as u64) as usize).min(new.len());
            let mut log = new[..at].to_vec();
            log.extend_from_slice(old.get(at..).unwrap_or_default());
            left.log = Some(log);
            return left;
        }
        let mut log = new.clone();
        let common = old.iter().zip(new).take_while(|(a, b)| a == b).count();
        let unsynced = (new.len() - common) as u64;
        match dice.within(0..=3) {
            // None of it.
            0 => log.truncate(common),
            // Its beginning.
            1 => log.truncate(common + dice.within(0..=unsynced) as usize),
            // Some of its sectors; the others are as the disk had them.
            2 => {
                for sector in log[common..].chunks_mut(SECTOR) {
                    if dice.once_in(3) {
                        sector.fill(0);
                    }
                }
            }
            // All of it, garbled at one place.
            _ => {
                if unsynced > 0 {
                    let at = common + dice.within(0..=unsynced - 1) as usize;
                    log[at] ^= 0x5a;
                }
            }
        }
        left.log = Some(log);
        left.after_power_cut(None, dice)
    }
}
