//! Taking the next message, and putting right what a dead sender left behind.

use jiff::Timestamp;
use rusqlite::{Connection, TransactionBehavior, params};

use super::line::Next;
use super::{Error, Halt, MessageIds, Store, ledger, updating};
use crate::clock::{Clock, Reading};
use crate::delivery::{Event, MessageState};
use crate::limits::{Calendar, Reason, Rule, Weight};

/// Who claims, and when anything may go at all.
#[derive(Debug, Clone)]
pub struct Claiming {
    /// The campaign's id.
    pub campaign: i64,
    /// When it may be sent.
    pub calendar: Calendar,
    /// The accounts that send it, in the order of the plan's lanes.
    pub lanes: Vec<Lane>,
}

/// An account that sends, for which mailbox, under which rules.
#[derive(Debug, Clone)]
pub struct Lane {
    /// The account's name, for the record.
    pub account: String,
    /// The From header of what it sends.
    pub sender: String,
    /// What quotas are counted by: the same mailbox has one ledger, however accounts are named.
    pub mailbox: String,
    /// The rules that hold for the mailbox.
    pub rules: Vec<Rule>,
    /// For the parts of messages that are cut.
    pub message_ids: MessageIds,
}

/// A recipient of a claimed message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// The data row of the list.
    pub row: u64,
    /// The address.
    pub address: String,
    /// The row's cells, a JSON array.
    pub cells: String,
}

/// A message that this sender has taken; its share of the limits is reserved.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The message's id in the store.
    pub message: i64,
    /// The attempt's id in the store.
    pub attempt: i64,
    /// It was not put off before: until now nothing of it had gone.
    pub is_new: bool,
    /// How many earlier attempts failed by its own fault, and not by the account's or the connection's.
    pub failures: u32,
    /// The message's place in the plan.
    pub number: u64,
    /// The edition of the campaign that it is made from.
    pub edition: u64,
    /// With its angle brackets.
    pub message_id: String,
    /// What its rendered content must have as digest.
    pub digest: [u8; 32],
    /// Of the Date header.
    pub dated_at: Timestamp,
    /// Several share it, as blind copies.
    pub shared: bool,
    /// Who is still to get it.
    pub recipients: Vec<Claimed>,
    /// The copies (cc, bcc) in its envelope, as part of what was reserved.
    pub weight: Weight,
    pub(super) reservation: i64,
    /// SQLite's count of commits by other connections at that moment.
    pub(super) seen: i64,
}

/// What came of asking for the next message.
#[derive(Debug, Clone)]
pub enum Answer {
    /// This one may go now.
    Claimed(Box<Claim>),
    /// A message may go now; nothing was taken.
    MayGo,
    /// Not before this time, and why.
    NotBefore(Timestamp, Reason),
    /// Not before this time, because the provider asked for a pause in these words.
    Held(Timestamp, String),
    /// Not before another message in hand has its verdict, because of this rule.
    AfterVerdict(Rule),
    /// The message with this number alone is more than this rule ever allows.
    Never(u64, Rule),
    /// A person asked that nothing more of the campaign goes.
    Halted(Halt),
    /// Nothing of it is pending or deferred; what is, other accounts send.
    LeftToOthers,
    /// Nothing is pending or deferred.
    Nothing,
}

/// Takes the message: the first mark. What other processes have committed is known up to `seen`.
pub(super) fn take(
    connection: &Connection,
    lane: &Lane,
    next: Next,
    now: Timestamp,
    seen: i64,
) -> Result<Claim, Error> {
    let state = next.state.after(Event::Claim)?;
    let at = now.as_millisecond();
    let attempts = next.attempts + 1;
    let dated_at = next.dated_at.unwrap_or(at);
    connection
        .prepare_cached(
            "UPDATE OR FAIL message SET state = ?, due_at = NULL, attempts = ?, dated_at = ? WHERE id = ?",
        )?
        .execute(params![state.as_str(), attempts, dated_at, next.id])?;
    connection
        .prepare_cached(
            "INSERT INTO attempt (message, number, account, claimed_at) VALUES (?, ?, ?, ?)",
        )?
        .execute(params![next.id, attempts, lane.account, at])?;
    let attempt = connection.last_insert_rowid();
    let reservation = ledger::reserve(connection, &lane.mailbox, Some(attempt), next.weight)?;
    Ok(Claim {
        message: next.id,
        attempt,
        is_new: next.state == MessageState::Pending,
        failures: next.failures,
        number: next.number,
        edition: next.edition,
        message_id: next.message_id,
        digest: next.digest,
        dated_at: super::to_timestamp(dated_at)?,
        shared: next.shared,
        recipients: recipients_of(connection, next.id)?,
        weight: next.weight,
        reservation,
        seen,
    })
}

