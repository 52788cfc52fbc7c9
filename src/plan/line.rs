//! Waves of people on their way through the prover: proved on all cores while others are read and written down, and
//! given back in the order in which they came.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread::Scope;

use super::error::Error;
use super::person::Person;
use super::prove::{Proved, Prover, Unsound};

/// People of a wave.
const WAVE: usize = 512;

/// So many waves are under way before the first of them is waited for, however quick it is: in which order things
/// are found is the same each time.
const UNDER_WAY: usize = 8;

/// What came of a wave, in its order.
pub(super) type Proven = Vec<Result<Proved, Unsound>>;

/// A wave, and where its results go.
type Job = (Vec<Person>, SyncSender<Proven>);

/// Collects people into waves.
#[derive(Debug, Default)]
pub(super) struct Wave(Vec<Person>);

impl Wave {
    /// Adds a person; gives the wave back when it is full.
    pub(super) fn add(&mut self, person: Person) -> Option<Vec<Person>> {
        self.0.push(person);
        (self.0.len() >= WAVE).then(|| std::mem::replace(&mut self.0, Vec::with_capacity(WAVE)))
    }

    /// What is left.
    pub(super) fn rest(self) -> Vec<Person> {
        self.0
    }
}

/// The waves that are being proved.
pub(super) struct Line {
    jobs: SyncSender<Job>,
    under_way: VecDeque<Receiver<Proven>>,
}

impl Line {
    /// With a thread for each core, which ends when the line is gone.
    pub(super) fn start<'scope>(
        scope: &'scope Scope<'scope, '_>,
        prover: &'scope Prover<'_>,
    ) -> Self {
        let (jobs, taken) = sync_channel::<Job>(UNDER_WAY);
        let taken = std::sync::Arc::new(Mutex::new(taken));
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            let taken = std::sync::Arc::clone(&taken);
            scope.spawn(move || {
                let next = || taken.lock().unwrap_or_else(PoisonError::into_inner).recv();
                while let Ok((wave, results)) = next() {
                    // Nobody waits for it any more where planning was given up.
                    let _ = results.send(prover.prove(wave));
                }
            });
        }
        Self {
            jobs,
            under_way: VecDeque::new(),
        }
    }

    /// Takes in a wave; gives back the first one where enough are under way.
    pub(super) fn add(&mut self, wave: Vec<Person>) -> Result<Option<Proven>, Error> {
        let (results, proven) = sync_channel(1);
        (self.jobs.send((wave, results))).map_err(|_| Error::Incomplete)?;
        self.under_way.push_back(proven);
        if self.under_way.len() < UNDER_WAY {
            return Ok(None);
        }
        self.next()
    }

    /// The next wave; none when none is under way.
    pub(super) fn next(&mut self) -> Result<Option<Proven>, Error> {
        let Some(proven) = self.under_way.pop_front() else {
            return Ok(None);
        };
        // A thread that has ended before its time sends nothing.
        Ok(Some(proven.recv().map_err(|_| Error::Incomplete)?))
    }
}
