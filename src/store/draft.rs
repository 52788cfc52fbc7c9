//! A draft: what a plan writes, before it is one.
//!
//! Proving a long list takes minutes, and a transaction of that length on the store's file would hold up
//! whoever sends a campaign. So a plan is written into temporary tables of a connection of its
//! own, which hide those of the store under the same names, and copied into the store in one
//! transaction in the end. SQLite keeps temporary tables in a file that its owner alone can read and that
//! has no name; it is gone with the connection.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::history::{self, Deed, Happening};
use super::{Error, Store, tally, to_timestamp};

/// The tables that a plan is written into, in the order in which they refer to each other.
const TABLES: [&str; 10] = [
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
const CAMPAIGN: [&str; 2] = ["campaign", "campaign_account"];

/// Opens a draft beside what is in the store.
pub(super) fn open(path: &Path) -> Result<Connection, Error> {
    let connection = Store::open(path)?.connection;
    // A draft refers to nothing outside it, and by its own words to nothing that is missing.
    connection.pragma_update(None, "foreign_keys", false)?;
    for sql in definitions(&connection)? {
        connection.execute_batch(&sql)?;
    }
    connection.execute_batch("BEGIN")?;
    Ok(connection)
}

/// The tables and their indices as the store has them, made temporary.
fn definitions(connection: &Connection) -> Result<Vec<String>, Error> {
    let mut statement = connection.prepare(
        "SELECT tbl_name, sql FROM main.sqlite_schema
         WHERE type IN ('table', 'index') AND sql IS NOT NULL ORDER BY type DESC",
    )?;
    let rows = statement.query_map([], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
    })?;
    let mut definitions = Vec::new();
    for row in rows {
        let (table, sql) = row?;
        if TABLES.contains(&table.as_str()) {
            let sql = sql.replacen("CREATE TABLE ", "CREATE TEMP TABLE ", 1);
            definitions.push(sql.replacen("CREATE INDEX ", "CREATE INDEX temp.", 1));
        }
    }
    Ok(definitions)
}

/// Copies the draft of the one campaign that it holds into the store, all of it or nothing; the
/// campaign's id there.
///
/// # Errors
/// [`Error::PlannedMeanwhile`] when there is a campaign of its name by now.
pub(super) fn publish(connection: &mut Connection) -> Result<i64, Error> {
    settle(connection)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let taken = "SELECT name FROM temp.campaign WHERE name IN (SELECT name FROM main.campaign)";
    let mut names = transaction.prepare(taken)?;
    if let Some(row) = names.query([])?.next()? {
        return Err(Error::PlannedMeanwhile(row.get(0)?));
    }
    drop(names);
    let after = |table: &str| -> Result<i64, Error> {
        let sql = format!("SELECT coalesce(max(id), 0) FROM main.{table}");
        Ok(transaction.query_row(&sql, [], |row| row.get(0))?)
    };
    let shift = Shift {
        campaign: after("campaign")? + 1,
        messages: after("message")?,
        numbers: 0,
        batches: 0,
    };
    let campaign = shift.campaign;
    for table in CAMPAIGN {
        copy(&transaction, table, &shift)?;
    }
    copy_into(&transaction, &shift)?;
    tally::begin(&transaction, campaign)?;
    let planned_at = "SELECT planned_at FROM main.campaign WHERE id = ?";
    let planned_at = transaction.query_row(planned_at, [campaign], |row| row.get(0))?;
    let planned = Happening::new(to_timestamp(planned_at)?, Deed::Planned);
    history::note(&transaction, campaign, &planned)?;
    transaction.commit()?;
    Ok(campaign)
}

/// What is written is there for good, as far as a draft is: its connection is free for what comes next.
pub(super) fn settle(connection: &Connection) -> Result<(), Error> {
    if !connection.is_autocommit() {
        connection.execute_batch("COMMIT")?;
    }
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

fn copy(connection: &Connection, table: &str, shift: &Shift) -> Result<(), Error> {
    let Shift {
        campaign,
        messages,
        numbers,
        batches,
    } = shift;
    let mut statement = connection.prepare("SELECT name FROM pragma_table_info(?, 'main')")?;
    let names = statement.query_map([table], |row| row.get(0))?;
    let columns: Vec<String> = names.collect::<Result<_, _>>()?;
    let values: Vec<String> = columns
        .iter()
        .map(|column| match (table, column.as_str()) {
            ("campaign", "id") | (_, "campaign") => campaign.to_string(),
            ("message", "id") | ("recipient", "message") => format!("{column} + {messages}"),
            ("message", "number") => format!("{column} + {numbers}"),
            ("batch", "number") | ("message", "batch") => format!("{column} + {batches}"),
            _ => column.clone(),
        })
        .collect();
    // The content of a file may be there for another campaign's sake.
    connection.execute(
        &format!(
            "INSERT {} INTO main.{table} ({}) SELECT {} FROM temp.{table}",
            if table == "content" { "OR IGNORE" } else { "" },
            columns.join(", "),
            values.join(", ")
        ),
        [],
    )?;
    Ok(())
}
