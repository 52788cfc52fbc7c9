//! A message of no campaign, such as a test: it takes its share of the mailbox's limits and nothing else.
//!
//! Its entry in the ledger belongs to no attempt. It is reserved before the message is offered and stamped
//! when the verdict comes, as a campaign's is; there is no second mark, so what a process that died has left
//! reserved may have gone out, and is counted as if it had. A lock of the operating system for each mailbox
//! tells such an entry from one in hand: it is held from before the entry is made until after it is stamped,
//! and ends with its process. Whoever gets the lock stamps what is left ([`Store::lock_single`]).

use std::fs::{File, TryLockError};

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, TransactionBehavior};

use super::mark::Keeper;
use super::place::open_private;
use super::reckoning::Reckoning;
use super::slots::slot_path;
use super::{Answer, Error, Pause, Store, holds, ledger};
use crate::clock::{Clock, Reading};
use crate::limits::{Decision, Limiter, Reservation, Rule, Weight};

/// Held while messages of no campaign are sent by a mailbox: by one process at a time.
#[derive(Debug)]
pub struct SingleLock {
    mailbox: String,
    _file: File,
}

/// The share of the limits that a message of no campaign has taken.
#[derive(Debug)]
pub struct Single {
    entry: i64,
}

/// What became of a message of no campaign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SingleEnd {
    /// The server took it.
    Taken,
    /// Its content went out, and the server took it not.
    HandedOver,
    /// The final dot may have gone out and no verdict came.
    InDoubt,
    /// It was never handed over, or turned away for a limit: it counts for nothing.
    GivenBack,
}

impl Store {
    /// Takes the mailbox for messages of no campaign; none while another process does so. What one that is
    /// gone has left without a stamp counts as handed over from now on.
    ///
    /// # Errors
    /// [`Error::Elsewhere`] when this store is not at home: then nothing was written.
    pub fn lock_single(
        &mut self,
        mailbox: &str,
        clock: &Clock,
    ) -> Result<Option<SingleLock>, Error> {
        self.come_home()?;
        let path = slot_path(self.path(), mailbox, "single");
        let failed = |source| Error::Lock {
            path: path.clone(),
            source,
        };
        let file = open_private(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        let lock = SingleLock {
            mailbox: mailbox.to_owned(),
            _file: file,
        };
        self.write(|connection| {
            for (entry, whose) in ledger::open_singles(connection)? {
                if whose == lock.mailbox {
                    let latest = clock.reading().later(ledger::ON_ITS_WAY);
                    ledger::stamp(connection, entry, latest)?;
                }
            }
            Ok(())
        })?;
        Ok(Some(lock))
    }

    /// Counts what processes that are gone have left reserved for messages of no campaign. Returns for how
    /// many mailboxes.
    pub(super) fn recover_singles(&mut self, clock: &Clock) -> Result<u64, Error> {
        let mut left: Vec<String> = ledger::open_singles(&self.connection)?
            .into_iter()
            .map(|(_, mailbox)| mailbox)
            .collect();
        left.dedup();
        let mut recovered = 0;
        for mailbox in left {
            recovered += u64::from(self.lock_single(&mailbox, clock)?.is_some());
        }
        Ok(recovered)
    }

    /// Whether a message of this weight may go now by these rules: what [`Self::reserve_single`] would answer.
    pub fn look_single(
        &self,
        lock: &SingleLock,
        rules: &[Rule],
        weight: Weight,
        now: &Reading,
    ) -> Result<Answer, Error> {
        answer(&self.connection, lock, rules, weight, now)
    }

    /// Takes a share of the limits for a message of no campaign. When it may not go now, the inner error says
    /// from when, and why. Sending hours are a campaign's and do not count here.
    pub fn reserve_single(
        &mut self,
        lock: &SingleLock,
        rules: &[Rule],
        weight: Weight,
        clock: &Clock,
    ) -> Result<Result<Single, Answer>, Error> {
        let reserved = self.write(|connection| {
            // After the wait for other writers.
            let now = clock.reading();
            Ok(match answer(connection, lock, rules, weight, &now)? {
                Answer::MayGo => Ok(Single {
                    entry: ledger::reserve(connection, &lock.mailbox, None, weight)?,
                }),
                refusal => Err(refusal),
            })
        })?;
        if reserved.is_ok()
            && let Some(mut keeper) = Keeper::of(&self.connection, self.path())
        {
            // Before anything goes out, as in a send.
            keeper.keep_up(&self.connection);
        }
        Ok(reserved)
    }

    /// Writes down what became of it.
    pub fn finish_single(
        &mut self,
        lock: &SingleLock,
        single: &Single,
        end: SingleEnd,
        at: Reading,
    ) -> Result<(), Error> {
        self.write(|connection| {
            match end {
                SingleEnd::GivenBack => ledger::release(connection, single.entry)?,
                SingleEnd::Taken | SingleEnd::HandedOver => {
                    ledger::stamp(connection, single.entry, at)?;
                }
                SingleEnd::InDoubt => {
                    let latest = at.later(ledger::ON_ITS_WAY);
                    ledger::stamp(connection, single.entry, latest)?;
                }
            }
            let hold = holds::of(connection, &lock.mailbox, &at)?;
            if end == SingleEnd::Taken && hold.is_some_and(|hold| hold.until <= at.wall) {
                holds::lift(connection, &lock.mailbox)?;
            }
            Ok(())
        })
    }

    /// The provider asked the mailbox to pause. Returns until when.
    pub fn hold_single(
        &mut self,
        lock: &SingleLock,
        rules: &[Rule],
        pause: &Pause,
        now: &Reading,
    ) -> Result<Timestamp, Error> {
        self.write(|connection| {
            let limiter = limiter(connection, lock, rules, now)?;
            let frees = limiter.first_to_leave(now.wall);
            let frees: Option<SignedDuration> = frees.map(|at| at.duration_since(now.wall));
            Ok(holds::ask(connection, &lock.mailbox, now, pause, frees)?.until)
        })
    }

    fn write<T>(&mut self, work: impl FnOnce(&Connection) -> Result<T, Error>) -> Result<T, Error> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = work(&transaction)?;
        transaction.commit()?;
        Ok(done)
    }
}

