//! When a planned campaign will be finished, from where it stands now, and what would change that.

use jiff::{SignedDuration, Timestamp};

use super::error::Error;
use super::inputs::AccountLimits;
use super::timetable::{Laid, Message, Timetable, Track};
use crate::clock::Reading;
use crate::limits::{
    Calendar, Decision, Limiter, Quota, Reason, Reservation, Rule, Schedule, Unit, Weight,
};
use crate::store::{Hold, Remaining, Store, Underway};

/// The accounts that send a campaign, as they stand, and when it may be sent.
#[derive(Debug, Clone)]
pub struct Outlook {
    tracks: Vec<Track>,
    calendar: Calendar,
    now: Timestamp,
    /// Until when each account is busy with what its other campaigns still have to send.
    busy: Vec<Option<(Timestamp, Reason)>>,
    others: Vec<Underway>,
    /// The accounts without what others still have to send: those do not hold up the next message.
    alone: Vec<Track>,
    holds: Vec<Option<Hold>>,
}

/// How an account stands with its provider.
#[derive(Debug, Clone)]
pub struct AccountQuota {
    /// The account's name.
    pub account: String,
    /// Each of its rules.
    pub quotas: Vec<Quota>,
    /// The pause that its provider asked for.
    pub hold: Option<Hold>,
}

/// An end that is further away than this is none: 100 years.
const FOREVER: SignedDuration = SignedDuration::from_hours(100 * 366 * 24);

/// True when this moment is so far away that it will not be lived to see.
pub(super) fn is_never(at: Timestamp, now: Timestamp) -> bool {
    at.duration_since(now) > FOREVER
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
    /// Other campaigns of the accounts, which are counted first.
    pub others: Vec<Underway>,
}

impl Outlook {
    /// The accounts with what the store says that they have handed over.
    pub fn of(
        store: &Store,
        accounts: &[AccountLimits],
        calendar: Calendar,
        now: impl Into<Reading>,
    ) -> Result<Self, Error> {
        let now = now.into();
        let holds = accounts
            .iter()
            .map(|account| Ok(store.hold(&account.mailbox, &now)?));
        let holds: Vec<Option<Hold>> = holds.collect::<Result<_, Error>>()?;
        let track = |(account, hold): (&AccountLimits, &Option<Hold>)| -> Result<Track, Error> {
            Ok(Track {
                account: account.name.clone(),
                limiter: limiter_of(account, store, now)?,
                held_until: hold.as_ref().map(|hold| hold.until),
            })
        };
        let tracks = accounts.iter().zip(&holds).map(track);
        let tracks: Vec<Track> = tracks.collect::<Result<_, _>>()?;
        Ok(Self {
            holds,
            alone: tracks.clone(),
            tracks,
            calendar,
            now: now.wall,
            busy: vec![None; accounts.len()],
            others: Vec::new(),
        })
    }

    /// The same, with what other campaigns of these accounts still have to send counted first, in the order
    /// in which they were planned: they share the limits. Only those that are under way count
    /// ([`Store::underway`]); those with sending hours of their own may take longer.
    pub fn behind_others(mut self, store: &Store, campaign: Option<i64>) -> Result<Self, Error> {
        let names: Vec<&str> = self.tracks.iter().map(|one| one.account.as_str()).collect();
        self.others = store.underway(&names, campaign, self.now)?;
        if self.others.is_empty() {
            return Ok(self);
        }
        let mut queues: Vec<Queued> = self.tracks.iter().map(Queued::behind).collect();
        for other in &self.others {
            let tells = self.tells_externals(store, other.campaign)?;
            store.remaining_of(other.campaign, tells, |account, weight, messages| {
                let track = self.tracks.iter().position(|one| one.account == account);
                if let Some(queue) = track.and_then(|track| queues.get_mut(track)) {
                    queue.add(weight, messages, self.now);
                }
            })?;
        }
        self.busy = queues.iter().map(|queue| queue.busy).collect();
        for (track, queue) in self.tracks.iter_mut().zip(queues) {
            track.limiter = queue.limiter;
        }
        Ok(self)
    }

