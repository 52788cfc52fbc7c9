//! The laws: what the servers have is held against what the store says, by its tables as they are.

use std::collections::BTreeMap;

use postroom::sandbox::{Received, Snapshot};
use rusqlite::Connection;

use crate::campaign::Planned;
use crate::errand::Said;
use crate::world::World;

/// A recipient by the store.
struct Row {
    address: String,
    state: String,
    message: Option<(i64, String, String)>,
}

/// What a run has come to.
pub(crate) struct Run<'a> {
    pub(crate) planned: &'a Planned,
    pub(crate) said: &'a Said,
    pub(crate) seen: &'a [Snapshot],
    /// The messages that a sender has called sent, by their number.
    pub(crate) called_sent: &'a [u64],
    /// How many messages may be in doubt, for what was done to the sender.
    pub(crate) doubtful: u64,
    /// No server turned anybody away or broke off, and no line did.
    pub(crate) is_kind: bool,
    /// Nothing went wrong and nobody meddled.
    pub(crate) is_calm: bool,
}

/// Every law that is broken, in words.
pub(crate) fn broken(world: &World, run: &Run<'_>) -> Vec<String> {
    let connection = Connection::open(&world.store).unwrap();
    let mut broken = Vec::new();
    let records: Vec<&Received> = run.seen.iter().flat_map(|seen| &seen.records).collect();
    let rows = rows(&connection);
    if rows.len() as u64 != run.planned.shape.people() {
        broken.push(format!(
            "{} recipients, of {}",
            rows.len(),
            run.planned.shape.people()
        ));
    }
    let mut received: BTreeMap<&str, Vec<&Received>> = BTreeMap::new();
    for record in &records {
        for person in &record.recipients {
            received.entry(person).or_default().push(record);
        }
    }
    for row in &rows {
        let got = received.remove(row.address.as_str()).unwrap_or_default();
        broken.extend(wrong_with(row, &got, run));
    }
    for stranger in received.keys() {
        broken.push(format!("{stranger} got a mail and is nobody's recipient"));
    }
    for seen in run.seen {
        broken.extend(seen.breaches.iter().map(|breach| format!("{breach:?}")));
    }
    broken.extend(unsound(&connection));
    let count = |query: &str| -> u64 { connection.query_row(query, [], |row| row.get(0)).unwrap() };
    let in_doubt = count("SELECT count(*) FROM message WHERE state = 'in_doubt'");
    world.tally(|tally| {
        tally.in_doubt += in_doubt;
        tally.messages += records.len() as u64;
    });
    if in_doubt > run.doubtful {
        broken.push(format!(
            "{in_doubt} messages in doubt, and {} may be",
            run.doubtful
        ));
    }
    for number in run.called_sent {
        let is_sent: bool = connection
            .query_row(
                "SELECT state = 'sent' FROM message WHERE number = ?",
                [number],
                |row| row.get(0),
            )
            .unwrap();
        if !is_sent {
            broken.push(format!(
                "message {number} was called sent, and the store does not know"
            ));
        }
    }
    broken
}

fn rows(connection: &Connection) -> Vec<Row> {
    let mut statement = connection
        .prepare(
            "SELECT r.address, r.state, m.number, m.state, m.message_id
             FROM recipient r LEFT JOIN message m ON m.id = r.message ORDER BY r.row",
        )
        .unwrap();
    let rows = statement.query_map([], |row| {
        let number: Option<i64> = row.get(2)?;
        Ok(Row {
            address: row.get(0)?,
            state: row.get(1)?,
            message: match number {
                Some(number) => Some((number, row.get(3)?, row.get(4)?)),
                None => None,
            },
        })
    });
    rows.unwrap().map(Result::unwrap).collect()
}

/// What is wrong with one recipient.
fn wrong_with(row: &Row, got: &[&Received], run: &Run<'_>) -> Vec<String> {
    let mut wrong = Vec::new();
    let Row {
        address,
        state,
        message,
    } = row;
    let again = run.said.again.get(address).copied().unwrap_or(0);
    let times = got.len() as u64;
    if times > 1 + again {
        wrong.push(format!(
            "{address} got it {times} times, and was to get it once more {again} times"
        ));
    }
    let id = message.as_ref().map(|(_, _, id)| id);
    let has_it = got.iter().any(|record| record.message_id.as_ref() == id);
    match state.as_str() {
        "sent" => {
            let is_believed = run.said.delivered.contains_key(address);
            if !is_believed && !has_it {
                wrong.push(format!("{address} is sent by the store and got nothing"));
            }
        }
        "in_doubt" => {}
        "refused" | "cancelled" | "suppressed" => {
            if times > again {
                wrong.push(format!("{address} is {state} by the store and got it"));
            }
        }
        _ => wrong.push(format!("{address} is still {state}")),
    }
    if let Some((number, of_message, _)) = message
        && !matches!(
            of_message.as_str(),
            "sent" | "refused" | "in_doubt" | "cancelled"
        )
    {
        wrong.push(format!("message {number} is still {of_message}"));
    }
    if run.is_kind && state == "refused" {
        wrong.push(format!("{address} is refused, and nobody refused anything"));
    }
    if run.is_calm && state != "sent" {
        wrong.push(format!("{address} is {state}, and nothing went wrong"));
    }
    if let Some(since) = run.said.nothing.get(address)
        && again == 0
        && got.iter().any(|record| record.at > *since)
    {
        wrong.push(format!(
            "{address} got it after a person had said that they get nothing"
        ));
    }
    wrong
}

/// What is wrong with the store by itself.
fn unsound(connection: &Connection) -> Vec<String> {
    let mut wrong = Vec::new();
    let integrity: String = connection
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    if integrity != "ok" {
        wrong.push(integrity);
    }
    let dangling: u64 = connection
        .query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| {
            row.get(0)
        })
        .unwrap();
    let reserved: u64 = connection
        .query_row(
            "SELECT count(*) FROM ledger WHERE stamped_at IS NULL",
            [],
            |row| row.get(0),
        )
        .unwrap();
    if dangling > 0 {
        wrong.push(format!("{dangling} rows without what they refer to"));
    }
    if reserved > 0 {
        wrong.push(format!(
            "{reserved} shares of the limits are reserved for nobody"
        ));
    }
    wrong
}
