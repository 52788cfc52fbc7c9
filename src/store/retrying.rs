//! Queueing again: refused recipients, and those who were left out for the suppression list.
//!
//! Nobody who has the mail, or may have it, is ever queued by this. A message that was refused as a whole
//! goes again as it is. Refused recipients of a message that others got, or are still to get, go on in a
//! message of their own with the same content, Message-ID and Date, so that the store at the other end can
//! recognise a copy; its back-off starts anew. Who was left out for the suppression list had no mail offered
//! that counts: they get a message of their own under a new Message-ID.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::finishing::state_of;
use super::history::{self, Deed, Happening};
use super::suppressing::DOMAIN_OF_KEY;
use super::{Error, Store, past};
use crate::delivery::{Event, MessageState};

/// A recipient who was refused, and whom the current edition's list has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The data row of the list.
    pub row: u64,
    /// The address.
    pub address: String,
    /// By which the person is found.
    pub key: String,
    /// The server's words.
    pub reply: String,
    /// A sender has the others of their message in hand at this moment.
    pub in_hand: bool,
    /// They are on the suppression list.
    pub suppressed: bool,
    message: i64,
}

/// A recipient who was left out for the suppression list, and whom the current edition's list has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// The data row of the list.
    pub row: u64,
    /// The address.
    pub address: String,
    /// By which the person is found.
    pub key: String,
    /// The row's cells, a JSON array.
    pub cells: String,
    /// They are still on the list.
    pub suppressed: bool,
}

/// The message that who was left out gets after all.
#[derive(Debug, Clone)]
pub struct Restored {
    /// The data row of the list.
    pub row: u64,
    /// With its angle brackets.
    pub message_id: String,
    /// Of the rendered content.
    pub digest: [u8; 32],
    /// Of the envelope: the recipient and the copies.
    pub recipients: u64,
    /// How many of those are external.
    pub external: u64,
}

/// Whether the recipient `r` of campaign `?1` is on the list.
fn is_suppressed() -> String {
    format!(
        "EXISTS (SELECT 1 FROM suppression s
         WHERE s.campaign IN ('', (SELECT name FROM campaign WHERE id = ?1))
         AND s.subject IN (r.key, {DOMAIN_OF_KEY}))"
    )
}

fn refusals(connection: &Connection, campaign: i64) -> Result<Vec<Refusal>, Error> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT r.row, r.address, r.key, coalesce(r.reply, ''), m.state IN ('claimed', 'handing_over'), {}, m.id
         FROM recipient r JOIN message m ON m.id = r.message
         WHERE r.campaign = ?1 AND r.state = 'refused' AND r.cells <> '' AND r.row <= (SELECT listed FROM campaign WHERE id = ?1)
         ORDER BY r.row",
        is_suppressed()
    ))?;
    let found = statement.query_map([campaign], |row| {
        Ok(Refusal {
            row: row.get(0)?,
            address: row.get(1)?,
            key: row.get(2)?,
            reply: row.get(3)?,
            in_hand: row.get(4)?,
            suppressed: row.get(5)?,
            message: row.get(6)?,
        })
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}

fn left_out(connection: &Connection, campaign: i64) -> Result<Vec<LeftOut>, Error> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT r.row, r.address, r.key, r.cells, {} FROM recipient r
         WHERE r.campaign = ?1 AND r.state = 'suppressed' AND r.cells <> '' AND r.row <= (SELECT listed FROM campaign WHERE id = ?1)
         ORDER BY r.row",
        is_suppressed()
    ))?;
    let found = statement.query_map([campaign], |row| {
        Ok(LeftOut {
            row: row.get(0)?,
            address: row.get(1)?,
            key: row.get(2)?,
            cells: row.get(3)?,
            suppressed: row.get(4)?,
        })
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}

impl Store {
    /// Who was refused, in the order of the list.
    pub fn refusals(&self, campaign: i64) -> Result<Vec<Refusal>, Error> {
        refusals(&self.connection, campaign)
    }

    /// Who was left out for the suppression list, in the order of the list.
    pub fn left_out(&self, campaign: i64) -> Result<Vec<LeftOut>, Error> {
        left_out(&self.connection, campaign)
    }

    /// Queues the refused recipients of these rows again; how many were. Left as they are: who is on the
    /// suppression list, and whose message a sender has in hand. `is_external` tells an address outside the
    /// campaign's internal domains.
    pub fn retry(
        &mut self,
        campaign: i64,
        rows: &[u64],
        is_external: &dyn Fn(&str) -> bool,
        (by, now): (&str, Timestamp),
    ) -> Result<u64, Error> {
        let wanted: BTreeSet<u64> = rows.iter().copied().collect();
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut chosen = refusals(&transaction, campaign)?;
        chosen.retain(|one| wanted.contains(&one.row) && !one.in_hand && !one.suppressed);
        chosen.sort_unstable_by_key(|one| (one.message, one.row));
        let mut number = last_number(&transaction, campaign)?;
        for refused in chosen.chunk_by(|one, two| one.message == two.message) {
            queue_again(&transaction, campaign, refused, is_external, &mut number)?;
        }
        let retried = chosen.len() as u64;
        note(&transaction, campaign, retried, (by, now, ""))?;
        transaction.commit()?;
        Ok(retried)
    }

    /// Gives those who were left out for the suppression list, and are not on it any more, messages of their
    /// own; how many got one.
    pub fn restore(
        &mut self,
        campaign: i64,
        messages: &[Restored],
        (by, now): (&str, Timestamp),
    ) -> Result<u64, Error> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let free = left_out(&transaction, campaign)?.into_iter();
        let free: BTreeSet<u64> = free
            .filter(|one| !one.suppressed)
            .map(|one| one.row)
            .collect();
        let mut number = last_number(&transaction, campaign)?;
        let mut restored = 0;
        for message in messages.iter().filter(|one| free.contains(&one.row)) {
            number += 1;
            restore_one(&transaction, campaign, message, number)?;
            restored += 1;
        }
        let why = "left out for the suppression list before";
        note(&transaction, campaign, restored, (by, now, why))?;
        transaction.commit()?;
        Ok(restored)
    }
}

