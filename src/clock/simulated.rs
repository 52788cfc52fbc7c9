//! The simulated clock: time jumps to the next waited-for moment when nobody works.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::Notify;

/// The state behind a simulated [`Clock`](super::Clock).
#[derive(Debug)]
pub(super) struct Simulated {
    state: Mutex<State>,
    moved: Notify,
}

#[derive(Debug)]
struct State {
    now: Timestamp,
    holds: usize,
    /// Moments that somebody waits for, with how many do.
    waiting: BTreeMap<Timestamp, usize>,
}

/// Takes a waiter off the list when its future ends or is dropped.
struct Waiter<'a> {
    clock: &'a Simulated,
    until: Timestamp,
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
                holds: 0,
                waiting: BTreeMap::new(),
            }),
            moved: Notify::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A poisoned lock means that a test panicked elsewhere; the state itself is always whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> Timestamp {
        self.lock().now
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

    pub(super) async fn sleep_until(&self, until: Timestamp) {
        let waiter = Waiter { clock: self, until };
        *self.lock().waiting.entry(until).or_insert(0) += 1;
        loop {
            let moved = self.moved.notified();
            tokio::pin!(moved);
            moved.as_mut().enable();
            if self.arrived(until) {
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
        if state.holds == 0 && next == Some(until) {
            state.now = until;
            return true;
        }
        false
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
}
