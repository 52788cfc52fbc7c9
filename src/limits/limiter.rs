//! Rolling windows over what an account has handed over.
//!
//! An entry counts against a window of length `per` from the moment it is reserved until `per` after
//! its stamp. The stamp is set when the verdict arrives, so it is never earlier than the provider's
//! own time for the same message: two messages that are `per` apart here are at least as far apart
//! there. A decision costs the logarithm of the number of entries, not the number.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::rule::{Rule, Weight};

/// May a message go?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Now.
    Go,
    /// Not before this time, because of the rule with this index.
    NotBefore(Timestamp, usize),
    /// Not before a message that is in hand has its verdict, because of the rule with this index.
    AfterVerdict(usize),
    /// Never: the message alone is more than this rule's maximum.
    Never(usize),
}

/// A share of the windows that is taken and not stamped yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reservation(u64);

/// The windows of one account.
#[derive(Debug, Clone)]
pub struct Limiter {
    windows: Vec<Window>,
    open: BTreeMap<Reservation, Weight>,
    next: u64,
    last_stamp: Timestamp,
}

#[derive(Debug, Clone)]
struct Window {
    rule: Rule,
    /// What is reserved and not stamped.
    open: u64,
    /// Everything ever stamped.
    total: u64,
    /// Everything stamped that has left the window.
    gone: u64,
    /// Stamp, and the total up to and including it; in order of time.
    entries: VecDeque<(Timestamp, u64)>,
}

/// Times are whole milliseconds, rounded down: one more makes sure that the window has really passed.
const ROUNDING: SignedDuration = SignedDuration::from_millis(1);

impl Window {
    fn leaves_at(&self, stamp: Timestamp) -> Timestamp {
        let per = SignedDuration::try_from(self.rule.per).unwrap_or(SignedDuration::MAX);
        stamp
            .saturating_add(per.saturating_add(ROUNDING))
            .unwrap_or(Timestamp::MAX)
    }

    fn expire(&mut self, now: Timestamp) {
        while let Some(&(stamp, total)) = self.entries.front() {
            if self.leaves_at(stamp) > now {
                break;
            }
            self.gone = total;
            self.entries.pop_front();
        }
    }

    fn decide(&mut self, index: usize, now: Timestamp, amount: u64) -> Decision {
        self.expire(now);
        if amount > self.rule.max {
            return Decision::Never(index);
        }
        let held = self.total - self.gone;
        let Some(excess) = (self.open + held + amount).checked_sub(self.rule.max + 1) else {
            return Decision::Go;
        };
        let excess = excess + 1;
        if excess > held {
            return Decision::AfterVerdict(index);
        }
        let enough = self
            .entries
            .partition_point(|&(_, total)| total - self.gone < excess);
        match self.entries.get(enough) {
            Some(&(stamp, _)) => Decision::NotBefore(self.leaves_at(stamp), index),
            None => Decision::AfterVerdict(index),
        }
    }

    fn stamp(&mut self, at: Timestamp, amount: u64) {
        if amount > 0 {
            self.total += amount;
            self.entries.push_back((at, self.total));
        }
    }
}

impl Limiter {
    /// A limiter with nothing in its windows.
    pub fn new(rules: &[Rule]) -> Self {
        let window = |&rule| Window {
            rule,
            open: 0,
            total: 0,
            gone: 0,
            entries: VecDeque::new(),
        };
        Self {
            windows: rules.iter().map(window).collect(),
            open: BTreeMap::new(),
            next: 0,
            last_stamp: Timestamp::MIN,
        }
    }

    /// The rules, in the order of the indices in a [`Decision`].
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.windows.iter().map(|window| &window.rule)
    }

    /// The longest window: older entries need not be fed in.
    pub fn longest_window(&self) -> Duration {
        self.rules().map(|rule| rule.per).max().unwrap_or_default()
    }

    /// May a message of this weight be offered now? The latest answer of all rules wins.
    pub fn decide(&mut self, now: Timestamp, weight: Weight) -> Decision {
        let mut worst = Decision::Go;
        for (index, window) in self.windows.iter_mut().enumerate() {
            let decision = window.decide(index, now, weight.of(window.rule.unit));
            worst = match (worst, decision) {
                (Decision::Never(_), _) => worst,
                (_, Decision::Never(_)) => decision,
                (Decision::AfterVerdict(_), _) => worst,
                (_, Decision::AfterVerdict(_)) => decision,
                (Decision::NotBefore(a, _), Decision::NotBefore(b, _)) if a >= b => worst,
                (_, Decision::Go) => worst,
                _ => decision,
            };
        }
        worst
    }

    /// Takes a share of every window, before the message is offered.
    pub fn reserve(&mut self, weight: Weight) -> Reservation {
        let reservation = Reservation(self.next);
        self.next += 1;
        self.open.insert(reservation, weight);
        for window in &mut self.windows {
            window.open += weight.of(window.rule.unit);
        }
        reservation
    }

    /// The verdict has come, or the message is left in doubt: it counts from `at` on. A reservation
    /// that is not known does nothing.
    pub fn stamp(&mut self, reservation: Reservation, at: Timestamp) {
        if let Some(weight) = self.open.remove(&reservation) {
            for window in &mut self.windows {
                window.open -= weight.of(window.rule.unit);
            }
            self.record(at, weight);
        }
    }

    /// The message was never offered: its share is given back.
    pub fn release(&mut self, reservation: Reservation) {
        if let Some(weight) = self.open.remove(&reservation) {
            for window in &mut self.windows {
                window.open -= weight.of(window.rule.unit);
            }
        }
    }

    /// Feeds an entry of the ledger. A stamp before an earlier one counts as that one: a clock that
    /// was set back makes the limiter careful, never generous.
    pub fn record(&mut self, at: Timestamp, weight: Weight) {
        let at = at.max(self.last_stamp);
        self.last_stamp = at;
        for window in &mut self.windows {
            let amount = weight.of(window.rule.unit);
            window.stamp(at, amount);
        }
    }

    /// What each rule's window holds now, open reservations included.
    pub fn usage(&mut self, now: Timestamp) -> Vec<(Rule, u64)> {
        let usage = |window: &mut Window| {
            window.expire(now);
            (window.rule, window.total - window.gone + window.open)
        };
        self.windows.iter_mut().map(usage).collect()
    }
}