fn last_number(connection: &Connection, campaign: i64) -> Result<u64, Error> {
    Ok(connection.query_row(
        "SELECT coalesce(max(number), 0) FROM message WHERE campaign = ?",
        [campaign],
        |row| row.get(0),
    )?)
}

fn note(
    transaction: &Transaction<'_>,
    campaign: i64,
    recipients: u64,
    (by, now, detail): (&str, Timestamp, &str),
) -> Result<(), Error> {
    if recipients == 0 {
        return Ok(());
    }
    transaction.execute(
        "UPDATE campaign SET run_state = 'planned' WHERE id = ? AND run_state = 'finished'",
        [campaign],
    )?;
    let happening = Happening {
        recipients: Some(recipients),
        by: Some(by.to_owned()),
        detail: detail.to_owned(),
        ..Happening::new(now, Deed::Retried)
    };
    history::note(transaction, campaign, &happening)
}

/// Queues refused recipients of one message again.
fn queue_again(
    connection: &Connection,
    campaign: i64,
    refused: &[Refusal],
    is_external: &dyn Fn(&str) -> bool,
    number: &mut u64,
) -> Result<(), Error> {
    let Some(Refusal { message, .. }) = refused.first() else {
        return Ok(());
    };
    let external = refused.iter().filter(|one| is_external(&one.address));
    let (listed, external) = (refused.len() as u64, external.count() as u64);
    let all: u64 = connection
        .prepare_cached("SELECT count(*) FROM recipient WHERE message = ? AND state = 'refused'")?
        .query_row([message], |row| row.get(0))?;
    let state = state_of(connection, *message)?;
    // Which of the copies are external is not known here: as many as can be. The sender knows.
    let goes_in = if state == MessageState::Refused && all == listed {
        let pending = state.after(Event::Retry)?;
        connection
            .prepare_cached(
                "UPDATE message SET state = ?1, reply = NULL, failures = 0, recipients = ?2 + copies,
                     external = ?3 + copies WHERE id = ?4",
            )?
            .execute(params![pending.as_str(), listed, external, message])?;
        *message
    } else {
        *number += 1;
        apart(connection, refused, (listed, external), *number)?
    };
    // Its attempts concern whoever was out of it from the next one on.
    let mut statement = connection.prepare_cached(
        "UPDATE recipient SET state = 'pending', reply = NULL, message = ?1,
             since = coalesce(iif(message = ?1, since, NULL), 1 + (SELECT attempts FROM message WHERE id = ?1))
         WHERE campaign = ?2 AND row = ?3 AND state = 'refused'",
    )?;
    for one in refused {
        if goes_in != *message {
            past::keep(connection, (campaign, one.row), None)?;
        }
        statement.execute(params![goes_in, campaign, one.row])?;
    }
    Ok(())
}

/// Makes a message of its own for some refused recipients of a message; its id. Its attempts go on counting.
fn apart(
    connection: &Connection,
    refused: &[Refusal],
    (listed, external): (u64, u64),
    number: u64,
) -> Result<i64, Error> {
    let Some(Refusal { message, .. }) = refused.first() else {
        return Err(Error::Corrupt("a message without recipients".to_owned()));
    };
    connection
        .prepare_cached(
            "INSERT INTO message (campaign, edition, number, batch, lane, shared, message_id, digest, recipients, external,
                                  copies, attempts, dated_at)
             SELECT campaign, edition, ?, batch, lane, shared, message_id, digest, ? + copies, ? + copies, copies, attempts,
                    dated_at
             FROM message WHERE id = ?",
        )?
        .execute(params![number, listed, external, message])?;
    Ok(connection.last_insert_rowid())
}

fn restore_one(
    connection: &Connection,
    campaign: i64,
    new: &Restored,
    number: u64,
) -> Result<(), Error> {
    connection
        .prepare_cached(
            "INSERT INTO message (campaign, edition, number, shared, message_id, digest, recipients, external, copies)
             VALUES (?1, (SELECT edition FROM campaign WHERE id = ?1), ?2, 0, ?3, ?4, ?5, ?6, ?5 - 1)",
        )?
        .execute(params![
            campaign,
            number,
            new.message_id,
            new.digest,
            new.recipients,
            new.external
        ])?;
    let message = connection.last_insert_rowid();
    connection
        .prepare_cached(
            "UPDATE recipient SET state = 'pending', reply = NULL, message = ?, since = 1
             WHERE campaign = ? AND row = ? AND state = 'suppressed'",
        )?
        .execute(params![message, campaign, new.row])?;
    Ok(())
}
