//! When a deferred message is tried again.

use std::time::Duration;

/// The waits between the attempts of a deferred message; after the last one it is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backoff(Vec<Duration>);

impl Default for Backoff {
    /// 30 s, 2 min, 10 min, 30 min, then hourly for a day.
    fn default() -> Self {
        let minute = 60;
        let mut waits = vec![30, 2 * minute, 10 * minute, 30 * minute];
        waits.extend([60 * minute; 24]);
        Self(waits.into_iter().map(Duration::from_secs).collect())
    }
}

impl Backoff {
    /// A back-off with these waits, in order.
    pub fn new(waits: Vec<Duration>) -> Self {
        Self(waits)
    }

    /// How long a message is tried, from its first failed attempt to its last.
    pub fn total(&self) -> Duration {
        self.0
            .iter()
            .fold(Duration::ZERO, |sum, wait| sum.saturating_add(*wait))
    }

    /// The wait after the `failed`-th failed attempt (from 1); none when it was the last.
    pub fn after(&self, failed: u32) -> Option<Duration> {
        let index = usize::try_from(failed).ok()?.checked_sub(1)?;
        self.0.get(index).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_grows_to_hourly_and_ends_after_a_day() {
        let backoff = Backoff::default();
        let seconds = |n| backoff.after(n).map(|d| d.as_secs());
        assert_eq!(seconds(1), Some(30));
        assert_eq!(seconds(2), Some(120));
        assert_eq!(seconds(4), Some(1800));
        assert_eq!(seconds(5), Some(3600));
        assert_eq!(seconds(28), Some(3600));
        assert_eq!(seconds(29), None);
        assert_eq!(seconds(0), None);
    }
}
