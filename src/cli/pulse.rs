//! What changes on the screen with time alone, drawn twice a second by a thread of its own.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::tz::TimeZone;

use super::bar::Board;
use super::foresight::Known;
use super::progress::Accounts;
use super::words;
use crate::clock::Clock;

const BEAT: Duration = Duration::from_millis(500);

/// What is drawn, and from what.
pub(super) struct Face {
    pub(super) board: Board,
    pub(super) accounts: Arc<Mutex<Accounts>>,
    pub(super) known: Option<Known>,
    pub(super) clock: Clock,
    pub(super) zone: TimeZone,
}

impl Face {
    pub(super) fn draw(&self) {
        let now = self.clock.now();
        let accounts = lock(&self.accounts).words(now, &self.zone);
        let ends = self.known.as_ref().and_then(Known::finishes_at);
        let ends = ends.map(|at| format!("ends {}", words::soon(at, now, &self.zone)));
        self.board.say(accounts, ends.unwrap_or_default());
    }
}

/// Draws until it is dropped.
pub(super) struct Pulse(Option<(Sender<()>, JoinHandle<()>)>);

impl Pulse {
    pub(super) fn new(draw: impl Fn() + Send + 'static) -> Self {
        let (end, ended) = channel();
        let thread = std::thread::spawn(move || {
            draw();
            while ended.recv_timeout(BEAT) == Err(RecvTimeoutError::Timeout) {
                draw();
            }
        });
        Self(Some((end, thread)))
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        if let Some((end, thread)) = self.0.take() {
            drop(end);
            let _ended = thread.join();
        }
    }
}

/// A thread that panicked while it held this has left nothing half done in it.
pub(super) fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
