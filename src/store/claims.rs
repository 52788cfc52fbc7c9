//! Taking the next message, and putting right what a dead sender left behind.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::{Error, Store, ledger, to_optional_timestamp};
use crate::delivery::{Event, MessageState};
use crate::limits::{Decision, Limiter, Reservation, Rule, Weight};

/// Who claims, for which mailbox, under which rules.
#[derive(Debug, Clone)]
pub struct Claiming {
    /// The campaign's id.
    pub campaign: i64,
    /// The account's name, for the record.
    pub account: String,
    /// What quotas are counted by: the same mailbox has one ledger, however accounts are named.
    pub mailbox: String,
    /// The rules that hold for the mailbox.
    pub rules: Vec<Rule>,
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
    /// How many earlier attempts failed by its own fault, and not by the account's or the connection's.
    pub failures: u32,
    /// The message's place in the plan.
    pub number: u64,
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
}

/// What came of asking for the next message.
#[derive(Debug, Clone)]
pub enum Answer {
    /// This one may go now.
    Claimed(Box<Claim>),
    /// Not before this time, because of this rule.
    NotBefore(Timestamp, Rule),
    /// Not before another message in hand has its verdict, because of this rule.
    AfterVerdict(Rule),
    /// The message with this number alone is more than this rule ever allows.
    Never(u64, Rule),
    /// Deferred messages are left; the first is due at this time.
    NotDue(Timestamp),
    /// Nothing is pending or deferred.
    Nothing,
}

/// The mailbox's limiter, kept up with the ledger.
#[derive(Debug)]
pub(super) struct Gate {
    claiming: Claiming,
    limiter: Limiter,
    /// SQLite's count of commits by other connections, when the limiter was last filled.
    seen: Option<i64>,
}

struct Next {
    id: i64,
    state: MessageState,
    number: u64,
    weight: Weight,
}

impl Gate {
    pub(super) fn new(claiming: Claiming) -> Self {
        Self {
            limiter: Limiter::new(&claiming.rules),
            claiming,
            seen: None,
        }
    }

    pub(super) fn limiter(&mut self) -> &mut Limiter {
        &mut self.limiter
    }

    /// Fills the limiter again when another process or campaign has written to the store.
    fn keep_up(&mut self, connection: &Connection, now: Timestamp) -> Result<(), Error> {
        let version = connection.pragma_query_value(None, "data_version", |row| row.get(0))?;
        if self.seen == Some(version) {
            return Ok(());
        }
        let mut limiter = Limiter::new(&self.claiming.rules);
        let longest = limiter.longest_window() + Duration::from_secs(1);
        let longest = SignedDuration::try_from(longest).unwrap_or(SignedDuration::MAX);
        let since = now.saturating_sub(longest).unwrap_or(Timestamp::MIN);
        for entry in ledger::since(connection, &self.claiming.mailbox, since)? {
            match entry.stamped_at {
                Some(at) => limiter.record(at, entry.weight),
                None => limiter.reserve(Reservation(entry.id), entry.weight),
            }
        }
        self.limiter = limiter;
        self.seen = Some(version);
        Ok(())
    }

    /// Takes the next message if the rules allow it now. Runs inside a write transaction, so that
    /// no other process can take the same share.
    pub(super) fn claim(
        &mut self,
        connection: &Connection,
        now: Timestamp,
    ) -> Result<Answer, Error> {
        let Some(next) = next_message(connection, self.claiming.campaign, now)? else {
            let due = next_due(connection, self.claiming.campaign)?;
            return Ok(due.map_or(Answer::Nothing, Answer::NotDue));
        };
        self.keep_up(connection, now)?;
        let rule = |index: usize| self.claiming.rules.get(index).copied();
        let decision = self.limiter.decide(now, next.weight);
        let refusal = match decision {
            Decision::Go => None,
            Decision::NotBefore(until, index) => {
                rule(index).map(|rule| Answer::NotBefore(until, rule))
            }
            Decision::AfterVerdict(index) => rule(index).map(Answer::AfterVerdict),
            Decision::Never(index) => rule(index).map(|rule| Answer::Never(next.number, rule)),
        };
        if let Some(refusal) = refusal {
            return Ok(refusal);
        }
        let claim = take(connection, &self.claiming, &next, now)?;
        self.limiter
            .reserve(Reservation(claim.reservation), claim.weight);
        Ok(Answer::Claimed(Box::new(claim)))
    }
}

