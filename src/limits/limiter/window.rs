//! One rule's window: what is in it, and when it leaves.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

use super::{Decision, Quota, Reason};
use crate::limits::rule::Rule;

#[derive(Debug, Clone)]
pub(super) struct Window {
    pub(super) rule: Rule,
    /// So long after its stamp an entry has left.
    length: SignedDuration,
    /// Nobody will ask for a moment before one at which something was stamped.
    pub(super) in_order: bool,
    /// What is reserved and not stamped.
    pub(super) open: u64,
    /// Everything ever stamped.
    pub(super) total: u64,
    /// Everything stamped that is no longer among the entries.
    pub(super) gone: u64,
    /// Stamp, and the total up to and including it; in order of time.
    pub(super) entries: VecDeque<(Timestamp, u64)>,
}

/// Times are whole milliseconds, rounded down: one more makes sure that the window has really passed.
pub(super) const ROUNDING: SignedDuration = SignedDuration::from_millis(1);

/// A stamp may be ahead of the time at which somebody asks: it was written while the asker waited for its
/// turn, or it is that of a message in doubt. One that is further ahead was written by a clock that has
/// been set back since.
pub(super) const AHEAD: SignedDuration = SignedDuration::from_mins(5);

/// Entries that have left are dropped whenever there are a multiple of so many.
const TIDY: usize = 32;

/// So many shares of a rule's maximum are told of one by one as they free.
const SHARE: u64 = 20;

impl Window {
    pub(super) fn new(rule: Rule) -> Self {
        let per = SignedDuration::try_from(rule.per).unwrap_or(SignedDuration::MAX);
        Self {
            rule,
            length: per.saturating_add(ROUNDING),
            in_order: false,
            open: 0,
            total: 0,
            gone: 0,
            entries: VecDeque::new(),
        }
    }

    pub(super) fn leaves_at(&self, stamp: Timestamp) -> Timestamp {
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

    /// Drops what had left at `at` for whoever may still ask.
    fn forget(&mut self, at: Timestamp) {
        let earliest = if self.in_order {
            at
        } else {
            at.saturating_sub(AHEAD).unwrap_or(Timestamp::MIN)
        };
        let last = self.last_to_leave(earliest);
        while let Some(&(stamp, total)) = self.entries.front()
            && last.is_some_and(|last| stamp <= last)
        {
            self.gone = total;
            self.entries.pop_front();
        }
    }

    /// The place of the first entry for which this holds, as for all after it. It is sought from the front, where
    /// it is found at once: little has left since entries were dropped last.
    fn first(&self, holds: impl Fn(&(Timestamp, u64)) -> bool) -> usize {
        let mut end = 1;
        while self.entries.get(end - 1).is_some_and(|entry| !holds(entry)) {
            end *= 2;
        }
        let (mut from, mut to) = (end / 2, (end - 1).min(self.entries.len()));
        while from < to {
            let middle = usize::midpoint(from, to);
            if self.entries.get(middle).is_some_and(|entry| !holds(entry)) {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        from
    }

    /// Everything stamped that has left the window at `now`.
    pub(super) fn left(&self, now: Timestamp) -> u64 {
        let Some(last) = self.last_to_leave(now) else {
            return self.gone;
        };
        let first = self.first(|&(stamp, _)| stamp > last);
        let last_gone = first.checked_sub(1).and_then(|at| self.entries.get(at));
        last_gone.map_or(self.gone, |&(_, total)| total)
    }

    pub(super) fn quota(&self, now: Timestamp) -> Quota {
        let left = self.left(now);
        let held = self.total - left;
        let when = |share: u64| {
            let entry = self.first(|&(_, total)| total >= left + share);
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

    pub(super) fn decide(&self, now: Timestamp, amount: u64) -> Decision {
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
        let enough = self.first(|&(_, total)| total >= left + excess);
        match self.entries.get(enough) {
            Some(&(stamp, _)) => {
                Decision::NotBefore(self.leaves_at(stamp), Reason::Rule(self.rule))
            }
            None => Decision::AfterVerdict(self.rule),
        }
    }

    pub(super) fn stamp(&mut self, at: Timestamp, amount: u64) {
        if amount == 0 {
            return;
        }
        if self.in_order || self.entries.len().is_multiple_of(TIDY) {
            self.forget(at);
        }
        self.total += amount;
        let is_latest = self.entries.back().is_none_or(|&(last, _)| last <= at);
        let place = if is_latest {
            self.entries.len()
        } else {
            self.entries.partition_point(|&(stamp, _)| stamp <= at)
        };
        let before = place.checked_sub(1).and_then(|last| self.entries.get(last));
        let before = before.map_or(self.gone, |&(_, total)| total);
        self.entries.insert(place, (at, before + amount));
        for (_, total) in self.entries.iter_mut().skip(place + 1) {
            *total += amount;
        }
    }
}
