//! The gate of one account: which message it may take next, and from when.
//!
//! It keeps the mailbox's limiter in memory and up with the ledger: what other processes have stamped
//! since it last looked is read on from there, never the whole window again.

mod choosing;

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;

use super::holds::{self, Hold};
use super::{Claiming, Error, Lane, ledger};
use crate::limits::{Calendar, Limiter, Reservation};

/// The longest pause after one more refusal for a cap.
const LONGEST_HOLD: SignedDuration = SignedDuration::from_hours(24);

/// Stamps further ahead of the clock than this are set back for good: it was wrong when they were made.
const FAR_AHEAD: SignedDuration = SignedDuration::from_hours(1);

/// An account's limiter, kept up with the ledger.
#[derive(Debug)]
pub(super) struct Gate {
    campaign: i64,
    number: usize,
    /// The other accounts whose messages it may take over: those that send in the same name, and those
    /// that have stopped.
    others: BTreeSet<usize>,
    lane: Lane,
    calendar: Calendar,
    limiter: Limiter,
    hold: Option<Hold>,
    /// SQLite's count of commits by other connections, when the ledger was last looked at.
    seen: Option<i64>,
    /// The ledger's number of the last stamp up to which all are known.
    sequence: i64,
    /// Entries that were stamped here after it, while others wrote too.
    own: BTreeSet<i64>,
}

impl Gate {
    /// One gate for each account of a campaign.
    pub(super) fn all(claiming: &Claiming) -> Vec<Self> {
        let others = |number: usize, lane: &Lane| {
            let same = |(other, peer): (usize, &Lane)| {
                (other != number && peer.sender == lane.sender).then_some(other)
            };
            claiming.lanes.iter().enumerate().filter_map(same).collect()
        };
        let gate = |(number, lane): (usize, &Lane)| Self {
            campaign: claiming.campaign,
            number,
            others: others(number, lane),
            lane: lane.clone(),
            calendar: claiming.calendar.clone(),
            limiter: Limiter::new(&lane.rules),
            hold: None,
            seen: None,
            sequence: 0,
            own: BTreeSet::new(),
        };
        claiming.lanes.iter().enumerate().map(gate).collect()
    }

    pub(super) fn limiter(&mut self) -> &mut Limiter {
        &mut self.limiter
    }

    /// What was written to it did not reach the disk: it is filled again from the ledger.
    pub(super) fn forget(&mut self) {
        self.seen = None;
    }

    /// The account with this number has stopped: its messages are anybody's.
    pub(super) fn take_over(&mut self, other: usize) {
        if other != self.number {
            self.others.insert(other);
        }
    }

    /// Brings the limiter up with what other processes and campaigns have written.
    fn keep_up(&mut self, connection: &Connection, now: Timestamp) -> Result<(), Error> {
        let version = data_version(connection)?;
        if self.seen.is_none() {
            self.fill(connection, now)?;
        } else if self.seen != Some(version) {
            self.read_on(connection)?;
        }
        self.seen = Some(version);
        self.limiter.catch_up(now);
        Ok(())
    }

    fn fill(&mut self, connection: &Connection, now: Timestamp) -> Result<(), Error> {
        let mailbox = &self.lane.mailbox;
        ledger::set_back(connection, mailbox, now, FAR_AHEAD)?;
        self.limiter = Limiter::new(&self.lane.rules);
        let longest = self.limiter.longest_window() + Duration::from_secs(1);
        let longest = SignedDuration::try_from(longest).unwrap_or(SignedDuration::MAX);
        let since = now.saturating_sub(longest).unwrap_or(Timestamp::MIN);
        for entry in ledger::since(connection, mailbox, since)? {
            match entry.stamped_at {
                Some(at) => self.limiter.record(at, entry.weight),
                None => self.limiter.reserve(Reservation(entry.id), entry.weight),
            }
        }
        self.own.clear();
        self.sequence = ledger::last_sequence(connection, mailbox)?;
        self.hold = holds::of(connection, mailbox)?;
        Ok(())
    }

