//! Freezing a plan: all of it in one transaction, or nothing.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Transaction, TransactionBehavior, params};

use super::{Error, Store};

/// A campaign as it is frozen.
#[derive(Debug, Clone)]
pub struct NewCampaign<'a> {
    /// Its identity in the store.
    pub name: &'a str,
    /// Where it was planned from.
    pub folder: &'a str,
    /// The account that sends it.
    pub account: &'a str,
    /// `auto`, `shared` or `individual`.
    pub mode: &'a str,
    /// Everything but files and rows that decides its bytes, as JSON.
    pub definition: &'a str,
    /// Of all inputs.
    pub fingerprint: [u8; 32],
    /// The time zone of its batches' dates.
    pub time_zone: &'a str,
    /// When it was planned.
    pub planned_at: Timestamp,
}

/// A message as it is frozen.
#[derive(Debug, Clone)]
pub struct NewMessage<'a> {
    /// Its place in the order of sending, from 1.
    pub number: u64,
    /// With its angle brackets.
    pub message_id: &'a str,
    /// Of the rendered content.
    pub digest: [u8; 32],
    /// Envelope recipients so far, copies included.
    pub recipients: u64,
    /// Those outside the internal domains.
    pub external: u64,
}

/// A day's share of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBatch {
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
    /// The number of its first message.
    pub first_message: u64,
    /// How many messages it has.
    pub messages: u64,
    /// How many listed recipients they have.
    pub recipients: u64,
}

/// Why a row of the list became no recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// An earlier row has the same address.
    Duplicate,
    /// The row has a defect.
    Invalid,
    /// The list's filter leaves it out.
    Filtered,
}

impl Reason {
    /// The name used in the store and in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::Invalid => "invalid",
            Self::Filtered => "filtered",
        }
    }
}

/// Writes a plan. Dropping it without [`PlanWriter::commit`] leaves the store as it was.
#[derive(Debug)]
pub struct PlanWriter<'a> {
    transaction: Transaction<'a>,
    campaign: i64,
}

impl Store {
    /// Begins to freeze a plan under a name that has none yet.
    pub fn begin_plan(&mut self, new: &NewCampaign<'_>) -> Result<PlanWriter<'_>, Error> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute(
            "INSERT INTO campaign (name, folder, account, mode, definition, fingerprint, time_zone, planned_at)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                new.name,
                new.folder,
                new.account,
                new.mode,
                new.definition,
                new.fingerprint,
                new.time_zone,
                new.planned_at.as_millisecond(),
            ],
        )?;
        let campaign = transaction.last_insert_rowid();
        Ok(PlanWriter {
            transaction,
            campaign,
        })
    }

    /// Drops a plan of which nothing was attempted. False when there was an attempt: nothing changes.
    pub fn discard_plan(&mut self, campaign: i64) -> Result<bool, Error> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let attempted = transaction
            .query_row(
                "SELECT 1 FROM message WHERE campaign = ? AND attempts > 0 LIMIT 1",
                [campaign],
                |_| Ok(()),
            )
            .optional()?
            .is_some();
        if attempted {
            return Ok(false);
        }
        transaction.execute("DELETE FROM campaign WHERE id = ?", [campaign])?;
        transaction.execute(
            "DELETE FROM content WHERE hash NOT IN (SELECT hash FROM frozen_file)",
            [],
        )?;
        transaction.commit()?;
        Ok(true)
    }
}

