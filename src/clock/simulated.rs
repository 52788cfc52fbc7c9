//! The simulated clock: time jumps to the next waited-for moment when nobody works, or when its owner says so.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

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
    boot: AtomicI64,
    /// It moves by [`Simulated::advance`] alone.
    driven: bool,
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

    /// Sets the calendar where that is due by `until`; true when it was.
    fn take_step(&mut self, until: Timestamp) -> bool {
        let first = self.steps.first_entry();
        let Some(step) = first.filter(|step| *step.key() <= until) else {
            return false;
        };
        let (at, step) = step.remove_entry();
        self.now = self.now.max(at);
        self.set = self.set.saturating_add(step);
        true
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
        Self::of(start, BOOTS.fetch_add(1, Ordering::Relaxed), false)
    }

    pub(super) fn driven(start: Timestamp, boot: i64) -> Self {
        Self::of(start, boot, true)
    }

    fn of(start: Timestamp, boot: i64, driven: bool) -> Self {
        Self {
            state: Mutex::new(State {
                now: start,
                set: SignedDuration::ZERO,
                steps: BTreeMap::new(),
                holds: 0,
                waiting: BTreeMap::new(),
            }),
            moved: Notify::new(),
            boot: AtomicI64::new(boot),
            driven,
        }
    }

    /// The machine is started again.
    pub(super) fn start_again(&self) {
        self.boot.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn is_driven(&self) -> bool {
        self.driven
    }

    /// So much later than now, by the time that nobody sets.
    pub(super) fn after(&self, length: Duration) -> Timestamp {
        let length = SignedDuration::try_from(length).unwrap_or(SignedDuration::MAX);
        let later = self.unset_now().saturating_add(length);
        later.unwrap_or(Timestamp::MAX)
    }

    /// Moves on to the next moment that anybody waits for, or at which the calendar is set before that.
    pub(super) fn advance(&self) -> bool {
        let mut state = self.lock();
        let Some(next) = state.waiting.keys().next().copied() else {
            return false;
        };
        if !state.take_step(next) {
            state.now = state.now.max(next);
        }
        drop(state);
        self.moved.notify_waiters();
        true
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
                boot: self.boot.load(Ordering::Relaxed),
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
        if self.driven || state.holds > 0 || next != Some(until) {
            return false;
        }
        if state.take_step(until) {
            drop(state);
            self.moved.notify_waiters();
            return false;
        }
        state.now = until;
        true
    }
}
