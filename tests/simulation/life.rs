//! One life of a sender: the program's own, on a runtime of its own with one thread, to its end or its death.

use std::future::{Future as _, poll_fn};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use postroom::send::{self, Ended, Event, Stop, StopHandle, Surroundings, Writing};
use postroom::smtp::Network;

use crate::campaign::Planned;
use crate::dice::Dice;
use crate::disk;
use crate::errand::{self, Said};
use crate::sessions::Ready;
use crate::tally::Kind;
use crate::world::World;

/// How a life ended.
pub(crate) enum End {
    Ended(Ended),
    Failed(String),
    Died,
    Stuck,
}

/// What a life is lived with.
pub(crate) struct Life<'a> {
    pub(crate) world: &'a Arc<World>,
    pub(crate) network: &'a Network,
    pub(crate) planned: &'a Planned,
    pub(crate) said: &'a mut Said,
    pub(crate) called_sent: &'a mut Vec<u64>,
    pub(crate) dice: &'a mut Dice,
    /// How writes are to fail, from some step on.
    pub(crate) failure: Option<&'a str>,
}

impl Life<'_> {
    /// Nothing of it is left when this returns.
    pub(crate) fn live(self, job: send::Job, options: send::Options) -> End {
        let Self {
            world,
            network,
            planned,
            said,
            called_sent,
            dice,
            mut failure,
        } = self;
        let idle = Arc::clone(world);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .event_interval(1)
            .on_thread_park(move || idle.turn())
            .build()
            .unwrap();
        let (stop, handle) = Stop::new();
        let surroundings = Surroundings {
            clock: world.clock.clone(),
            network: network.clone(),
            writing: Writing::Task,
        };
        // It is polled only when it was woken: who forgets to wake it is found out.
        let ready = Ready::new();
        let waker = Waker::from(Arc::clone(&ready));
        let mut report = |event: Event| note(world, &event, called_sent);
        let mut run = Box::pin(send::run(job, options, surroundings, stop, &mut report));
        runtime.block_on(poll_fn(|context| {
            world.watch(context.waker());
            ready.pass_on(context.waker());
            if world.is_dead() {
                return Poll::Ready(End::Died);
            }
            if world.is_stuck() {
                return Poll::Ready(End::Stuck);
            }
            if world.is_errand_due() {
                meddle(world, planned, (said, dice), &mut failure, &handle);
            }
            if !ready.take() {
                return Poll::Pending;
            }
            let run = run.as_mut().poll(&mut Context::from_waker(&waker));
            run.map(|ended| match ended {
                Ok(ended) => End::Ended(ended),
                Err(error) => End::Failed(error.to_string()),
            })
        }))
    }
}

/// Something is done in the middle of a life.
fn meddle(
    world: &World,
    planned: &Planned,
    (said, dice): (&mut Said, &mut Dice),
    failure: &mut Option<&str>,
    stop: &StopHandle,
) {
    if let Some(failure) = failure.take() {
        disk::set(&world.store, failure);
        world.disregard();
        world.count(Kind::Disk);
        world.note(|| format!("from now on writes fail: {failure}"));
    } else if dice.once_in(6) {
        world.note(|| "somebody stops the sender".to_owned());
        world.count(Kind::Errand);
        stop.stop();
    } else {
        errand::run(world, planned, said, dice);
    }
}

/// Whoever is told of something is outside. Message-IDs are random, and are left out.
fn note(world: &World, event: &Event, called_sent: &mut Vec<u64>) {
    if world.enter() {
        return;
    }
    match event {
        Event::Sent {
            number, recipients, ..
        } => {
            called_sent.push(*number);
            world.note(|| format!("sent: message {number} to {recipients}"));
        }
        Event::InDoubt { number, reply, .. } => {
            world.note(|| format!("in doubt: message {number}: {reply}"));
        }
        other => world.note(|| format!("{other:?}")),
    }
}
