//! What there is of a campaign, without counting it.
//!
//! The schema's triggers keep two tables up in the same transactions that change messages and recipients,
//! whoever does that: a campaign of a million recipients is told as fast as one of ten. Where a plan is copied
//! in they stand aside, and it is counted once.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{Counts, Error, Store, to_optional_timestamp};
use crate::delivery::{MessageState, RecipientState};

/// The campaign is about to be dropped as a whole: there is nothing to count down.
pub(super) fn end(connection: &Connection, campaign: i64) -> Result<(), Error> {
    connection.execute("DELETE FROM tallied WHERE campaign = ?", [campaign])?;
    Ok(())
}

impl Store {
    /// Recipients by outcome.
    pub fn recipient_counts(&self, campaign: i64) -> Result<Counts, Error> {
        self.counts(
            "SELECT state, sum(recipients) FROM recipient_tally WHERE campaign = ? GROUP BY state",
            campaign,
            RecipientState::from_name,
        )
    }

    /// Messages by outcome; those in hand are pending. One that nobody is in any more, because they were withdrawn or
    /// go on in another, is none: there are never more messages than recipients.
    pub fn message_counts(&self, campaign: i64) -> Result<Counts, Error> {
        self.counts(
            "SELECT state, sum(messages) FROM message_tally WHERE campaign = ? GROUP BY state",
            campaign,
            |name| match name {
                "in_hand" => Some(RecipientState::Pending),
                name => MessageState::from_name(name).map(MessageState::of_recipients),
            },
        )
    }

    /// What has become of the recipients of each batch.
    pub(super) fn outcomes_by_batch(&self, campaign: i64) -> Result<BTreeMap<u64, Counts>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT batch, state, recipients FROM recipient_tally WHERE campaign = ?",
        )?;
        let mut rows = statement.query([campaign])?;
        let mut batches: BTreeMap<u64, Counts> = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let name: String = row.get(1)?;
            let state = RecipientState::from_name(&name).ok_or(Error::Corrupt(name))?;
            batches
                .entry(row.get(0)?)
                .or_default()
                .add(state, row.get(2)?);
        }
        Ok(batches)
    }

    fn counts(
        &self,
        sql: &str,
        campaign: i64,
        state_of: impl Fn(&str) -> Option<RecipientState>,
    ) -> Result<Counts, Error> {
        let mut counts = Counts::default();
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([campaign])?;
        while let Some(row) = rows.next()? {
            let name: String = row.get(0)?;
            let state = state_of(&name).ok_or(Error::Corrupt(name))?;
            counts.add(state, row.get(1)?);
        }
        Ok(counts)
    }

    /// When something of the campaign was last tried.
    pub fn last_tried(&self, campaign: i64) -> Result<Option<Timestamp>, Error> {
        let tried = self
            .connection
            .prepare_cached("SELECT tried_at FROM tallied WHERE campaign = ?")?
            .query_row(params![campaign], |row| row.get(0))
            .optional()?;
        to_optional_timestamp(tried.flatten())
    }
}
