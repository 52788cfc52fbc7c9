//! Rolling windows over what an account has handed over.
//!
//! An entry counts against a window of length `per` from the moment it is reserved until `per` after
//! its stamp. The stamp is set when the verdict arrives, so it is never earlier than the provider's
//! own time for the same message: two messages that are `per` apart here are at least as far apart
//! there. A decision costs the logarithm of the number of entries, not the number.
//!
//! Stamps need not come in the order of time: other processes write them too, and a message that is left
//! in doubt is stamped ahead.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::calendar::{Calendar, Closed};
use super::rule::{Rule, Unit, Weight};
use window::{AHEAD, Window};

mod window;

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

/// The windows of one account.
#[derive(Debug, Clone)]
pub struct Limiter {
    windows: Vec<Window>,
    open: BTreeMap<Reservation, Weight>,
    last_stamp: Timestamp,
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

    /// The same for somebody who asks for moments in their order only, and never for one before the last that was
    /// recorded: what has left is dropped at once.
    #[must_use]
    pub fn in_order(mut self) -> Self {
        for window in &mut self.windows {
            window.in_order = true;
        }
        self
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
