//! The second mark and the verdict of a claimed message.
//!
//! The statements that every message goes through say `OR FAIL`: what fails takes the whole transaction with it, so that
//! a statement alone need not be undone. Without that SQLite notes for each how to, because triggers count along.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::past::{self, Verdict};
use super::reckoning::Reckoning;
use super::{Claim, Error, ledger, updating};
use crate::clock::Reading;
use crate::delivery::{Event, MessageState, Phase};
use crate::limits::{Limiter, Reservation, Weight};

/// The second mark: the server has said 354 and the content goes out next.
#[derive(Debug, Clone)]
pub struct HandOver {
    /// When.
    pub at: Timestamp,
    /// Rows that were refused at RCPT for good, with the reply.
    pub refused: Vec<(u64, String)>,
    /// Rows that were asked to come again, put into a message of their own.
    pub deferred: Option<Split>,
    /// What the server may now count.
    pub weight: Weight,
}

/// Recipients of a shared message that go on in a message of their own, with the same content.
#[derive(Debug, Clone)]
pub struct Split {
    /// The rows, with the reply.
    pub rows: Vec<(u64, String)>,
    /// What they take from the rules.
    pub weight: Weight,
    /// When they are tried again.
    pub due_at: Timestamp,
    /// The account was asked to wait, not they: this does not use up their back-off.
    pub blameless: bool,
}

/// How an attempt ended.
#[derive(Debug, Clone)]
pub enum Finish {
    /// The server took it.
    Accepted {
        /// When the verdict came.
        at: Reading,
        /// The server's words.
        reply: String,
    },
    /// To be tried again.
    Deferred {
        /// When the verdict came.
        at: Reading,
        /// When it is tried again.
        due_at: Timestamp,
        /// The account is to blame: this does not use up the message's back-off.
        blameless: bool,
        /// How far it came.
        phase: Phase,
        /// The server's words, or what broke.
        reply: String,
        /// Rows that were refused at RCPT for good, with the reply.
        refused: Vec<(u64, String)>,
        /// What is left in this message.
        weight: Weight,
    },
    /// Refused as a whole for the sake of one recipient: the others go again at once. It uses up nobody's
    /// back-off, but was handed over and counts.
    Parted {
        /// When the verdict came.
        at: Reading,
        /// How far it came.
        phase: Phase,
        /// The server's words.
        reply: String,
        /// Rows that are refused for good, with the reply.
        refused: Vec<(u64, String)>,
        /// Rows that go in a message of their own, where nobody knows yet whose fault it is.
        apart: Option<Split>,
        /// What is left in this message.
        weight: Weight,
    },
    /// Refused for good, for all that are left.
    Refused {
        /// When the verdict came.
        at: Reading,
        /// How far it came.
        phase: Phase,
        /// The server's words.
        reply: String,
        /// Rows that have a reply of their own.
        refused: Vec<(u64, String)>,
    },
    /// Given back untried: the account or the connection was the trouble, not the message.
    Released {
        /// The recipient at whom the connection broke goes on in a message of its own, so that the others
        /// need not wait for it.
        apart: Option<Split>,
        /// When.
        at: Reading,
        /// How far it came.
        phase: Phase,
        /// Why.
        reply: String,
        /// Rows that were refused at RCPT for good, with the reply.
        refused: Vec<(u64, String)>,
        /// What is left in this message.
        weight: Weight,
    },
    /// The final dot may have gone out and no verdict came.
    Lost {
        /// When the connection ended.
        at: Reading,
        /// What broke.
        reply: String,
    },
}

impl Finish {
    fn at(&self) -> Reading {
        match self {
            Self::Accepted { at, .. }
            | Self::Deferred { at, .. }
            | Self::Parted { at, .. }
            | Self::Refused { at, .. }
            | Self::Released { at, .. }
            | Self::Lost { at, .. } => *at,
        }
    }

    fn event(&self) -> Event {
        match self {
            Self::Accepted { .. } => Event::Accept,
            Self::Deferred { .. } | Self::Parted { .. } => Event::Defer,
            Self::Refused { .. } => Event::Refuse,
            Self::Released { .. } => Event::Release,
            Self::Lost { .. } => Event::LoseVerdict,
        }
    }

