//! What a send finds around it: the time, the network, and threads or none.

use std::future::Future;
use std::pin::Pin;
use std::thread::JoinHandle;

use crate::clock::Clock;
use crate::smtp::Network;
use crate::store::Writer;

/// Where a send lives. From a clock alone: on this machine, as a send does every day.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// What time it is.
    pub clock: Clock,
    /// The way to its servers.
    pub network: Network,
    /// Where its journal is written.
    pub writing: Writing,
}

/// Where the journal of a send is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writing {
    /// On a thread of its own: the others need not wait for the disk.
    Thread,
    /// In a task beside the send's own, so that nothing of it happens anywhere else.
    Task,
}

impl From<&Clock> for Surroundings {
    fn from(clock: &Clock) -> Self {
        Self {
            clock: clock.clone(),
            network: Network::system(),
            writing: Writing::Thread,
        }
    }
}

/// Ends when the writer has.
pub(super) type Written = Pin<Box<dyn Future<Output = ()>>>;

impl Writing {
    pub(super) fn begin(self, writer: Writer) -> Written {
        match self {
            Self::Thread => {
                let thread = std::thread::spawn(move || writer.run());
                Box::pin(async move { join(thread) })
            }
            Self::Task => {
                let task = tokio::spawn(writer.serve());
                Box::pin(async move {
                    // Its panic would have been answered as `WriterGone`.
                    let _ended = task.await;
                })
            }
        }
    }
}

/// The thread ends with the last handle; its panic would have been answered as `WriterGone`.
fn join(thread: JoinHandle<()>) {
    let _ended = thread.join();
}
