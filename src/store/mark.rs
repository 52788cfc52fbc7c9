//! The mark beside a store: which store wrote it, and how far that store had come.
//!
//! A store that is put back from a backup cannot know that it is old; the file beside it does. It is
//! written after each commit and never synchronised: after a crash it may lag behind a sound store, and
//! it is never ahead of one.

use std::cmp::Ordering;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::Error;
use super::place::{beside, look_at, open_private};

/// A store's identity.
pub(super) type Identity = [u8; 16];

/// How far a store has come. It only grows: every message that is taken has a new entry in the ledger,
/// and between two new entries messages only get their verdicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Watermark {
    /// The ledger's highest id ever.
    pub(super) highest: i64,
    /// Messages taken and without a verdict.
    pub(super) in_hand: i64,
}

impl Ord for Watermark {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.highest, other.in_hand).cmp(&(other.highest, self.in_hand))
    }
}

impl PartialOrd for Watermark {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// What the file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    /// Of the store that wrote it.
    pub(super) identity: Identity,
    /// How far that store had come.
    pub(super) watermark: Watermark,
}

/// Every mark has this length, so that one write replaces the whole of the last.
const LENGTH: usize = 32 + 1 + 20 + 1 + 20 + 1 + 16 + 1;

impl Mark {
    fn line(&self) -> String {
        let said = format!(
            "{:032x} {:020} {:020}",
            u128::from_be_bytes(self.identity),
            self.watermark.highest,
            self.watermark.in_hand
        );
        format!("{said} {}\n", check(&said))
    }

    /// None for what is no mark: a file that was cut off, or that is being written just now.
    fn parse(text: &str) -> Option<Self> {
        let (said, sum) = text.strip_suffix('\n')?.rsplit_once(' ')?;
        if sum != check(said) {
            return None;
        }
        let mut words = said.split(' ');
        let identity = u128::from_str_radix(words.next()?, 16).ok()?;
        let mut number = || words.next()?.parse().ok();
        Some(Self {
            identity: identity.to_be_bytes(),
            watermark: Watermark {
                highest: number()?,
                in_hand: number()?,
            },
        })
    }

    /// The mark beside a store, where there is a readable one.
    pub(super) fn beside(store: &Path) -> Option<Self> {
        read(&mut look_at(&path(store)).ok()?)
    }
}

fn check(said: &str) -> String {
    blake3::hash(said.as_bytes()).to_hex()[..16].to_owned()
}

pub(super) fn path(store: &Path) -> PathBuf {
    beside(store, ".mark")
}

fn read(file: &mut File) -> Option<Mark> {
    let mut text = [0; LENGTH];
    file.rewind().ok()?;
    file.read_exact(&mut text).ok()?;
    Mark::parse(std::str::from_utf8(&text).ok()?)
}

/// The file, kept open by whoever writes it often.
#[derive(Debug)]
pub(super) struct MarkFile {
    file: File,
}

impl MarkFile {
    /// Opens the mark beside a store, or makes it, for its owner alone.
    pub(super) fn open(store: &Path) -> io::Result<Self> {
        open_private(&path(store)).map(|file| Self { file })
    }

    /// Brings the mark up to date. What it says already is never lowered, and another store's mark is
    /// left as it is: both are what an older copy is known by.
    pub(super) fn raise(&mut self, mark: &Mark) -> io::Result<()> {
        let higher = read(&mut self.file).is_none_or(|found| {
            found.identity == mark.identity && found.watermark < mark.watermark
        });
        if higher { self.replace(mark) } else { Ok(()) }
    }

    /// Writes the mark, whatever was there.
    pub(super) fn replace(&mut self, mark: &Mark) -> io::Result<()> {
        self.file.rewind()?;
        self.file.write_all(mark.line().as_bytes())
    }
}

/// In one statement, because another process may be writing.
pub(super) fn watermark(connection: &Connection) -> Result<Watermark, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'ledger'), 0),
                (SELECT count(*) FROM campaign c CROSS JOIN message m
                 WHERE m.campaign = c.id AND m.state IN ('claimed', 'handing_over'))",
    )?;
    Ok(statement.query_row([], |row| {
        Ok(Watermark {
            highest: row.get(0)?,
            in_hand: row.get(1)?,
        })
    })?)
}

/// Keeps the mark of a store up with its ledger.
#[derive(Debug)]
pub(super) struct Keeper {
    file: MarkFile,
    identity: Identity,
}

impl Keeper {
    /// None where there is no mark and none can be made: a send does not fail for that.
    pub(super) fn of(connection: &Connection, path: &Path) -> Option<Self> {
        Some(Self {
            identity: connection
                .query_row("SELECT identity FROM home", [], |row| row.get(0))
                .ok()?,
            file: MarkFile::open(path).ok()?,
        })
    }

    /// Call it after a commit, never before: the mark must not run ahead.
    pub(super) fn keep_up(&mut self, connection: &Connection) {
        if let Ok(watermark) = watermark(connection) {
            let mark = Mark {
                identity: self.identity,
                watermark,
            };
            // The commit stands, marked or not.
            let _behind = self.file.raise(&mark);
        }
    }
}

/// Brings the mark of the store at `path` up to date, where nothing of it is open.
pub(super) fn keep_up(path: &Path) {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if let Ok(connection) = Connection::open_with_flags(path, flags)
        && let Some(mut keeper) = Keeper::of(&connection, path)
    {
        keeper.keep_up(&connection);
    }
}