/// The mailbox's windows now. Stamps that lie ahead of the calendar count in full: whether they are noted is
/// for a send to say, which asks whether the clock is right.
fn limiter(
    connection: &Connection,
    lock: &SingleLock,
    rules: &[Rule],
    now: &Reading,
) -> Result<Limiter, Error> {
    let mut limiter = Limiter::new(rules);
    let longest = limiter.longest_window() + std::time::Duration::from_secs(1);
    let reckoning = Reckoning::from(*now);
    for entry in ledger::within(connection, &lock.mailbox, longest, &reckoning, now)? {
        match entry.stamped_at {
            Some(at) => limiter.record(at, entry.weight),
            None => limiter.reserve(Reservation(entry.id), entry.weight),
        }
    }
    limiter.catch_up(now.wall);
    Ok(limiter)
}

fn answer(
    connection: &Connection,
    lock: &SingleLock,
    rules: &[Rule],
    weight: Weight,
    now: &Reading,
) -> Result<Answer, Error> {
    let limiter = limiter(connection, lock, rules, now)?;
    let hold = holds::of(connection, &lock.mailbox, now)?;
    let hold = hold.filter(|hold| hold.until > now.wall);
    let from = hold.as_ref().map_or(now.wall, |hold| hold.until);
    Ok(match (limiter.decide(from, weight), hold) {
        (Decision::Go, None) => Answer::MayGo,
        (Decision::Go, Some(hold)) => Answer::Held(hold.until, hold.reply),
        (Decision::NotBefore(until, reason), _) => Answer::NotBefore(until, reason),
        (Decision::AfterVerdict(rule), _) => Answer::AfterVerdict(rule),
        (Decision::Never(rule), _) => Answer::Never(1, rule),
    })
}
