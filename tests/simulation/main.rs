//! The sender in a deterministic simulation: the program's own sender, limiter, store and SMTP on a simulated
//! clock and a simulated network, the stand-in server at the other end, and all that goes wrong chosen by one seed.
//!
//! Everything happens on one thread and no real time passes, so the same seed gives the same run to the byte. A run
//! is a small campaign, a few lives of senders to which things are done (`world`, `network`, `disk`, `errand`,
//! `mood`), and then quiet lives until it is finished; then what the servers took is held against the store
//! (`check`): nobody twice, nobody lost, no limit exceeded.
//!
//! `POSTROOM_SIMULATIONS` says how many seeds are played, and `POSTROOM_SIMULATION_SECONDS` for how long at most;
//! `POSTROOM_SIMULATION` plays one and prints what happened.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says by panicking what is wrong"
)]

mod campaign;
mod check;
mod dice;
mod disk;
mod errand;
#[path = "../sending/inputs.rs"]
mod inputs;
mod life;
mod mood;
mod network;
mod pipe;
mod schedule;
mod sessions;
mod tally;
mod world;

use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use postroom::clock::{Clock, Stopwatch};

use campaign::Stage;
use schedule::play;
use tally::Tally;

/// How many seeds are played, where nobody asks for another number.
const SEEDS: u64 = 2_000;

fn asked(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// The report of a seed that broke a law.
fn accusation(seed: u64, broken: &[String], log: &[String]) -> String {
    let mut text = format!("seed {seed} breaks what must hold:\n");
    for one in broken {
        let _ = writeln!(text, "  {one}");
    }
    let _ = writeln!(
        text,
        "to play it again: POSTROOM_SIMULATION={seed} cargo test --test simulation -- --nocapture one_seed"
    );
    for line in log {
        let _ = writeln!(text, "{line}");
    }
    text
}

/// Plays the seeds on as many threads as the machine has, until one breaks a law or the time is over.
fn play_all(seeds: u64, watch: &Stopwatch) -> (Tally, Option<String>) {
    let most = asked("POSTROOM_SIMULATION_SECONDS").map_or(Duration::MAX, Duration::from_secs);
    let (next, is_over) = (AtomicU64::new(0), AtomicBool::new(false));
    let work = || {
        let mut stage = Stage::new();
        let (mut tally, mut found) = (Tally::default(), None);
        while !is_over.load(Ordering::Relaxed) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds || watch.elapsed() > most {
                break;
            }
            let outcome = play(&mut stage, seed);
            tally.and(&outcome.tally);
            if !outcome.broken.is_empty() {
                is_over.store(true, Ordering::Relaxed);
                found = Some(accusation(seed, &outcome.broken, &outcome.log));
            }
        }
        (tally, found)
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let working: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let (mut tally, mut found) = (Tally::default(), None);
        for thread in working {
            let (part, accused) = thread.join().unwrap();
            tally.and(&part);
            found = found.or(accused);
        }
        (tally, found)
    })
}

#[test]
fn nobody_gets_it_twice_nobody_is_lost_and_no_limit_is_exceeded() {
    let seeds = asked("POSTROOM_SIMULATIONS").unwrap_or(SEEDS);
    let watch = Clock::system().stopwatch();
    let (tally, found) = play_all(seeds, &watch);
    let took = watch.elapsed();
    let each = tally.schedules as f64 / took.as_secs_f64();
    println!(
        "{tally}{:>9.1} s, {each:.0} schedules a second",
        took.as_secs_f64()
    );
    if let Some(found) = found {
        panic!(
            "after {} schedules and {:.1} s: {found}",
            tally.schedules,
            took.as_secs_f64()
        );
    }
    // What never happens proves nothing.
    if tally.schedules >= SEEDS {
        assert_eq!(tally.missing(), Vec::<&str>::new());
    }
}

#[test]
fn the_same_seed_gives_the_same_run_to_the_byte() {
    let mut stages = [Stage::new(), Stage::new()];
    for seed in 0..60 {
        let [first, second] = stages.each_mut().map(|stage| play(stage, seed).log);
        let differs = first
            .iter()
            .zip(&second)
            .position(|(one, other)| one != other);
        if let Some(at) = differs {
            panic!("seed {seed}, line {at}:\n{}\n{}", first[at], second[at]);
        }
        assert_eq!(first.len(), second.len(), "seed {seed}");
    }
}

/// Plays one seed again and prints what happened.
#[test]
fn one_seed() {
    let Some(seed) = asked("POSTROOM_SIMULATION") else {
        return;
    };
    let outcome = play(&mut Stage::new(), seed);
    println!(
        "{}{}",
        accusation(seed, &outcome.broken, &outcome.log),
        outcome.tally
    );
    assert!(
        outcome.broken.is_empty(),
        "seed {seed}: {:#?}",
        outcome.broken
    );
}