impl PlanWriter<'_> {
    /// Freezes a file under the path by which the campaign knows it.
    pub fn file(&mut self, path: &str, bytes: &[u8]) -> Result<(), Error> {
        let hash: [u8; 32] = blake3::hash(bytes).into();
        self.transaction
            .prepare_cached("INSERT OR IGNORE INTO content (hash, bytes) VALUES (?, ?)")?
            .execute(params![hash, bytes])?;
        self.transaction
            .prepare_cached(
                "INSERT OR REPLACE INTO frozen_file (campaign, path, hash) VALUES (?, ?, ?)",
            )?
            .execute(params![self.campaign, path, hash])?;
        Ok(())
    }

    /// Adds a message; its id is for [`PlanWriter::recipient`].
    pub fn message(&mut self, new: &NewMessage<'_>) -> Result<i64, Error> {
        self.transaction
            .prepare_cached(
                "INSERT INTO message (campaign, number, shared, message_id, digest, recipients, external)
                 VALUES (?, ?, 0, ?, ?, ?, ?)",
            )?
            .execute(params![
                self.campaign,
                new.number,
                new.message_id,
                new.digest,
                new.recipients,
                new.external,
            ])?;
        Ok(self.transaction.last_insert_rowid())
    }

    /// Sets the envelope of a message that several share.
    pub fn share(&mut self, message: i64, recipients: u64, external: u64) -> Result<(), Error> {
        self.transaction
            .prepare_cached(
                "UPDATE message SET shared = 1, recipients = ?, external = ? WHERE id = ?",
            )?
            .execute(params![recipients, external, message])?;
        Ok(())
    }

    /// Adds a row that becomes a recipient of `message`.
    pub fn recipient(
        &mut self,
        row: u64,
        address: &str,
        cells: &str,
        message: i64,
    ) -> Result<(), Error> {
        self.transaction
            .prepare_cached(
                "INSERT INTO recipient (campaign, row, address, cells, message) VALUES (?, ?, ?, ?, ?)",
            )?
            .execute(params![self.campaign, row, address, cells, message])?;
        Ok(())
    }

    /// Adds a row that becomes none.
    pub fn left_out(&mut self, row: u64, address: &str, reason: Reason) -> Result<(), Error> {
        self.transaction
            .prepare_cached(
                "INSERT INTO left_out (campaign, row, address, reason) VALUES (?, ?, ?, ?)",
            )?
            .execute(params![self.campaign, row, address, reason.as_str()])?;
        Ok(())
    }

    /// Calls `each` with every message's envelope recipients, external ones among them, and recipients
    /// of the list, in the order of sending.
    pub fn weights(&self, mut each: impl FnMut(u64, u64, u64)) -> Result<(), Error> {
        let mut statement = self.transaction.prepare(
            "SELECT recipients, external, (SELECT count(*) FROM recipient r WHERE r.message = m.id)
             FROM message m WHERE campaign = ? ORDER BY number",
        )?;
        let mut rows = statement.query([self.campaign])?;
        while let Some(row) = rows.next()? {
            each(row.get(0)?, row.get(1)?, row.get(2)?);
        }
        Ok(())
    }

    /// Adds a batch and puts its messages into it.
    pub fn batch(&mut self, batch: &NewBatch) -> Result<(), Error> {
        self.transaction.execute(
            "INSERT INTO batch (campaign, number, account, date, starts_at, ends_at, messages, recipients)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                self.campaign,
                batch.number,
                batch.account,
                batch.date,
                batch.starts_at.as_millisecond(),
                batch.ends_at.as_millisecond(),
                batch.messages,
                batch.recipients,
            ],
        )?;
        self.transaction.execute(
            "UPDATE message SET batch = ?1 WHERE campaign = ?2 AND number >= ?3 AND number < ?4",
            params![
                batch.number,
                self.campaign,
                batch.first_message,
                batch.first_message + batch.messages,
            ],
        )?;
        Ok(())
    }

    /// Makes the plan durable.
    pub fn commit(self, listed: u64, finishes_at: Option<Timestamp>) -> Result<i64, Error> {
        self.transaction.execute(
            "UPDATE campaign SET listed = ?, finishes_at = ? WHERE id = ?",
            params![
                listed,
                finishes_at.map(Timestamp::as_millisecond),
                self.campaign
            ],
        )?;
        self.transaction.commit()?;
        Ok(self.campaign)
    }
}
