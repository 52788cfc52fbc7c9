//! What became of one person, over all campaigns: for `show`.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::{Error, Store, to_optional_timestamp, to_timestamp};

/// One campaign's part of a person's story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chapter {
    /// The campaign's name.
    pub campaign: String,
    /// The data row of its list.
    pub row: u64,
    /// Further rows of the person that are in the same message.
    pub joined: Vec<u64>,
    /// The address as the list has it.
    pub address: String,
    /// A recipient's state, or why the row became no recipient.
    pub outcome: String,
    /// When the server took it.
    pub sent_at: Option<Timestamp>,
    /// The server's last words.
    pub reply: Option<String>,
    /// The message that the person gets; none where there is none.
    pub message: Option<ChapterMessage>,
}

/// The message of a chapter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChapterMessage {
    /// Its place in the plan.
    pub number: u64,
    /// With its angle brackets.
    pub message_id: String,
    /// Several share it.
    pub shared: bool,
    /// Every attempt, in order.
    pub attempts: Vec<Attempt>,
}

/// An attempt to send a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// From 1.
    pub number: u64,
    /// The account that made it.
    pub account: String,
    /// When it began.
    pub claimed_at: Timestamp,
    /// When the content began to go out, if it came so far.
    pub handover_at: Option<Timestamp>,
    /// When it ended; none while it is under way.
    pub finished_at: Option<Timestamp>,
    /// `sent`, `deferred`, `refused`, `in_doubt` or `released`; none while it is under way.
    pub outcome: Option<String>,
    /// How far it came.
    pub phase: Option<String>,
    /// The server's words, or what broke.
    pub reply: Option<String>,
}

impl Chapter {
    /// A sender has the message in hand at this moment: an attempt has not ended.
    pub fn is_in_hand(&self) -> bool {
        let attempts = self.message.iter().flat_map(|message| &message.attempts);
        attempts.into_iter().any(|one| one.finished_at.is_none())
    }
}

impl Store {
    /// The story of the person that is found by this key, in the order in which the campaigns were planned.
    pub fn story(&self, key: &str) -> Result<Vec<Chapter>, Error> {
        let mut statement = self.connection.prepare(
            "SELECT c.name, r.row, r.address, r.state, r.sent_at, r.reply, r.message, c.id, c.planned_at
             FROM recipient r JOIN campaign c ON c.id = r.campaign WHERE r.key = ?1
             UNION ALL
             SELECT c.name, l.row, l.address, l.reason, NULL, NULL, NULL, c.id, c.planned_at
             FROM left_out l JOIN campaign c ON c.id = l.campaign WHERE lower(trim(l.address)) = ?1
             ORDER BY 9, 8, 2",
        )?;
        let mut rows = statement.query([key])?;
        let mut chapters = Vec::new();
        while let Some(row) = rows.next()? {
            let number: u64 = row.get(1)?;
            let message: Option<i64> = row.get(6)?;
            chapters.push(Chapter {
                campaign: row.get(0)?,
                row: number,
                joined: joined(&self.connection, row.get(7)?, number)?,
                address: row.get(2)?,
                outcome: row.get(3)?,
                sent_at: to_optional_timestamp(row.get(4)?)?,
                reply: row.get(5)?,
                message: message
                    .map(|message| message_of(&self.connection, message))
                    .transpose()?,
            });
        }
        Ok(chapters)
    }

    /// The addresses of all campaigns that begin like this one, for a hint where it is not found; at most so many.
    pub fn addresses_like(&self, key: &str, most: u64) -> Result<Vec<String>, Error> {
        let start: String = key.chars().take(2).collect();
        let end = format!("{start}\u{10ffff}");
        let mut statement = self
            .connection
            .prepare("SELECT DISTINCT key FROM recipient WHERE key >= ? AND key < ? LIMIT ?")?;
        let keys = statement.query_map(params![start, end, most], |row| row.get(0))?;
        Ok(keys.collect::<Result<_, _>>()?)
    }
}

fn joined(connection: &Connection, campaign: i64, first: u64) -> Result<Vec<u64>, Error> {
    let mut statement = connection
        .prepare_cached("SELECT row FROM joined WHERE campaign = ? AND first = ? ORDER BY row")?;
    let rows = statement.query_map(params![campaign, first], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn message_of(connection: &Connection, message: i64) -> Result<ChapterMessage, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT number, account, claimed_at, handover_at, finished_at, outcome, phase, reply
         FROM attempt WHERE message = ? ORDER BY number",
    )?;
    let mut rows = statement.query([message])?;
    let mut attempts = Vec::new();
    while let Some(row) = rows.next()? {
        attempts.push(Attempt {
            number: row.get(0)?,
            account: row.get(1)?,
            claimed_at: to_timestamp(row.get(2)?)?,
            handover_at: to_optional_timestamp(row.get(3)?)?,
            finished_at: to_optional_timestamp(row.get(4)?)?,
            outcome: row.get(5)?,
            phase: row.get(6)?,
            reply: row.get(7)?,
        });
    }
    let sql = "SELECT number, message_id, shared FROM message WHERE id = ?";
    Ok(connection
        .prepare_cached(sql)?
        .query_row([message], |row| {
            Ok(ChapterMessage {
                number: row.get(0)?,
                message_id: row.get(1)?,
                shared: row.get(2)?,
                attempts,
            })
        })?)
}
