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

/// Names a share of the windows that is taken and not stamped yet: the ledger's number of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reservation(pub i64);

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
                (Decision::AfterVerdict(_), _) | (_, Decision::Go) => worst,
                (Decision::NotBefore(a, _), Decision::NotBefore(b, _)) if a >= b => worst,
                _ => decision,
            };
        }
        worst
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

#[cfg(test)]
mod tests {
    use super::super::Unit;
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
    }

    fn rule(max: u64, seconds: u64, unit: Unit) -> Rule {
        Rule {
            max,
            per: Duration::from_secs(seconds),
            unit,
        }
    }

    fn one(recipients: u64) -> Weight {
        Weight {
            recipients,
            external: 0,
        }
    }

    #[test]
    fn the_window_rolls_and_names_the_rule() {
        let mut limiter = Limiter::new(&[
            rule(2, 60, Unit::Messages),
            rule(10, 3600, Unit::Recipients),
        ]);
        limiter.record(at(0), one(1));
        limiter.record(at(30), one(1));
        let minute = at(60) + ROUNDING;
        assert_eq!(
            limiter.decide(at(31), one(1)),
            Decision::NotBefore(minute, 0)
        );
        assert_eq!(limiter.decide(minute, one(1)), Decision::Go);
        let hour = at(3600) + ROUNDING;
        assert_eq!(limiter.decide(minute, one(9)), Decision::NotBefore(hour, 1));
        assert_eq!(limiter.decide(minute, one(11)), Decision::Never(1));
    }

    #[test]
    fn what_is_reserved_counts_until_it_is_stamped_or_given_back() {
        let mut limiter = Limiter::new(&[rule(2, 60, Unit::Messages)]);
        limiter.reserve(Reservation(1), one(1));
        limiter.reserve(Reservation(2), one(1));
        assert_eq!(limiter.decide(at(0), one(1)), Decision::AfterVerdict(0));
        limiter.stamp(Reservation(1), at(5));
        let freed = at(65) + ROUNDING;
        assert_eq!(limiter.decide(at(5), one(1)), Decision::NotBefore(freed, 0));
        limiter.release(Reservation(2));
        assert_eq!(limiter.decide(at(5), one(1)), Decision::Go);
    }

    #[test]
    fn a_clock_set_back_never_frees_a_window_early() {
        let mut limiter = Limiter::new(&[rule(1, 60, Unit::Messages)]);
        limiter.record(at(1000), one(1));
        assert!(
            matches!(limiter.decide(at(10), one(1)), Decision::NotBefore(until, 0) if until > at(1060))
        );
        limiter.record(at(10), one(1));
        assert!(matches!(
            limiter.decide(at(1060), one(1)),
            Decision::NotBefore(..)
        ));
    }

    proptest! {
        /// Whatever is asked for and however long the verdicts take: no window of any rule holds more
        /// than its maximum by the other side's clock, which saw each message before its stamp here.
        #[test]
        fn no_window_ever_holds_more_than_its_maximum(
            rules in proptest::collection::vec((1_u64..20, 1_u64..100, 0_u8..3), 1..4),
            steps in proptest::collection::vec((0_i64..40_000, 0_i64..5_000, 1_u64..6, 0_u64..6), 1..150),
        ) {
            let rules: Vec<Rule> = rules.into_iter().map(|(max, seconds, unit)| {
                let unit = [Unit::Messages, Unit::Recipients, Unit::ExternalRecipients][usize::from(unit)];
                rule(max, seconds, unit)
            }).collect();
            let mut limiter = Limiter::new(&rules);
            let mut now = at(0);
            // The other side's own count, in its own words: (when it took the message, weight).
            let mut taken: Vec<(Timestamp, Weight)> = Vec::new();
            for (number, (pause, delay, recipients, external)) in steps.into_iter().enumerate() {
                now += SignedDuration::from_millis(pause);
                let weight = Weight { recipients, external: external.min(recipients) };
                match limiter.decide(now, weight) {
                    Decision::Go => {}
                    Decision::NotBefore(until, _) => {
                        prop_assert!(until > now, "a wait that is over is no wait");
                        now = until;
                        if limiter.decide(now, weight) != Decision::Go {
                            continue;
                        }
                    }
                    Decision::AfterVerdict(_) | Decision::Never(_) => continue,
                }
                let reservation = Reservation(number as i64);
                limiter.reserve(reservation, weight);
                taken.push((now, weight));
                now += SignedDuration::from_millis(delay);
                limiter.stamp(reservation, now);
                for rule in &rules {
                    let per = SignedDuration::try_from(rule.per).unwrap();
                    for &(end, _) in &taken {
                        let held: u64 = taken.iter()
                            .filter(|(t, _)| *t <= end && *t >= end - per)
                            .map(|(_, w)| w.of(rule.unit))
                            .sum();
                        prop_assert!(held <= rule.max, "{held} in a window of {rule}");
                    }
                }
            }
        }
    }
}