fn next_message(
    connection: &Connection,
    campaign: i64,
    now: Timestamp,
) -> Result<Option<Next>, Error> {
    const COLUMNS: &str = "SELECT id, state, number, recipients, external FROM message";
    let read = |row: &rusqlite::Row<'_>| {
        Ok((
            row.get::<_, i64>(0)?,
            row.get::<_, String>(1)?,
            row.get::<_, u64>(2)?,
            Weight {
                recipients: row.get(3)?,
                external: row.get(4)?,
            },
        ))
    };
    let due = connection
        .prepare_cached(&format!(
            "{COLUMNS} WHERE campaign = ? AND state = 'deferred' AND due_at <= ? ORDER BY due_at, number LIMIT 1"
        ))?
        .query_row(params![campaign, now.as_millisecond()], read)
        .optional()?;
    let next = match due {
        Some(due) => Some(due),
        None => connection
            .prepare_cached(&format!(
                "{COLUMNS} WHERE campaign = ? AND state = 'pending' ORDER BY due_at, number LIMIT 1"
            ))?
            .query_row([campaign], read)
            .optional()?,
    };
    next.map(|(id, state, number, weight)| {
        let state = MessageState::from_name(&state).ok_or(Error::Corrupt(state))?;
        Ok(Next {
            id,
            state,
            number,
            weight,
        })
    })
    .transpose()
}

fn next_due(connection: &Connection, campaign: i64) -> Result<Option<Timestamp>, Error> {
    let due: Option<i64> = connection
        .prepare_cached(
            "SELECT min(due_at) FROM message WHERE campaign = ? AND state = 'deferred'",
        )?
        .query_row([campaign], |row| row.get(0))?;
    to_optional_timestamp(due)
}

fn take(
    connection: &Connection,
    claiming: &Claiming,
    next: &Next,
    now: Timestamp,
) -> Result<Claim, Error> {
    let state = next.state.after(Event::Claim)?;
    let at = now.as_millisecond();
    let (attempts, failures, message_id, digest, shared, dated_at) = connection
        .prepare_cached(
            "UPDATE message SET state = ?, due_at = NULL, attempts = attempts + 1, dated_at = coalesce(dated_at, ?)
             WHERE id = ? RETURNING attempts, failures, message_id, digest, shared, dated_at",
        )?
        .query_row(params![state.as_str(), at, next.id], |row| {
            Ok((
                row.get::<_, u32>(0)?,
                row.get::<_, u32>(1)?,
                row.get::<_, String>(2)?,
                row.get::<_, [u8; 32]>(3)?,
                row.get::<_, bool>(4)?,
                row.get::<_, i64>(5)?,
            ))
        })?;
    connection
        .prepare_cached(
            "INSERT INTO attempt (message, number, account, claimed_at) VALUES (?, ?, ?, ?)",
        )?
        .execute(params![next.id, attempts, claiming.account, at])?;
    let attempt = connection.last_insert_rowid();
    let reservation = ledger::reserve(connection, &claiming.mailbox, attempt, next.weight)?;
    Ok(Claim {
        message: next.id,
        attempt,
        failures,
        number: next.number,
        message_id,
        digest,
        dated_at: super::to_timestamp(dated_at)?,
        shared,
        recipients: recipients_of(connection, next.id)?,
        weight: next.weight,
        reservation,
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
    pub fn recover(&mut self, campaign: i64, now: Timestamp) -> Result<u64, Error> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
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
    /// process sends are left alone. Returns how many campaigns were put right.
    pub fn recover_abandoned(&mut self, now: Timestamp) -> Result<u64, Error> {
        let left: Vec<(i64, String)> = self
            .connection
            .prepare(
                "SELECT id, name FROM campaign c WHERE EXISTS
                 (SELECT 1 FROM message WHERE campaign = c.id AND state IN ('claimed', 'handing_over'))",
            )?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        let mut recovered = 0;
        for (campaign, name) in left {
            match self.lock_for_sending(&name, now) {
                Ok(_lock) => {
                    self.recover(campaign, now)?;
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
    now: Timestamp,
) -> Result<(), Error> {
    let attempt: i64 = connection.query_row(
        "SELECT id FROM attempt WHERE message = ? AND finished_at IS NULL",
        [message],
        |row| row.get(0),
    )?;
    let (event, outcome) = if state == MessageState::HandingOver {
        // It may have been taken at any moment until now: it counts from now on.
        ledger::stamp(connection, attempt, now)?;
        (Event::LoseVerdict, "in_doubt")
    } else {
        ledger::release(connection, attempt)?;
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
    connection.execute(
        "UPDATE attempt SET finished_at = ?, outcome = ?, reply = 'the sender ended before the verdict was recorded'
         WHERE id = ?",
        params![now.as_millisecond(), outcome, attempt],
    )?;
    Ok(())
}