    /// How each account stands with its provider now.
    pub fn quotas(&self) -> Vec<AccountQuota> {
        let tracks = self.alone.iter().zip(&self.holds);
        let quota = |(track, hold): (&Track, &Option<Hold>)| AccountQuota {
            account: track.account.clone(),
            quotas: track.limiter.quotas(self.now),
            hold: hold.clone(),
        };
        tracks.map(quota).collect()
    }

    /// Whether it makes a difference how many of a campaign's recipients are external: not where there is room
    /// for all of them at once.
    fn tells_externals(&self, store: &Store, campaign: i64) -> Result<bool, Error> {
        if !self.counts_external() {
            return Ok(false);
        }
        let externals = store.externals_left(campaign)?;
        let binds = |(rule, used): (Rule, u64)| {
            rule.unit == Unit::ExternalRecipients && used.saturating_add(externals) > rule.max
        };
        let mut usage = self
            .tracks
            .iter()
            .flat_map(|track| track.limiter.usage(self.now));
        Ok(usage.any(binds))
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
        Timetable::new(self.tracks.clone(), self.calendar.clone(), self.now).behind(&self.busy)
    }

    /// The moment from which it is laid out.
    pub(super) fn now(&self) -> Timestamp {
        self.now
    }

    /// When the calendar first lets anything go; none when it never does.
    pub(super) fn opens_at(&self) -> Option<Timestamp> {
        let (opening, _) = self.calendar.next_open(self.now);
        (!is_never(opening, self.now)).then_some(opening)
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
        Timetable::new(tracks, self.calendar.clone(), self.now).behind(&self.busy)
    }

    /// One without sending hours and holidays.
    fn at_any_hour(&self) -> Timetable {
        let schedule = Schedule {
            not_before: self.calendar.schedule().not_before,
            ..Schedule::default()
        };
        let calendar = Calendar::new(schedule, self.calendar.zone().clone());
        Timetable::new(self.tracks.clone(), calendar, self.now).behind(&self.busy)
    }

    /// True when the calendar has hours or holidays.
    fn keeps_hours(&self) -> bool {
        let schedule = self.calendar.schedule();
        schedule.hours.is_some() || !schedule.holidays.is_empty()
    }

    /// Lays out what is left of a campaign. None when nothing is left, or when a rule or the calendar never
    /// allows it.
    pub fn forecast(&self, store: &Store, campaign: i64) -> Result<Option<Forecast>, Error> {
        let keeps_hours = self.keeps_hours();
        let mut tables = vec![self.table(), self.with_another_account()];
        tables.extend(keeps_hours.then(|| self.at_any_hour()));
        let mut pending = Queue::new(tables);
        let mut deferred: Vec<Remaining> = Vec::new();
        let mut next = None;
        let tells = self.tells_externals(store, campaign)?;
        store.remaining(campaign, tells, |run| match run.due_at {
            None => {
                next.get_or_insert(run);
                pending.add(run);
            }
            Some(_) => deferred.push(run),
        })?;
        // Those that were put off go between the others; only the last of them can matter to the end.
        deferred.sort_by_key(|run| run.due_at);
        let next = next.or(deferred.first().copied());
        for run in deferred {
            pending.add(run);
        }
        let soon = |laid: &Laid| !laid.finishes_at.is_some_and(|at| is_never(at, self.now));
        let mut laid = pending.finish().into_iter().map(|laid| laid.filter(soon));
        let (laid, another, any_hour) = (
            laid.next().flatten(),
            laid.next().flatten(),
            laid.next().flatten(),
        );
        let Some(laid) = laid else {
            return Ok(None);
        };
        let at_any_hour = match any_hour {
            None if !keeps_hours => laid.finishes_at,
            other => other.and_then(|laid| laid.finishes_at),
        };
        let first = laid.batches.iter().map(|batch| batch.starts_at).min();
        let alone = Timetable::new(self.alone.clone(), self.calendar.clone(), self.now);
        let next = next.filter(|_| !self.others.is_empty());
        let next = next.and_then(|next| alone.find(next.weight, next.due_at).ok());
        let first = next.map(|slot| slot.at).or(first);
        let (Some(next_send_at), Some(finishes_at)) = (first, laid.finishes_at) else {
            return Ok(None);
        };
        Ok(Some(Forecast {
            with_another_account: another.and_then(|laid| laid.finishes_at),
            at_any_hour,
            next_send_at,
            finishes_at,
            laid,
            others: self.others.clone(),
        }))
    }
}

