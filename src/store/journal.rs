//! The thread that writes while a campaign is sent.
//!
//! Every connection asks for its marks here. What is asked for at the same moment is put into one
//! commit, and nobody is answered before that commit is on disk.

use std::sync::mpsc;
use std::thread::JoinHandle;

use jiff::Timestamp;
use rusqlite::TransactionBehavior;
use tokio::sync::oneshot;

use super::finishing::{Finish, HandOver};
use super::gate::{Gate, Pause};
use super::mark::Keeper;
use super::turn::{self, Turn, Turned, Wish};
use super::{Answer, Claim, Claiming, Error, RunState, Store, halting, progress};
use crate::clock::Reading;

/// The most that is put into one commit: keeps the first asker's wait short.
const GROUP: usize = 64;

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

/// A handle to the writing thread; clones ask the same thread. It ends when the last one is gone.
#[derive(Debug, Clone)]
pub struct Journal {
    asks: mpsc::Sender<Ask>,
}

impl Journal {
    /// Starts the thread on a store of its own. Join the handle after the last clone is dropped, to
    /// have the store's file closed.
    pub fn start(store: Store, claiming: Claiming) -> (Self, JoinHandle<()>) {
        let (asks, queue) = mpsc::channel();
        let thread = std::thread::spawn(move || write(store, &claiming, &queue));
        (Self { asks }, thread)
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

fn write(mut store: Store, claiming: &Claiming, queue: &mpsc::Receiver<Ask>) {
    let mut gates = Gate::all(claiming);
    // What nobody needs after a power cut cannot be restored either.
    let mut mark = (!store.fleeting)
        .then(|| Keeper::of(&store.connection, store.path()))
        .flatten();
    while let Ok(first) = queue.recv() {
        let mut group = vec![first];
        while group.len() < GROUP
            && let Ok(next) = queue.try_recv()
        {
            group.push(next);
        }
        write_group(&mut store, &mut gates, claiming, group, &mut mark);
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
        Err(error) => return refuse(gates, group, &error),
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
                let _gone = answer.send(Err(Error::commit(&error)));
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

fn refuse(gates: &mut [Gate], group: Vec<Ask>, why: &rusqlite::Error) {
    tracing::error!(because = ?why.to_string(), "no transaction could be begun");
    gates.iter_mut().for_each(Gate::forget);
    for (_, answer) in group {
        let _gone = answer.send(Err(Error::commit(why)));
    }
}

fn carry_out(
    connection: &rusqlite::Connection,
    gates: &mut [Gate],
    claiming: &Claiming,
    job: &Job,
) -> Result<Done, Error> {
    match job {
        Job::Turn(lane, turn) => {
            turn::take(connection, gates, *lane, claiming.campaign, turn).map(Done::Turned)
        }
        Job::Look(lane, now) => Ok(Done::Answer(
            match halting::in_force(connection, claiming.campaign)? {
                Some(halt) => Answer::Halted(halt),
                None => Gate::look(gates, *lane, connection, now)?,
            },
        )),
        Job::Hold(lane, now, pause) => {
            let gate = gates.get_mut(*lane).ok_or(Error::WriterGone)?;
            gate.hold(connection, now, pause).map(Done::Until)
        }
        Job::TakeOver(lane) => {
            for gate in gates {
                gate.take_over(*lane);
            }
            Ok(Done::Written)
        }
        Job::State(state, next) => {
            progress::set_state(connection, claiming.campaign, state, *next)?;
            Ok(Done::Written)
        }
    }
}
