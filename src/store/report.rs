//! One line per row of the list, and one message with its recipients.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

use super::{Claimed, Error, Store, to_optional_timestamp};
use crate::delivery::Phase;

/// What became of a row of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportRow {
    /// The data row, from 1.
    pub row: u64,
    /// The address as the list has it.
    pub email: String,
    /// A recipient's state, or why the row became no recipient.
    pub outcome: String,
    /// Of a further row of a person whose rows are grouped: the person's first row, as which this one fares.
    pub first: Option<u64>,
    /// When the server took it.
    pub sent_at: Option<Timestamp>,
    /// The account of the last attempt that concerned them; before there is one, the one that is to send it.
    pub account: Option<String>,
    /// The batch that its message is in.
    pub batch: Option<u64>,
    /// With its angle brackets.
    pub message_id: Option<String>,
    /// How many attempts concerned them.
    pub attempts: u64,
    /// The server's last words, or what happened in their place.
    pub reply: Option<String>,
    /// To what they were the answer, where there was an attempt.
    pub phase: Option<Phase>,
}

/// A row of the list, as it was frozen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedRow {
    /// The data row, from 1.
    pub row: u64,
    /// The address as the list has it.
    pub address: String,
    /// The row's cells, a JSON array; none of a row that became no recipient, or of somebody who was forgotten.
    pub cells: Option<String>,
    /// A recipient's state, or why the row became no recipient.
    pub outcome: String,
    /// The edition whose columns the cells are of; none of a row without a message.
    pub edition: Option<u64>,
}

/// A message of the plan.
#[derive(Debug, Clone)]
pub struct MessageRecord {
    /// Its place in the plan.
    pub number: u64,
    /// The edition of the campaign that it is made from.
    pub edition: u64,
    /// With its angle brackets.
    pub message_id: String,
    /// Several share it.
    pub shared: bool,
    /// What its rendered content must have as digest.
    pub digest: [u8; 32],
    /// The Date header, once it was tried.
    pub dated_at: Option<Timestamp>,
    /// When its batch begins, which is its Date until it is tried.
    pub planned_for: Option<Timestamp>,
    /// The account that sent it last, or is to send it.
    pub account: Option<String>,
    /// Its recipients, all of them but those who were forgotten.
    pub recipients: Vec<Claimed>,
}

impl Store {
    /// Calls `each` with every row of the list, in its order.
    pub fn report<E: From<Error>>(
        &self,
        campaign: i64,
        mut each: impl FnMut(ReportRow) -> Result<(), E>,
    ) -> Result<(), E> {
        let recipients = of_recipients("r", "NULL", "");
        // A further row of a person fares as the person does.
        let joined = of_recipients(
            "j",
            "j.first",
            "JOIN joined j ON j.campaign = r.campaign AND j.first = r.row",
        );
        let mut statement = self
            .connection
            .prepare(&format!(
                "{recipients} UNION ALL {joined} UNION ALL
                 SELECT row, address, reason, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL FROM left_out WHERE campaign = ?1
                 ORDER BY 1"
            ))
            .map_err(Error::from)?;
        let mut rows = statement.query([campaign]).map_err(Error::from)?;
        while let Some(row) = rows.next().map_err(Error::from)? {
            each(report_row(row)?)?;
        }
        Ok(())
    }

    /// The rows that show every case, as [`super::PlanWriter::note_cases`] has noted them.
    pub fn cases(&self, campaign: i64) -> Result<String, Error> {
        let cases = "SELECT cases FROM campaign WHERE id = ?";
        Ok(self
            .connection
            .query_row(cases, [campaign], |row| row.get(0))?)
    }

    /// Calls `each` with every row of the list and its cells, in its order; a further row of a person is `grouped`.
    pub fn listed(&self, campaign: i64, mut each: impl FnMut(ListedRow)) -> Result<(), Error> {
        let mut statement = self.connection.prepare(
            "SELECT row, address, nullif(cells, ''), r.state, m.edition FROM recipient r LEFT JOIN message m ON m.id = r.message
             WHERE r.campaign = ?1
             UNION ALL
             SELECT row, address, NULL, reason, NULL FROM left_out WHERE campaign = ?1
             ORDER BY 1",
        )?;
        let mut rows = statement.query([campaign])?;
        while let Some(row) = rows.next()? {
            each(ListedRow {
                row: row.get(0)?,
                address: row.get(1)?,
                cells: row.get(2)?,
                outcome: row.get(3)?,
                edition: row.get(4)?,
            });
        }
        Ok(())
    }

