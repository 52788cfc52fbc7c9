//! The writer at work while a campaign is sent.
//!
//! Every connection asks for its marks here. What is asked for at the same moment is put into one
//! commit, and nobody is answered before that commit is on disk. The writer has a thread of its own, because
//! it waits for the disk; or it is a task among others, where all of a send is to happen on one thread.

use std::thread::JoinHandle;

use jiff::Timestamp;
use rusqlite::TransactionBehavior;
use tokio::sync::{mpsc, oneshot};

use super::finishing::{self, Finish, HandOver};
use super::gate::{Gate, Pause};
use super::mark::Keeper;
use super::{Answer, Claim, Claiming, Error, RunState, Store, halting, progress};
use crate::clock::Reading;

/// The most that is put into one commit: keeps the first asker's wait short.
const GROUP: usize = 64;

/// The number of an account among those of a campaign.
type Number = usize;

enum Job {
    Claim(Number, Reading),
    Look(Number, Reading),
    HandOver(Number, Box<(Claim, HandOver)>),
    Finish(Number, Box<(Claim, Finish)>),
    Hold(Number, Reading, Pause),
    TakeOver(Number),
    State(RunState, Option<Timestamp>),
}

enum Done {
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

/// Writes what a [`Journal`] is asked for, on a store of its own.
pub struct Writer {
    store: Store,
    claiming: Claiming,
    gates: Vec<Gate>,
    mark: Option<Keeper>,
    queue: mpsc::UnboundedReceiver<Ask>,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer")
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

impl Writer {
    /// Writes on this thread until the last handle is gone.
    pub fn run(mut self) {
        while let Some(first) = self.queue.blocking_recv() {
            self.write(first);
        }
    }

    /// The same as a task, which keeps its thread while it waits for the disk.
    pub async fn serve(mut self) {
        while let Some(first) = self.queue.recv().await {
            self.write(first);
        }
    }

