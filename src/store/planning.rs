//! Freezing a plan: all of it at once, or nothing.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::{Error, Store, draft, editions, publishing, tally};
use crate::limits::{Schedule, Weight};

/// A campaign as it is frozen.
#[derive(Debug, Clone)]
pub struct NewCampaign<'a> {
    /// Its identity in the store.
    pub name: &'a str,
    /// Where it was planned from.
    pub folder: &'a str,
    /// The accounts that send it; at least one.
    pub accounts: &'a [&'a str],
    /// When it may be sent.
    pub schedule: &'a Schedule,
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

/// A row of the list that becomes a recipient.
#[derive(Debug, Clone, Copy)]
pub struct NewRecipient<'a> {
    /// The data row, from 1.
    pub row: u64,
    /// As the list has it.
    pub address: &'a str,
    /// By which the person is found, however the address is written.
    pub key: &'a str,
    /// The row's cells, a JSON array in the order of the columns.
    pub cells: &'a str,
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
    /// How many messages it has.
    pub messages: u64,
    /// How many listed recipients they have.
    pub recipients: u64,
}

/// Messages that follow each other in the order of sending and go in one batch, by one account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// The number of the first one, from 1.
    pub first: u64,
    /// How many.
    pub messages: u64,
    /// The number of their account among the campaign's.
    pub lane: usize,
    /// Their batch.
    pub batch: u64,
}

/// A planned message, as far as a timetable must know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planned {
    /// Its id in the store.
    pub id: i64,
    /// What its envelope takes from the rules.
    pub weight: Weight,
    /// How many of its recipients are of the list.
    pub listed: u64,
}

/// A shared message that is cut.
#[derive(Debug, Clone)]
pub struct Cut {
    /// The message.
    pub message: i64,
    /// What is left of it takes this.
    pub first: Weight,
    /// The messages that its other recipients go on in, in order.
    pub parts: Vec<CutPart>,
}

/// A part that is cut off, a message of its own.
#[derive(Debug, Clone)]
pub struct CutPart {
    /// The row of its first recipient.
    pub from_row: u64,
    /// What it takes.
    pub weight: Weight,
    /// Its Message-ID, with its angle brackets.
    pub message_id: String,
}

/// The order in which messages are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// That of sending.
    Planned,
    /// Those with external recipients first.
    ExternalFirst,
}

impl Order {
    fn as_sql(self) -> &'static str {
        match self {
            Self::Planned => "number",
            Self::ExternalFirst => "external = 0, number",
        }
    }
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

/// Writes a plan, as a draft until [`PlanWriter::commit`]; dropped before that, it leaves the store as it was.
#[derive(Debug)]
pub struct PlanWriter {
    pub(super) draft: Connection,
    campaign: i64,
    pub(super) edition: u64,
    /// What it is the next edition of; none when it is a campaign's first.
    pub(super) of: Option<Of>,
    /// The batches and accounts of its messages, as far as they are not written down yet.
    runs: Vec<Run>,
    /// Messages were put into another order than that in which they were written.
    by_number: bool,
}

/// The edition of a campaign that an update goes on from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Of {
    /// The campaign's id.
    pub(super) campaign: i64,
    /// Its number.
    pub(super) edition: u64,
    /// When it was planned: ids are given again.
    pub(super) planned_at: Timestamp,
}

impl Store {
    /// Begins to freeze a plan under a name that has none yet.
    pub fn begin_plan(&self, new: &NewCampaign<'_>) -> Result<PlanWriter, Error> {
        self.begin(new, None)
    }

