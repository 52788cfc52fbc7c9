//! Rolling windows over what an account has handed over.
//!
//! An entry counts against a window of length `per` from the moment it is reserved until `per` after
//! its stamp. The stamp is set when the verdict arrives, so it is never earlier than the provider's
//! own time for the same message: two messages that are `per` apart here are at least as far apart
//! there. A decision costs the logarithm of the number of entries, not the number.

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
    /// Everything stamped that is no longer among the entries.
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

    /// Everything stamped that has left the window at `now`.
    fn left(&self, now: Timestamp) -> u64 {
        let first = self
            .entries
            .partition_point(|&(stamp, _)| self.leaves_at(stamp) <= now);
        let last_gone = first.checked_sub(1).and_then(|at| self.entries.get(at));
        last_gone.map_or(self.gone, |&(_, total)| total)
    }

    fn decide(&self, now: Timestamp, amount: u64) -> Decision {
        if amount > self.rule.max {
            return Decision::Never(self.rule);
        }
        let left = self.left(now);
        let held = self.total - left;
        let allowed = self.rule.max - amount;
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
        while let Some(&(stamp, total)) = self.entries.front()
            && self.leaves_at(stamp) <= at
        {
            self.gone = total;
            self.entries.pop_front();
        }
        if amount > 0 {
            self.total += amount;
            self.entries.push_back((at, self.total));
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
    let by_rules = limiter.decide(now, weight);
    let from = match by_rules {
        Decision::NotBefore(until, _) => until,
        Decision::Never(_) => return by_rules,
        Decision::Go | Decision::AfterVerdict(_) => now,
    };
    match calendar.next_open(from) {
        (opening, Some(closed)) => Decision::NotBefore(opening, Reason::Closed(closed)),
        (_, None) => by_rules,
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

    /// The rules.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.windows.iter().map(|window| &window.rule)
    }

    /// The longest window: older entries need not be fed in.
    pub fn longest_window(&self) -> Duration {
        self.rules().map(|rule| rule.per).max().unwrap_or_default()
    }

    /// May a message of this weight be offered now? The latest answer of all rules wins. `now` must not
    /// be earlier than the last stamp: see [`Limiter::catch_up`].
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

    /// Says what time it is. Entries from after it were stamped by a clock that has been set back since:
    /// whenever they really were, it was not later than now, so from now on they count in full.
    pub fn catch_up(&mut self, now: Timestamp) {
        if now >= self.last_stamp {
            return;
        }
        self.last_stamp = now;
        for window in &mut self.windows {
            for (stamp, _) in window.entries.iter_mut().rev() {
                if *stamp <= now {
                    break;
                }
                *stamp = now;
            }
        }
    }

    /// When the longest window first lets go of something, if it holds anything at `now`.
    pub fn first_to_leave(&self, now: Timestamp) -> Option<Timestamp> {
        let longest = self.windows.iter().max_by_key(|window| window.rule.per)?;
        let leaving = |&(stamp, _): &(Timestamp, u64)| longest.leaves_at(stamp);
        longest.entries.iter().map(leaving).find(|at| *at > now)
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
        let rules = [
            rule(2, 60, Unit::Messages),
            rule(10, 3600, Unit::Recipients),
        ];
        let mut limiter = Limiter::new(&rules);
        limiter.record(at(0), one(1));
        limiter.record(at(30), one(1));
        let minute = at(60) + ROUNDING;
        assert_eq!(
            limiter.decide(at(31), one(1)),
            Decision::NotBefore(minute, Reason::Rule(rules[0]))
        );
        assert_eq!(limiter.decide(minute, one(1)), Decision::Go);
        let hour = at(3600) + ROUNDING;
        assert_eq!(
            limiter.decide(minute, one(9)),
            Decision::NotBefore(hour, Reason::Rule(rules[1]))
        );
        assert_eq!(limiter.decide(minute, one(11)), Decision::Never(rules[1]));
    }

    #[test]
    fn what_is_reserved_counts_until_it_is_stamped_or_given_back() {
        let rule = rule(2, 60, Unit::Messages);
        let mut limiter = Limiter::new(&[rule]);
        limiter.reserve(Reservation(1), one(1));
        limiter.reserve(Reservation(2), one(1));
        assert_eq!(limiter.decide(at(0), one(1)), Decision::AfterVerdict(rule));
        limiter.stamp(Reservation(1), at(5));
        let freed = at(65) + ROUNDING;
        assert_eq!(
            limiter.decide(at(5), one(1)),
            Decision::NotBefore(freed, Reason::Rule(rule))
        );
        limiter.release(Reservation(2));
        assert_eq!(limiter.decide(at(5), one(1)), Decision::Go);
    }

    #[test]
    fn a_clock_set_back_never_frees_a_window_early_nor_holds_it_for_ever() {
        let mut limiter = Limiter::new(&[rule(1, 60, Unit::Messages)]);
        limiter.record(at(1000), one(1));
        limiter.catch_up(at(10));
        let Decision::NotBefore(until, _) = limiter.decide(at(10), one(1)) else {
            panic!("the window is full");
        };
        assert_eq!(until, at(70) + ROUNDING);
        limiter.record(at(5), one(1));
        limiter.catch_up(at(66));
        assert!(matches!(
            limiter.decide(at(66), one(1)),
            Decision::NotBefore(..)
        ));
    }

    #[test]
    fn what_is_left_is_known_by_unit() {
        let rules = [
            rule(10, 60, Unit::Recipients),
            rule(7, 3600, Unit::Recipients),
        ];
        let mut limiter = Limiter::new(&rules);
        limiter.record(at(0), one(4));
        assert_eq!(limiter.room(at(1), Unit::Recipients), Some(3));
        assert_eq!(limiter.room(at(3700), Unit::Recipients), Some(7));
        assert_eq!(limiter.room(at(1), Unit::Messages), None);
    }

    #[test]
    fn the_later_one_of_window_and_calendar_is_waited_for() {
        let mut limiter = Limiter::new(&[rule(1, 3600, Unit::Messages)]);
        limiter.record(at(0), one(1));
        let schedule = super::super::Schedule {
            not_before: Some(at(1800)),
            ..Default::default()
        };
        let zone = jiff::tz::TimeZone::UTC;
        let calendar = Calendar::new(schedule.clone(), zone.clone());
        let hour = at(3600) + ROUNDING;
        assert!(
            matches!(earliest(&limiter, &calendar, at(1), one(1)), Decision::NotBefore(until, Reason::Rule(_)) if until == hour)
        );
        let schedule = super::super::Schedule {
            not_before: Some(at(7200)),
            ..schedule
        };
        let calendar = Calendar::new(schedule, zone);
        let start = Decision::NotBefore(at(7200), Reason::Closed(Closed::NotBefore));
        assert_eq!(earliest(&limiter, &calendar, at(1), one(1)), start);
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
