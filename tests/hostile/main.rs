//! Hostile input: what `fuzz/bodies` says of any input is held against each seed and against mutations of them.
//!
//! `.ci/fuzz` runs the same for as long as one likes, guided by what it reaches.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says by panicking what is wrong"
)]

#[path = "../../fuzz/bodies/mod.rs"]
#[expect(
    unreachable_pub,
    reason = "the fuzz targets call them from another crate"
)]
mod bodies;
mod mutation;

use std::path::Path;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use mutation::{Mutation, mutated};

/// How many mutations of the seeds are tried.
const CASES: u32 = 150;

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/seeds")
        .join(target);
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths
        .iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect()
}

/// Each seed, then mutations of them.
fn holds(target: &str, cases: u32, body: fn(&[u8])) {
    let seeds = seeds(target);
    assert!(!seeds.is_empty());
    for seed in &seeds {
        body(seed);
    }
    let cases = std::env::var("POSTROOM_TEST_CASES").map_or(cases, |text| text.parse().unwrap());
    let mut runner = TestRunner::new(Config {
        cases,
        // What is found becomes a seed.
        failure_persistence: None,
        ..Config::default()
    });
    let input = (
        prop::sample::select(seeds.clone()),
        prop::sample::select(seeds),
        prop::collection::vec(any::<Mutation>(), 1..6),
    );
    let input = input.prop_map(|(seed, other, mutations)| mutated(&seed, &other, &mutations));
    let outcome = runner.run(&input, |data| {
        body(&data);
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{target}: {error}");
    }
}

#[test]
fn lists() {
    holds("lists", CASES, bodies::lists);
}

#[test]
fn workbooks() {
    holds("workbooks", CASES, bodies::workbooks);
}

#[test]
fn addresses() {
    holds("addresses", 10 * CASES, bodies::addresses);
}

#[test]
fn filters() {
    holds("filters", 4 * CASES, bodies::filters);
}

#[test]
fn templates() {
    holds("templates", CASES, bodies::templates);
}

#[test]
fn mails() {
    holds("mails", CASES, bodies::mails);
}

#[test]
fn replies() {
    holds("replies", CASES, bodies::replies);
}

#[test]
fn configurations() {
    holds("configurations", CASES, bodies::configurations);
}

#[test]
fn stand_in() {
    holds("stand_in", CASES, bodies::stand_in);
}

#[test]
fn preview() {
    holds("preview", CASES, bodies::preview);
}

#[test]
fn suppressions() {
    holds("suppressions", CASES, bodies::suppressions);
}
