//! What somebody does at another terminal, before a send, after it, and in the middle.

use std::collections::BTreeMap;

use jiff::Timestamp;
use postroom::store::{Halt, NewSuppression, Resolution, Selection, Store};
use rusqlite::Connection;

use crate::campaign::Planned;
use crate::dice::Dice;
use crate::tally::Kind;
use crate::world::World;

/// What people have said of the campaign's recipients so far, by address.
#[derive(Debug, Default)]
pub(crate) struct Said {
    /// How often to send them the mail once more, whatever became of it.
    pub(crate) again: BTreeMap<String, u64>,
    /// That they have it.
    pub(crate) delivered: BTreeMap<String, u64>,
    /// That they get nothing, when nobody had their message in hand: from then on.
    pub(crate) nothing: BTreeMap<String, Timestamp>,
}

const BY: &str = "ann@desk";

/// Does something, chosen by the dice. What cannot be done, as with a full disk, is left.
pub(crate) fn run(world: &World, planned: &Planned, said: &mut Said, dice: &mut Dice) {
    let Ok(mut store) = Store::open(&world.store) else {
        return;
    };
    let (id, now) = (planned.id, world.clock.now());
    let row = dice.within(1..=planned.shape.people());
    let address = planned.shape.address(row);
    let deed = dice.within(0..=6);
    let what = match deed {
        0 => store
            .halt(
                id,
                &Halt {
                    at: now,
                    by: BY.to_owned(),
                },
            )
            .map(|_| "halt".to_owned()),
        1 => store.resume(id, BY, now).map(|_| "resume".to_owned()),
        2 => {
            let free = is_free(world, row);
            let new = NewSuppression {
                subject: address.clone(),
                written: address.clone(),
                reason: String::new(),
            };
            store.suppress(None, &[new], BY, now).map(|_| {
                if free {
                    said.nothing.entry(address.clone()).or_insert(world.now());
                }
                format!("suppress {address}")
            })
        }
        3 => {
            let free = is_free(world, row);
            store.cancel(id, Some(&[row]), BY, now).map(|count| {
                if free && count > 0 {
                    said.nothing.entry(address.clone()).or_insert(world.now());
                }
                format!("cancel {address}: {count}")
            })
        }
        4 | 5 => {
            let (resolution, words) = match deed {
                4 => (Resolution::Resend, &mut said.again),
                _ => (Resolution::Delivered, &mut said.delivered),
            };
            store
                .resolve(id, &Selection::All, resolution, (BY, now))
                .map(|settled| {
                    for person in settled.iter().flat_map(|doubt| &doubt.recipients) {
                        *words.entry(person.clone()).or_insert(0) += 1;
                    }
                    format!("resolve as {resolution:?}: {}", settled.len())
                })
        }
        _ => {
            let is_external = |address: &str| !address.ends_with(crate::campaign::INTERNAL);
            store
                .retry(id, &[row], &is_external, (BY, now))
                .map(|count| format!("retry {address}: {count}"))
        }
    };
    world.count(Kind::Errand);
    world.note(|| {
        format!(
            "somebody: {}",
            what.unwrap_or_else(|error| error.to_string())
        )
    });
    drop(store);
    world.disregard();
}

/// Lets the campaign go on, whatever was said before.
pub(crate) fn resume(world: &World, planned: &Planned) {
    let mut store = Store::open(&world.store).unwrap();
    store.resume(planned.id, BY, world.clock.now()).unwrap();
}

/// Whether the person is still to get it, and nobody has their message in hand.
fn is_free(world: &World, row: u64) -> bool {
    let connection = Connection::open(&world.store).unwrap();
    connection
        .query_row(
            "SELECT r.state IN ('pending', 'deferred') AND m.state IN ('pending', 'deferred')
             FROM recipient r JOIN message m ON m.id = r.message WHERE r.row = ?",
            [row],
            |found| found.get(0),
        )
        .unwrap_or(false)
}
