//! The schema's ladder: an append-only list of steps, the height kept in `user_version`.

use std::path::Path;

use rusqlite::{Connection, ErrorCode, TransactionBehavior};

use super::Error;

/// Released steps are never edited; a change is a new step.
const STEPS: &[&str] = &[
    include_str!("schema/001_initial.sql"),
    include_str!("schema/002_accounts.sql"),
    include_str!("schema/003_steady.sql"),
    include_str!("schema/004_kinds.sql"),
    include_str!("schema/005_grouped.sql"),
    include_str!("schema/006_cases.sql"),
    include_str!("schema/007_operating.sql"),
    include_str!("schema/008_editions.sql"),
    include_str!("schema/009_tally.sql"),
    include_str!("schema/010_copies.sql"),
    include_str!("schema/011_record.sql"),
    include_str!("schema/012_lean.sql"),
];

/// The format that this program writes.
pub(super) fn known() -> i64 {
    STEPS.len() as i64
}

pub(super) fn height(connection: &Connection) -> Result<i64, Error> {
    Ok(connection.pragma_query_value(None, "user_version", |row| row.get(0))?)
}

/// Refuses what is no store, and a store of a newer version, before anything is written to it.
pub(super) fn recognise(connection: &Connection, path: &Path) -> Result<(), Error> {
    let none = |what| super::no_store(path, what);
    // Read first: whoever begins the store writes it last.
    let is_marked = super::mark::Mark::beside(path).is_some();
    let found = height(connection).map_err(|error| match error {
        Error::Sqlite(cause) if cause.sqlite_error_code() == Some(ErrorCode::NotADatabase) => {
            none("it is a file of another kind")
        }
        other => other,
    })?;
    if !is_own(connection)? {
        return Err(none("it is a database of another program"));
    }
    if found == 0 && is_marked {
        return Err(none("there is nothing in it"));
    }
    let known = known();
    if found > known {
        return Err(Error::Newer {
            path: path.to_owned(),
            found,
            known,
        });
    }
    Ok(())
}

/// A file with nothing in it yet, or with the table that every version has.
fn is_own(connection: &Connection) -> Result<bool, Error> {
    Ok(connection.query_row(
        "SELECT count(*) = 0 OR sum(name = 'campaign') > 0 FROM sqlite_schema WHERE type = 'table'",
        [],
        |row| row.get(0),
    )?)
}

/// Takes the steps that are still missing, each in one transaction with its number.
pub(super) fn climb(connection: &mut Connection) -> Result<(), Error> {
    // Whoever only looks must not wait for a writer.
    let reached = height(connection)?;
    for (index, step) in STEPS.iter().enumerate().skip(reached as usize) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if height(&transaction)? == index as i64 {
            transaction.execute_batch(step)?;
            transaction.pragma_update(None, "user_version", index as i64 + 1)?;
            transaction.commit()?;
            tracing::info!(step = index + 1, "store brought up to date");
        }
    }
    Ok(())
}

/// A new file as a store was after so many steps.
#[cfg(test)]
pub(super) fn climb_to(connection: &Connection, height: usize) {
    for step in &STEPS[..height] {
        connection.execute_batch(step).unwrap();
    }
    connection
        .pragma_update(None, "user_version", height as i64)
        .unwrap();
}
