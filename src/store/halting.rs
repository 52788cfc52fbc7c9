//! Stopping a campaign from outside the process that sends it, and lifting that again.
//!
//! A halt is one row's two columns. Whoever claims a message looks at them in the same transaction, so
//! that after a halt is on disk no message is begun: what was claimed before it still goes.

use std::path::Path;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};

use super::history::{self, Deed, Happening};
use super::{Error, Halt, Store, line, to_timestamp};

/// The word that stands against sending the campaign, if there is one.
pub(super) fn halt_of(connection: &Connection, campaign: i64) -> Result<Option<Halt>, Error> {
    let row = connection
        .prepare_cached(
            "SELECT halted_at, halted_by FROM campaign WHERE id = ? AND halted_at IS NOT NULL",
        )?
        .query_row([campaign], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, Option<String>>(1)?))
        })
        .optional()?;
    row.map(|(at, by)| {
        Ok(Halt {
            at: to_timestamp(at)?,
            by: by.unwrap_or_default(),
        })
    })
    .transpose()
}

/// The same while something is left that it keeps back. A campaign of which all is done or in hand comes to
/// its end, halted or not.
pub(super) fn in_force(connection: &Connection, campaign: i64) -> Result<Option<Halt>, Error> {
    let halt = halt_of(connection, campaign)?;
    Ok(match halt {
        Some(halt) if line::is_unfinished(connection, campaign)? => Some(halt),
        _ => None,
    })
}

impl Store {
    /// The word that stands against sending the campaign, if there is one.
    pub fn halt_of(&self, campaign: i64) -> Result<Option<Halt>, Error> {
        halt_of(&self.connection, campaign)
    }

    /// The name of the campaign that was last planned from this folder, its links resolved.
    pub fn planned_from(&self, folder: &Path) -> Result<Option<String>, Error> {
        let folder = folder.to_string_lossy();
        Ok(self
            .connection
            .prepare_cached("SELECT name FROM campaign WHERE folder = ? ORDER BY planned_at DESC, id DESC LIMIT 1")?
            .query_row([folder], |row| row.get(0))
            .optional()?)
    }

    /// How many messages are in hand, so that they go whatever is asked for: with a sender at work, or left by one that
    /// is gone.
    pub fn in_hand(&self, campaign: i64) -> Result<u64, Error> {
        Ok(self.connection.query_row(
            // What was claimed ahead of its turn is given back; what is being offered goes.
            "SELECT max(count(*) FILTER (WHERE state = 'handing_over'), min(count(*), 1))
             FROM message WHERE campaign = ? AND state IN ('claimed', 'handing_over')",
            [campaign],
            |row| row.get(0),
        )?)
    }

    /// Lets nothing more of the campaign go. Returns the halt that was there already, which stays as it was.
    ///
    /// # Errors
    /// [`Error::Elsewhere`] when this store is not at home: it would stop nobody.
    pub fn halt(&mut self, campaign: i64, halt: &Halt) -> Result<Option<Halt>, Error> {
        self.come_home()?;
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let before = halt_of(&transaction, campaign)?;
        if before.is_none() {
            transaction.execute(
                "UPDATE campaign SET halted_at = ?, halted_by = ? WHERE id = ?",
                params![halt.at.as_millisecond(), halt.by, campaign],
            )?;
            let happening = Happening {
                by: Some(halt.by.clone()),
                ..Happening::new(halt.at, Deed::Halted)
            };
            history::note(&transaction, campaign, &happening)?;
        }
        transaction.commit()?;
        Ok(before)
    }

    /// Lifts a halt; returns it, or none when there was none.
    ///
    /// # Errors
    /// [`Error::Elsewhere`] when this store is not at home.
    pub fn resume(
        &mut self,
        campaign: i64,
        by: &str,
        now: Timestamp,
    ) -> Result<Option<Halt>, Error> {
        self.come_home()?;
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let before = halt_of(&transaction, campaign)?;
        if before.is_some() {
            transaction.execute(
                "UPDATE campaign SET halted_at = NULL, halted_by = NULL WHERE id = ?",
                [campaign],
            )?;
            let happening = Happening {
                by: Some(by.to_owned()),
                ..Happening::new(now, Deed::Resumed)
            };
            history::note(&transaction, campaign, &happening)?;
        }
        transaction.commit()?;
        Ok(before)
    }
}
