//! Rolling windows over what an account has handed over.
//!
//! An entry counts against a window of length `per` from the moment it is reserved until `per` after
//! its stamp. The stamp is set when the verdict arrives, so it is never earlier than the provider's
//! own time for the same message: two messages that are `per` apart here are at least as far apart
//! there. A decision costs the logarithm of the number of entries, not the number.
//!
//! Stamps need not come in the order of time: other processes write them too, and a message that is left
//! in doubt is stamped ahead.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::calendar::{Calendar, Closed};
use super::rule::{Rule, Unit, Weight};

/// Why a message must wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// A rule's window is full.
    Rule(Rule),
    /// The campaign's calendar.
    Closed(Closed),
    /// The provider asked for a pause.
    Provider,
    /// Messages that were put off are not due yet.
    Deferred,
}

/// May a message go?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Now.
    Go,
    /// Not before this time, and why.
    NotBefore(Timestamp, Reason),
    /// Not before a message that is in hand has its verdict, because of this rule.
    AfterVerdict(Rule),
    /// Never: the message alone is more than this rule's maximum.
    Never(Rule),
}

/// Names a share of the windows that is taken and not stamped yet: the ledger's number of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reservation(pub i64);

/// How a rule's window stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// The rule.
    pub rule: Rule,
    /// What its window holds, in the rule's unit.
    pub used: u64,
    /// When the next share worth telling is free again, and how much it is; none where that is all.
    pub next: Option<(Timestamp, u64)>,
    /// When all that was stamped has left; none when nothing is in it.
    pub full_at: Option<Timestamp>,
}

/// So many shares of a rule's maximum are told of one by one as they free.
const SHARE: u64 = 20;

/// The windows of one account.
#[derive(Debug, Clone)]
pub struct Limiter {
    windows: Vec<Window>,
    open: BTreeMap<Reservation, Weight>,
    last_stamp: Timestamp,
}

#[derive(Debug, Clone)]
struct Window {
    rule: Rule,
    /// So long after its stamp an entry has left.
    length: SignedDuration,
    /// What is reserved and not stamped.
    open: u64,
    /// Everything ever stamped.
    total: u64,
    /// Everything stamped that is no longer among the entries.
    gone: u64,
    /// Stamp, and the total up to and including it; in order of time.
    entries: VecDeque<(Timestamp, u64)>,
}

/// Times are whole milliseconds, rounded down: one more makes sure that the window has really passed.
const ROUNDING: SignedDuration = SignedDuration::from_millis(1);

/// A stamp may be ahead of the time at which somebody asks: it was written while the asker waited for its
/// turn, or it is that of a message in doubt. One that is further ahead was written by a clock that has
/// been set back since.
const AHEAD: SignedDuration = SignedDuration::from_mins(5);

impl Window {
    fn new(rule: Rule) -> Self {
        let per = SignedDuration::try_from(rule.per).unwrap_or(SignedDuration::MAX);
        Self {
            rule,
            length: per.saturating_add(ROUNDING),
            open: 0,
            total: 0,
            gone: 0,
            entries: VecDeque::new(),
        }
    }

    fn leaves_at(&self, stamp: Timestamp) -> Timestamp {
        stamp.saturating_add(self.length).unwrap_or(Timestamp::MAX)
    }

    /// What has left at `now` has this stamp or an earlier one; none where nothing can have left.
    fn last_to_leave(&self, now: Timestamp) -> Option<Timestamp> {
        if now == Timestamp::MAX {
            // At the end of time everything has left.
            return Some(now);
        }
        now.checked_sub(self.length).ok()
    }

    /// Everything stamped that has left the window at `now`.
    fn left(&self, now: Timestamp) -> u64 {
        let Some(last) = self.last_to_leave(now) else {
            return self.gone;
        };
        let first = self.entries.partition_point(|&(stamp, _)| stamp <= last);
        let last_gone = first.checked_sub(1).and_then(|at| self.entries.get(at));
        last_gone.map_or(self.gone, |&(_, total)| total)
    }

    fn quota(&self, now: Timestamp) -> Quota {
        let left = self.left(now);
        let held = self.total - left;
        let when = |share: u64| {
            let entry = self
                .entries
                .partition_point(|&(_, total)| total < left + share);
            self.entries
                .get(entry)
                .map(|&(stamp, _)| self.leaves_at(stamp))
        };
        let share = self.rule.max.div_ceil(SHARE);
        let next = (held > share).then(|| when(share).map(|at| (at, share)));
        Quota {
            rule: self.rule,
            used: held + self.open,
            next: next.flatten(),
            full_at: (held > 0).then(|| when(held)).flatten(),
        }
    }

