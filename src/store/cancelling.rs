//! Dropping recipients who are still to get something.

use jiff::Timestamp;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::history::{self, Deed, Happening};
use super::withdrawing::{Fate, Leaving, take_out};
use super::{Error, Store};
use crate::delivery::{Event, MessageState};

/// A recipient who is pending or deferred.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StillToGo {
    /// The data row of the list.
    pub row: u64,
    /// The address.
    pub address: String,
    /// By which the person is found.
    pub key: String,
    /// The row's cells, a JSON array.
    pub cells: String,
    /// A sender has the message in hand at this moment: it goes.
    pub in_hand: bool,
}

impl Store {
    /// Calls `each` with every recipient who is pending or deferred, in the order of the list.
    pub fn still_to_go(&self, campaign: i64, mut each: impl FnMut(StillToGo)) -> Result<(), Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT r.row, r.address, r.key, r.cells, m.state IN ('claimed', 'handing_over')
             FROM recipient r JOIN message m ON m.id = r.message
             WHERE r.campaign = ? AND r.state IN ('pending', 'deferred') ORDER BY r.row",
        )?;
        let mut rows = statement.query([campaign])?;
        while let Some(row) = rows.next()? {
            each(StillToGo {
                row: row.get(0)?,
                address: row.get(1)?,
                key: row.get(2)?,
                cells: row.get(3)?,
                in_hand: row.get(4)?,
            });
        }
        Ok(())
    }

    /// Drops the recipients of these rows, or all, who are still to get something from a message that nobody
    /// has in hand; how many were dropped. The others of a shared message are not touched.
    pub fn cancel(
        &mut self,
        campaign: i64,
        rows: Option<&[u64]>,
        by: &str,
        now: Timestamp,
    ) -> Result<u64, Error> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let cancelled = match rows {
            None => cancel_all(&transaction, campaign)?,
            Some(rows) => cancel_rows(&transaction, campaign, rows)?,
        };
        if cancelled > 0 {
            let happening = Happening {
                recipients: Some(cancelled),
                by: Some(by.to_owned()),
                ..Happening::new(now, Deed::Cancelled)
            };
            history::note(&transaction, campaign, &happening)?;
        }
        transaction.commit()?;
        Ok(cancelled)
    }
}

fn cancel_all(transaction: &Transaction<'_>, campaign: i64) -> Result<u64, Error> {
    let mut cancelled = 0;
    for before in [MessageState::Pending, MessageState::Deferred] {
        let after = before.after(Event::Cancel)?;
        let of_recipients = after.of_recipients().as_str();
        cancelled += transaction.execute(
            "UPDATE recipient SET state = ?1 WHERE campaign = ?2 AND state IN ('pending', 'deferred')
             AND message IN (SELECT id FROM message WHERE campaign = ?2 AND state = ?3)",
            params![of_recipients, campaign, before.as_str()],
        )? as u64;
        transaction.execute(
            "UPDATE message SET state = ?, due_at = NULL WHERE campaign = ? AND state = ?",
            params![after.as_str(), campaign, before.as_str()],
        )?;
    }
    Ok(cancelled)
}

fn cancel_rows(transaction: &Transaction<'_>, campaign: i64, rows: &[u64]) -> Result<u64, Error> {
    let mut leaving = Vec::with_capacity(rows.len());
    for row in rows {
        leaving.extend(leaving_of(transaction, campaign, *row)?);
    }
    take_out(transaction, campaign, leaving, Fate::Cancelled)
}

/// Who of the row is still to go, if nobody has it in hand by now.
fn leaving_of(connection: &Connection, campaign: i64, row: u64) -> Result<Option<Leaving>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT m.id FROM recipient r JOIN message m ON m.id = r.message
         WHERE r.campaign = ? AND r.row = ? AND r.state IN ('pending', 'deferred')
         AND m.state IN ('pending', 'deferred')",
    )?;
    let mut found = statement.query_map(params![campaign, row], |found| found.get(0))?;
    let message = found.next().transpose()?;
    Ok(message.map(|message| Leaving {
        message,
        row,
        reply: None,
    }))
}
