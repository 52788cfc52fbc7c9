//! The servers' sessions, which outlive every sender: polled by hand, in the order in which they came.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

struct Session {
    work: Pin<Box<dyn Future<Output = ()> + Send>>,
    ready: Arc<Ready>,
}

/// A flag for a waker.
pub(crate) struct Ready(AtomicBool, Mutex<Option<Waker>>);

impl Ready {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(AtomicBool::new(true), Mutex::new(None)))
    }

    pub(crate) fn take(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }

    /// Who is woken too.
    pub(crate) fn pass_on(&self, waker: &Waker) {
        *self.1.lock().unwrap() = Some(waker.clone());
    }
}

impl Wake for Ready {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
        if let Some(waker) = self.1.lock().unwrap().as_ref() {
            waker.wake_by_ref();
        }
    }
}

/// All of them.
#[derive(Default)]
pub(crate) struct Sessions(Mutex<Vec<Session>>);

impl Sessions {
    /// A client has come to a server.
    pub(crate) fn admit(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.0.lock().unwrap().push(Session {
            work: Box::pin(work),
            ready: Ready::new(),
        });
    }

    /// Lets every session go on that can. False when none could.
    pub(crate) fn go_on(&self) -> bool {
        let mut sessions = std::mem::take(&mut *self.0.lock().unwrap());
        let mut went_on = false;
        sessions.retain_mut(|session| {
            if !session.ready.take() {
                return true;
            }
            went_on = true;
            let waker = Waker::from(Arc::clone(&session.ready));
            session.work.as_mut().poll(&mut Context::from_waker(&waker)) == Poll::Pending
        });
        let mut all = self.0.lock().unwrap();
        // Those that have come meanwhile are behind them.
        let new = std::mem::replace(&mut *all, sessions);
        all.extend(new);
        went_on
    }
}
