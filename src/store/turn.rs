//! One connection's turn at the journal: all that it has to say and to ask at a moment, in one transaction.
//!
//! A connection that goes at full pace has the verdict on one message, the second mark of the next and the wish for
//! a further one at the same moment: that is one commit instead of three. Messages may be claimed ahead of their
//! turn; what people have asked for since (a halt, a suppression, an edited list) is heeded when their second mark is
//! made, so that claiming ahead sends nothing that would not have gone otherwise.

use rusqlite::{Connection, params};

use super::finishing::{self, Finish, HandOver};
use super::gate::Gate;
use super::{Answer, Claim, Error, Halt, halting, ledger, suppressing, updating};
use crate::clock::Reading;
use crate::delivery::{Event, MessageState};
use crate::limits::Reservation;

/// What a connection has to say and to ask. The parts are carried out in this order.
#[derive(Debug, Default)]
pub struct Turn {
    /// The verdict on a message.
    pub finish: Option<(Claim, Finish)>,
    /// Messages that were claimed ahead and whose turn never came: they are as they were before.
    pub give_back: Vec<Claim>,
    /// The second mark of a message.
    pub hand_over: Option<(Claim, HandOver)>,
    /// That message was claimed while another one was in hand: what people have asked for since then is heeded.
    pub was_ahead: bool,
    /// The next messages are asked for.
    pub wish: Option<Wish>,
}

/// How many messages are asked for, at which time.
#[derive(Debug, Clone, Copy)]
pub struct Wish {
    /// The time.
    pub at: Reading,
    /// At most so many.
    pub most: usize,
}

/// What came of a turn.
#[derive(Debug, Default)]
pub struct Turned {
    /// Why the second mark was not made; nothing may go out then.
    pub withheld: Option<Withheld>,
    /// To the wish for further messages: what was claimed, and why no more, where it is less than was asked for.
    pub answers: Vec<Answer>,
}

/// Why a message that was claimed may not be handed over any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Withheld {
    /// A person has asked since that nothing more of the campaign goes.
    Halted(Halt),
    /// Since then somebody in it was taken off the list, or put on the suppression list.
    Withdrawn,
}

/// Carries out a turn of the account with this number.
pub(super) fn take(
    connection: &Connection,
    gates: &mut [Gate],
    number: usize,
    campaign: i64,
    turn: &Turn,
) -> Result<Turned, Error> {
    let mut turned = Turned::default();
    let gate = gates.get_mut(number).ok_or(Error::WriterGone)?;
    if let Some((claim, finish)) = &turn.finish {
        let reckoning = gate.reckoning();
        finishing::finish(connection, (gate.limiter(), reckoning), claim, finish)?;
        gate.finished(connection, claim.reservation)?;
        if let Finish::Accepted { at, .. } = finish {
            gate.taken(connection, at.wall)?;
        } else {
            Gate::line_changed(gates);
        }
    }
    if !turn.give_back.is_empty() {
        Gate::line_changed(gates);
    }
    let gate = gates.get_mut(number).ok_or(Error::WriterGone)?;
    for claim in &turn.give_back {
        give_back(connection, claim)?;
        gate.limiter().release(Reservation(claim.reservation));
    }
    if let Some((claim, mark)) = &turn.hand_over {
        if turn.was_ahead {
            turned.withheld = withheld(connection, campaign, claim, gate.version())?;
        }
        if turned.withheld.is_some() {
            return Ok(turned);
        }
        finishing::hand_over(connection, gate.limiter(), claim, mark)?;
        if mark.deferred.is_some() {
            Gate::line_changed(gates);
        }
    }
    if let Some(wish) = &turn.wish {
        turned.answers = answer(connection, gates, number, campaign, wish)?;
    }
    Ok(turned)
}

fn answer(
    connection: &Connection,
    gates: &mut [Gate],
    number: usize,
    campaign: i64,
    wish: &Wish,
) -> Result<Vec<Answer>, Error> {
    // In the transaction that would take a message: after a halt is on disk none is begun.
    if let Some(halt) = halting::in_force(connection, campaign)? {
        return Ok(vec![Answer::Halted(halt)]);
    }
    let mut answers = Vec::with_capacity(wish.most);
    while answers.len() < wish.most {
        let answer = Gate::claim(gates, number, connection, &wish.at)?;
        let was_claimed = matches!(answer, Answer::Claimed(_));
        answers.push(answer);
        if !was_claimed {
            break;
        }
    }
    Ok(answers)
}

/// What people have asked for since the message was claimed, where it concerns the message.
fn withheld(
    connection: &Connection,
    campaign: i64,
    claim: &Claim,
    version: i64,
) -> Result<Option<Withheld>, Error> {
    if claim.seen == version {
        return Ok(None);
    }
    if let Some(halt) = halting::halt_of(connection, campaign)? {
        return Ok(Some(Withheld::Halted(halt)));
    }
    let is_withdrawn = updating::has_marked(connection, claim.message)?
        || suppressing::concerns(connection, campaign, claim.message)?;
    Ok(is_withdrawn.then_some(Withheld::Withdrawn))
}

/// Undoes a claim of which the server never heard: no attempt was made.
fn give_back(connection: &Connection, claim: &Claim) -> Result<(), Error> {
    let event = if claim.is_new {
        Event::Release
    } else {
        Event::Defer
    };
    let before = finishing::state_of(connection, claim.message)?;
    if before != MessageState::Claimed {
        return Err(Error::Corrupt(format!(
            "a message to give back is {before}"
        )));
    }
    let after = before.after(event)?;
    // What was put off before is due at once.
    let due = (after == MessageState::Deferred).then(|| claim.dated_at.as_millisecond());
    connection
        .prepare_cached(
            "UPDATE message SET state = ?1, due_at = ?2, attempts = attempts - 1,
                 dated_at = CASE attempts WHEN 1 THEN NULL ELSE dated_at END WHERE id = ?3",
        )?
        .execute(params![after.as_str(), due, claim.message])?;
    ledger::release(connection, claim.reservation)?;
    connection
        .prepare_cached("DELETE FROM attempt WHERE id = ? AND finished_at IS NULL")?
        .execute([claim.attempt])
        .map_err(Error::from)
        .and_then(finishing::only_one)?;
    updating::drop_marked(connection, claim.message)
}
