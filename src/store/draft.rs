//! A draft: what a plan writes, before it is one.
//!
//! Proving a long list takes minutes, and a transaction of that length on the store's file would hold up
//! whoever sends a campaign. So a plan is written into temporary tables of a connection of its
//! own, which hide those of the store under the same names, and copied into the store in one
//! transaction in the end ([`super::publishing`]). SQLite keeps temporary tables in a file that its owner alone can
//! read and that has no name; it is gone with the connection.

use std::path::Path;

use rusqlite::Connection;

use super::{Error, Store};

/// The tables that a plan is written into, in the order in which they refer to each other.
pub(super) const TABLES: [&str; 10] = [
    "content",
    "campaign",
    "campaign_account",
    "edition",
    "frozen_file",
    "batch",
    "message",
    "recipient",
    "joined",
    "left_out",
];

/// The campaign itself, which is there already when an edited one is taken in.
pub(super) const CAMPAIGN: [&str; 2] = ["campaign", "campaign_account"];

/// Opens a draft beside what is in the store.
pub(super) fn open(path: &Path) -> Result<Connection, Error> {
    let connection = Store::open(path)?.connection;
    // A draft refers to nothing outside it, and by its own words to nothing that is missing.
    connection.pragma_update(None, "foreign_keys", false)?;
    // What is copied into the store is checked there.
    connection.pragma_update(None, "ignore_check_constraints", true)?;
    make(&connection, "table")?;
    connection.execute_batch("BEGIN")?;
    Ok(connection)
}

/// Makes the indices that a draft has been written without, unless they are there already.
pub(super) fn index(connection: &Connection) -> Result<(), Error> {
    make(connection, "index")
}

/// Makes what the store has of this kind for a draft.
fn make(connection: &Connection, kind: &str) -> Result<(), Error> {
    for sql in definitions(connection, kind)? {
        connection.execute_batch(&sql)?;
    }
    Ok(())
}

/// The tables or their indices as the store has them, made temporary.
fn definitions(connection: &Connection, kind: &str) -> Result<Vec<String>, Error> {
    let mut statement = connection.prepare(
        "SELECT tbl_name, sql FROM main.sqlite_schema WHERE type = ? AND sql IS NOT NULL",
    )?;
    let rows = statement.query_map([kind], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
    })?;
    let mut definitions = Vec::new();
    for row in rows {
        let (table, sql) = row?;
        if TABLES.contains(&table.as_str()) {
            let sql = sql.replacen("CREATE TABLE ", "CREATE TEMP TABLE ", 1);
            let index = "CREATE INDEX IF NOT EXISTS temp.";
            definitions.push(sql.replacen("CREATE INDEX ", index, 1));
        }
    }
    Ok(definitions)
}

/// What is written is there for good, as far as a draft is: its connection is free for what comes next.
pub(super) fn settle(connection: &Connection) -> Result<(), Error> {
    if !connection.is_autocommit() {
        connection.execute_batch("COMMIT")?;
    }
    connection.pragma_update(None, "ignore_check_constraints", false)?;
    Ok(())
}

/// Where in the store a draft's campaign goes, and what its numbers are counted on from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shift {
    /// The campaign's id.
    pub(super) campaign: i64,
    /// The last message's id.
    pub(super) messages: i64,
    /// The last place in the order of sending.
    pub(super) numbers: i64,
    /// The last batch's number.
    pub(super) batches: i64,
}

/// Copies what a campaign's draft holds beside the campaign itself.
pub(super) fn copy_into(connection: &Connection, shift: &Shift) -> Result<(), Error> {
    for table in TABLES {
        if !CAMPAIGN.contains(&table) {
            copy(connection, table, shift)?;
        }
    }
    Ok(())
}

/// Copies all that a draft has in a table.
pub(super) fn copy(connection: &Connection, table: &str, shift: &Shift) -> Result<(), Error> {
    connection.execute(&copying(connection, table, shift, |_| None)?, [])?;
    Ok(())
}

/// What copies a table, where some columns may get other values than those of the draft.
pub(super) fn copying(
    connection: &Connection,
    table: &str,
    shift: &Shift,
    other: impl Fn(&str) -> Option<String>,
) -> Result<String, Error> {
    let Shift {
        campaign,
        messages,
        numbers,
        batches,
    } = shift;
    let mut statement = connection.prepare("SELECT name FROM pragma_table_info(?, 'main')")?;
    let names = statement.query_map([table], |row| row.get(0))?;
    let columns: Vec<String> = names.collect::<Result<_, _>>()?;
    let value = |column: &String| match (table, column.as_str()) {
        ("campaign", "id") | (_, "campaign") => campaign.to_string(),
        ("message", "id") | ("recipient", "message") => format!("{column} + {messages}"),
        ("message", "number") => format!("{column} + {numbers}"),
        ("batch", "number") | ("message", "batch") => format!("{column} + {batches}"),
        _ => column.clone(),
    };
    let values = columns
        .iter()
        .map(|column| other(column).unwrap_or_else(|| value(column)));
    // The content of a file may be there for another campaign's sake.
    Ok(format!(
        "INSERT {} INTO main.{table} ({}) SELECT {} FROM temp.{table}",
        if table == "content" { "OR IGNORE" } else { "" },
        columns.join(", "),
        values.collect::<Vec<_>>().join(", ")
    ))
}
