//! When a planned campaign will be finished, from where it stands now, and what would change that.

use jiff::{SignedDuration, Timestamp};

use super::error::Error;
use super::inputs::AccountLimits;
use super::timetable::{Laid, Timetable, Track};
use crate::limits::{Calendar, Limiter, Reservation, Rule, Schedule, Unit};
use crate::store::{Remaining, Store};

/// The accounts that send a campaign, as they stand, and when it may be sent.
#[derive(Debug, Clone)]
pub struct Outlook {
    tracks: Vec<Track>,
    calendar: Calendar,
    now: Timestamp,
}

/// What is still to come.
#[derive(Debug, Clone)]
pub struct Forecast {
    /// The days of each account.
    pub laid: Laid,
    /// When the next message may go.
    pub next_send_at: Timestamp,
    /// When the last one may go.
    pub finishes_at: Timestamp,
    /// When it would be, had one more account the first one's limits.
    pub with_another_account: Option<Timestamp>,
    /// When it would be without sending hours and holidays.
    pub at_any_hour: Option<Timestamp>,
}

impl Outlook {
    /// The accounts with what the store says that they have handed over.
    pub fn of(
        store: &Store,
        accounts: &[AccountLimits],
        calendar: Calendar,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let track = |account: &AccountLimits| -> Result<Track, Error> {
            let hold = store.hold(&account.mailbox)?;
            Ok(Track {
                account: account.name.clone(),
                limiter: limiter_of(account, store, now)?,
                held_until: hold.map(|hold| hold.until),
            })
        };
        Ok(Self {
            tracks: accounts.iter().map(track).collect::<Result<_, _>>()?,
            calendar,
            now,
        })
    }

    /// True when a rule counts recipients, all of them or external ones.
    pub(super) fn counts_recipients(&self) -> bool {
        let mut rules = self.tracks.iter().flat_map(|track| track.limiter.rules());
        rules.any(|rule| rule.unit != Unit::Messages)
    }

    /// True when a rule counts external recipients.
    pub(super) fn counts_external(&self) -> bool {
        let mut rules = self.tracks.iter().flat_map(|track| track.limiter.rules());
        rules.any(|rule| rule.unit == Unit::ExternalRecipients)
    }

    /// An empty timetable.
    pub(super) fn table(&self) -> Timetable {
        Timetable::new(self.tracks.clone(), self.calendar.clone(), self.now)
    }

    /// One with a further account that has the first one's rules and all of their room.
    pub(super) fn with_another_account(&self) -> Timetable {
        let mut tracks = self.tracks.clone();
        let another = self.tracks.first().map(|first| {
            let rules: Vec<_> = first.limiter.rules().copied().collect();
            Track {
                account: String::new(),
                limiter: Limiter::new(&rules),
                held_until: None,
            }
        });
        tracks.extend(another);
        Timetable::new(tracks, self.calendar.clone(), self.now)
    }

    /// One without sending hours and holidays.
    fn at_any_hour(&self) -> Timetable {
        let schedule = Schedule {
            not_before: self.calendar.schedule().not_before,
            ..Schedule::default()
        };
        let calendar = Calendar::new(schedule, self.calendar.zone().clone());
        Timetable::new(self.tracks.clone(), calendar, self.now)
    }

    /// Lays out what is left of a campaign. None when nothing is left, or when a rule never allows it.
    pub fn forecast(&self, store: &Store, campaign: i64) -> Result<Option<Forecast>, Error> {
        let tables = [
            self.table(),
            self.with_another_account(),
            self.at_any_hour(),
        ];
        let mut pending = Queue::new(tables);
        let mut deferred = Vec::new();
        store.remaining(campaign, |message| match message.due_at {
            None => pending.add(message),
            Some(_) => deferred.push(message),
        })?;
        // Those that were put off go between the others; only the last of them can matter to the end.
        deferred.sort_by_key(|message| message.due_at);
        for message in deferred {
            pending.add(message);
        }
        let [laid, another, any_hour] = pending.finish();
        let Some(laid) = laid else {
            return Ok(None);
        };
        let first = laid.batches.iter().map(|batch| batch.starts_at).min();
        let (Some(next_send_at), Some(finishes_at)) = (first, laid.finishes_at) else {
            return Ok(None);
        };
        Ok(Some(Forecast {
            with_another_account: another.and_then(|laid| laid.finishes_at),
            at_any_hour: any_hour.and_then(|laid| laid.finishes_at),
            next_send_at,
            finishes_at,
            laid,
        }))
    }
}

fn add(table: &mut Timetable, message: Remaining) -> Result<(), Rule> {
    let Remaining {
        weight,
        listed,
        due_at,
        planned,
    } = message;
    table.add_planned(weight, listed, due_at, planned)
}

/// Timetables that get the same messages; one that never has room for one of them drops out.
struct Queue([Option<Timetable>; 3]);

impl Queue {
    fn new(tables: [Timetable; 3]) -> Self {
        Self(tables.map(Some))
    }

    fn add(&mut self, message: Remaining) {
        for table in &mut self.0 {
            let added = table.as_mut().map(|table| add(table, message));
            if matches!(added, Some(Err(_))) {
                *table = None;
            }
        }
    }

    fn finish(self) -> [Option<Laid>; 3] {
        self.0.map(|table| table.map(Timetable::finish))
    }
}

/// What each of an account's rules allows, and how much of that the mailbox has used; without a store,
/// nothing yet.
///
/// # Errors
/// The store cannot be read.
pub fn usage(
    store: Option<&Store>,
    account: &AccountLimits,
    now: Timestamp,
) -> Result<Vec<(Rule, u64)>, Error> {
    let limiter = match store {
        Some(store) => limiter_of(account, store, now)?,
        None => Limiter::new(&account.rules),
    };
    Ok(limiter.usage(now))
}

/// What the mailbox has handed over, and what it has in hand, which counts as handed over now.
fn limiter_of(account: &AccountLimits, store: &Store, now: Timestamp) -> Result<Limiter, Error> {
    let mut limiter = Limiter::new(&account.rules);
    let longest = SignedDuration::try_from(limiter.longest_window()).unwrap_or(SignedDuration::MAX);
    let since = now.saturating_sub(longest).unwrap_or(Timestamp::MIN);
    for entry in store.ledger_since(&account.mailbox, since)? {
        if let Some(at) = entry.stamped_at {
            limiter.record(at, entry.weight);
        } else {
            limiter.reserve(Reservation(entry.id), entry.weight);
            limiter.stamp(Reservation(entry.id), now);
        }
    }
    limiter.catch_up(now);
    Ok(limiter)
}
