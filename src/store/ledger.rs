//! The ledger: what each mailbox has handed over and when. Rules are judged from it.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, params};

use super::{Error, Store, to_optional_timestamp};
use crate::limits::Weight;

/// An entry of the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Grows with every entry.
    pub id: i64,
    /// When it was handed over; none while it is only reserved.
    pub stamped_at: Option<Timestamp>,
    /// What it takes from the rules.
    pub weight: Weight,
}

fn entry(row: &rusqlite::Row<'_>) -> rusqlite::Result<(i64, Option<i64>, u64, u64)> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
}

fn entries(
    connection: &Connection,
    sql: &str,
    mailbox: &str,
    bound: i64,
) -> Result<Vec<Entry>, Error> {
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map(params![mailbox, bound], entry)?;
    rows.map(|row| {
        let (id, stamped_at, recipients, external) = row?;
        Ok(Entry {
            id,
            stamped_at: to_optional_timestamp(stamped_at)?,
            weight: Weight {
                recipients,
                external,
            },
        })
    })
    .collect()
}

/// Every entry of the mailbox that was stamped after `since`, in order of time, then the reservations.
pub(super) fn since(
    connection: &Connection,
    mailbox: &str,
    since: Timestamp,
) -> Result<Vec<Entry>, Error> {
    let mut all = entries(
        connection,
        "SELECT id, stamped_at, recipients, external FROM ledger
         WHERE mailbox = ? AND stamped_at > ? ORDER BY stamped_at, id",
        mailbox,
        since.as_millisecond(),
    )?;
    all.extend(reserved(connection, mailbox)?);
    Ok(all)
}

/// What is reserved and has no stamp yet.
pub(super) fn reserved(connection: &Connection, mailbox: &str) -> Result<Vec<Entry>, Error> {
    entries(
        connection,
        "SELECT id, stamped_at, recipients, external FROM ledger
         WHERE mailbox = ? AND stamped_at IS NULL AND id > ? ORDER BY id",
        mailbox,
        0,
    )
}

/// The entries that were stamped after the stamp with this number, in the order in which they were written.
pub(super) fn stamped_after(
    connection: &Connection,
    mailbox: &str,
    sequence: i64,
) -> Result<Vec<Entry>, Error> {
    entries(
        connection,
        "SELECT id, stamped_at, recipients, external FROM ledger
         WHERE mailbox = ? AND sequence > ? ORDER BY sequence",
        mailbox,
        sequence,
    )
}

/// The number of the mailbox's last stamp; 0 when there is none.
pub(super) fn last_sequence(connection: &Connection, mailbox: &str) -> Result<i64, Error> {
    Ok(connection
        .prepare_cached("SELECT coalesce(max(sequence), 0) FROM ledger WHERE mailbox = ?")?
        .query_row([mailbox], |row| row.get(0))?)
}

/// Stamps further ahead of `now` than `by` become `now`: the clock was wrong when they were made. Whenever
/// that was, it was not later than now, so they still count in full.
pub(super) fn set_back(
    connection: &Connection,
    mailbox: &str,
    now: Timestamp,
    by: SignedDuration,
) -> Result<(), Error> {
    let bound = now.saturating_add(by).unwrap_or(Timestamp::MAX);
    connection
        .prepare_cached("UPDATE ledger SET stamped_at = ? WHERE mailbox = ? AND stamped_at > ?")?
        .execute(params![
            now.as_millisecond(),
            mailbox,
            bound.as_millisecond()
        ])?;
    Ok(())
}

/// Takes a share; the entry's id.
pub(super) fn reserve(
    connection: &Connection,
    mailbox: &str,
    attempt: i64,
    weight: Weight,
) -> Result<i64, Error> {
    connection
        .prepare_cached(
            "INSERT INTO ledger (mailbox, attempt, recipients, external) VALUES (?, ?, ?, ?)",
        )?
        .execute(params![
            mailbox,
            attempt,
            weight.recipients,
            weight.external
        ])?;
    Ok(connection.last_insert_rowid())
}

/// What has no verdict may still be on its way to the server, or wait there to be taken, when its sender
/// has gone: it counts from so much later on.
const ON_ITS_WAY: SignedDuration = SignedDuration::from_mins(1);

/// What was reserved may have been handed over, at the latest at the time that is returned.
pub(super) fn stamp_in_doubt(
    connection: &Connection,
    attempt: i64,
    at: Timestamp,
) -> Result<Timestamp, Error> {
    let latest = at.saturating_add(ON_ITS_WAY).unwrap_or(Timestamp::MAX);
    stamp(connection, attempt, latest)?;
    Ok(latest)
}

/// What was reserved has been handed over.
pub(super) fn stamp(connection: &Connection, attempt: i64, at: Timestamp) -> Result<(), Error> {
    connection
        .prepare_cached(
            "UPDATE ledger SET stamped_at = ?, sequence =
                 (SELECT coalesce(max(l.sequence), 0) + 1 FROM ledger l WHERE l.mailbox = ledger.mailbox)
             WHERE attempt = ? AND stamped_at IS NULL",
        )?
        .execute(params![at.as_millisecond(), attempt])?;
    Ok(())
}

/// What was reserved was never handed over.
pub(super) fn release(connection: &Connection, attempt: i64) -> Result<(), Error> {
    connection
        .prepare_cached("DELETE FROM ledger WHERE attempt = ? AND stamped_at IS NULL")?
        .execute([attempt])?;
    Ok(())
}

/// What will be handed over is less than was reserved: some recipients were refused at RCPT.
pub(super) fn shrink(connection: &Connection, attempt: i64, weight: Weight) -> Result<(), Error> {
    connection
        .prepare_cached("UPDATE ledger SET recipients = ?, external = ? WHERE attempt = ? AND stamped_at IS NULL")?
        .execute(params![weight.recipients, weight.external, attempt])?;
    Ok(())
}

impl Store {
    /// The mailbox's entries stamped after `after` and its open reservations: to fill a limiter with.
    pub fn ledger_since(&self, mailbox: &str, after: Timestamp) -> Result<Vec<Entry>, Error> {
        since(&self.connection, mailbox, after)
    }
}
