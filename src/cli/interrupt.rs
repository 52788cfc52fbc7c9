//! Ctrl-C: the first one finishes what is in hand, the second one is a crash.

use crate::send::StopHandle;

use super::exit::Exit;

/// Watches for Ctrl-C (and, on Unix, SIGTERM) on the current runtime. The first signal pulls `stop`
/// and calls `told`; the second ends the process at once, which recovery copes with.
pub(super) fn watch(stop: StopHandle, told: impl FnOnce() + Send + 'static) {
    tokio::spawn(async move {
        signal().await;
        stop.stop();
        told();
        signal().await;
        end();
    });
}

/// Waits for one signal.
pub(super) async fn signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    // Without signals there is nothing to wait for.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

#[expect(clippy::exit, reason = "a second Ctrl-C asks for exactly this")]
fn end() {
    std::process::exit(Exit::Interrupted as i32);
}
