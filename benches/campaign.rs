//! The whole road of a campaign to a server that takes everything, beside what Postfix's `smtp-source` does to the
//! same server in the same run.
//!
//! `cargo bench --bench campaign` prints a table, medians of five; `cargo bench --bench campaign -- --once` goes once
//! through all of it. `smtp-source` comes with Postfix: where it is not there, the floors are missing and said to be.
//! `POSTROOM_BENCH_POSTFIX=PORT` adds a Postfix on this machine that takes mail of 127.0.0.1 for anybody, without
//! encryption, and had better throw it away (`default_transport = discard:`).

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench prints real time, and has nobody to report errors to"
)]

#[path = "campaign/home.rs"]
mod home;
#[path = "campaign/sink.rs"]
mod sink;
#[path = "campaign/source.rs"]
mod source;

use std::path::Path;
use std::time::{Duration, Instant};

use home::Home;
use sink::Sink;

/// How often each figure is taken.
fn rounds() -> usize {
    let once = std::env::args().any(|argument| argument == "--once" || argument == "--test");
    if once { 1 } else { 5 }
}

fn main() {
    let home = Home::new();
    println!("{:<66}{:>10}  {:>10}  ratio", "", "a second", "floor");
    for (connections, mails) in [(1, 10_000), (3, 20_000), (10, 30_000), (30, 30_000)] {
        to_a_sink(&home, connections, mails);
    }
    into_postfix(&home);
    over_a_long_line(&home);
    encrypted(&home);
    with_files(&home);
    rehearsed(&home);
}

/// Individual mails of some 4 KB, rendered, each with its marks and its verdict on disk.
fn to_a_sink(home: &Home, connections: usize, mails: usize) {
    let sink = Sink::start(Duration::ZERO);
    beside_source(home, ("", &sink), connections, mails);
}

/// The same to this server, and what `smtp-source` gets into it.
fn beside_source(home: &Home, (into, server): (&str, &Sink), connections: usize, mails: usize) {
    let (mut floors, mut ours) = (Vec::new(), Vec::new());
    for round in 0..rounds() {
        floors.extend(source::rate(server.port(), connections, mails, 4_000));
        let name = format!("c{into}{connections}-{round}").replace(' ', "-");
        ours.push(home.send(&name, server, connections, mails));
    }
    let what = format!("individual mails{into}, {connections} connection(s)");
    line(&what, median(&mut ours), median(&mut floors));
}

/// The same into a real server, where one is named.
fn into_postfix(home: &Home) {
    const MAILS: usize = 6_000;
    let Some(port) = std::env::var("POSTROOM_BENCH_POSTFIX")
        .ok()
        .and_then(|port| port.parse().ok())
    else {
        return;
    };
    let postfix = Sink::elsewhere(port);
    for connections in [3, 10] {
        beside_source(home, (" into Postfix", &postfix), connections, MAILS);
    }
}

/// The same at 50 ms of round trip, and one mail to 500 people there.
fn over_a_long_line(home: &Home) {
    let far = Sink::start(Duration::from_millis(50));
    let mut ours = Vec::new();
    for round in 0..rounds() {
        ours.push(home.send(&format!("far-{round}"), &far, 10, 1_000));
    }
    line(
        "individual mails at 50 ms, 10 connections",
        median(&mut ours),
        None,
    );
    let mut took = Vec::new();
    for round in 0..rounds() {
        took.push(home.send_one_to_500(&format!("one-{round}"), &far));
    }
    println!(
        "{:<66}{:>10.3}  s",
        "one mail to 500 people at 50 ms",
        median(&mut took).unwrap()
    );
}

/// The same over TLS, beside our own figure without.
fn encrypted(home: &Home) {
    const MAILS: usize = 20_000;
    let (plain, secret) = (Sink::start(Duration::ZERO), Sink::encrypted());
    let (mut floors, mut ours) = (Vec::new(), Vec::new());
    for round in 0..rounds() {
        floors.push(home.send(&format!("plain-{round}"), &plain, 3, MAILS));
        ours.push(home.send(&format!("tls-{round}"), &secret, 3, MAILS));
    }
    let what = "over TLS, 3 connections, beside our own without";
    line(what, median(&mut ours), median(&mut floors));
}

/// A file of 1 MB that all get, beside what `smtp-source` does with as many bytes; the memory is that of 2,000 beside
/// that of 200.
fn with_files(home: &Home) {
    let sink = Sink::start(Duration::ZERO);
    let (mut floors, mut ours) = (Vec::new(), Vec::new());
    let (mut few, mut many) = (0, 0);
    for round in 0..rounds() {
        floors.extend(source::rate(sink.port(), 3, 2_000, 1_373_000));
        few = home
            .send_files(&format!("few-{round}"), &sink, 200)
            .1
            .max(few);
        let (rate, memory) = home.send_files(&format!("files-{round}"), &sink, 2_000);
        ours.push(rate);
        many = memory.max(many);
    }
    let what = "individual mails with a file of 1 MB, 3 connections";
    line(what, median(&mut ours), median(&mut floors));
    println!(
        "{:<66}{:>10}  {:>10}  MiB",
        "memory of that, and of 200 such mails",
        many >> 10,
        few >> 10
    );
}

/// Days of a campaign, rehearsed, beside writing so many mails into a folder.
fn rehearsed(home: &Home) {
    const MAILS: usize = 40_000;
    let (mut floors, mut ours) = (Vec::new(), Vec::new());
    for round in 0..rounds() {
        let folder = home.place(&format!("mails-{round}"));
        floors.push(MAILS as f64 / write_mails(&folder, MAILS));
        ours.push(MAILS as f64 / home.rehearse(&format!("rehearsal-{round}"), MAILS));
    }
    let what = "rehearsing 40,000 mails, beside writing as many files";
    line(what, median(&mut ours), median(&mut floors));
}

fn write_mails(folder: &Path, mails: usize) -> f64 {
    std::fs::create_dir_all(folder).unwrap();
    let begin = Instant::now();
    for n in 0..mails {
        std::fs::write(folder.join(n.to_string()), [b'x'; 4_200]).unwrap();
    }
    begin.elapsed().as_secs_f64()
}

fn median(figures: &mut [f64]) -> Option<f64> {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied()
}

fn line(what: &str, ours: Option<f64>, floor: Option<f64>) {
    let ours = ours.unwrap();
    match floor {
        Some(floor) => println!("{what:<66}{ours:>10.0}  {floor:>10.0}  {:.2}", ours / floor),
        None => println!("{what:<66}{ours:>10.0}  {:>10}", "none"),
    }
}
