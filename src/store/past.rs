//! What concerned a person and is not told by their message: attempts of a message that they left, and attempts that
//! ended otherwise for them than for the others.
//!
//! The attempts of their message concern a person from a number on (`since`); whoever leaves it, or is out of it while
//! it goes on for the others, takes what concerned them along. So an attempt is told of everybody who was in its
//! envelope, once, whatever is done with them afterwards.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::Error;
use crate::delivery::Phase;

/// How an attempt under way ends for one of its recipients.
#[derive(Debug, Clone, Copy)]
pub(super) struct Verdict<'a> {
    /// The attempt.
    pub(super) attempt: i64,
    /// As what the store knows it.
    pub(super) outcome: &'static str,
    /// How far it came for them.
    pub(super) phase: Phase,
    /// The server's words to them.
    pub(super) reply: &'a str,
}

/// A recipient, by campaign and row.
pub(super) type Whom = (i64, u64);

/// The recipient of a message who has this address and is still to get it.
pub(super) fn whom(
    connection: &Connection,
    message: i64,
    address: &str,
) -> Result<Option<Whom>, Error> {
    Ok(connection
        .prepare_cached(
            "SELECT campaign, row FROM recipient
             WHERE message = ? AND address = ? AND state IN ('pending', 'deferred')",
        )?
        .query_row(params![message, address], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?)
}

/// Keeps what has concerned a recipient so far, before they leave their message or are out of it. The caller says
/// from which attempt on the message that they are in then concerns them.
pub(super) fn keep(
    connection: &Connection,
    (campaign, row): Whom,
    verdict: Option<Verdict<'_>>,
) -> Result<(), Error> {
    let attempt = verdict.map(|verdict| verdict.attempt);
    let outcome = verdict.map(|verdict| verdict.outcome);
    let phase = verdict.map(|verdict| verdict.phase.as_str());
    let reply = verdict.map(|verdict| verdict.reply);
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO past_attempt (campaign, key, attempt, outcome, phase, reply)
             SELECT r.campaign, r.key, t.id, iif(t.id = ?3, ?4, NULL), iif(t.id = ?3, ?5, NULL), iif(t.id = ?3, ?6, NULL)
             FROM recipient r JOIN attempt t ON t.message = r.message AND t.number >= r.since
             WHERE r.campaign = ?1 AND r.row = ?2",
        )?
        .execute(params![campaign, row, attempt, outcome, phase, reply])?;
    Ok(())
}