    pub(super) fn begin(&self, new: &NewCampaign<'_>, of: Option<Of>) -> Result<PlanWriter, Error> {
        let edition = of.map_or(1, |of| of.edition + 1);
        let draft = draft::open(&self.path)?;
        draft.execute(
            "INSERT INTO campaign (name, folder, account, mode, time_zone, planned_at, calendar)
             VALUES (?, ?, ?, ?, ?, ?, ?)",
            params![
                new.name,
                new.folder,
                new.accounts.first(),
                new.mode,
                new.time_zone,
                new.planned_at.as_millisecond(),
                serde_json::to_string(new.schedule)
                    .map_err(|cause| Error::Corrupt(cause.to_string()))?,
            ],
        )?;
        let campaign = draft.last_insert_rowid();
        editions::add(&draft, campaign, edition, new)?;
        for (lane, account) in new.accounts.iter().enumerate() {
            draft.execute(
                "INSERT INTO campaign_account (campaign, lane, account) VALUES (?, ?, ?)",
                params![campaign, lane, account],
            )?;
        }
        Ok(PlanWriter {
            draft,
            campaign,
            edition,
            of,
            runs: Vec::new(),
            by_number: false,
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
        tally::end(&transaction, campaign)?;
        transaction.execute("DELETE FROM campaign WHERE id = ?", [campaign])?;
        transaction.execute(
            "DELETE FROM content WHERE hash NOT IN (SELECT hash FROM frozen_file)",
            [],
        )?;
        transaction.commit()?;
        Ok(true)
    }
}

impl PlanWriter {
    /// Freezes a file under the path by which the campaign knows it.
    pub fn file(&mut self, path: &str, bytes: &[u8]) -> Result<(), Error> {
        let hash: [u8; 32] = blake3::hash(bytes).into();
        self.draft
            .prepare_cached("INSERT OR IGNORE INTO content (hash, bytes) VALUES (?, ?)")?
            .execute(params![hash, bytes])?;
        self.draft
            .prepare_cached(
                "INSERT OR REPLACE INTO frozen_file (campaign, edition, path, hash) VALUES (?, ?, ?, ?)",
            )?
            .execute(params![self.campaign, self.edition, path, hash])?;
        Ok(())
    }

    /// Adds a message; its id is for [`PlanWriter::recipient`].
    pub fn message(&mut self, new: &NewMessage<'_>) -> Result<i64, Error> {
        self.draft
            .prepare_cached(
                "INSERT INTO message (campaign, edition, number, shared, message_id, digest, recipients, external, copies)
                 VALUES (?, ?, ?, 0, ?, ?, ?6, ?7, ?6 - 1)",
            )?
            .execute(params![
                self.campaign,
                self.edition,
                new.number,
                new.message_id,
                new.digest,
                new.recipients,
                new.external,
            ])?;
        Ok(self.draft.last_insert_rowid())
    }

    /// Sets the envelope of a message that several share.
    pub fn share(&mut self, message: i64, recipients: u64, external: u64) -> Result<(), Error> {
        self.draft
            .prepare_cached(
                "UPDATE message SET shared = 1, recipients = ?, external = ? WHERE id = ?",
            )?
            .execute(params![recipients, external, message])?;
        Ok(())
    }

    /// Adds a row that becomes a recipient of `message`.
    pub fn recipient(&mut self, new: &NewRecipient<'_>, message: i64) -> Result<(), Error> {
        self.draft
            .prepare_cached(
                "INSERT INTO recipient (campaign, row, address, key, cells, message) VALUES (?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![
                self.campaign,
                new.row,
                new.address,
                new.key,
                new.cells,
                message
            ])?;
        Ok(())
    }

    /// Adds a row that becomes a recipient to whom nothing is written.
    pub fn suppressed(&mut self, new: &NewRecipient<'_>) -> Result<(), Error> {
        self.draft
            .prepare_cached(
                "INSERT INTO recipient (campaign, row, address, key, cells, state, reply)
                 VALUES (?, ?, ?, ?, ?, 'suppressed', 'on the suppression list')",
            )?
            .execute(params![
                self.campaign,
                new.row,
                new.address,
                new.key,
                new.cells
            ])?;
        Ok(())
    }

    /// Adds a further row of a person, whose `first` row is a recipient.
    pub fn joined(&mut self, row: u64, address: &str, first: u64) -> Result<(), Error> {
        self.draft
            .prepare_cached(
                "INSERT INTO joined (campaign, row, address, first) VALUES (?, ?, ?, ?)",
            )?
            .execute(params![self.campaign, row, address, first])?;
        Ok(())
    }

    /// Adds a row that becomes none.
    pub fn left_out(&mut self, row: u64, address: &str, reason: Reason) -> Result<(), Error> {
        self.draft
            .prepare_cached(
                "INSERT INTO left_out (campaign, row, address, reason) VALUES (?, ?, ?, ?)",
            )?
            .execute(params![self.campaign, row, address, reason.as_str()])?;
        Ok(())
    }

    /// Calls `each` with every message, in this order.
    pub fn planned(&self, order: Order, mut each: impl FnMut(Planned)) -> Result<(), Error> {
        let order = match order {
            Order::Planned if !self.by_number => "id",
            order => order.as_sql(),
        };
        let mut statement = self.draft.prepare(&format!(
            "SELECT id, recipients, external, recipients - copies FROM message WHERE campaign = ? ORDER BY {order}"
        ))?;
        let mut rows = statement.query([self.campaign])?;
        while let Some(row) = rows.next()? {
            each(Planned {
                id: row.get(0)?,
                weight: Weight {
                    recipients: row.get(1)?,
                    external: row.get(2)?,
                },
                listed: row.get(3)?,
            });
        }
        Ok(())
    }

    /// Row and address of a message's recipients, in the order of the list.
    pub fn recipients_of(&self, message: i64) -> Result<Vec<(u64, String)>, Error> {
        let mut statement = self
            .draft
            .prepare_cached("SELECT row, address FROM recipient WHERE message = ? ORDER BY row")?;
        let rows = statement.query_map([message], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Numbers the messages anew, in this order.
    pub fn put_in_order(&mut self, order: Order) -> Result<(), Error> {
        self.by_number = true;
        self.draft.execute(
            &format!(
                "UPDATE message SET number = placed.place FROM
                     (SELECT id, row_number() OVER (ORDER BY {}) AS place FROM message WHERE campaign = ?1) placed
                 WHERE message.id = placed.id",
                order.as_sql()
            ),
            [self.campaign],
        )?;
        Ok(())
    }

    /// Cuts shared messages, each at most once in the list; the parts follow each other in the order of
    /// sending.
    pub fn cut(&mut self, cuts: &[Cut]) -> Result<(), Error> {
        draft::index(&self.draft)?;
        let most = cuts.iter().map(|cut| cut.parts.len() as u64 + 1).max();
        self.draft.execute(
            "UPDATE message SET number = number * ? WHERE campaign = ?",
            params![most.unwrap_or(1), self.campaign],
        )?;
        for cut in cuts {
            self.cut_one(cut)?;
        }
        self.put_in_order(Order::Planned)
    }

    fn cut_one(&self, cut: &Cut) -> Result<(), Error> {
        // From the last one: what is not of it is still in the message.
        for (place, part) in cut.parts.iter().enumerate().rev() {
            self.draft
                .prepare_cached(
                    "INSERT INTO message (campaign, edition, number, shared, message_id, digest, recipients, external, copies)
                     SELECT campaign, edition, number + ?, shared, ?, digest, ?, ?, copies FROM message WHERE id = ?",
                )?
                .execute(params![
                    place as u64 + 1,
                    part.message_id,
                    part.weight.recipients,
                    part.weight.external,
                    cut.message
                ])?;
            let id = self.draft.last_insert_rowid();
            self.draft
                .prepare_cached(
                    "UPDATE recipient SET message = ?1 WHERE campaign = ?2 AND message = ?3 AND row >= ?4",
                )?
                .execute(params![id, self.campaign, cut.message, part.from_row])?;
        }
        self.draft
            .prepare_cached("UPDATE message SET recipients = ?, external = ? WHERE id = ?")?
            .execute(params![
                cut.first.recipients,
                cut.first.external,
                cut.message
            ])?;
        Ok(())
    }

    /// Adds a batch.
    pub fn batch(&mut self, batch: &NewBatch) -> Result<(), Error> {
        self.draft.execute(
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
        Ok(())
    }

    /// Puts messages into their batches and gives them to their accounts.
    pub fn assign(&mut self, runs: &[Run]) {
        self.runs.extend_from_slice(runs);
    }

    /// Makes of the draft what can be compared with the store, and looked up in.
    pub(super) fn complete(&mut self) -> Result<(), Error> {
        draft::index(&self.draft)?;
        for run in std::mem::take(&mut self.runs) {
            self.draft
                .prepare_cached(
                    "UPDATE message SET batch = ?1, lane = ?2 WHERE campaign = ?3 AND state = 'pending' AND lane = 0
                     AND (external > 0) IN (0, 1) AND due_at IS NULL AND number >= ?4 AND number < ?5",
                )?
                .execute(params![
                    run.batch,
                    run.lane,
                    self.campaign,
                    run.first,
                    run.first + run.messages,
                ])?;
        }
        draft::settle(&self.draft)
    }

    /// Notes how many messages were cut, and when the campaign would end without that.
    pub fn note_cuts(&mut self, cuts: u64, uncut_finishes_at: Timestamp) -> Result<(), Error> {
        self.draft.execute(
            "UPDATE campaign SET cuts = ?, uncut_finishes_at = ? WHERE id = ?",
            params![cuts, uncut_finishes_at.as_millisecond(), self.campaign],
        )?;
        Ok(())
    }

    /// Notes the rows that show every case, as JSON.
    pub fn note_cases(&mut self, cases: &str) -> Result<(), Error> {
        self.draft.execute(
            "UPDATE campaign SET cases = ? WHERE id = ?",
            params![cases, self.campaign],
        )?;
        Ok(())
    }

    /// Makes the plan durable and known; the campaign's id.
    ///
    /// # Errors
    /// [`Error::PlannedMeanwhile`] when another process was quicker.
    pub fn commit(mut self, listed: u64, finishes_at: Option<Timestamp>) -> Result<i64, Error> {
        self.note_end(listed, finishes_at)?;
        publishing::publish(&mut self.draft, &self.runs, self.by_number)
    }

    /// Notes how many rows the list has, and when the last message goes.
    pub(super) fn note_end(
        &self,
        listed: u64,
        finishes_at: Option<Timestamp>,
    ) -> Result<(), Error> {
        self.draft.execute(
            "UPDATE campaign SET listed = ?, finishes_at = ? WHERE id = ?",
            params![
                listed,
                finishes_at.map(Timestamp::as_millisecond),
                self.campaign
            ],
        )?;
        Ok(())
    }
}