/// Who of a message is still to get it, in the order of the list.
fn recipients_of(connection: &Connection, message: i64) -> Result<Vec<Claimed>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT row, address, cells FROM recipient
         WHERE message = ? AND state IN ('pending', 'deferred') ORDER BY row",
    )?;
    let rows = statement.query_map([message], |row| {
        Ok(Claimed {
            row: row.get(0)?,
            address: row.get(1)?,
            cells: row.get(2)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

impl Store {
    /// Puts right what a sender that is gone left behind: what was handing over is in doubt, what was
    /// only claimed is pending again. Call it with the campaign's lock held. Returns how many messages
    /// are newly in doubt.
    pub fn recover(&mut self, campaign: i64, clock: &Clock) -> Result<u64, Error> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        // After the wait for other writers: the sender may have been at work until then.
        let now = clock.reading();
        let left: Vec<(i64, String)> = transaction
            .prepare("SELECT id, state FROM message WHERE campaign = ? AND state IN ('claimed', 'handing_over')")?
            .query_map([campaign], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        let mut in_doubt = 0;
        for (message, state) in left {
            let state = MessageState::from_name(&state).ok_or(Error::Corrupt(state))?;
            in_doubt += u64::from(state == MessageState::HandingOver);
            put_right(&transaction, message, state, now)?;
        }
        transaction.execute(
            "UPDATE campaign SET run_state = 'planned', next_send_at = NULL
             WHERE id = ? AND run_state IN ('sending', 'waiting')",
            [campaign],
        )?;
        transaction.commit()?;
        Ok(in_doubt)
    }
}

impl Store {
    /// Puts right what senders that are gone left in hand in any campaign: as long as nobody does, it
    /// counts against the mailbox's limits as a message without a verdict. Campaigns that a living
    /// process sends are left alone. So are messages of no campaign. Returns how many were put right.
    pub fn recover_abandoned(&mut self, clock: &Clock) -> Result<u64, Error> {
        let left: Vec<(i64, String)> = self
            .connection
            .prepare(
                "SELECT id, name FROM campaign c WHERE EXISTS
                 (SELECT 1 FROM message WHERE campaign = c.id AND state IN ('claimed', 'handing_over'))",
            )?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        let mut recovered = self.recover_singles(clock)?;
        for (campaign, name) in left {
            match self.lock_for_a_moment(&name, clock.now()) {
                Ok(_lock) => {
                    self.recover(campaign, clock)?;
                    recovered += 1;
                }
                Err(Error::Locked { .. }) => {}
                Err(other) => return Err(other),
            }
        }
        Ok(recovered)
    }
}

fn put_right(
    connection: &Connection,
    message: i64,
    state: MessageState,
    now: Reading,
) -> Result<(), Error> {
    let attempt: i64 = connection.query_row(
        "SELECT id FROM attempt WHERE message = ? AND finished_at IS NULL",
        [message],
        |row| row.get(0),
    )?;
    let entry = ledger::entry_of(connection, attempt)?;
    let (event, outcome) = if state == MessageState::HandingOver {
        ledger::stamp_in_doubt(connection, entry, now)?;
        (Event::LoseVerdict, "in_doubt")
    } else {
        ledger::release(connection, entry)?;
        (Event::Release, "released")
    };
    let next = state.after(event)?;
    connection.execute(
        "UPDATE message SET state = ? WHERE id = ?",
        params![next.as_str(), message],
    )?;
    connection.execute(
        "UPDATE recipient SET state = ? WHERE message = ? AND state IN ('pending', 'deferred')",
        params![next.of_recipients().as_str(), message],
    )?;
    if next == MessageState::Pending {
        updating::drop_marked(connection, message)?;
    }
    connection.execute(
        "UPDATE attempt SET finished_at = ?, outcome = ?, reply = 'the sender ended before the verdict was recorded'
         WHERE id = ?",
        params![now.wall.as_millisecond(), outcome, attempt],
    )?;
    Ok(())
}
