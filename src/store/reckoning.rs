//! Which time a stamp is judged by: the one place where what the calendar showed becomes what rules count.
//!
//! A stamp keeps what the calendar showed and, where the system has such a time, the steady one. As long as
//! the machine runs, its age is told by the steady time alone: setting the clock makes no stamp older or
//! younger. What was stamped before the machine was last started has only its calendar time. Where that lies
//! ahead, the calendar was or is wrong: the stamp is taken for as late as it can be, when it was first seen.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, params};

use super::ledger::ON_ITS_WAY;
use super::{Entry, Error, Store, to_timestamp};
use crate::clock::{Reading, Steady};

/// When something was handed over.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stamp {
    pub(super) made: Reading,
    /// When it was first seen to lie ahead of the calendar.
    pub(super) seen: Option<Reading>,
}

/// A calendar for one mailbox's rules: it shows what the machine's did when it was begun, and is never set.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reckoning(Reading);

/// A reading from its columns in the store.
pub(super) fn reading(
    wall: Option<i64>,
    boot: Option<i64>,
    steady: Option<i64>,
) -> Result<Option<Reading>, Error> {
    let Some(wall) = wall else { return Ok(None) };
    let steady = boot.zip(steady).map(|(boot, at)| Steady { boot, at });
    let wall = to_timestamp(wall)?;
    Ok(Some(Reading { wall, steady }))
}

/// The columns of a reading's steady part.
pub(super) fn columns(reading: &Reading) -> (Option<i64>, Option<i64>) {
    let steady = reading.steady;
    (
        steady.map(|steady| steady.boot),
        steady.map(|steady| steady.at),
    )
}

impl Reckoning {
    /// Shows what the machine's calendar shows now.
    pub(super) fn from(now: Reading) -> Self {
        Self(now)
    }

    /// False when the machine's clock was set since.
    pub(super) fn agrees_with(&self, now: &Reading) -> bool {
        self.0.agrees_with(now)
    }

    /// What it shows at this reading of the machine's clock.
    pub(super) fn shows(&self, now: &Reading) -> Timestamp {
        now.steadily_since(&self.0)
            .and_then(|since| self.0.wall.saturating_add(since).ok())
            .unwrap_or(now.wall)
    }

    /// How far the machine's calendar is ahead of it.
    pub(super) fn behind(&self, now: &Reading) -> SignedDuration {
        now.wall.duration_since(self.shows(now))
    }

    /// When the stamp was made, at the latest.
    pub(super) fn of(&self, stamp: &Stamp, now: &Reading) -> Timestamp {
        let Stamp { made, seen } = stamp;
        if made.steadily_since(&self.0).is_some() {
            return self.shows(made);
        }
        let present = self.shows(now);
        if made.wall <= present.saturating_add(ON_ITS_WAY).unwrap_or(Timestamp::MAX) {
            return made.wall;
        }
        seen.map_or(present, |seen| self.shows(&seen).min(present))
    }
}

/// Notes of the mailbox's stamps that lie ahead of the calendar that they were seen now. Stamps of this start
/// of the machine need none, and those that have a note that can be believed keep it.
pub(super) fn note_ahead(
    connection: &Connection,
    mailbox: Option<&str>,
    now: &Reading,
) -> Result<(), Error> {
    let bound = now.later(ON_ITS_WAY).wall.as_millisecond();
    let (boot, steady) = columns(now);
    connection
        .prepare_cached(
            "UPDATE ledger SET seen_at = ?1, seen_boot = ?2, seen_steady = ?3
             WHERE (?4 IS NULL OR mailbox = ?4) AND stamped_at > ?5 AND (?2 IS NULL OR boot IS NOT ?2)
             AND (seen_at IS NULL OR (seen_at > ?5 AND (?2 IS NULL OR seen_boot IS NOT ?2)))",
        )?
        .execute(params![
            now.wall.as_millisecond(),
            boot,
            steady,
            mailbox,
            bound
        ])?;
    Ok(())
}

impl Store {
    /// The mailbox's entries that were stamped within `longest` before now, in order of time and by what the
    /// calendar shows now, then its open reservations: to fill a limiter with.
    pub fn ledger_since(
        &self,
        mailbox: &str,
        longest: Duration,
        now: Reading,
    ) -> Result<Vec<Entry>, Error> {
        super::ledger::within(
            &self.connection,
            mailbox,
            longest,
            &Reckoning::from(now),
            &now,
        )
    }

    /// The latest time that the store has of an earlier start of the machine and that nobody has doubted yet:
    /// a clock that shows less is wrong, or was.
    pub fn latest_known(&self, now: &Reading) -> Result<Option<Timestamp>, Error> {
        let (boot, _) = columns(now);
        let latest = self.connection.query_row(
            "SELECT max(stamped_at) FROM ledger WHERE seen_at IS NULL AND (?1 IS NULL OR boot IS NOT ?1)",
            [boot],
            |row| row.get(0),
        )?;
        super::to_optional_timestamp(latest)
    }

    /// A person says that the clock is right: what the store has from later was written by a wrong one. It
    /// counts from now on, and the campaign counts as planned now.
    pub fn believe(&self, campaign: Option<i64>, now: &Reading) -> Result<(), Error> {
        note_ahead(&self.connection, None, now)?;
        self.connection.execute(
            "UPDATE campaign SET planned_at = min(planned_at, ?) WHERE id = ?",
            params![now.wall.as_millisecond(), campaign],
        )?;
        Ok(())
    }
}