/// What other campaigns have still to send by one account.
struct Queued {
    limiter: Limiter,
    /// When the last of it goes, and what held it back last.
    busy: Option<(Timestamp, Reason)>,
    held_until: Option<Timestamp>,
}

impl Queued {
    fn behind(track: &Track) -> Self {
        Self {
            limiter: track.limiter.clone().in_order(),
            busy: None,
            held_until: track.held_until,
        }
    }

    fn add(&mut self, weight: Weight, mut messages: u64, now: Timestamp) {
        while messages > 0 {
            let (mut at, mut reason) = match self.busy {
                Some(busy) => busy,
                None => (
                    self.held_until.map_or(now, |held| held.max(now)),
                    Reason::Provider,
                ),
            };
            while let Decision::NotBefore(until, why) = self.limiter.decide(at, weight) {
                if until <= at {
                    break;
                }
                (at, reason) = (until, why);
            }
            if self.limiter.decide(at, weight) != Decision::Go {
                // What never fits never goes.
                return;
            }
            let fit = self.limiter.fits(at, weight).clamp(1, messages);
            self.limiter.record_several(at, weight, fit);
            self.busy = Some((at, reason));
            messages -= fit;
        }
    }
}

/// Timetables that get the same messages; one that never has room for one of them drops out.
struct Queue(Vec<Option<Timetable>>);

impl Queue {
    fn new(tables: Vec<Timetable>) -> Self {
        Self(tables.into_iter().map(Some).collect())
    }

    fn add(&mut self, run: Remaining) {
        let message = Message {
            weight: run.weight,
            listed: run.listed,
            due: run.due_at,
            planned: run.planned,
        };
        for table in &mut self.0 {
            let added = table
                .as_mut()
                .map(|table| table.add_run(&message, run.messages));
            if matches!(added, Some(Err(_))) {
                *table = None;
            }
        }
    }

    fn finish(self) -> Vec<Option<Laid>> {
        let finish = |table: Option<Timetable>| table.map(Timetable::finish);
        self.0.into_iter().map(finish).collect()
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
    now: impl Into<Reading>,
) -> Result<Vec<(Rule, u64)>, Error> {
    let now = now.into();
    let limiter = match store {
        Some(store) => limiter_of(account, store, now)?,
        None => Limiter::new(&account.rules),
    };
    Ok(limiter.usage(now.wall))
}

/// What the mailbox has handed over, and what it has in hand, which counts as handed over now.
fn limiter_of(account: &AccountLimits, store: &Store, now: Reading) -> Result<Limiter, Error> {
    let mut limiter = Limiter::new(&account.rules);
    let longest = limiter.longest_window();
    for entry in store.ledger_since(&account.mailbox, longest, now)? {
        if let Some(at) = entry.stamped_at {
            limiter.record(at, entry.weight);
        } else {
            limiter.reserve(Reservation(entry.id), entry.weight);
            limiter.stamp(Reservation(entry.id), now.wall);
        }
    }
    limiter.catch_up(now.wall);
    Ok(limiter)
}
