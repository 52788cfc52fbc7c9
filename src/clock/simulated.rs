//! The simulated clock: time jumps to the next waited-for moment when nobody works.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;

use super::{Reading, Steady};

/// Each simulated clock is a machine that was started by itself.
static BOOTS: AtomicI64 = AtomicI64::new(0);

/// The state behind a simulated [`Clock`](super::Clock).
#[derive(Debug)]
pub(super) struct Simulated {
    state: Mutex<State>,
    moved: Notify,
    boot: i64,
}

#[derive(Debug)]
struct State {
    /// The time as it is; what the calendar shows differs from it by `set`.
    now: Timestamp,
    set: SignedDuration,
    /// When it is yet to be set, and by how much.
    steps: BTreeMap<Timestamp, SignedDuration>,
    holds: usize,
    /// Moments that somebody waits for, with how many do.
    waiting: BTreeMap<Timestamp, usize>,
}

impl State {
    fn wall(&self) -> Timestamp {
        self.now.saturating_add(self.set).unwrap_or(Timestamp::MAX)
    }
}

/// Takes a waiter off the list when its future ends or is dropped.
struct Waiter<'a> {
    clock: &'a Simulated,
    until: Timestamp,
}

impl<'a> Waiter<'a> {
    fn new(clock: &'a Simulated, until: Timestamp) -> Self {
        *clock.lock().waiting.entry(until).or_insert(0) += 1;
        Self { clock, until }
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        let mut state = self.clock.lock();
        if let Some(count) = state.waiting.get_mut(&self.until) {
            *count -= 1;
            if *count == 0 {
                state.waiting.remove(&self.until);
            }
        }
    }
}

impl Simulated {
    pub(super) fn new(start: Timestamp) -> Self {
        Self {
            state: Mutex::new(State {
                now: start,
                set: SignedDuration::ZERO,
                steps: BTreeMap::new(),
                holds: 0,
                waiting: BTreeMap::new(),
            }),
            moved: Notify::new(),
            boot: BOOTS.fetch_add(1, Ordering::Relaxed),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A poisoned lock means that a test panicked elsewhere; the state itself is always whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> Timestamp {
        self.lock().wall()
    }

    pub(super) fn unset_now(&self) -> Timestamp {
        self.lock().now
    }

    pub(super) fn reading(&self) -> Reading {
        let state = self.lock();
        Reading {
            wall: state.wall(),
            steady: Some(Steady {
                boot: self.boot,
                at: state.now.as_millisecond(),
            }),
        }
    }

    pub(super) fn set_by(&self, step: SignedDuration) {
        let mut state = self.lock();
        state.set = state.set.saturating_add(step);
        drop(state);
        self.moved.notify_waiters();
    }

    pub(super) fn set_later(&self, after: SignedDuration, step: SignedDuration) {
        let mut state = self.lock();
        let at = state.now.saturating_add(after).unwrap_or(Timestamp::MAX);
        state.steps.insert(at, step);
    }

    pub(super) fn acquire(&self) {
        self.lock().holds += 1;
    }

    pub(super) fn release(&self) {
        let mut state = self.lock();
        state.holds -= 1;
        if state.holds == 0 {
            drop(state);
            self.moved.notify_waiters();
        }
    }

    /// Until the calendar shows `until`, or until it no longer agrees with `since`.
    pub(super) async fn sleep_until(&self, until: Timestamp, since: Option<&Reading>) {
        let moment = || {
            let set = self.lock().set;
            until.saturating_sub(set).unwrap_or(Timestamp::MAX)
        };
        let is_over = || since.is_some_and(|since| !self.reading().agrees_with(since));
        self.sleep(moment, is_over).await;
    }

    pub(super) async fn sleep_unset_until(&self, until: Timestamp) {
        self.sleep(|| until, || false).await;
    }

    async fn sleep(&self, moment: impl Fn() -> Timestamp, is_over: impl Fn() -> bool) {
        let mut waiter = Waiter::new(self, moment());
        loop {
            let moved = self.moved.notified();
            tokio::pin!(moved);
            moved.as_mut().enable();
            let until = moment();
            if until != waiter.until {
                waiter = Waiter::new(self, until);
            }
            if is_over() || self.arrived(until) {
                break;
            }
            moved.await;
        }
        drop(waiter);
        // The clock can move again to the next moment that somebody else waits for.
        self.moved.notify_waiters();
    }

    /// True when `until` has come; moves the clock there when it is next and nobody works.
    fn arrived(&self, until: Timestamp) -> bool {
        let mut state = self.lock();
        if state.now >= until {
            return true;
        }
        let next = state.waiting.keys().next().copied();
        if state.holds > 0 || next != Some(until) {
            return false;
        }
        if let Some(step) = state
            .steps
            .first_entry()
            .filter(|step| *step.key() <= until)
        {
            let (at, step) = step.remove_entry();
            state.now = at;
            state.set = state.set.saturating_add(step);
            drop(state);
            self.moved.notify_waiters();
            return false;
        }
        state.now = until;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::Clock;
    use jiff::{SignedDuration, Timestamp};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
    }

    #[tokio::test]
    async fn days_pass_at_once_and_in_order() {
        let clock = Clock::simulated(at(0));
        let (late, early) = (clock.clone(), clock.clone());
        let late = tokio::spawn(async move {
            late.sleep_until(at(86_400 * 5)).await;
            late.now()
        });
        let early = tokio::spawn(async move {
            early.sleep_until(at(60)).await;
            early.now()
        });
        let (late, early) = (late.await.unwrap(), early.await.unwrap());
        assert!(early >= at(60));
        assert_eq!(late, at(86_400 * 5));
    }

    #[tokio::test]
    async fn it_stands_still_while_somebody_works() {
        let clock = Clock::simulated(at(0));
        let hold = clock.hold();
        let sleeper = clock.clone();
        let task = tokio::spawn(async move { sleeper.sleep_until(at(10)).await });
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
        assert_eq!(clock.now(), at(0));
        drop(hold);
        task.await.unwrap();
        assert_eq!(clock.now(), at(10));
    }

    #[tokio::test]
    async fn who_waits_goes_by_the_calendar_as_it_is_set_and_a_server_does_not() {
        let clock = Clock::simulated(at(0));
        let before = clock.reading();
        clock.set_by(SignedDuration::from_secs(3600));
        assert_eq!((clock.now(), clock.unset().now()), (at(3600), at(0)));
        assert!(!clock.reading().agrees_with(&before));
        assert_eq!(
            clock.reading().steadily_since(&before),
            Some(SignedDuration::ZERO)
        );
        clock.sleep_until(at(1800)).await;
        clock.sleep_until_or_set(at(9000), &before).await;
        assert_eq!(clock.unset().now(), at(0), "nothing to wait for");
        clock.sleep_until(at(3660)).await;
        assert_eq!(clock.unset().now(), at(60));
        let hold = clock.hold();
        let sleeper = clock.clone();
        let task = tokio::spawn(async move { sleeper.sleep_until(at(3670)).await });
        tokio::task::yield_now().await;
        clock.set_by(SignedDuration::from_secs(-3600));
        drop(hold);
        task.await.unwrap();
        assert_eq!(clock.unset().now(), at(3670));
    }
}