    fn decide(&self, now: Timestamp, amount: u64) -> Decision {
        if amount > self.rule.max {
            return Decision::Never(self.rule);
        }
        let allowed = self.rule.max - amount;
        // Mostly there is room whatever has left.
        if self.open + self.total - self.gone <= allowed {
            return Decision::Go;
        }
        let left = self.left(now);
        let held = self.total - left;
        if self.open + held <= allowed {
            return Decision::Go;
        }
        let excess = self.open + held - allowed;
        if excess > held {
            return Decision::AfterVerdict(self.rule);
        }
        let enough = self
            .entries
            .partition_point(|&(_, total)| total < left + excess);
        match self.entries.get(enough) {
            Some(&(stamp, _)) => {
                Decision::NotBefore(self.leaves_at(stamp), Reason::Rule(self.rule))
            }
            None => Decision::AfterVerdict(self.rule),
        }
    }

    fn stamp(&mut self, at: Timestamp, amount: u64) {
        let long_ago = at.saturating_sub(AHEAD).unwrap_or(Timestamp::MIN);
        let last = self.last_to_leave(long_ago);
        while let Some(&(stamp, total)) = self.entries.front()
            && last.is_some_and(|last| stamp <= last)
        {
            self.gone = total;
            self.entries.pop_front();
        }
        if amount == 0 {
            return;
        }
        self.total += amount;
        let place = self.entries.partition_point(|&(stamp, _)| stamp <= at);
        let before = place.checked_sub(1).and_then(|last| self.entries.get(last));
        let before = before.map_or(self.gone, |&(_, total)| total);
        self.entries.insert(place, (at, before + amount));
        for (_, total) in self.entries.iter_mut().skip(place + 1) {
            *total += amount;
        }
    }
}

/// The earliest moment from `now` on at which both the rules and the calendar let a message go: the one
/// answer that planning, rehearsing, reporting and sending go by.
pub fn earliest(
    limiter: &Limiter,
    calendar: &Calendar,
    now: Timestamp,
    weight: Weight,
) -> Decision {
    in_hours(limiter.decide(now, weight), calendar, now)
}

/// What becomes of the rules' answer at `now` by the calendar.
pub fn in_hours(by_rules: Decision, calendar: &Calendar, now: Timestamp) -> Decision {
    in_openings(by_rules, now, |from| calendar.next_open(from))
}

/// The same for a calendar that is asked by what it answers ([`Calendar::next_open`]).
pub fn in_openings(
    by_rules: Decision,
    now: Timestamp,
    next_open: impl FnOnce(Timestamp) -> (Timestamp, Option<Closed>),
) -> Decision {
    let from = match by_rules {
        Decision::NotBefore(until, _) => until,
        Decision::Never(_) => return by_rules,
        Decision::Go | Decision::AfterVerdict(_) => now,
    };
    match next_open(from) {
        (opening, Some(closed)) => Decision::NotBefore(opening, Reason::Closed(closed)),
        (_, None) => by_rules,
    }
}

impl Limiter {
    /// A limiter with nothing in its windows.
    pub fn new(rules: &[Rule]) -> Self {
        Self {
            windows: rules.iter().copied().map(Window::new).collect(),
            open: BTreeMap::new(),
            last_stamp: Timestamp::MIN,
        }
    }