    /// Writes what has been asked for by now.
    fn write(&mut self, first: Ask) {
        let mut group = vec![first];
        while group.len() < GROUP
            && let Ok(next) = self.queue.try_recv()
        {
            group.push(next);
        }
        let (store, gates, mark) = (&mut self.store, &mut self.gates, &mut self.mark);
        write_group(store, gates, &self.claiming, group, mark);
    }
}

impl Journal {
    /// A journal, and the writer that has yet to be set to work.
    pub fn new(store: Store, claiming: Claiming) -> (Self, Writer) {
        let (asks, queue) = mpsc::unbounded_channel();
        let writer = Writer {
            gates: Gate::all(&claiming),
            // What nobody needs after a power cut cannot be restored either.
            mark: (!store.fleeting)
                .then(|| Keeper::of(&store.connection, store.path()))
                .flatten(),
            store,
            claiming,
            queue,
        };
        (Self { asks }, writer)
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

    async fn answer(&self, job: Job) -> Result<Answer, Error> {
        match self.ask(job).await? {
            Done::Answer(answer) => Ok(answer),
            Done::Written | Done::Until(_) => Err(Error::WriterGone),
        }
    }

    /// Takes the next message for the account of this lane, if it may go at `now`: the first mark.
    pub async fn claim(&self, lane: usize, now: impl Into<Reading>) -> Result<Answer, Error> {
        self.answer(Job::Claim(lane, now.into())).await
    }

    /// What [`Journal::claim`] would answer, without taking anything.
    pub async fn look(&self, lane: usize, now: impl Into<Reading>) -> Result<Answer, Error> {
        self.answer(Job::Look(lane, now.into())).await
    }

    /// The second mark. When this returns an error, nothing may go out.
    pub async fn hand_over(&self, lane: usize, claim: &Claim, mark: HandOver) -> Result<(), Error> {
        self.record(Job::HandOver(lane, Box::new((claim.clone(), mark))))
            .await
    }

    /// The verdict.
    pub async fn finish(&self, lane: usize, claim: &Claim, finish: Finish) -> Result<(), Error> {
        self.record(Job::Finish(lane, Box::new((claim.clone(), finish))))
            .await
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
            Done::Written | Done::Answer(_) => Err(Error::WriterGone),
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

fn write_group(
    store: &mut Store,
    gates: &mut [Gate],
    claiming: &Claiming,
    group: Vec<Ask>,
    mark: &mut Option<Keeper>,
) {
    let mut transaction = match store
        .connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
    {
        Ok(transaction) => transaction,
        Err(error) => return refuse(gates, group, &error.to_string()),
    };
    let alone = group.len() == 1;
    let mut failed = false;
    let mut done = Vec::with_capacity(group.len());
    for (job, answer) in group {
        let result = if alone {
            carry_out(&transaction, gates, claiming, &job)
        } else {
            by_itself(&mut transaction, gates, claiming, &job)
        };
        failed |= result.is_err();
        done.push((answer, result));
    }
    if failed {
        // The limiters may know of something that did not come to be.
        gates.iter_mut().for_each(Gate::forget);
    }
    if failed && alone {
        drop(transaction);
        for (answer, result) in done {
            let _gone = answer.send(result);
        }
        return;
    }
    match transaction.commit() {
        Ok(()) => {
            // Before anybody is answered: what goes out next is in the mark already.
            if let Some(mark) = mark {
                mark.keep_up(&store.connection);
            }
            for (answer, result) in done {
                // An asker that is gone has no use for the answer.
                let _gone = answer.send(result);
            }
        }
        Err(error) => {
            tracing::error!(because = ?error.to_string(), "commit failed");
            // Nothing was written: the limiter is filled again from the ledger.
            gates.iter_mut().for_each(Gate::forget);
            for (answer, _) in done {
                let _gone = answer.send(Err(Error::Commit(error.to_string())));
            }
        }
    }
}

/// One job's failure must not take the others' marks with it.
fn by_itself(
    transaction: &mut rusqlite::Transaction<'_>,
    gates: &mut [Gate],
    claiming: &Claiming,
    job: &Job,
) -> Result<Done, Error> {
    let savepoint = transaction.savepoint()?;
    let done = carry_out(&savepoint, gates, claiming, job)?;
    savepoint.commit()?;
    Ok(done)
}

fn refuse(gates: &mut [Gate], group: Vec<Ask>, why: &str) {
    tracing::error!(because = ?why, "no transaction could be begun");
    gates.iter_mut().for_each(Gate::forget);
    for (_, answer) in group {
        let _gone = answer.send(Err(Error::Commit(why.to_owned())));
    }
}

fn carry_out(
    connection: &rusqlite::Connection,
    gates: &mut [Gate],
    claiming: &Claiming,
    job: &Job,
) -> Result<Done, Error> {
    let lane = match job {
        Job::Claim(lane, _)
        | Job::Look(lane, _)
        | Job::Hold(lane, ..)
        | Job::HandOver(lane, _)
        | Job::Finish(lane, _) => *lane,
        Job::TakeOver(lane) => {
            for gate in gates {
                gate.take_over(*lane);
            }
            return Ok(Done::Written);
        }
        Job::State(state, next) => {
            progress::set_state(connection, claiming.campaign, state, *next)?;
            return Ok(Done::Written);
        }
    };
    // In the transaction that would take a message: after a halt is on disk none is begun.
    if matches!(job, Job::Claim(..) | Job::Look(..))
        && let Some(halt) = halting::in_force(connection, claiming.campaign)?
    {
        return Ok(Done::Answer(Answer::Halted(halt)));
    }
    match job {
        Job::Claim(_, now) => return Gate::claim(gates, lane, connection, now).map(Done::Answer),
        Job::Look(_, now) => return Gate::look(gates, lane, connection, now).map(Done::Answer),
        _ => {}
    }
    let gate = gates.get_mut(lane).ok_or(Error::WriterGone)?;
    match job {
        Job::Hold(_, now, pause) => return gate.hold(connection, now, pause).map(Done::Until),
        Job::HandOver(_, work) => {
            finishing::hand_over(connection, gate.limiter(), &work.0, &work.1)?;
        }
        Job::Finish(_, work) => {
            let reckoning = gate.reckoning();
            let limiter = (gate.limiter(), reckoning);
            finishing::finish(connection, limiter, &work.0, &work.1)?;
            gate.finished(connection, work.0.reservation)?;
            if let Finish::Accepted { at, .. } = work.1 {
                gate.taken(connection, at.wall)?;
            }
        }
        Job::Claim(..) | Job::Look(..) | Job::TakeOver(_) | Job::State(..) => {}
    }
    Ok(Done::Written)
}
