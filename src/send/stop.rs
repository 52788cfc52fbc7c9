//! Asking a send to stop: what is in hand is finished, nothing new begins.

use tokio::sync::watch;

/// Given to the send.
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<bool>);

/// Kept by whoever may ask it to stop.
#[derive(Debug, Clone)]
pub struct StopHandle(watch::Sender<bool>);

impl Stop {
    /// A stop and the handle that pulls it.
    pub fn new() -> (Self, StopHandle) {
        let (sender, receiver) = watch::channel(false);
        (Self(receiver), StopHandle(sender))
    }

    /// True once it was asked for.
    pub fn is_requested(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns once it is asked for; never when the handle is gone.
    pub(super) async fn requested(&mut self) {
        if self.0.wait_for(|stop| *stop).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl StopHandle {
    /// Asks the send to stop.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}
