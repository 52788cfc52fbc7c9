//! The writer: takes what is asked for, a group at a time, and answers when the group's commit is on disk.

use rusqlite::TransactionBehavior;
use tokio::sync::mpsc;

use super::super::gate::{Gate, data_version};
use super::super::mark::Keeper;
use super::super::turn;
use super::super::{Answer, Claiming, Error, Store, halting, progress};
use super::{Ask, Done, Job};

/// The most that is put into one commit: keeps the first asker's wait short.
const GROUP: usize = 64;

/// So many pages are gathered before they are put into their places: those that change with every message, once for
/// all of them.
const CHECKPOINT: u32 = 4_000;

/// A block of this size is large for the allocator; of what is freed it keeps twice as much.
const LARGE: usize = 4 << 20;

/// Writes what a [`Journal`](super::Journal) is asked for, on a store of its own.
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
        // Where it fails, it is done more often.
        let _more_often = store
            .connection
            .pragma_update(None, "wal_autocheckpoint", CHECKPOINT);
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
        keep_freed_memory();
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

/// SQLite notes for each statement how to take it back, and frees that at its end. The C library's allocator would give
/// it to the system and ask for it again, for every statement, which stops all threads; it learns from a large block
/// that was freed what is worth giving back (mallopt(3), `M_MMAP_THRESHOLD`).
fn keep_freed_memory() {
    drop(std::hint::black_box(Vec::<u8>::with_capacity(LARGE)));
}

/// Why nothing of a group was written.
enum Failed {
    /// One of its jobs could not be carried out.
    Job(Error),
    /// The transaction itself could not be begun or committed.
    Transaction(rusqlite::Error),
}

fn write_group(
    store: &mut Store,
    gates: &mut [Gate],
    claiming: &Claiming,
    group: Vec<Ask>,
    mark: &mut Option<Keeper>,
) {
    let failed = match carry_all_out(store, gates, claiming, &group) {
        Ok(done) => {
            // Before anybody is answered: what goes out next is in the mark already.
            if let Some(mark) = mark {
                mark.keep_up(&store.connection);
            }
            for ((_, answer), done) in group.into_iter().zip(done) {
                // An asker that is gone has no use for the answer.
                let _gone = answer.send(Ok(done));
            }
            return;
        }
        Err(failed) => failed,
    };
    // The limiters may know of something that did not come to be.
    gates.iter_mut().for_each(Gate::forget);
    match failed {
        // One job's failure must not take the others' marks with it.
        Failed::Job(_) if group.len() > 1 => {
            for ask in group {
                write_group(store, gates, claiming, vec![ask], mark);
            }
        }
        Failed::Job(error) => {
            if let Some((_, answer)) = group.into_iter().next() {
                let _gone = answer.send(Err(error));
            }
        }
        Failed::Transaction(why) => {
            tracing::error!(because = ?why.to_string(), "nothing could be written");
            for (_, answer) in group {
                let _gone = answer.send(Err(Error::commit(&why)));
            }
        }
    }
}

/// Carries out all jobs of a group in one transaction, or none of them.
fn carry_all_out(
    store: &mut Store,
    gates: &mut [Gate],
    claiming: &Claiming,
    group: &[Ask],
) -> Result<Vec<Done>, Failed> {
    let transaction = store
        .connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(Failed::Transaction)?;
    let version = data_version(&transaction).map_err(Failed::Job)?;
    for gate in gates.iter_mut() {
        gate.begin(version);
    }
    let done = group
        .iter()
        .map(|(job, _)| carry_out(&transaction, gates, claiming, job))
        .collect::<Result<_, _>>()
        .map_err(Failed::Job)?;
    transaction.commit().map_err(Failed::Transaction)?;
    Ok(done)
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
