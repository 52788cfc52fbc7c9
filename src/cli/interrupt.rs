//! Ctrl-C: the first one finishes what is in hand, the second one is a crash. So it is with the other ways in which a
//! process is told to end: SIGTERM, as a service manager does it, and SIGHUP, when the terminal is gone.

use crate::send::StopHandle;

use super::exit::Exit;
use super::failure::Failure;

/// Ctrl-C and, on Unix, SIGTERM and SIGHUP; caught from when this is made.
pub(super) struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    /// None where it is ignored: whoever says `nohup` means it.
    #[cfg(unix)]
    hang_up: Option<tokio::signal::unix::Signal>,
}

impl Signals {
    /// Catches signals from now on, on the current runtime.
    pub(super) fn catch() -> Result<Self, Failure> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let catch = |kind| {
                signal(kind)
                    .map_err(|cause| Failure::own(format!("Ctrl-C cannot be caught: {cause}")))
            };
            Ok(Self {
                interrupt: catch(SignalKind::interrupt())?,
                terminate: catch(SignalKind::terminate())?,
                hang_up: (!is_hang_up_ignored())
                    .then(|| catch(SignalKind::hangup()))
                    .transpose()?,
            })
        }
        #[cfg(not(unix))]
        Ok(Self {})
    }

    /// Waits for the next one.
    pub(super) async fn next(&mut self) {
        #[cfg(unix)]
        {
            let hang_up = async {
                match &mut self.hang_up {
                    Some(signal) => signal.recv().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = self.interrupt.recv() => {}
                _ = self.terminate.recv() => {}
                _ = hang_up => {}
            }
        }
        // Without signals there is nothing to wait for.
        #[cfg(not(unix))]
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Whether the process was started with SIGHUP ignored. Where the system does not say it is left as it is, which ends
/// the process: recovery copes with that too.
#[cfg(unix)]
fn is_hang_up_ignored() -> bool {
    const HANG_UP: u64 = 1;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    ignored.is_none_or(|mask| mask & HANG_UP != 0)
}

/// Watches on the current runtime. The first signal pulls `stop` and calls `told`; the second ends the
/// process at once, which recovery copes with. It goes on until what is returned is dropped.
pub(super) fn watch(
    stop: StopHandle,
    told: impl FnOnce() + Send + 'static,
) -> Result<Watch, Failure> {
    let mut signals = Signals::catch()?;
    let task = tokio::spawn(async move {
        signals.next().await;
        stop.stop();
        told();
        signals.next().await;
        end();
    });
    Ok(Watch(task))
}

/// While a question waits for its answer and nothing is in hand: the first signal ends the process at once.
pub(super) fn watch_question() -> Result<Watch, Failure> {
    let mut signals = Signals::catch()?;
    let task = tokio::spawn(async move {
        signals.next().await;
        end();
    });
    Ok(Watch(task))
}

/// Signals are watched for, until it is dropped.
pub(super) struct Watch(tokio::task::JoinHandle<()>);

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[expect(clippy::exit, reason = "Ctrl-C asks for exactly this")]
fn end() {
    std::process::exit(Exit::Interrupted as i32);
}
