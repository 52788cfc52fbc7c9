//! The writer: takes what is asked for, a group at a time, and answers when the group's commit is on disk.

use rusqlite::TransactionBehavior;
use tokio::sync::mpsc;

use super::super::gate::Gate;
use super::super::mark::Keeper;
use super::super::turn;
use super::super::{Answer, Claiming, Error, Store, halting, progress};
use super::{Ask, Done, Job};

/// The most that is put into one commit: keeps the first asker's wait short.
const GROUP: usize = 64;

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
    pub(super) fn new(
        store: Store,
        claiming: Claiming,
        queue: mpsc::UnboundedReceiver<Ask>,
    ) -> Self {
        Self {
            gates: Gate::all(&claiming),
            // What nobody needs after a power cut cannot be restored either.
            mark: (!store.fleeting)
                .then(|| Keeper::of(&store.connection, store.path()))
                .flatten(),
            store,
            claiming,
            queue,
        }
    }

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
