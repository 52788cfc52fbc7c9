//! The clock: what time it is, waiting until a time, and deadlines.
//!
//! One [`Clock`] is made in `main` (or by a test) and handed down; no other room asks the machine
//! for the time. Must not know what anybody waits for. Used by every room that deals in time.
//!
//! A simulated clock stands still while somebody works (see [`Clock::hold`]) and jumps to the next
//! time that anybody waits for as soon as nobody does, so that days pass in milliseconds and the
//! sender and the stand-in server agree on what time it is.
//!
//! A driven clock is moved by its owner ([`Clock::advance`]), who knows when nobody has anything left to do. All
//! time goes by it, deadlines too: what is done by it takes no real time and happens the same way each time.
//!
//! Calendar time may be set by a person or a time server. What must not follow that is measured by the
//! steady part of a [`Reading`].

mod reading;
mod simulated;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

pub use jiff::{SignedDuration, Timestamp};

pub use reading::{Reading, Steady};
use simulated::Simulated;

/// The time, handed down from `main`. Cloning is cheap; clones are the same clock.
#[derive(Clone, Debug)]
pub struct Clock(Kind);

#[derive(Clone, Debug)]
enum Kind {
    System,
    Simulated(Arc<Simulated>),
    /// The same time, whatever its calendar is set to.
    Unset(Arc<Simulated>),
}

/// A deadline passed before the work was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no answer within {} s", .0.as_secs_f32())]
pub struct Elapsed(pub Duration);

/// Keeps a simulated clock from moving on while it lives; nothing on the system's clock.
#[derive(Debug)]
#[must_use = "the clock is only held while this lives"]
pub struct Hold(Option<Arc<Simulated>>);

impl Drop for Hold {
    fn drop(&mut self) {
        if let Some(clock) = &self.0 {
            clock.release();
        }
    }
}

