//! Where a store lives, so that a copy of it does not send what the original sends too.
//!
//! The table `home` says which machine, path and file the store was last at home in, and has a random
//! identity; the mark beside it ([`super::mark`]) says how far the store of that identity had come.
//! The first of these that fits holds:
//!
//! | what is found | is | how it comes about |
//! |---|---|---|
//! | another machine | copied | the file was taken along, or its disk is in another machine |
//! | the mark is ours and says more than the ledger | restored | an older copy was put over it, which keeps the file; or its `-wal` was lost |
//! | same path, another file | restored | a backup, with or without its mark, was put in its place |
//! | same path and file, the mark is another store's | restored | a copy from before the store was last claimed was put over it |
//! | same path and file | at home | the daily case, also by a symbolic link or a relative path: the canonical path counts |
//! | other path, another file | copied | `cp`, or a move to another disk |
//! | other path, same file, which is at the old path too | copied | a hard link or a second mount: each path has locks of its own |
//! | other path, same file | moved, at home | `mv`: the row is brought up to date; the mark beside the old path still counts |
//!
//! What a system does not say (no machine id, no inode and no time of making) never counts as different;
//! a file of which nothing is known is moved when nothing is at its old path, else copied. What cannot
//! be noticed: a whole machine or disk that was set back to a snapshot, or cloned with its machine id.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::mark::{self, Identity, Keeper, Mark, MarkFile, watermark};
use super::place::{self, Likeness, Place, likeness};
use super::{Error, Store, to_optional_timestamp, to_timestamp};

/// How a store came to be where it is not at home.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Displacement {
    /// It was at home on another machine.
    OtherMachine,
    /// It is a copy of a file elsewhere on this machine.
    Copied,
    /// It was put back here from a copy.
    Restored,
}

impl Displacement {
    /// Its name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OtherMachine => "other_machine",
            Self::Copied => "copied",
            Self::Restored => "restored",
        }
    }
}

/// A store that is not at home: another one may have sent what this one does not know of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Away {
    /// How it came here.
    pub displacement: Displacement,
    /// Where it was last at home.
    pub home: PathBuf,
    /// Since when it was at home there.
    pub since: Timestamp,
    /// When the last message that it knows of was handed over; none before the first.
    pub known_until: Option<Timestamp>,
    /// How many messages at most were taken to be sent since then, where the mark beside it tells of some.
    pub unknown: Option<u64>,
}

impl std::fmt::Display for Away {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (home, since) = (self.home.display(), self.since);
        match self.displacement {
            Displacement::OtherMachine => write!(
                f,
                "this store was copied from another machine (it was at home in {home} there, since {since:.0})"
            ),
            Displacement::Copied => write!(
                f,
                "this store was copied from {home} (where it is at home since {since:.0})"
            ),
            Displacement::Restored => write!(
                f,
                "this store was restored from an older copy (it was at home in {home} since {since:.0})"
            ),
        }
    }
}

/// Whether a store is where it belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whereabouts {
    /// It is.
    Home,
    /// It was moved here and nothing was left behind: this is its home from now on.
    Moved,
    /// It may send only after it was claimed.
    Away(Away),
}

/// The row of the table `home`.
struct Home {
    identity: Identity,
    place: Place,
    claimed_at: i64,
}

fn home(connection: &Connection) -> Result<Option<Home>, Error> {
    let row = connection
        .query_row(
            "SELECT identity, machine, path, file, claimed_at FROM home",
            [],
            |row| {
                Ok(Home {
                    identity: row.get(0)?,
                    place: Place {
                        machine: row.get(1)?,
                        path: row.get::<_, String>(2)?.into(),
                        file: row.get(3)?,
                    },
                    claimed_at: row.get(4)?,
                })
            },
        )
        .optional()?;
    Ok(row)
}

/// Whether the store has its first row.
pub(super) fn is_settled(connection: &Connection) -> Result<bool, Error> {
    Ok(home(connection)?.is_some())
}

pub(super) fn random_identity() -> Result<Identity, Error> {
    let mut identity = Identity::default();
    getrandom::fill(&mut identity).map_err(|error| Error::Random(error.to_string()))?;
    Ok(identity)
}

/// Writes a store's first row; where it lies now is its home.
pub(super) fn settle(connection: &Connection, path: &Path) -> Result<(), Error> {
    // Whoever only looks must not wait for a writer.
    if home(connection)?.is_some() {
        return Ok(());
    }
    let identity = random_identity()?;
    let place = Place::of(path);
    let written = connection.execute(
        "INSERT OR IGNORE INTO home (id, identity, machine, path, file, claimed_at) VALUES (1, ?, ?, ?, ?, ?)",
        params![
            identity,
            place.machine,
            place.path.to_string_lossy(),
            place.file,
            place::since(path).as_millisecond()
        ],
    )?;
    if written > 0 {
        let watermark = watermark(connection)?;
        // Without a mark less is noticed, and nothing else is worse.
        let _unmarked = MarkFile::open(path).and_then(|mut file| {
            file.replace(&Mark {
                identity,
                watermark,
            })
        });
    }
    Ok(())
}

