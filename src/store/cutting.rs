//! Cutting a shared message when it is claimed: a window that others have used since it was planned has no room
//! for all of it, or a limit was lowered.

use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::{Error, to_optional_timestamp};
use crate::limits::Shared;

/// Makes Message-IDs, with their angle brackets; none when it cannot, and nothing is cut then.
#[derive(Clone)]
pub struct MessageIds(Arc<dyn Fn() -> Option<String> + Send + Sync>);

impl MessageIds {
    /// By this function.
    pub fn by(make: impl Fn() -> Option<String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(make))
    }

    pub(super) fn next(&self) -> Option<String> {
        (self.0)()
    }
}

impl Default for MessageIds {
    fn default() -> Self {
        Self::by(|| None)
    }
}

impl std::fmt::Debug for MessageIds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MessageIds")
    }
}

/// A part of a shared message that may go, in a message of its own.
#[derive(Debug, Clone)]
pub(super) struct Part {
    /// What it is cut from.
    pub(super) shared: Shared,
    /// How many of the list are in it.
    pub(super) kept: u64,
    /// Its Message-ID.
    pub(super) message_id: String,
}

/// How many of the list share a message that was never tried, and when it was to go by the plan; none for a
/// message that is not to be cut.
pub(super) fn sharers(
    connection: &Connection,
    message: i64,
) -> Result<Option<(u64, Option<Timestamp>)>, Error> {
    let found: Option<(u64, Option<i64>)> = connection
        .prepare_cached(
            "SELECT (SELECT count(*) FROM recipient r WHERE r.message = m.id AND r.state = 'pending'), b.ends_at
             FROM message m LEFT JOIN batch b ON b.campaign = m.campaign AND b.number = m.batch
             WHERE m.id = ? AND m.shared = 1 AND m.attempts = 0 AND m.state = 'pending'",
        )?
        .query_row([message], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    found
        .filter(|(listed, _)| *listed > 1)
        .map(|(listed, ends_at)| Ok((listed, to_optional_timestamp(ends_at)?)))
        .transpose()
}

/// Puts the first of the list into a message of their own, which goes now: its id and number. The others
/// keep their place in the order of sending.
pub(super) fn cut_off(
    connection: &Connection,
    message: i64,
    part: &Part,
) -> Result<(i64, u64), Error> {
    let Part {
        shared,
        kept,
        message_id,
    } = part;
    let (part, rest) = (shared.part(*kept), shared.part(shared.listed - kept));
    let number = connection
        .prepare_cached(
            "INSERT INTO message (campaign, edition, number, batch, lane, shared, message_id, digest, recipients, external,
                                  copies)
             SELECT campaign, edition, (SELECT max(number) + 1 FROM message WHERE campaign = m.campaign), batch, lane, shared,
                    ?, digest, ?, ?, copies FROM message m WHERE id = ? RETURNING number",
        )?
        .query_row(
            params![message_id, part.recipients, part.external, message],
            |row| row.get(0),
        )?;
    let id = connection.last_insert_rowid();
    connection
        .prepare_cached(
            "UPDATE recipient SET message = ?1
             WHERE campaign = (SELECT campaign FROM message WHERE id = ?2) AND message = ?2 AND row IN
                 (SELECT row FROM recipient WHERE message = ?2 AND state = 'pending' ORDER BY row LIMIT ?3)",
        )?
        .execute(params![id, message, kept])?;
    connection
        .prepare_cached("UPDATE message SET recipients = ?, external = ? WHERE id = ?")?
        .execute(params![rest.recipients, rest.external, message])?;
    Ok((id, number))
}
