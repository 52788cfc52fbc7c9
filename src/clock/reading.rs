//! Calendar time and steady time, read at one moment.

use jiff::{SignedDuration, Timestamp};

/// Time that nobody can set: it also passes while the machine is suspended, and begins with its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Steady {
    /// Which start of the machine: times of different ones have nothing to do with each other.
    pub boot: i64,
    /// Milliseconds since then, rounded down.
    pub at: i64,
}

/// What time it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// By the calendar.
    pub wall: Timestamp,
    /// Steadily; none where the system has no such time.
    pub steady: Option<Steady>,
}

/// A calendar that has moved against the steady time by more than this was set; by less, it was slewed.
const SET: SignedDuration = SignedDuration::from_secs(1);

impl From<Timestamp> for Reading {
    fn from(wall: Timestamp) -> Self {
        Self { wall, steady: None }
    }
}

impl Reading {
    /// The time from `earlier` until this one, however often the calendar was set in between; none when
    /// nobody can say, because the machine was started again.
    pub fn steadily_since(&self, earlier: &Self) -> Option<SignedDuration> {
        let (now, then) = (self.steady?, earlier.steady?);
        (now.boot == then.boot).then(|| SignedDuration::from_millis(now.at - then.at))
    }

    /// False when the calendar was certainly set between the two readings.
    pub fn agrees_with(&self, other: &Self) -> bool {
        let by_calendar = self.wall.duration_since(other.wall);
        self.steadily_since(other)
            .is_none_or(|steadily| by_calendar.saturating_sub(steadily).abs() <= SET)
    }

    /// So much later.
    #[must_use]
    pub fn later(self, by: SignedDuration) -> Self {
        Self {
            wall: self.wall.saturating_add(by).unwrap_or(Timestamp::MAX),
            steady: self.steady.map(|steady| Steady {
                at: steady.at.saturating_add(by.as_millis() as i64),
                ..steady
            }),
        }
    }
}

/// Linux counts the time in suspend too, and names each start; a time namespace has a count of its own.
#[cfg(target_os = "linux")]
pub(super) fn system() -> Option<Steady> {
    use rustix::time::{ClockId, clock_gettime};
    use std::sync::OnceLock;

    static BOOT: OnceLock<Option<i64>> = OnceLock::new();
    let boot = BOOT.get_or_init(|| {
        let mut name = std::fs::read("/proc/sys/kernel/random/boot_id").ok()?;
        if let Ok(namespace) = std::fs::read_link("/proc/self/ns/time") {
            name.extend(namespace.as_os_str().as_encoded_bytes());
        }
        let digest = blake3::hash(&name);
        digest
            .as_bytes()
            .first_chunk()
            .map(|first| i64::from_le_bytes(*first))
    });
    let now = clock_gettime(ClockId::Boottime);
    Some(Steady {
        boot: (*boot)?,
        at: now.tv_sec * 1000 + now.tv_nsec / 1_000_000,
    })
}

/// Elsewhere the calendar is all there is.
#[cfg(not(target_os = "linux"))]
pub(super) fn system() -> Option<Steady> {
    None
}