/// What the table in the module's description says of a path that is not the one written down.
fn at_another_path(home: &Home, here: &Place) -> Option<Displacement> {
    let old = Place::of(&home.place.path);
    match likeness(home.place.file, here.file) {
        Likeness::Different => Some(Displacement::Copied),
        Likeness::Same => {
            (likeness(old.file, here.file) == Likeness::Same).then_some(Displacement::Copied)
        }
        Likeness::Unknown => home.place.path.exists().then_some(Displacement::Copied),
    }
}

/// What is off, by the table in the module's description. `marks`: whether the mark beside the store, and the
/// one beside its old path, say more than its ledger; `of_another`: the mark beside it is another store's.
fn displacement(
    home: &Home,
    here: &Place,
    marks: [bool; 2],
    of_another: bool,
) -> Option<Displacement> {
    let [ahead, old_ahead] = marks;
    let restored = Some(Displacement::Restored);
    if home.place.is_on_another_machine(here) {
        return Some(Displacement::OtherMachine);
    }
    if ahead {
        return restored;
    }
    if home.place.path != here.path {
        return at_another_path(home, here).or_else(|| restored.filter(|_| old_ahead));
    }
    let replaced = likeness(home.place.file, here.file) == Likeness::Different;
    restored.filter(|_| replaced || of_another)
}

impl Store {
    /// Whether this store is where it belongs, or is a copy of another. Changes nothing.
    pub fn whereabouts(&self) -> Result<Whereabouts, Error> {
        let here = Place::of(&self.path);
        let home =
            home(&self.connection)?.ok_or_else(|| Error::Corrupt("it has no home".to_owned()))?;
        // Read before the ledger: another process may be sending, and be ahead of what was read.
        let marks = [Mark::beside(&self.path), Mark::beside(&home.place.path)];
        let ours = watermark(&self.connection)?;
        let of_another = marks[0].is_some_and(|mark| mark.identity != home.identity);
        let is_ahead = |mark: Mark| mark.identity == home.identity && mark.watermark > ours;
        let ahead = marks.map(|mark| mark.is_some_and(is_ahead));
        let further = marks.into_iter().flatten().filter(|mark| is_ahead(*mark));
        let unknown = further
            .map(|mark| (mark.watermark.highest - ours.highest).unsigned_abs())
            .max();
        let Some(displacement) = displacement(&home, &here, ahead, of_another) else {
            let moved = home.place.path != here.path;
            return Ok(if moved {
                Whereabouts::Moved
            } else {
                Whereabouts::Home
            });
        };
        Ok(Whereabouts::Away(Away {
            displacement,
            since: to_timestamp(home.claimed_at)?,
            home: home.place.path,
            known_until: self.last_handed_over()?,
            unknown,
        }))
    }

    fn last_handed_over(&self) -> Result<Option<Timestamp>, Error> {
        let last = self
            .connection
            .query_row("SELECT max(stamped_at) FROM ledger", [], |row| row.get(0))?;
        to_optional_timestamp(last)
    }

    /// Makes this place the store's home, with an identity of its own: the file that it was copied from
    /// is neither touched nor affected.
    ///
    /// # Errors
    /// [`Error::Lock`] when the mark cannot be written; the claim can be repeated.
    pub fn claim(&mut self, now: Timestamp) -> Result<(), Error> {
        self.move_in(random_identity()?, Some(now))
    }

    /// Refuses a store that is not at home; one that was moved is at home from now on.
    ///
    /// # Errors
    /// [`Error::Elsewhere`].
    pub(super) fn come_home(&self) -> Result<(), Error> {
        match self.whereabouts()? {
            Whereabouts::Home => {}
            Whereabouts::Moved => {
                if let Some(home) = home(&self.connection)? {
                    self.move_in(home.identity, None)?;
                }
            }
            Whereabouts::Away(away) => return Err(Error::Elsewhere(Box::new(away))),
        }
        if let Some(mut keeper) = Keeper::of(&self.connection, &self.path) {
            keeper.keep_up(&self.connection);
        }
        Ok(())
    }

    /// Writes down this place; without a time it stays that of the last claim.
    fn move_in(&self, identity: Identity, now: Option<Timestamp>) -> Result<(), Error> {
        let here = Place::of(&self.path);
        self.connection.execute(
            "UPDATE home SET identity = ?, machine = ?, path = ?, file = ?, claimed_at = coalesce(?, claimed_at)",
            params![
                identity,
                here.machine,
                here.path.to_string_lossy(),
                here.file,
                now.map(Timestamp::as_millisecond)
            ],
        )?;
        let mark = Mark {
            identity,
            watermark: watermark(&self.connection)?,
        };
        MarkFile::open(&self.path)
            .and_then(|mut file| file.replace(&mark))
            .map_err(|source| Error::Lock {
                path: mark::path(&self.path),
                source,
            })
    }
}
