//! The thread that writes while a campaign is sent.
//!
//! Every connection asks for its marks here. What is asked for at the same moment is put into one
//! commit, and nobody is answered before that commit is on disk.

use std::sync::mpsc;
use std::thread::JoinHandle;

use jiff::Timestamp;
use rusqlite::TransactionBehavior;
use tokio::sync::oneshot;

use super::claims::Gate;
use super::finishing::{self, Finish, HandOver};
use super::mark::Keeper;
use super::{Answer, Claim, Claiming, Error, RunState, Store, progress};

/// The most that is put into one commit: keeps the first asker's wait short.
const GROUP: usize = 64;

enum Job {
    Claim(Timestamp),
    HandOver(Box<(Claim, HandOver)>),
    Finish(Box<(Claim, Finish)>),
    State(RunState, Option<Timestamp>),
}

enum Done {
    Answer(Answer),
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

    /// Takes the next message if the rules allow it at `now`: the first mark.
    pub async fn claim(&self, now: Timestamp) -> Result<Answer, Error> {
        match self.ask(Job::Claim(now)).await? {
            Done::Answer(answer) => Ok(answer),
            Done::Written => Err(Error::WriterGone),
        }
    }

    /// The second mark. When this returns an error, nothing may go out.
    pub async fn hand_over(&self, claim: &Claim, mark: HandOver) -> Result<(), Error> {
        self.record(Job::HandOver(Box::new((claim.clone(), mark))))
            .await
    }

    /// The verdict.
    pub async fn finish(&self, claim: &Claim, finish: Finish) -> Result<(), Error> {
        self.record(Job::Finish(Box::new((claim.clone(), finish))))
            .await
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
    let mut gate = Gate::new(claiming.clone());
    let mut mark = Keeper::of(&store.connection, store.path());
    while let Ok(first) = queue.recv() {
        let mut group = vec![first];
        while group.len() < GROUP
            && let Ok(next) = queue.try_recv()
        {
            group.push(next);
        }
        write_group(&mut store, &mut gate, claiming, group, &mut mark);
    }
}

fn write_group(
    store: &mut Store,
    gate: &mut Gate,
    claiming: &Claiming,
    group: Vec<Ask>,
    mark: &mut Option<Keeper>,
) {
    let mut transaction = match store
        .connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
    {
        Ok(transaction) => transaction,
        Err(error) => return refuse(gate, claiming, group, &error.to_string()),
    };
    let mut done = Vec::with_capacity(group.len());
    for (job, answer) in group {
        // One job's failure must not take the others' marks with it.
        let result = transaction
            .savepoint()
            .map_err(Error::from)
            .and_then(|savepoint| {
                let result = carry_out(&savepoint, gate, claiming, &job)?;
                savepoint.commit()?;
                Ok(result)
            });
        done.push((answer, result));
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
            // Nothing was written: the limiter is filled again from the ledger.
            *gate = Gate::new(claiming.clone());
            for (answer, _) in done {
                let _gone = answer.send(Err(Error::Commit(error.to_string())));
            }
        }
    }
}

fn refuse(gate: &mut Gate, claiming: &Claiming, group: Vec<Ask>, why: &str) {
    *gate = Gate::new(claiming.clone());
    for (_, answer) in group {
        let _gone = answer.send(Err(Error::Commit(why.to_owned())));
    }
}

fn carry_out(
    connection: &rusqlite::Connection,
    gate: &mut Gate,
    claiming: &Claiming,
    job: &Job,
) -> Result<Done, Error> {
    match job {
        Job::Claim(now) => return gate.claim(connection, *now).map(Done::Answer),
        Job::HandOver(work) => finishing::hand_over(connection, gate.limiter(), &work.0, &work.1)?,
        Job::Finish(work) => finishing::finish(connection, gate.limiter(), &work.0, &work.1)?,
        Job::State(state, next) => {
            progress::set_state(connection, claiming.campaign, state, *next)?;
        }
    }
    Ok(Done::Written)
}
