//! A list of a million rows: planning it, beginning to send it, and where it stands, each beside its floor in the same
//! run.
//!
//! `cargo bench --bench million` prints a line for each figure and what it should be at most; `-- --once` (or
//! `--test`) goes once through all of it with a short list, which shows that it works and nothing of how fast.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench prints real time, and has nobody to report errors to"
)]

#[path = "million/floor.rs"]
mod floor;
#[path = "million/home.rs"]
mod home;
#[path = "campaign/sink.rs"]
#[expect(dead_code, reason = "nothing is encrypted here")]
mod sink;
#[path = "million/wire.rs"]
mod wire;

use std::time::Duration;

use home::{Home, Kind};
use sink::Sink;

/// What planning may take: of what cannot be done without, and of rendering.
const PLANNING: f64 = 1.5;
const RENDERING: f64 = 1.3;

/// Megabytes that a process may hold, and milliseconds that it may take.
const MEMORY: f64 = 150.0;
const FIRST_BYTE: f64 = 200.0;
const STATUS: f64 = 50.0;

fn main() {
    let once = std::env::args().any(|argument| argument == "--once" || argument == "--test");
    let rows = if once { 20_000 } else { 1_000_000 };
    let rounds = if once { 1 } else { 3 };
    let home = Home::new(rows);
    println!(
        "{:<54}{:>12}  {:>20}",
        format!("{rows} rows"),
        "is",
        "at most"
    );
    planning(&home, rounds);
    sending(
        &home,
        rounds,
        Duration::from_secs(if once { 1 } else { 20 }),
    );
    standing(&home, rounds);
}

/// The best of some: noise only ever slows down. What is compared is taken in turn.
fn best(best: &mut f64, next: f64) {
    *best = best.min(next);
}

fn planning(home: &Home, rounds: usize) {
    let (mut floor, mut rendering) = (f64::MAX, f64::MAX);
    let (mut shared, mut personal) = (f64::MAX, f64::MAX);
    let mut memory: f64 = 0.0;
    for _ in 0..rounds {
        best(&mut floor, floor::of_planning(home));
        best(&mut rendering, floor::of_rendering(home));
        for (kind, took) in [(Kind::Shared, &mut shared), (Kind::Personal, &mut personal)] {
            let (seconds, megabytes) = home.plan(kind);
            best(took, seconds);
            memory = memory.max(megabytes);
        }
    }
    line(
        "reading, checking and inserting: the floor",
        floor,
        "s",
        None,
    );
    line("rendering on all cores: the floor", rendering, "s", None);
    line("plan, shared", shared, "s", Some(PLANNING * floor));
    let most = RENDERING * rendering + PLANNING * floor;
    line("plan, one message each", personal, "s", Some(most));
    line("memory of plan", memory, "MB", Some(MEMORY));
}

/// To the first byte on the wire, and what a process holds after a while of sending.
fn sending(home: &Home, rounds: usize, while_sending: Duration) {
    for kind in [Kind::Shared, Kind::Personal] {
        let mut first = f64::MAX;
        for _ in 0..rounds {
            best(&mut first, wire::first_byte(home, kind));
        }
        let what = format!("send, to the first byte on the wire, {}", kind.name());
        line(&what, first * 1000.0, "ms", Some(FIRST_BYTE));
    }
    let sink = Sink::start(Duration::ZERO);
    for kind in [Kind::Personal, Kind::Shared] {
        let memory = home.memory_of_send(kind, sink.port(), while_sending);
        let what = format!("memory of send, {}", kind.name());
        line(&what, memory, "MB", Some(MEMORY));
    }
}

fn standing(home: &Home, rounds: usize) {
    let mut starting = f64::MAX;
    for _ in 0..rounds {
        best(&mut starting, home.time(Kind::Mixed, "accounts"));
    }
    line(
        "starting and listing accounts",
        starting * 1000.0,
        "ms",
        None,
    );
    home.plan(Kind::Mixed);
    let mut status = f64::MAX;
    for _ in 0..rounds {
        best(&mut status, home.time(Kind::Mixed, "status"));
    }
    line(
        "status of the worst mix",
        status * 1000.0,
        "ms",
        Some(STATUS),
    );
}

fn line(what: &str, is: f64, unit: &str, most: Option<f64>) {
    let most = most.map_or_else(
        || "the floor".to_owned(),
        |most| {
            format!(
                "{most:.2} {unit}{}",
                if is > most { "  missed" } else { "" }
            )
        },
    );
    println!("{what:<54}{:>12}  {most:>20}", format!("{is:.2} {unit}"));
}