    fn read_on(&mut self, connection: &Connection) -> Result<(), Error> {
        let mailbox = &self.lane.mailbox;
        for entry in ledger::stamped_after(connection, mailbox, self.sequence)? {
            let Some(at) = entry.stamped_at else { continue };
            if self.own.contains(&entry.id) {
                continue;
            }
            self.limiter.release(Reservation(entry.id));
            self.limiter.record(at, entry.weight);
        }
        self.own.clear();
        self.sequence = ledger::last_sequence(connection, mailbox)?;
        let open = ledger::reserved(connection, mailbox)?;
        let known: Vec<Reservation> = self.limiter.reservations().collect();
        for reservation in known {
            if open.iter().all(|entry| entry.id != reservation.0) {
                self.limiter.release(reservation);
            }
        }
        for entry in open {
            self.limiter.reserve(Reservation(entry.id), entry.weight);
        }
        self.hold = holds::of(connection, mailbox)?;
        Ok(())
    }

    /// The provider asked for a pause. For a cap that is reached the mailbox waits until the longest
    /// window begins to free, and each time twice as long when it is told so again; never shorter
    /// than `pause`.
    pub(super) fn hold(
        &mut self,
        connection: &Connection,
        now: Timestamp,
        pause: &Pause,
    ) -> Result<Timestamp, Error> {
        let mailbox = &self.lane.mailbox;
        let before = holds::of(connection, mailbox)?;
        let refusals = before.as_ref().map_or(0, |hold| hold.refusals);
        // Several connections hear of the same cap: only the first one counts it.
        let is_news = before.as_ref().is_none_or(|hold| hold.until <= now);
        let refusals = refusals + u32::from(pause.is_cap && is_news);
        let length = if pause.is_cap {
            let doubled = 1 << refusals.saturating_sub(1).min(10);
            pause.length.saturating_mul(doubled).min(LONGEST_HOLD)
        } else {
            pause.length
        };
        let mut until = now.saturating_add(length).unwrap_or(Timestamp::MAX);
        if pause.is_cap {
            until = until.max(self.limiter.first_to_leave(now).unwrap_or(until));
        }
        until = until.max(before.map_or(until, |hold| hold.until));
        let hold = Hold {
            until,
            reply: pause.reply.clone(),
            refusals: refusals.max(1),
        };
        holds::set(connection, mailbox, &hold)?;
        self.hold = Some(hold);
        Ok(until)
    }

    /// An attempt has ended here, and its entry in the ledger may have a stamp: it is not to be read again
    /// as somebody else's.
    pub(super) fn finished(
        &mut self,
        connection: &Connection,
        reservation: i64,
    ) -> Result<(), Error> {
        if self.seen == Some(data_version(connection)?) {
            self.sequence = ledger::last_sequence(connection, &self.lane.mailbox)?;
        } else {
            self.own.insert(reservation);
        }
        Ok(())
    }

    /// The provider has taken a message: a pause that is over is forgotten.
    pub(super) fn taken(&mut self, connection: &Connection, now: Timestamp) -> Result<(), Error> {
        if self.hold.as_ref().is_some_and(|hold| hold.until <= now) {
            holds::lift(connection, &self.lane.mailbox)?;
            self.hold = None;
        }
        Ok(())
    }
}

/// Changes whenever another connection has committed something.
fn data_version(connection: &Connection) -> Result<i64, Error> {
    Ok(connection
        .prepare_cached("PRAGMA data_version")?
        .query_row([], |row| row.get(0))?)
}

/// A pause that a provider asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// How long, at least.
    pub length: SignedDuration,
    /// A cap of hours or days is reached, as opposed to: slower, please.
    pub is_cap: bool,
    /// The provider's words.
    pub reply: String,
}