    /// The rules.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.windows.iter().map(|window| &window.rule)
    }

    /// The longest window: older entries need not be fed in.
    pub fn longest_window(&self) -> Duration {
        self.rules().map(|rule| rule.per).max().unwrap_or_default()
    }

    /// May a message of this weight be offered now? The latest answer of all rules wins.
    pub fn decide(&self, now: Timestamp, weight: Weight) -> Decision {
        let mut worst = Decision::Go;
        for window in &self.windows {
            let decision = window.decide(now, weight.of(window.rule.unit));
            worst = match (worst, decision) {
                (Decision::Never(_), _) => worst,
                (_, Decision::Never(_)) => decision,
                (Decision::AfterVerdict(_), _) | (_, Decision::Go) => worst,
                (Decision::NotBefore(a, _), Decision::NotBefore(b, _)) if a >= b => worst,
                _ => decision,
            };
        }
        worst
    }

    /// How much of this unit the rules leave free at `now`; none when no rule counts it.
    pub fn room(&self, now: Timestamp, unit: Unit) -> Option<u64> {
        let windows = self
            .windows
            .iter()
            .filter(|window| window.rule.unit == unit);
        windows
            .map(|window| {
                let held = window.total - window.left(now) + window.open;
                window.rule.max.saturating_sub(held)
            })
            .min()
    }

    /// The most of this unit that the rules ever allow at once; none when no rule counts it.
    pub fn capacity(&self, unit: Unit) -> Option<u64> {
        let rules = self.rules().filter(|rule| rule.unit == unit);
        rules.map(|rule| rule.max).min()
    }

    /// Takes a share of every window, before the message is offered.
    pub fn reserve(&mut self, reservation: Reservation, weight: Weight) {
        self.release(reservation);
        self.open.insert(reservation, weight);
        for window in &mut self.windows {
            window.open += weight.of(window.rule.unit);
        }
    }

    /// The verdict has come, or the message is left in doubt: it counts from `at` on. A reservation
    /// that is not known does nothing.
    pub fn stamp(&mut self, reservation: Reservation, at: Timestamp) {
        if let Some(weight) = self.release(reservation) {
            self.record(at, weight);
        }
    }

    /// The message was never offered: its share, if it had one, is given back.
    pub fn release(&mut self, reservation: Reservation) -> Option<Weight> {
        let weight = self.open.remove(&reservation)?;
        for window in &mut self.windows {
            window.open -= weight.of(window.rule.unit);
        }
        Some(weight)
    }

    /// What is reserved and not stamped.
    pub fn reservations(&self) -> impl Iterator<Item = Reservation> {
        self.open.keys().copied()
    }

    /// Feeds an entry of the ledger.
    pub fn record(&mut self, at: Timestamp, weight: Weight) {
        self.record_several(at, weight, 1);
    }

    /// The same for so many messages of one weight at one moment.
    pub fn record_several(&mut self, at: Timestamp, weight: Weight, messages: u64) {
        self.last_stamp = self.last_stamp.max(at);
        for window in &mut self.windows {
            let amount = weight.of(window.rule.unit).saturating_mul(messages);
            window.stamp(at, amount);
        }
    }

    /// How many messages of this weight may go at `now`, one right after the other.
    pub fn fits(&self, now: Timestamp, weight: Weight) -> u64 {
        let fits = |window: &Window| {
            let amount = weight.of(window.rule.unit);
            let held = window.total - window.left(now) + window.open;
            let room = window.rule.max.saturating_sub(held);
            room.checked_div(amount).unwrap_or(u64::MAX)
        };
        self.windows.iter().map(fits).min().unwrap_or(u64::MAX)
    }

    /// Says what time it is. Entries from well after it were stamped by a clock that has been set back since:
    /// whenever they really were, it was not later than now, so from now on they count in full.
    pub fn catch_up(&mut self, now: Timestamp) {
        let bound = now.saturating_add(AHEAD).unwrap_or(Timestamp::MAX);
        if self.last_stamp <= bound {
            return;
        }
        self.last_stamp = bound;
        for window in &mut self.windows {
            let first = window.entries.partition_point(|&(stamp, _)| stamp <= bound);
            let last = first.checked_sub(1).and_then(|at| window.entries.get(at));
            // In order of time still, where some are only a little ahead.
            let from = last.map_or(now, |&(stamp, _)| now.max(stamp));
            for (stamp, _) in window.entries.iter_mut().skip(first) {
                *stamp = from;
            }
        }
    }

    /// When the longest window first lets go of something, if it holds anything at `now`.
    pub fn first_to_leave(&self, now: Timestamp) -> Option<Timestamp> {
        let longest = self.windows.iter().max_by_key(|window| window.rule.per)?;
        let leaving = |&(stamp, _): &(Timestamp, u64)| longest.leaves_at(stamp);
        longest.entries.iter().map(leaving).find(|at| *at > now)
    }

    /// How each rule's window stands at `now`, and when it gets its room back.
    pub fn quotas(&self, now: Timestamp) -> Vec<Quota> {
        self.windows
            .iter()
            .map(|window| window.quota(now))
            .collect()
    }

    /// What each rule's window holds now, open reservations included.
    pub fn usage(&self, now: Timestamp) -> Vec<(Rule, u64)> {
        let usage = |window: &Window| {
            let held = window.total - window.left(now);
            (window.rule, held + window.open)
        };
        self.windows.iter().map(usage).collect()
    }
}

#[cfg(test)]
mod tests;
