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
    /// Every attempt that concerned them, in order of time, whichever message they were in then.
    pub attempts: Vec<Attempt>,
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
}

/// An attempt to send a message to somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Of those that concerned them, from 1.
    pub number: u64,
    /// The Message-ID under which it was made, with its angle brackets.
    pub message_id: String,
    /// The account that made it.
    pub account: String,
    /// When it began.
    pub claimed_at: Timestamp,
    /// When the content began to go out to them, if it came so far.
    pub handover_at: Option<Timestamp>,
    /// When it ended; none while it is under way.
    pub finished_at: Option<Timestamp>,
    /// How it ended for them: `sent`, `deferred`, `refused`, `in_doubt` or `released`; none while it is under way.
    pub outcome: Option<String>,
    /// How far it came for them.
    pub phase: Option<String>,
    /// The server's words to them, or what broke.
    pub reply: Option<String>,
}

impl Chapter {
    /// A sender has the message in hand at this moment: an attempt has not ended.
    pub fn is_in_hand(&self) -> bool {
        self.attempts.iter().any(|one| one.finished_at.is_none())
    }

    /// Attempts under the Message-ID of the message that they get: those of one mail, also where they went on with it
    /// in a message of their own.
    pub fn attempts_of_message(&self) -> impl Iterator<Item = &Attempt> {
        let own = self
            .message
            .as_ref()
            .map(|message| message.message_id.as_str());
        let of_own = move |attempt: &&Attempt| Some(attempt.message_id.as_str()) == own;
        self.attempts.iter().filter(of_own)
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
            let (message, campaign): (Option<i64>, i64) = (row.get(6)?, row.get(7)?);
            chapters.push(Chapter {
                campaign: row.get(0)?,
                row: number,
                joined: joined(&self.connection, campaign, number)?,
                address: row.get(2)?,
                outcome: row.get(3)?,
                sent_at: to_optional_timestamp(row.get(4)?)?,
                reply: row.get(5)?,
                message: message
                    .map(|message| message_of(&self.connection, message))
                    .transpose()?,
                attempts: attempts(&self.connection, campaign, number)?,
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
    let sql = "SELECT number, message_id, shared FROM message WHERE id = ?";
    Ok(connection
        .prepare_cached(sql)?
        .query_row([message], |row| {
            Ok(ChapterMessage {
                number: row.get(0)?,
                message_id: row.get(1)?,
                shared: row.get(2)?,
            })
        })?)
}

/// Every attempt that concerned a recipient. They were made in the order of their ids, whatever a clock showed.
fn attempts(connection: &Connection, campaign: i64, row: u64) -> Result<Vec<Attempt>, Error> {
    let mut statement = connection.prepare_cached(
        // Where it ended before the content for this person, it was not handed over to them.
        "SELECT m.message_id, t.account, t.claimed_at, iif(p.phase IS 'rcpt-to', NULL, t.handover_at),
                iif(p.outcome IS NULL, t.finished_at, coalesce(t.finished_at, t.handover_at, t.claimed_at)),
                coalesce(p.outcome, t.outcome), coalesce(p.phase, t.phase), coalesce(p.reply, t.reply), t.id
         FROM recipient r JOIN past_attempt p ON p.campaign = r.campaign AND p.key = r.key
         JOIN attempt t ON t.id = p.attempt JOIN message m ON m.id = t.message
         WHERE r.campaign = ?1 AND r.row = ?2
         UNION ALL
         SELECT m.message_id, t.account, t.claimed_at, t.handover_at, t.finished_at, t.outcome, t.phase, t.reply, t.id
         FROM recipient r JOIN message m ON m.id = r.message
         JOIN attempt t ON t.message = m.id AND t.number >= r.since
         WHERE r.campaign = ?1 AND r.row = ?2
         ORDER BY 9",
    )?;
    let mut rows = statement.query(params![campaign, row])?;
    let mut attempts = Vec::new();
    while let Some(row) = rows.next()? {
        attempts.push(Attempt {
            number: attempts.len() as u64 + 1,
            message_id: row.get(0)?,
            account: row.get(1)?,
            claimed_at: to_timestamp(row.get(2)?)?,
            handover_at: to_optional_timestamp(row.get(3)?)?,
            finished_at: to_optional_timestamp(row.get(4)?)?,
            outcome: row.get(5)?,
            phase: row.get(6)?,
            reply: row.get(7)?,
        });
    }
    Ok(attempts)
}
