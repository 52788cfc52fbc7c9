//! What was done with a campaign, and by whom: starts, waits, ends, halts, and what people changed.
//!
//! Written in the same transaction as what it tells of, wherever that is one of the store's own.

use jiff::Timestamp;
use rusqlite::{Connection, Row, TransactionBehavior, params};

use super::{Error, Store, to_optional_timestamp, to_timestamp};

/// What kind of thing was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// The campaign was planned.
    Planned,
    /// A process began to send it.
    Started,
    /// That process waits.
    Waiting,
    /// That process has ended.
    Ended,
    /// A person asked that nothing more goes.
    Halted,
    /// A person lifted that again.
    Resumed,
    /// An edited list or template was taken in.
    Updated,
    /// Refused recipients were queued again.
    Retried,
    /// Pending recipients were dropped.
    Cancelled,
    /// What was in doubt was settled.
    Resolved,
    /// Recipients were withdrawn because they are not to be written to.
    Suppressed,
    /// A person was erased.
    Forgotten,
}

impl Deed {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Planned,
        Self::Started,
        Self::Waiting,
        Self::Ended,
        Self::Halted,
        Self::Resumed,
        Self::Updated,
        Self::Retried,
        Self::Cancelled,
        Self::Resolved,
        Self::Suppressed,
        Self::Forgotten,
    ];

    /// The name used in the store and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Started => "started",
            Self::Waiting => "waiting",
            Self::Ended => "ended",
            Self::Halted => "halted",
            Self::Resumed => "resumed",
            Self::Updated => "updated",
            Self::Retried => "retried",
            Self::Cancelled => "cancelled",
            Self::Resolved => "resolved",
            Self::Suppressed => "suppressed",
            Self::Forgotten => "forgotten",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|deed| deed.as_str() == name)
    }
}

/// Something that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happening {
    /// When.
    pub at: Timestamp,
    /// What.
    pub deed: Deed,
    /// Until when, of a wait.
    pub until: Option<Timestamp>,
    /// How many recipients it was about, where it was about some.
    pub recipients: Option<u64>,
    /// Who did it: a user of a machine.
    pub by: Option<String>,
    /// In plain words: why, or how it ended.
    pub detail: String,
}

impl Happening {
    /// Something that was done at this time, with nothing more to say of it.
    pub fn new(at: Timestamp, deed: Deed) -> Self {
        Self {
            at,
            deed,
            until: None,
            recipients: None,
            by: None,
            detail: String::new(),
        }
    }
}

/// Writes down what was done, in whatever transaction the connection is in.
pub(super) fn note(
    connection: &Connection,
    campaign: i64,
    happening: &Happening,
) -> Result<(), Error> {
    connection
        .prepare_cached(
            "INSERT INTO history (campaign, at, kind, until, recipients, by, detail) VALUES (?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            campaign,
            happening.at.as_millisecond(),
            happening.deed.as_str(),
            happening.until.map(Timestamp::as_millisecond),
            happening.recipients,
            happening.by,
            happening.detail,
        ])?;
    Ok(())
}

/// A happening as it lies in the store.
const COLUMNS: &str = "at, kind, until, recipients, by, detail";

fn happening(row: &Row<'_>) -> Result<Happening, Error> {
    let kind: String = row.get(1)?;
    Ok(Happening {
        at: to_timestamp(row.get(0)?)?,
        deed: Deed::from_name(&kind).ok_or(Error::Corrupt(kind))?,
        until: to_optional_timestamp(row.get(2)?)?,
        recipients: row.get(3)?,
        by: row.get(4)?,
        detail: row.get(5)?,
    })
}

/// The start of the last process that began to send it, where that has not ended by the record.
fn open_start(connection: &Connection, campaign: i64) -> Result<Option<Happening>, Error> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM history WHERE campaign = ? AND kind IN ('started', 'ended') ORDER BY id DESC LIMIT 1"
    ))?;
    let mut rows = statement.query([campaign])?;
    let last = rows.next()?.map(happening).transpose()?;
    Ok(last.filter(|last| last.deed == Deed::Started))
}

impl Store {
    /// Writes down that a process begins to send; of one before it that could not say how it ended, that it
    /// is gone. Call it with the campaign's lock held.
    pub fn note_start(&mut self, campaign: i64, started: &Happening) -> Result<(), Error> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        if open_start(&transaction, campaign)?.is_some() {
            let ended = Happening {
                detail: "in the middle: it was killed, or the machine stopped; found when it was started again"
                    .to_owned(),
                ..Happening::new(started.at, Deed::Ended)
            };
            note(&transaction, campaign, &ended)?;
        }
        note(&transaction, campaign, started)?;
        Ok(transaction.commit()?)
    }

    /// Writes down what was done with a campaign.
    pub fn note(&mut self, campaign: i64, happening: &Happening) -> Result<(), Error> {
        note(&self.connection, campaign, happening)
    }

    /// What people have done to a campaign's recipients since it was planned or updated last, and to how many.
    pub fn changes(&self, campaign: i64) -> Result<Vec<(Deed, u64)>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT kind, sum(recipients) FROM history WHERE campaign = ?1
             AND id > coalesce((SELECT max(id) FROM history WHERE campaign = ?1 AND kind IN ('planned', 'updated')), 0)
             AND kind IN ('suppressed', 'retried', 'cancelled', 'resolved', 'forgotten') AND recipients > 0
             GROUP BY kind ORDER BY min(id)",
        )?;
        let mut rows = statement.query([campaign])?;
        let mut changes = Vec::new();
        while let Some(row) = rows.next()? {
            let kind: String = row.get(0)?;
            let deed = Deed::from_name(&kind).ok_or(Error::Corrupt(kind))?;
            changes.push((deed, row.get(1)?));
        }
        Ok(changes)
    }

    /// The start of the last process that began to send it, where that has not ended by the record: it is at work,
    /// or it ended without a word.
    pub fn open_start(&self, campaign: i64) -> Result<Option<Happening>, Error> {
        open_start(&self.connection, campaign)
    }

    /// Another number whenever a person has changed what of the campaign is to go: has taken an edited list in,
    /// dropped, withdrawn, settled or queued somebody.
    pub fn last_change(&self, campaign: i64) -> Result<i64, Error> {
        Ok(self
            .connection
            .prepare_cached(
                "SELECT coalesce((SELECT id FROM history WHERE campaign = ?
                 AND kind NOT IN ('started', 'waiting', 'ended') ORDER BY id DESC LIMIT 1), 0)",
            )?
            .query_row([campaign], |row| row.get(0))?)
    }

    /// What was done with a campaign, in its order.
    pub fn history(&self, campaign: i64) -> Result<Vec<Happening>, Error> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM history WHERE campaign = ? ORDER BY id"
        ))?;
        let mut rows = statement.query([campaign])?;
        let mut happenings = Vec::new();
        while let Some(row) = rows.next()? {
            happenings.push(happening(row)?);
        }
        Ok(happenings)
    }
}
