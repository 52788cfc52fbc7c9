//! The whole road of a campaign to a server that takes everything, beside what Postfix's `smtp-source` does to the
//! same server in the same run.
//!
//! `cargo bench --bench campaign` prints a table, medians of five; `cargo bench --bench campaign -- --once` goes once
//! through all of it. `smtp-source` comes with Postfix: where it is not there, the floors are missing and said to be.

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

use std::time::Duration;

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
    over_a_long_line(&home);
}

/// Individual mails of some 4 KB, rendered, each with its marks and its verdict on disk.
fn to_a_sink(home: &Home, connections: usize, mails: usize) {
    let plain = Sink::start(Duration::ZERO);
    let mut floors = Vec::new();
    let mut ours = Vec::new();
    for round in 0..rounds() {
        floors.extend(source::rate(plain.port(), connections, mails));
        ours.push(home.send(
            &format!("c{connections}-{round}"),
            &plain,
            connections,
            mails,
        ));
    }
    let what = format!("individual mails, {connections} connection(s)");
    line(&what, median(&mut ours), median(&mut floors));
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
