//! Pauses that a provider asked for: they hold for a mailbox over restarts, campaigns and processes.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::{Error, Store, to_timestamp};

/// A mailbox that may not send for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Until when.
    pub until: Timestamp,
    /// The provider's words.
    pub reply: String,
    /// How often in a row it said that a cap is reached, with nothing taken in between.
    pub refusals: u32,
}

pub(super) fn of(connection: &Connection, mailbox: &str) -> Result<Option<Hold>, Error> {
    let row = connection
        .prepare_cached("SELECT until, reply, refusals FROM hold WHERE mailbox = ?")?
        .query_row([mailbox], |row| {
            Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get::<_, u32>(2)?))
        })
        .optional()?;
    row.map(|(until, reply, refusals)| {
        Ok(Hold {
            until: to_timestamp(until)?,
            reply,
            refusals: refusals.saturating_sub(1),
        })
    })
    .transpose()
}

pub(super) fn set(connection: &Connection, mailbox: &str, hold: &Hold) -> Result<(), Error> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO hold (mailbox, until, reply, refusals) VALUES (?, ?, ?, ?)",
        )?
        .execute(params![
            mailbox,
            hold.until.as_millisecond(),
            hold.reply,
            // The column takes no zero, which is what a mere slow-down has.
            hold.refusals.saturating_add(1)
        ])?;
    Ok(())
}

pub(super) fn lift(connection: &Connection, mailbox: &str) -> Result<(), Error> {
    connection
        .prepare_cached("DELETE FROM hold WHERE mailbox = ?")?
        .execute([mailbox])?;
    Ok(())
}

impl Store {
    /// The pause that the mailbox's provider last asked for, over or not; none once mail was taken again.
    pub fn hold(&self, mailbox: &str) -> Result<Option<Hold>, Error> {
        of(&self.connection, mailbox)
    }
}