    /// The message with this place in the plan.
    pub fn message(&self, campaign: i64, number: u64) -> Result<Option<MessageRecord>, Error> {
        let found = self
            .connection
            .prepare_cached(
                "SELECT m.id, m.message_id, m.shared, m.digest, m.dated_at, b.starts_at,
                        coalesce((SELECT a.account FROM attempt a WHERE a.message = m.id ORDER BY a.number DESC LIMIT 1),
                                 (SELECT a.account FROM recipient r JOIN past_attempt p ON p.campaign = r.campaign AND p.key = r.key
                                  JOIN attempt a ON a.id = p.attempt JOIN message o ON o.id = a.message
                                  WHERE r.message = m.id AND o.message_id = m.message_id ORDER BY a.id DESC LIMIT 1),
                                 b.account), m.edition
                 FROM message m LEFT JOIN batch b ON b.campaign = m.campaign AND b.number = m.batch
                 WHERE m.campaign = ? AND m.number = ?",
            )?
            .query_row(params![campaign, number], |row| {
                Ok((
                    row.get::<_, i64>(0)?,
                    row.get::<_, String>(1)?,
                    row.get::<_, bool>(2)?,
                    row.get::<_, [u8; 32]>(3)?,
                    row.get::<_, Option<i64>>(4)?,
                    row.get::<_, Option<i64>>(5)?,
                    row.get(6)?,
                    row.get(7)?,
                ))
            })
            .optional()?;
        let Some((id, message_id, shared, digest, dated_at, planned_for, account, edition)) = found
        else {
            return Ok(None);
        };
        let recipients = self
            .connection
            .prepare_cached(
                "SELECT row, address, cells FROM recipient WHERE message = ? AND cells <> '' ORDER BY row",
            )?
            .query_map([id], |row| {
                Ok(Claimed {
                    row: row.get(0)?,
                    address: row.get(1)?,
                    cells: row.get(2)?,
                })
            })?
            .collect::<Result<_, _>>()?;
        Ok(Some(MessageRecord {
            number,
            edition,
            message_id,
            shared,
            digest,
            dated_at: to_optional_timestamp(dated_at)?,
            planned_for: to_optional_timestamp(planned_for)?,
            account,
            recipients,
        }))
    }

    /// The place in the plan of the message that this row of the list gets.
    pub fn message_of_row(&self, campaign: i64, row: u64) -> Result<Option<u64>, Error> {
        Ok(self
            .connection
            .query_row(
                "SELECT m.number FROM recipient r JOIN message m ON m.id = r.message
                 WHERE r.campaign = ?1 AND r.cells <> '' AND r.row =
                     coalesce((SELECT first FROM joined WHERE campaign = ?1 AND row = ?2), ?2)",
                params![campaign, row],
                |row| row.get(0),
            )
            .optional()?)
    }

    /// The row of the recipient whose mail has what this row says: itself, but for a further row of a person.
    pub fn recipient_of_row(&self, campaign: i64, row: u64) -> Result<u64, Error> {
        let first = "SELECT first FROM joined WHERE campaign = ? AND row = ?";
        let found = self
            .connection
            .query_row(first, params![campaign, row], |row| row.get(0))
            .optional()?;
        Ok(found.unwrap_or(row))
    }

    /// The first row of the list that gets a message.
    pub fn first_row(&self, campaign: i64) -> Result<Option<u64>, Error> {
        Ok(self.connection.query_row(
            "SELECT min(row) FROM recipient WHERE campaign = ? AND message IS NOT NULL AND cells <> ''",
            [campaign],
            |row| row.get(0),
        )?)
    }

    /// The row of the list with the recipient that is found by this key.
    pub fn row_of_person(&self, campaign: i64, key: &str) -> Result<Option<u64>, Error> {
        let row = "SELECT row FROM recipient WHERE key = ? AND campaign = ?";
        Ok(self
            .connection
            .prepare_cached(row)?
            .query_row(params![key, campaign], |row| row.get(0))
            .optional()?)
    }
}

/// Rows that have a recipient: row and address of the table `listed`, all else of the recipient `r`. The last
/// attempt that concerned them (`a` of their message, `t` of those before) says what its words were the answer to;
/// a recipient with words of their own was turned away at RCPT.
fn of_recipients(listed: &str, first: &str, join: &str) -> String {
    let past = "FROM past_attempt WHERE campaign = r.campaign AND key = r.key";
    format!(
        "SELECT {listed}.row, {listed}.address, r.state, {first}, r.sent_at,
                coalesce(a.account, t.account, b.account, c.account), m.batch, m.message_id,
                coalesce(m.attempts - r.since + 1, 0) + (SELECT count(*) {past}), r.reply,
                CASE WHEN a.reply = r.reply THEN a.phase
                     WHEN coalesce(p.reply, t.reply) = r.reply THEN coalesce(p.phase, t.phase) END,
                a.id IS NOT NULL OR t.id IS NOT NULL
         FROM recipient r {join} JOIN campaign c ON c.id = r.campaign
         LEFT JOIN message m ON m.id = r.message
         LEFT JOIN batch b ON b.campaign = r.campaign AND b.number = m.batch
         LEFT JOIN attempt a ON a.message = m.id AND a.number = m.attempts AND a.number >= r.since
         LEFT JOIN past_attempt p ON a.id IS NULL AND p.campaign = r.campaign AND p.key = r.key
              AND p.attempt = (SELECT max(attempt) {past})
         LEFT JOIN attempt t ON t.id = p.attempt
         WHERE r.campaign = ?1"
    )
}

fn report_row(row: &rusqlite::Row<'_>) -> Result<ReportRow, Error> {
    let phase: Option<String> = row.get(10)?;
    let phase = if let Some(name) = phase {
        Some(Phase::from_name(&name).ok_or(Error::Corrupt(name))?)
    } else {
        let was_tried: Option<bool> = row.get(11)?;
        was_tried.unwrap_or(false).then_some(Phase::RcptTo)
    };
    Ok(ReportRow {
        row: row.get(0)?,
        email: row.get(1)?,
        outcome: row.get(2)?,
        first: row.get(3)?,
        sent_at: to_optional_timestamp(row.get(4)?)?,
        account: row.get(5)?,
        batch: row.get(6)?,
        message_id: row.get(7)?,
        attempts: row.get(8)?,
        reply: row.get(9)?,
        phase,
    })
}