    fn outcome(&self) -> &'static str {
        match self {
            Self::Accepted { .. } => "sent",
            Self::Deferred { .. } | Self::Parted { .. } => "deferred",
            Self::Refused { .. } => "refused",
            Self::Released { .. } => "released",
            Self::Lost { .. } => "in_doubt",
        }
    }

    fn phase(&self) -> Phase {
        match self {
            Self::Accepted { .. } | Self::Lost { .. } => Phase::FinalDot,
            Self::Deferred { phase, .. }
            | Self::Parted { phase, .. }
            | Self::Refused { phase, .. }
            | Self::Released { phase, .. } => *phase,
        }
    }

    fn reply(&self) -> &str {
        match self {
            Self::Accepted { reply, .. }
            | Self::Deferred { reply, .. }
            | Self::Parted { reply, .. }
            | Self::Refused { reply, .. }
            | Self::Released { reply, .. }
            | Self::Lost { reply, .. } => reply,
        }
    }

    fn refused_rows(&self) -> &[(u64, String)] {
        match self {
            Self::Deferred { refused, .. }
            | Self::Parted { refused, .. }
            | Self::Refused { refused, .. }
            | Self::Released { refused, .. } => refused,
            Self::Accepted { .. } | Self::Lost { .. } => &[],
        }
    }
}

/// Where a message is on its way.
pub(super) fn state_of(connection: &Connection, message: i64) -> Result<MessageState, Error> {
    let name: String = connection
        .prepare_cached("SELECT state FROM message WHERE id = ?")?
        .query_row([message], |row| row.get(0))?;
    MessageState::from_name(&name).ok_or(Error::Corrupt(name))
}

/// An attempt that somebody else has ended is not to be gone on with.
pub(super) fn only_one(changed: usize) -> Result<(), Error> {
    match changed {
        1 => Ok(()),
        _ => Err(Error::Corrupt(
            "an attempt under way was ended by another process".to_owned(),
        )),
    }
}

/// These rows of a claim, by their addresses: an edited list that was taken in since may have them elsewhere.
fn addressed<'a>(
    claim: &'a Claim,
    rows: &'a [(u64, String)],
) -> impl Iterator<Item = (&'a str, &'a str)> {
    rows.iter().filter_map(|(row, reply)| {
        let mut people = claim.recipients.iter();
        let person = people.find(|person| person.row == *row)?;
        Some((person.address.as_str(), reply.as_str()))
    })
}

/// Refuses recipients alone, in the attempt under way. What was said to them at RCPT is not what was said of all.
fn refuse_rows(
    connection: &Connection,
    claim: &Claim,
    rows: &[(u64, String)],
    of_all: Option<&Finish>,
) -> Result<(), Error> {
    let mut statement = connection.prepare_cached(
        "UPDATE recipient SET state = 'refused', reply = ?, since = NULL WHERE campaign = ? AND row = ?",
    )?;
    for (address, reply) in addressed(claim, rows) {
        let Some((campaign, row)) = past::whom(connection, claim.message, address)? else {
            continue;
        };
        let of_all = of_all.filter(|finish| finish.reply() == reply);
        let verdict = Verdict {
            attempt: claim.attempt,
            outcome: "refused",
            phase: of_all.map_or(Phase::RcptTo, Finish::phase),
            reply,
        };
        past::keep(connection, (campaign, row), Some(verdict))?;
        statement.execute(params![reply, campaign, row])?;
    }
    Ok(())
}

/// Records the second mark.
pub(super) fn hand_over(
    connection: &Connection,
    limiter: &mut Limiter,
    claim: &Claim,
    mark: &HandOver,
) -> Result<(), Error> {
    let state = state_of(connection, claim.message)?.after(Event::HandOver)?;
    refuse_rows(connection, claim, &mark.refused, None)?;
    if let Some(split) = &mark.deferred {
        split_off(connection, claim, split, Phase::RcptTo, mark.at)?;
    }
    connection
        .prepare_cached(
            "UPDATE OR FAIL message SET state = ?, recipients = ?, external = ? WHERE id = ?",
        )?
        .execute(params![
            state.as_str(),
            mark.weight.recipients,
            mark.weight.external,
            claim.message
        ])?;
    connection
        .prepare_cached("UPDATE attempt SET handover_at = ? WHERE id = ? AND finished_at IS NULL")?
        .execute(params![mark.at.as_millisecond(), claim.attempt])
        .map_err(Error::from)
        .and_then(only_one)?;
    if mark.weight != claim.weight {
        ledger::shrink(connection, claim.reservation, mark.weight)?;
        limiter.reserve(Reservation(claim.reservation), mark.weight);
    }
    Ok(())
}

