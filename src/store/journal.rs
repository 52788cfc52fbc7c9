//! The writer at work while a campaign is sent.
//!
//! Every connection asks for its marks here. What is asked for at the same moment is put into one
//! commit, and nobody is answered before that commit is on disk. The writer has a thread of its own, because
//! it waits for the disk; or it is a task among others, where all of a send is to happen on one thread.
//!
//! # Where the time goes
//!
//! From profiles (`perf record`, `strace -f -c`) of `postroom send` with individual mails of 4 KB, to a server that takes
//! everything, over three connections, on two cores. Two thirds of the processor's time are the writer's, one third is
//! the rendering, building and dialogue of all connections together. Of all of it,
//!
//! - 28 % are statements: the verdict 17, the claim 8, the second mark 3. The costly part is not to find rows but to
//!   count: what a campaign comes to is kept by triggers, for `status`, and a statement with triggers notes how it could
//!   be taken back;
//! - 21 % are commits. A commit carries the turns of 1.5 connections and 17 pages, each of them two writes; to wait for
//!   the disk (some 270 µs) is 13 % of the processor's time as well, because it is a virtual one;
//! - 13 % are rendering and building; the rest is network, waking threads, and the mark beside the store.
//!
//! So it is the time from a verdict to the next content that holds three connections back, about 0.9 ms a commit, and
//! with thirty it is the statements. What brought it there: one turn for what a connection has to say and to ask
//! (`turn`), partial indexes instead of one of all messages, the line read ahead (`line`), no savepoints, undo notes
//! that are not given back to the system, statements that say `OR FAIL` (a tenth of the statements' time). What was tried
//! and is not here: to wait a moment (50 µs) for the turns of others, which gained 15 % with thirty connections and cost
//! as much with three; pages of 1 or 2 KiB, which save a third of the kernel's part and nothing of SQLite's. Counting by
//! hand instead of by triggers would save a fifth of the statements' time at the most. The last three were measured with the
//! same statements on the same schema, played without the sender.
//!
//! Into a Postfix of the same machine both cores are at work all the time: Postfix takes 1.4 ms of them for a message,
//! the sender 0.6. So it gets 0.6 of the rate of a source that only talks, and could get 0.7. What held it before that
//! was Postfix's answers, see [`smtp`](crate::smtp): 25 a second for each connection, whatever else was done.
//!
//! A rehearsal, in which sender and stand-in share the machine: a third is SQLite, a third the kernel's (files of the
//! Maildir made and renamed, pages written, the network within the machine), the rest rendering and both dialogues.

mod writer;

use std::thread::JoinHandle;

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};

pub use writer::Writer;

use super::finishing::{Finish, HandOver};
use super::gate::Pause;
use super::turn::{Turn, Turned, Wish};
use super::{Answer, Claim, Claiming, Error, RunState, Store};
use crate::clock::Reading;

/// The number of an account among those of a campaign.
type Number = usize;

enum Job {
    Turn(Number, Box<Turn>),
    Look(Number, Reading),
    Hold(Number, Reading, Pause),
    TakeOver(Number),
    State(RunState, Option<Timestamp>),
}

enum Done {
    Turned(Turned),
    Answer(Answer),
    Until(Timestamp),
    Written,
}

type Ask = (Job, oneshot::Sender<Result<Done, Error>>);

/// A handle to the writer; clones ask the same one. It ends when the last one is gone.
#[derive(Debug, Clone)]
pub struct Journal {
    asks: mpsc::UnboundedSender<Ask>,
}

impl Journal {
    /// A journal, and the writer that has yet to be set to work.
    pub fn new(store: Store, claiming: Claiming) -> (Self, Writer) {
        let (asks, queue) = mpsc::unbounded_channel();
        (Self { asks }, Writer::new(store, claiming, queue))
    }

    /// Starts the writer on a thread. Join the handle after the last clone is dropped, to have the store's
    /// file closed.
    pub fn start(store: Store, claiming: Claiming) -> (Self, JoinHandle<()>) {
        let (journal, writer) = Self::new(store, claiming);
        (journal, std::thread::spawn(move || writer.run()))
    }

    async fn ask(&self, job: Job) -> Result<Done, Error> {
        let (answer, answered) = oneshot::channel();
        self.asks
            .send((job, answer))
            .map_err(|_| Error::WriterGone)?;
        answered.await.map_err(|_| Error::WriterGone)?
    }

    async fn record(&self, job: Job) -> Result<(), Error> {
        self.ask(job).await.map(drop)
    }

    /// All that a connection of the account of this lane has to say and to ask, in one commit. Where it asks for
    /// the second mark: when this returns an error, or says that it was withheld, nothing may go out.
    pub async fn turn(&self, lane: usize, turn: Turn) -> Result<Turned, Error> {
        match self.ask(Job::Turn(lane, Box::new(turn))).await? {
            Done::Turned(turned) => Ok(turned),
            Done::Written | Done::Until(_) | Done::Answer(_) => Err(Error::WriterGone),
        }
    }

    /// Takes the next message for the account of this lane, if it may go at `now`: the first mark.
    pub async fn claim(&self, lane: usize, now: impl Into<Reading>) -> Result<Answer, Error> {
        let wish = Wish {
            at: now.into(),
            most: 1,
        };
        let turn = Turn {
            wish: Some(wish),
            ..Turn::default()
        };
        let turned = self.turn(lane, turn).await?;
        turned.answers.into_iter().next().ok_or(Error::WriterGone)
    }

    /// What [`Journal::claim`] would answer, without taking anything.
    pub async fn look(&self, lane: usize, now: impl Into<Reading>) -> Result<Answer, Error> {
        match self.ask(Job::Look(lane, now.into())).await? {
            Done::Answer(answer) => Ok(answer),
            Done::Written | Done::Until(_) | Done::Turned(_) => Err(Error::WriterGone),
        }
    }

    /// The second mark alone. When this returns an error, nothing may go out.
    pub async fn hand_over(&self, lane: usize, claim: &Claim, mark: HandOver) -> Result<(), Error> {
        let turn = Turn {
            hand_over: Some((claim.clone(), mark)),
            ..Turn::default()
        };
        self.turn(lane, turn).await.map(drop)
    }

    /// The verdict alone.
    pub async fn finish(&self, lane: usize, claim: &Claim, finish: Finish) -> Result<(), Error> {
        let turn = Turn {
            finish: Some((claim.clone(), finish)),
            ..Turn::default()
        };
        self.turn(lane, turn).await.map(drop)
    }

    /// The provider asked the account of this lane to pause. Returns until when.
    pub async fn hold(
        &self,
        lane: usize,
        now: impl Into<Reading>,
        pause: Pause,
    ) -> Result<Timestamp, Error> {
        match self.ask(Job::Hold(lane, now.into(), pause)).await? {
            Done::Until(until) => Ok(until),
            Done::Written | Done::Answer(_) | Done::Turned(_) => Err(Error::WriterGone),
        }
    }

    /// The account of this lane has stopped: the others may take its messages over.
    pub async fn take_over(&self, lane: usize) -> Result<(), Error> {
        self.record(Job::TakeOver(lane)).await
    }

    /// What the campaign is doing, for `status` in another process.
    pub async fn set_state(
        &self,
        state: RunState,
        next_send_at: Option<Timestamp>,
    ) -> Result<(), Error> {
        self.record(Job::State(state, next_send_at)).await
    }
}
