//! The ledger: what each mailbox has handed over and when. Rules are judged from it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, Params, params};

use super::Error;
use super::reckoning::{Reckoning, Stamp, columns, reading};
use crate::clock::Reading;
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

/// What [`entries`] reads.
const COLUMNS: &str =
    "SELECT id, recipients, external, stamped_at, boot, steady, seen_at, seen_boot, seen_steady
     FROM ledger WHERE mailbox = ?1";

/// The entries that meet a condition, their times as `reckoning` has them.
fn entries(
    connection: &Connection,
    condition: &str,
    params: impl Params,
    reckoning: &Reckoning,
    now: &Reading,
) -> Result<Vec<Entry>, Error> {
    let mut statement = connection.prepare_cached(&format!("{COLUMNS} AND {condition}"))?;
    let mut rows = statement.query(params)?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        let made = reading(row.get(3)?, row.get(4)?, row.get(5)?)?;
        let seen = reading(row.get(6)?, row.get(7)?, row.get(8)?)?;
        let stamp = made.map(|made| Stamp { made, seen });
        entries.push(Entry {
            id: row.get(0)?,
            stamped_at: stamp.map(|stamp| reckoning.of(&stamp, now)),
            weight: Weight {
                recipients: row.get(1)?,
                external: row.get(2)?,
            },
        });
    }
    Ok(entries)
}

/// Every entry of the mailbox that was stamped within `longest` before now, in order of time, then the
/// reservations.
pub(super) fn within(
    connection: &Connection,
    mailbox: &str,
    longest: Duration,
    reckoning: &Reckoning,
    now: &Reading,
) -> Result<Vec<Entry>, Error> {
    let longest = SignedDuration::try_from(longest).unwrap_or(SignedDuration::MAX);
    let since = now.wall.saturating_sub(longest).unwrap_or(Timestamp::MIN);
    let (boot, at) = columns(now);
    let since_steadily = at.map(|at| at.saturating_sub(longest.as_millis() as i64));
    let mut all = entries(
        connection,
        "boot = ?2 AND steady > ?3",
        params![mailbox, boot, since_steadily],
        reckoning,
        now,
    )?;
    all.extend(entries(
        connection,
        "stamped_at > ?3 AND (?2 IS NULL OR boot IS NOT ?2)",
        params![mailbox, boot, since.as_millisecond()],
        reckoning,
        now,
    )?);
    all.sort_by_key(|entry| (entry.stamped_at, entry.id));
    all.extend(reserved(connection, mailbox, reckoning, now)?);
    Ok(all)
}

/// What is reserved and has no stamp yet.
pub(super) fn reserved(
    connection: &Connection,
    mailbox: &str,
    reckoning: &Reckoning,
    now: &Reading,
) -> Result<Vec<Entry>, Error> {
    entries(
        connection,
        "stamped_at IS NULL ORDER BY id",
        [mailbox],
        reckoning,
        now,
    )
}

/// The entries that were stamped after the stamp with this number, in the order in which they were written.
pub(super) fn stamped_after(
    connection: &Connection,
    mailbox: &str,
    sequence: i64,
    reckoning: &Reckoning,
    now: &Reading,
) -> Result<Vec<Entry>, Error> {
    entries(
        connection,
        "sequence > ?2 ORDER BY sequence",
        params![mailbox, sequence],
        reckoning,
        now,
    )
}

/// The number of the mailbox's last stamp; 0 when there is none.
pub(super) fn last_sequence(connection: &Connection, mailbox: &str) -> Result<i64, Error> {
    Ok(connection
        .prepare_cached("SELECT coalesce(max(sequence), 0) FROM ledger WHERE mailbox = ? AND sequence IS NOT NULL")?
        .query_row([mailbox], |row| row.get(0))?)
}

/// Takes a share, for an attempt or for a message of no campaign; the entry's id.
pub(super) fn reserve(
    connection: &Connection,
    mailbox: &str,
    attempt: Option<i64>,
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

/// The entry that an attempt under way has.
pub(super) fn entry_of(connection: &Connection, attempt: i64) -> Result<i64, Error> {
    Ok(connection
        .prepare_cached("SELECT id FROM ledger WHERE attempt = ? AND stamped_at IS NULL")?
        .query_row([attempt], |row| row.get(0))?)
}

/// What has no verdict may still be on its way to the server, or wait there to be taken, when its sender
/// has gone: it counts from so much later on.
pub(super) const ON_ITS_WAY: SignedDuration = SignedDuration::from_mins(1);

/// What was reserved may have been handed over, at the latest at the time that is returned.
pub(super) fn stamp_in_doubt(
    connection: &Connection,
    entry: i64,
    at: Reading,
) -> Result<Reading, Error> {
    let latest = at.later(ON_ITS_WAY);
    stamp(connection, entry, latest)?;
    Ok(latest)
}

/// What was reserved has been handed over.
pub(super) fn stamp(connection: &Connection, entry: i64, at: Reading) -> Result<(), Error> {
    let (boot, steady) = columns(&at);
    connection
        .prepare_cached(
            "UPDATE ledger SET stamped_at = ?, boot = ?, steady = ?, sequence = 1 + coalesce(
                 (SELECT max(l.sequence) FROM ledger l WHERE l.mailbox = ledger.mailbox AND l.sequence IS NOT NULL), 0)
             WHERE id = ? AND stamped_at IS NULL",
        )?
        .execute(params![at.wall.as_millisecond(), boot, steady, entry])?;
    Ok(())
}

/// The entries without a stamp of messages of no campaign, with their mailboxes.
pub(super) fn open_singles(connection: &Connection) -> Result<Vec<(i64, String)>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT id, mailbox FROM ledger WHERE attempt IS NULL AND stamped_at IS NULL",
    )?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What was reserved was never handed over.
pub(super) fn release(connection: &Connection, entry: i64) -> Result<(), Error> {
    connection
        .prepare_cached("DELETE FROM ledger WHERE id = ? AND stamped_at IS NULL")?
        .execute([entry])?;
    Ok(())
}

/// What will be handed over is less than was reserved: some recipients were refused at RCPT.
pub(super) fn shrink(connection: &Connection, entry: i64, weight: Weight) -> Result<(), Error> {
    connection
        .prepare_cached(
            "UPDATE ledger SET recipients = ?, external = ? WHERE id = ? AND stamped_at IS NULL",
        )?
        .execute(params![weight.recipients, weight.external, entry])?;
    Ok(())
}