/// Makes a message of its own for recipients that were asked to come again while the others go on.
/// The attempt under way came as far as `phase` for them; its number is the last that the message does not tell of.
fn split_off(
    connection: &Connection,
    claim: &Claim,
    split: &Split,
    phase: Phase,
    now: Timestamp,
) -> Result<(), Error> {
    connection.execute(
        "INSERT INTO message (campaign, edition, number, batch, lane, shared, state, message_id, digest, recipients,
                              external, copies, attempts, failures, dated_at, due_at, put_off_at)
         SELECT campaign, edition, (SELECT max(number) + 1 FROM message WHERE campaign = m.campaign), batch, lane, shared,
                'deferred', message_id, digest, ?, ?, copies, attempts, failures + ?, dated_at, ?, ?
         FROM message m WHERE id = ?",
        params![
            split.weight.recipients,
            split.weight.external,
            u32::from(!split.blameless),
            split.due_at.as_millisecond(),
            now.as_millisecond(),
            claim.message
        ],
    )?;
    let sibling = connection.last_insert_rowid();
    let mut statement = connection.prepare_cached(
        "UPDATE recipient SET state = 'deferred', reply = ?1, message = ?2,
             since = 1 + (SELECT attempts FROM message WHERE id = ?2)
         WHERE campaign = ?3 AND row = ?4",
    )?;
    for (address, reply) in addressed(claim, &split.rows) {
        let Some((campaign, row)) = past::whom(connection, claim.message, address)? else {
            continue;
        };
        let verdict = Verdict {
            attempt: claim.attempt,
            outcome: "deferred",
            phase,
            reply,
        };
        past::keep(connection, (campaign, row), Some(verdict))?;
        statement.execute(params![reply, sibling, campaign, row])?;
    }
    updating::drop_marked(connection, sibling)
}

/// Records the verdict.
pub(super) fn finish(
    connection: &Connection,
    (limiter, reckoning): (&mut Limiter, Reckoning),
    claim: &Claim,
    finish: &Finish,
) -> Result<(), Error> {
    let before = state_of(connection, claim.message)?;
    let after = before.after(finish.event())?;
    let at = finish.at();
    refuse_rows(connection, claim, finish.refused_rows(), Some(finish))?;
    let (apart, left) = match finish {
        Finish::Parted { apart, weight, .. } | Finish::Released { apart, weight, .. } => {
            (apart.as_ref(), Some(weight))
        }
        Finish::Deferred { weight, .. } => (None, Some(weight)),
        _ => (None, None),
    };
    if let Some(split) = apart {
        split_off(connection, claim, split, finish.phase(), at.wall)?;
    }
    // Who was refused is not waited for, the next time.
    if let Some(left) = left.filter(|left| left.recipients > 0) {
        connection
            .prepare_cached("UPDATE message SET recipients = ?, external = ? WHERE id = ?")?
            .execute(params![left.recipients, left.external, claim.message])?;
    }
    write_message(connection, claim.message, after, finish)?;
    if matches!(after, MessageState::Pending | MessageState::Deferred) {
        updating::drop_marked(connection, claim.message)?;
    }
    connection
        .prepare_cached(
            "UPDATE attempt SET finished_at = ?, outcome = ?, phase = ?, reply = ?
             WHERE id = ? AND finished_at IS NULL",
        )?
        .execute(params![
            at.wall.as_millisecond(),
            finish.outcome(),
            finish.phase().as_str(),
            finish.reply(),
            claim.attempt
        ])
        .map_err(Error::from)
        .and_then(only_one)?;
    // Who says that a limit is reached has not counted what it turned away.
    let is_turned_away = matches!(
        finish,
        Finish::Deferred {
            blameless: true,
            ..
        }
    );
    if before == MessageState::HandingOver && !is_turned_away {
        let counts_from = if after == MessageState::InDoubt {
            ledger::stamp_in_doubt(connection, claim.reservation, at)?
        } else {
            ledger::stamp(connection, claim.reservation, at)?;
            at
        };
        limiter.stamp(
            Reservation(claim.reservation),
            reckoning.shows(&counts_from),
        );
    } else {
        ledger::release(connection, claim.reservation)?;
        limiter.release(Reservation(claim.reservation));
    }
    Ok(())
}

fn write_message(
    connection: &Connection,
    message: i64,
    after: MessageState,
    finish: &Finish,
) -> Result<(), Error> {
    let sent_at =
        matches!(finish, Finish::Accepted { .. }).then(|| finish.at().wall.as_millisecond());
    let due_at = match finish {
        Finish::Deferred { due_at, .. } => Some(due_at.as_millisecond()),
        Finish::Parted { at, .. } => Some(at.wall.as_millisecond()),
        _ => None,
    };
    let failed = matches!(
        finish,
        Finish::Deferred {
            blameless: false,
            ..
        }
    );
    connection
        .prepare_cached(
            "UPDATE OR FAIL message SET state = ?, sent_at = ?, due_at = ?, put_off_at = ?, reply = ?, failures = failures + ?
             WHERE id = ?",
        )?
        .execute(params![
            after.as_str(),
            sent_at,
            due_at,
            due_at.map(|_| finish.at().wall.as_millisecond()),
            finish.reply(),
            u32::from(failed),
            message
        ])?;
    connection
        .prepare_cached(
            "UPDATE OR FAIL recipient SET state = ?, sent_at = ?, reply = ?
             WHERE message = ? AND state IN ('pending', 'deferred')",
        )?
        .execute(params![
            after.of_recipients().as_str(),
            sent_at,
            finish.reply(),
            message
        ])?;
    Ok(())
}
