//! A sender's life: to its end, or until it is killed.

use std::io;

use tokio::sync::watch;

use crate::clock::Clock;
use crate::send::{self, Ended, Event, Job, Options, Stop, Surroundings, Writing};

/// When a sender is killed; whichever comes first.
#[derive(Debug)]
pub struct Kill {
    /// Once it has sent so many messages in this life.
    pub after: Option<u64>,
    /// As soon as a server that it talks to has fallen silent once more than so often.
    pub silence: Option<(watch::Receiver<u64>, u64)>,
}

/// How a life ended.
#[derive(Debug)]
pub enum Life {
    /// By itself.
    Ended(Ended),
    /// It was killed.
    Killed,
}

/// Why a sender could not live.
#[derive(Debug, thiserror::Error)]
pub enum LifeError {
    /// No threads can be started.
    #[error("no threads can be started: {0}")]
    Threads(#[from] io::Error),
    /// The send failed.
    #[error(transparent)]
    Send(#[from] send::Error),
}

/// Sends on a runtime of its own, and drops all of it at once when `kill` says so: nothing is finished,
/// nobody says goodbye, connections break wherever they are. When this returns none of its tasks is left.
/// What was on its way to the disk may still arrive there, as after a crash: wait until nobody has the
/// store open any more. Not to be called on a runtime.
///
/// All of it happens on this thread, the journal too: nobody has to wait for a real disk here, and handing each
/// mark from thread to thread would take longer than writing it.
pub fn live(
    job: Job,
    options: Options,
    clock: &Clock,
    stop: Stop,
    kill: Kill,
    report: &mut dyn FnMut(Event),
) -> Result<Life, LifeError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (count, counted) = watch::channel(0);
    let mut report = |event: Event| {
        if matches!(event, Event::Sent { .. }) {
            count.send_modify(|sent| *sent += 1);
        }
        report(event);
    };
    let surroundings = Surroundings {
        writing: Writing::Task,
        ..clock.into()
    };
    runtime.block_on(async {
        tokio::select! {
            biased;
            () = kill.comes(counted) => Ok(Life::Killed),
            ended = send::run(job, options, surroundings, stop, &mut report) => Ok(Life::Ended(ended?)),
        }
    })
}

impl Kill {
    /// Returns when it is time; never when it is never.
    async fn comes(self, mut sent: watch::Receiver<u64>) {
        let enough = async {
            match self.after {
                Some(after) => drop(sent.wait_for(|sent| *sent >= after).await),
                None => std::future::pending().await,
            }
        };
        let silence = async {
            match self.silence {
                Some((mut silence, known)) => drop(silence.wait_for(|now| *now > known).await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = enough => {}
            () = silence => {}
        }
    }
}