/// How long a stretch of a wait on the system's clock may be. Calendar time is looked at again after
/// each stretch, because a laptop's monotonic clock stops while it sleeps and its calendar may be set.
const STRETCH: Duration = Duration::from_secs(20);

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self(Kind::System)
    }

    /// A clock that starts at `start` and moves only when somebody waits and nobody holds it.
    pub fn simulated(start: Timestamp) -> Self {
        Self(Kind::Simulated(Arc::new(Simulated::new(start))))
    }

    /// A clock that starts at `start` and moves only when its owner says so: to the next time that anybody waits
    /// for. Nobody needs to hold it. `boot` says which start of the machine it is.
    pub fn driven(start: Timestamp, boot: i64) -> Self {
        Self(Kind::Simulated(Arc::new(Simulated::driven(start, boot))))
    }

    /// Moves a driven clock on to the next time that anybody waits for. False when nobody waits, and on any other
    /// clock.
    pub fn advance(&self) -> bool {
        self.driver().is_some_and(|clock| clock.advance())
    }

    /// Says that a driven clock's machine was started again: its steady time has nothing to do with what was
    /// before. Nothing happens on any other clock.
    pub fn start_again(&self) {
        if let Some(clock) = self.driver() {
            clock.start_again();
        }
    }

    fn driver(&self) -> Option<&Arc<Simulated>> {
        match &self.0 {
            Kind::Simulated(clock) | Kind::Unset(clock) => Some(clock).filter(|c| c.is_driven()),
            Kind::System => None,
        }
    }

    /// The calendar time in whole milliseconds (rounded down), the precision of the store.
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Kind::System => whole_milliseconds(system_now()),
            Kind::Simulated(clock) => clock.now(),
            Kind::Unset(clock) => clock.unset_now(),
        }
    }

    /// The calendar time together with the steady one.
    pub fn reading(&self) -> Reading {
        match &self.0 {
            Kind::System => Reading {
                wall: self.now(),
                steady: reading::system(),
            },
            Kind::Simulated(clock) => clock.reading(),
            Kind::Unset(clock) => Reading {
                wall: clock.unset_now(),
                ..clock.reading()
            },
        }
    }

    /// Returns once the calendar time is `until` or later; survives suspend and a clock that is set.
    pub async fn sleep_until(&self, until: Timestamp) {
        match &self.0 {
            Kind::System => sleep_on_system(until, || false).await,
            Kind::Simulated(clock) => clock.sleep_until(until, None).await,
            Kind::Unset(clock) => clock.sleep_unset_until(until).await,
        }
    }

    /// Returns once the calendar time is `until` or later, or as soon as it is noticed that the clock was
    /// set after `since`: until when to wait has to be asked again then.
    pub async fn sleep_until_or_set(&self, until: Timestamp, since: &Reading) {
        match &self.0 {
            Kind::System => sleep_on_system(until, || !self.reading().agrees_with(since)).await,
            Kind::Simulated(clock) => clock.sleep_until(until, Some(since)).await,
            Kind::Unset(clock) => clock.sleep_unset_until(until).await,
        }
    }

    /// Sets a simulated clock's calendar, as a person sets a clock; its steady time goes on. The system's
    /// clock is not ours to set: nothing happens.
    pub fn set_by(&self, step: SignedDuration) {
        if let Kind::Simulated(clock) = &self.0 {
            clock.set_by(step);
        }
    }

    /// Sets a simulated clock's calendar once so much time has passed.
    pub fn set_later(&self, after: SignedDuration, step: SignedDuration) {
        if let Kind::Simulated(clock) = &self.0 {
            clock.set_later(after, step);
        }
    }

    /// The same clock as somebody else sees it, whose calendar nobody sets: a server's.
    #[must_use]
    pub fn unset(&self) -> Self {
        match &self.0 {
            Kind::System => self.clone(),
            Kind::Simulated(clock) | Kind::Unset(clock) => Self(Kind::Unset(Arc::clone(clock))),
        }
    }

    /// Says that work is going on: a simulated clock stands still until the hold is dropped.
    pub fn hold(&self) -> Hold {
        match &self.0 {
            Kind::System => Hold(None),
            Kind::Simulated(clock) | Kind::Unset(clock) => {
                clock.acquire();
                Hold(Some(Arc::clone(clock)))
            }
        }
    }

    /// Runs `work` under a deadline. Deadlines are real, monotonic time on the system's clock and on a simulated
    /// one: a server that hangs does so in real time even when the days are simulated. Only a driven clock
    /// counts them itself.
    ///
    /// # Errors
    /// [`Elapsed`] when the deadline passed first; `work` is dropped then.
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub async fn within<F: Future>(&self, limit: Duration, work: F) -> Result<F::Output, Elapsed> {
        if let Some(clock) = self.driver() {
            let limit_at = clock.after(limit);
            return tokio::select! {
                biased;
                done = work => Ok(done),
                () = clock.sleep_unset_until(limit_at) => Err(Elapsed(limit)),
            };
        }
        tokio::time::timeout(limit, work)
            .await
            .map_err(|_| Elapsed(limit))
    }

    /// A stopwatch of the time by which deadlines go, for progress and figures; never for limits.
    pub fn stopwatch(&self) -> Stopwatch {
        Stopwatch(match self.driver() {
            Some(clock) => Started::Driven(Arc::clone(clock), clock.unset_now()),
            None => Started::now(),
        })
    }
}

/// Measures time that has passed: real time, or that of a driven clock.
#[derive(Debug, Clone)]
pub struct Stopwatch(Started);

#[derive(Debug, Clone)]
enum Started {
    Real(std::time::Instant),
    Driven(Arc<Simulated>, Timestamp),
}

impl Started {
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    fn now() -> Self {
        Self::Real(std::time::Instant::now())
    }
}

impl Stopwatch {
    /// The time that has passed since it was started.
    pub fn elapsed(&self) -> Duration {
        match &self.0 {
            Started::Real(start) => start.elapsed(),
            Started::Driven(clock, start) => {
                let passed = clock.unset_now().duration_since(*start);
                Duration::try_from(passed).unwrap_or_default()
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the clock")]
fn system_now() -> Timestamp {
    Timestamp::now()
}

fn whole_milliseconds(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}

#[expect(clippy::disallowed_methods, reason = "this is the clock")]
async fn sleep_on_system(until: Timestamp, is_over: impl Fn() -> bool) {
    while !is_over() {
        let left = until.duration_since(system_now());
        let Ok(left) = Duration::try_from(left) else {
            return;
        };
        if left.is_zero() {
            return;
        }
        tokio::time::sleep(left.min(STRETCH)).await;
    }
}
