//! Accepting connections, and ending them.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::session::{Shared, serve};
use super::wire::{pause, stopped};

/// How long sessions may take at a stop to answer what they are in the midst of.
const GRACE: Duration = Duration::from_secs(2);
/// How long to wait when the system has no more sockets to give.
const RESPITE: Duration = Duration::from_millis(20);

/// Serves clients until it is told to stop; dropping the future ends every session at once.
pub(super) async fn listen(
    listener: TcpListener,
    shared: Arc<Shared>,
    mut stopping: watch::Receiver<bool>,
) {
    let mut sessions = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = stopped(&mut stopping) => break,
            Some(_) = sessions.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else {
            pause(&shared.clock, RESPITE).await;
            continue;
        };
        // Replies are written in one go; waiting for an acknowledgement would cost 40 ms each.
        let _ = stream.set_nodelay(true);
        let told = stopping.clone();
        sessions.spawn(serve(Box::new(stream), Arc::clone(&shared), told));
    }
    drop(listener);
    let rest = async { while sessions.join_next().await.is_some() {} };
    let _ = shared.clock.within(GRACE, rest).await;
    sessions.shutdown().await;
}
