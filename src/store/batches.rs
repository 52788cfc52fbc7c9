//! The plan's batches with how far each is, and what is still to go.

use jiff::Timestamp;

use super::{Error, Store, to_optional_timestamp, to_timestamp};
use crate::limits::Weight;

/// A message that is still to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remaining {
    /// What it takes from the rules.
    pub weight: Weight,
    /// When it is due, if it was put off.
    pub due_at: Option<Timestamp>,
    /// How many of its recipients are of the list.
    pub listed: u64,
    /// When it was to go by the plan, where several share it and nobody has tried it.
    pub planned: Option<Timestamp>,
}

/// A batch and how far it is.
#[derive(Debug, Clone)]
pub struct BatchProgress {
    /// From 1.
    pub number: u64,
    /// The account that sends it.
    pub account: String,
    /// The day in the campaign's time zone.
    pub date: String,
    /// When its first message may go.
    pub starts_at: Timestamp,
    /// When its last message goes.
    pub ends_at: Timestamp,
    /// How many messages it has.
    pub messages: u64,
    /// How many listed recipients they have.
    pub recipients: u64,
    /// How many of those are settled: sent, refused or cancelled.
    pub settled: u64,
}

impl Store {
    /// Calls `each` with what every message that is still to go takes from the rules, in their order;
    /// those that were put off come with the time at which they are due. What is in hand is in the ledger.
    pub fn remaining(&self, campaign: i64, mut each: impl FnMut(Remaining)) -> Result<(), Error> {
        let mut statement = self.connection.prepare(
            "SELECT m.recipients, external, due_at, (SELECT count(*) FROM recipient r WHERE r.message = m.id),
                    CASE WHEN shared = 1 AND attempts = 0 THEN b.ends_at END
             FROM message m LEFT JOIN batch b ON b.campaign = m.campaign AND b.number = m.batch
             WHERE m.campaign = ? AND state IN ('pending', 'deferred') ORDER BY m.number",
        )?;
        let mut rows = statement.query([campaign])?;
        while let Some(row) = rows.next()? {
            each(Remaining {
                weight: Weight {
                    recipients: row.get(0)?,
                    external: row.get(1)?,
                },
                due_at: to_optional_timestamp(row.get(2)?)?,
                listed: row.get(3)?,
                planned: to_optional_timestamp(row.get(4)?)?,
            });
        }
        Ok(())
    }

    /// The batches and how far each is.
    pub fn batches(&self, campaign: i64) -> Result<Vec<BatchProgress>, Error> {
        let mut statement = self.connection.prepare(
            "SELECT number, account, date, starts_at, ends_at, messages, recipients, coalesce(settled, 0)
             FROM batch LEFT JOIN
                 (SELECT m.batch AS number, count(*) AS settled FROM recipient r JOIN message m ON m.id = r.message
                  WHERE r.campaign = ?1 AND r.state IN ('sent', 'refused', 'cancelled') GROUP BY m.batch)
                 USING (number)
             WHERE campaign = ?1 ORDER BY number",
        )?;
        let mut rows = statement.query([campaign])?;
        let mut batches = Vec::new();
        while let Some(row) = rows.next()? {
            batches.push(BatchProgress {
                number: row.get(0)?,
                account: row.get(1)?,
                date: row.get(2)?,
                starts_at: to_timestamp(row.get(3)?)?,
                ends_at: to_timestamp(row.get(4)?)?,
                messages: row.get(5)?,
                recipients: row.get(6)?,
                settled: row.get(7)?,
            });
        }
        Ok(batches)
    }
}
