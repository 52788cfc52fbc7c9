//! The fault matrix: each place of the dialogue, and whatever goes wrong there, with the real program over real
//! sockets. What is expected stands in `rows`, which the README's table is held to.

mod cells;
mod raw;
mod readme;
mod rows;
mod stage;
mod trial;

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use cells::{Row, Victim};
use rows::ROWS;
use stage::Way;
use trial::Trial;

/// So many cells at a time: most of a run is waiting.
const AT_A_TIME: usize = 32;

fn row(place: &str) -> &'static Row {
    ROWS.iter().find(|row| row.place == place).unwrap()
}

/// Every cell of a row, without TLS and with it where the place allows.
fn trials(row: &'static Row) -> VecDeque<Trial<'static>> {
    let cells = row.columns.iter().copied().flatten();
    let trials = cells.flat_map(|cell| {
        let ways: &[Way] = match (row.place, cell.victim) {
            ("connect", _) => &[Way::Implicit],
            ("starttls", _) | (_, Victim::Shared) => &[Way::StartTls],
            (_, Victim::Personal | Victim::Large) => &[Way::Plain],
            (_, Victim::Both) => &[Way::Plain, Way::StartTls],
        };
        ways.iter().map(move |&way| Trial { row, cell, way })
    });
    trials.collect()
}

/// Tries them side by side; tells of all that fail.
fn hold(place: &str) {
    let queue = Mutex::new(trials(row(place)));
    let failed = Mutex::new(Vec::new());
    let next = || queue.lock().unwrap().pop_front();
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                while let Some(trial) = next() {
                    if catch_unwind(AssertUnwindSafe(|| trial.run())).is_err() {
                        failed.lock().unwrap().push(trial.name());
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{failed:#?}");
}

macro_rules! places {
    ($($place:ident),*) => {
        $(#[test]
        fn $place() {
            hold(stringify!($place));
        })*
    };
}

places!(
    connect, banner, ehlo, starttls, auth, mail, rcpt, data, body, dot
);
