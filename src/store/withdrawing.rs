//! Taking recipients out of messages that are still to go.
//!
//! A message that is claimed or handing over belongs to the process that has it in hand: to take anybody out of
//! one is refused as an illegal transition, so whoever calls leaves those out. The others of a shared message
//! go as planned; a message with nobody left is cancelled.

use rusqlite::{Connection, params};

use super::finishing::state_of;
use super::{Error, past};
use crate::delivery::{Event, RecipientState};

/// A recipient who is taken out of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Leaving {
    /// The message.
    pub(super) message: i64,
    /// Their row.
    pub(super) row: u64,
    /// Why, for the report; none leaves the server's last words there.
    pub(super) reply: Option<String>,
}

/// What becomes of those who are taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// They are not to be written to. They have no message any more.
    Suppressed,
    /// A person has dropped them.
    Cancelled,
}

impl Fate {
    fn state(self) -> RecipientState {
        match self {
            Self::Suppressed => RecipientState::Suppressed,
            Self::Cancelled => RecipientState::Cancelled,
        }
    }
}

/// Takes recipients who are pending or deferred out of their messages; how many were.
///
/// # Errors
/// [`Error::Illegal`] when somebody has one of the messages in hand.
pub(super) fn take_out(
    connection: &Connection,
    campaign: i64,
    mut leaving: Vec<Leaving>,
    fate: Fate,
) -> Result<u64, Error> {
    leaving.sort_unstable_by_key(|one| (one.message, one.row));
    let mut taken = 0;
    for of_message in leaving.chunk_by(|one, two| one.message == two.message) {
        if let Some(Leaving { message, .. }) = of_message.first() {
            taken += take_out_of(connection, campaign, *message, of_message, fate)?;
        }
    }
    Ok(taken)
}

fn take_out_of(
    connection: &Connection,
    campaign: i64,
    message: i64,
    leaving: &[Leaving],
    fate: Fate,
) -> Result<u64, Error> {
    let cancelled = state_of(connection, message)?.after(Event::Cancel)?;
    if fate == Fate::Suppressed {
        // Who has no message is no longer a part of its batch.
        connection
            .prepare_cached(
                "UPDATE batch SET recipients = max(0, recipients - ?1)
                 WHERE campaign = ?2 AND number = (SELECT batch FROM message WHERE id = ?3)",
            )?
            .execute(params![leaving.len() as u64, campaign, message])?;
    }
    let mut statement = connection.prepare_cached(
        "UPDATE recipient SET state = ?1, reply = coalesce(?2, reply),
             message = CASE WHEN ?1 = 'suppressed' THEN NULL ELSE message END, since = NULL
         WHERE campaign = ?3 AND row = ?4 AND message = ?5 AND state IN ('pending', 'deferred')",
    )?;
    let mut taken = 0;
    for one in leaving {
        let state = fate.state().as_str();
        past::keep(connection, (campaign, one.row), None)?;
        taken += statement.execute(params![state, one.reply, campaign, one.row, message])? as u64;
    }
    let left: u64 = connection
        .prepare_cached(
            "SELECT count(*) FROM recipient WHERE message = ? AND state IN ('pending', 'deferred')",
        )?
        .query_row([message], |row| row.get(0))?;
    if left == 0 {
        connection
            .prepare_cached("UPDATE message SET state = ?, due_at = NULL WHERE id = ?")?
            .execute(params![cancelled.as_str(), message])?;
        // Nor is a message that nobody is in.
        connection
            .prepare_cached(
                "UPDATE batch SET messages = max(0, messages - 1)
                 WHERE campaign = ?1 AND number = (SELECT batch FROM message WHERE id = ?2)
                 AND NOT EXISTS (SELECT 1 FROM recipient WHERE message = ?2)",
            )?
            .execute(params![campaign, message])?;
        return Ok(taken);
    }
    // Which of those left are external is not known here: as many as can be. The sender knows when it hands
    // the message over.
    connection
        .prepare_cached(
            "UPDATE message SET recipients = max(recipients - ?1, ?2),
                 external = min(external, max(recipients - ?1, ?2)) WHERE id = ?3",
        )?
        .execute(params![taken, left, message])?;
    Ok(taken)
}
