//! The gate of one account: which message it may take next, and from when.
//!
//! It keeps the mailbox's limiter in memory and up with the ledger: what other processes have stamped
//! since it last looked is read on from there, never the whole window again. The limiter's times are those
//! of a calendar that is never set ([`Reckoning`]); when the machine's is, it begins a new one.

mod choosing;

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;

use super::holds::{self, Hold};
use super::line::{self, Ahead};
use super::reckoning::{self, Reckoning};
use super::{Claiming, Error, Lane, editions, ledger};
use crate::clock::Reading;
use crate::limits::{Calendar, Decision, Limiter, Reservation, Weight, in_hours};

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
    /// By which the limiter's times are told.
    reckoning: Reckoning,
    hold: Option<Hold>,
    /// The account's own messages that wait, read ahead.
    ahead: Ahead,
    /// SQLite's count of commits by other connections, in the transaction under way.
    version: i64,
    /// The same when the ledger was last looked at.
    seen: Option<i64>,
    /// The ledger's number of the last stamp up to which all are known.
    sequence: i64,
    /// Entries that were stamped here after it, while others wrote too.
    own: BTreeSet<i64>,
    /// The edition of the campaign that the calendar is of, once it was looked at.
    edition: Option<u64>,
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
            reckoning: Reckoning::from(Timestamp::MIN.into()),
            hold: None,
            ahead: Ahead::default(),
            version: 0,
            seen: None,
            sequence: 0,
            own: BTreeSet::new(),
            edition: None,
        };
        claiming.lanes.iter().enumerate().map(gate).collect()
    }

    pub(super) fn limiter(&mut self) -> &mut Limiter {
        &mut self.limiter
    }

    pub(super) fn reckoning(&self) -> Reckoning {
        self.reckoning
    }

    /// What was written to it did not reach the disk: it is filled again from the ledger.
    pub(super) fn forget(&mut self) {
        self.seen = None;
        self.ahead.forget();
    }

    /// A transaction has begun. Until it ends no other connection commits anything.
    pub(super) fn begin(&mut self, version: i64) {
        self.version = version;
    }

    /// SQLite's count of commits by other connections, in the transaction under way.
    pub(super) fn version(&self) -> i64 {
        self.version
    }

    /// What waits has changed by anything else than a claim.
    pub(super) fn line_changed(gates: &mut [Self]) {
        for gate in gates {
            gate.ahead.forget();
        }
    }

    /// The account with this number has stopped: its messages are anybody's.
    pub(super) fn take_over(&mut self, other: usize) {
        if other != self.number {
            self.others.insert(other);
        }
    }

    /// Brings the limiter up with what other processes and campaigns have written, and with the clock.
    fn keep_up(&mut self, connection: &Connection, now: &Reading) -> Result<(), Error> {
        if self.seen.is_none() || !self.reckoning.agrees_with(now) {
            self.ahead.forget();
            self.fill(connection, now)?;
        } else if self.seen != Some(self.version) {
            self.ahead.forget();
            self.read_on(connection, now)?;
        }
        self.seen = Some(self.version);
        self.limiter.catch_up(self.reckoning.shows(now));
        Ok(())
    }

    fn fill(&mut self, connection: &Connection, now: &Reading) -> Result<(), Error> {
        let mailbox = &self.lane.mailbox;
        self.reckoning = Reckoning::from(*now);
        self.limiter = Limiter::new(&self.lane.rules);
        reckoning::note_ahead(connection, Some(mailbox), now)?;
        line::put_due_right(connection, self.campaign, now.wall)?;
        let longest = self.limiter.longest_window() + Duration::from_secs(1);
        for entry in ledger::within(connection, mailbox, longest, &self.reckoning, now)? {
            match entry.stamped_at {
                Some(at) => self.limiter.record(at, entry.weight),
                None => self.limiter.reserve(Reservation(entry.id), entry.weight),
            }
        }
        self.own.clear();
        self.sequence = ledger::last_sequence(connection, mailbox)?;
        self.hold = holds::settle(connection, mailbox, now)?;
        self.heed_edition(connection)
    }

    /// An edited campaign that was taken in may have other hours.
    fn heed_edition(&mut self, connection: &Connection) -> Result<(), Error> {
        let edition = editions::current(connection, self.campaign)?;
        if edition > 1 && self.edition != Some(edition) {
            self.calendar = editions::calendar(connection, self.campaign)?;
        }
        self.edition = Some(edition);
        Ok(())
    }

    fn read_on(&mut self, connection: &Connection, now: &Reading) -> Result<(), Error> {
        let mailbox = &self.lane.mailbox;
        let reckoning = &self.reckoning;
        for entry in ledger::stamped_after(connection, mailbox, self.sequence, reckoning, now)? {
            let Some(at) = entry.stamped_at else { continue };
            if self.own.contains(&entry.id) {
                continue;
            }
            self.limiter.release(Reservation(entry.id));
            self.limiter.record(at, entry.weight);
        }
        self.own.clear();
        self.sequence = ledger::last_sequence(connection, mailbox)?;
        let open = ledger::reserved(connection, mailbox, reckoning, now)?;
        let known: Vec<Reservation> = self.limiter.reservations().collect();
        for reservation in known {
            if open.iter().all(|entry| entry.id != reservation.0) {
                self.limiter.release(reservation);
            }
        }
        for entry in open {
            self.limiter.reserve(Reservation(entry.id), entry.weight);
        }
        self.hold = holds::of(connection, mailbox, now)?;
        self.heed_edition(connection)
    }

    /// The earliest moment from `from` on, by the machine's calendar as it shows `now`, at which a message
    /// may go.
    fn earliest(&self, now: &Reading, from: Timestamp, weight: Weight) -> Decision {
        let behind = self.reckoning.behind(now);
        let judged = from.saturating_sub(behind).unwrap_or(Timestamp::MIN);
        let by_rules = match self.limiter.decide(judged, weight) {
            Decision::NotBefore(until, reason) => {
                let until = until.saturating_add(behind).unwrap_or(Timestamp::MAX);
                Decision::NotBefore(until, reason)
            }
            other => other,
        };
        in_hours(by_rules, &self.calendar, from)
    }

    /// The provider asked for a pause: see [`holds::ask`].
    pub(super) fn hold(
        &mut self,
        connection: &Connection,
        reading: &Reading,
        pause: &Pause,
    ) -> Result<Timestamp, Error> {
        let (mailbox, judged) = (&self.lane.mailbox, self.reckoning.shows(reading));
        let frees = self.limiter.first_to_leave(judged);
        let frees = frees.map(|frees| frees.duration_since(judged));
        let hold = holds::ask(connection, mailbox, reading, pause, frees)?;
        let until = hold.until;
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
        if self.seen == Some(self.version) {
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
pub(super) fn data_version(connection: &Connection) -> Result<i64, Error> {
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
