//! How fast an account goes after its server asked it to slow down: slower each time, and a little faster
//! with every message that is taken.

use jiff::SignedDuration;

use crate::clock::Timestamp;

/// The first time that it is told.
const FIRST: SignedDuration = SignedDuration::from_secs(1);
/// However often it is told.
const SLOWEST: SignedDuration = SignedDuration::from_secs(60);
/// What is shorter makes no difference.
const NOTHING: SignedDuration = SignedDuration::from_millis(100);

/// The least time between the beginnings of two messages.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pace {
    gap: SignedDuration,
    next_at: Option<Timestamp>,
}

impl Pace {
    /// The server is busy, or was sent too much at once.
    pub(super) fn slow_down(&mut self) {
        self.gap = self.gap.saturating_mul(2).clamp(FIRST, SLOWEST);
    }

    /// A message was taken.
    pub(super) fn recover(&mut self) {
        let shorter = SignedDuration::from_millis_i128(self.gap.as_millis() * 9 / 10);
        self.gap = if shorter < NOTHING {
            SignedDuration::ZERO
        } else {
            shorter
        };
    }

    /// A message is begun.
    pub(super) fn begin(&mut self, now: Timestamp) {
        let next = now.saturating_add(self.gap).ok();
        self.next_at = next.filter(|_| !self.gap.is_zero());
    }

    /// Nothing is begun before then.
    pub(super) fn not_before(&mut self, at: Timestamp) {
        self.next_at = self.next_at.max(Some(at));
    }

    pub(super) fn allows(&self, now: Timestamp) -> bool {
        self.next_at.is_none_or(|at| at <= now)
    }

    /// Nothing slows it down.
    pub(super) fn is_full(&self) -> bool {
        self.gap.is_zero()
    }

    pub(super) fn next_at(&self) -> Option<Timestamp> {
        self.next_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_slows_down_each_time_and_recovers() {
        let now = Timestamp::UNIX_EPOCH;
        let mut pace = Pace::default();
        pace.begin(now);
        assert!(pace.allows(now));
        pace.slow_down();
        pace.slow_down();
        pace.begin(now);
        assert!(!pace.allows(now + SignedDuration::from_millis(1_999)));
        assert!(pace.allows(now + SignedDuration::from_secs(2)));
        for _ in 0..20 {
            pace.slow_down();
        }
        assert_eq!(pace.gap, SLOWEST);
        for _ in 0..100 {
            pace.recover();
        }
        pace.begin(now);
        assert!(pace.allows(now));
    }
}
