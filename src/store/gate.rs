//! The gate of one account: which message it may take next, and from when.
//!
//! It keeps the mailbox's limiter in memory and up with the ledger: what other processes have stamped
//! since it last looked is read on from there, never the whole window again.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;

use super::claims::{self, Answer, Next, Share};
use super::cutting::{self, Part};
use super::holds::{self, Hold};
use super::{Claiming, Error, Lane, ledger};
use crate::limits::{
    Calendar, Decision, Limiter, Reason, Reservation, Shared, Unit, WORTH, earliest,
};

/// The longest pause after one more refusal for a cap.
const LONGEST_HOLD: SignedDuration = SignedDuration::from_hours(24);

/// An account that cannot go on for longer than this leaves what it never tried to whoever is free.
const STUCK: SignedDuration = SignedDuration::from_mins(2);

/// Stamps further ahead of the clock than this are set back for good: it was wrong when they were made.
const FAR_AHEAD: SignedDuration = SignedDuration::from_hours(1);

/// What came of looking for a message that may go.
enum Found {
    /// This one.
    Next(Next),
    /// None: those that were looked at wait for a rule for external recipients, others may pass.
    Passable(Answer),
    /// None, and nobody passes.
    Refused(Answer),
    /// There is none.
    None,
}

impl Found {
    /// What both looks together come to.
    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::None, found) | (found, Self::None) => found,
            (Self::Next(next), _) | (_, Self::Next(next)) => Self::Next(next),
            (Self::Passable(one), Self::Passable(two)) => Self::Passable(sooner_of(one, two)),
            (
                Self::Passable(one) | Self::Refused(one),
                Self::Passable(two) | Self::Refused(two),
            ) => Self::Refused(sooner_of(one, two)),
        }
    }

    fn into_answer(self) -> Option<Answer> {
        match self {
            Self::Passable(answer) | Self::Refused(answer) => Some(answer),
            Self::Next(_) | Self::None => None,
        }
    }
}

fn sooner(one: Option<Answer>, two: Option<Answer>) -> Option<Answer> {
    match (one, two) {
        (Some(one), Some(two)) => Some(sooner_of(one, two)),
        (one, two) => one.or(two),
    }
}

/// The one that lets something go first. A verdict may come at any time.
fn sooner_of(one: Answer, two: Answer) -> Answer {
    let from = |answer: &Answer| match answer {
        Answer::NotBefore(until, _) | Answer::Held(until, _) => *until,
        Answer::Never(..) => Timestamp::MAX,
        _ => Timestamp::MIN,
    };
    if from(&two) < from(&one) { two } else { one }
}

/// An account's limiter, kept up with the ledger.
#[derive(Debug)]
pub(super) struct Gate {
    campaign: i64,
    number: usize,
    /// The other accounts whose messages it may take over: those that send in the same name, and those
    /// that have stopped.
    others: BTreeSet<usize>,
    lane: Lane,
    calendar: Calendar,
    limiter: Limiter,
    hold: Option<Hold>,
    /// SQLite's count of commits by other connections, when the ledger was last looked at.
    seen: Option<i64>,
    /// The ledger's number of the last stamp up to which all are known.
    sequence: i64,
    /// Entries that were stamped here after it, while others wrote too.
    own: BTreeSet<i64>,
}

impl Gate {
    /// One gate for each account of a campaign.
    pub(super) fn all(claiming: &Claiming) -> Vec<Self> {
        let others = |number: usize, lane: &Lane| {
            let same = |(other, peer): (usize, &Lane)| {
                (other != number && peer.sender == lane.sender).then_some(other)
            };
            claiming.lanes.iter().enumerate().filter_map(same).collect()
        };
        let gate = |(number, lane): (usize, &Lane)| Self {
            campaign: claiming.campaign,
            number,
            others: others(number, lane),
            lane: lane.clone(),
            calendar: claiming.calendar.clone(),
            limiter: Limiter::new(&lane.rules),
            hold: None,
            seen: None,
            sequence: 0,
            own: BTreeSet::new(),
        };
        claiming.lanes.iter().enumerate().map(gate).collect()
    }

    pub(super) fn limiter(&mut self) -> &mut Limiter {
        &mut self.limiter
    }

    /// What was written to it did not reach the disk: it is filled again from the ledger.
    pub(super) fn forget(&mut self) {
        self.seen = None;
    }

    /// The account with this number has stopped: its messages are anybody's.
    pub(super) fn take_over(&mut self, other: usize) {
        if other != self.number {
            self.others.insert(other);
        }
    }

    /// Brings the limiter up with what other processes and campaigns have written.
    fn keep_up(&mut self, connection: &Connection, now: Timestamp) -> Result<(), Error> {
        let version = data_version(connection)?;
        if self.seen.is_none() {
            self.fill(connection, now)?;
        } else if self.seen != Some(version) {
            self.read_on(connection)?;
        }
        self.seen = Some(version);
        self.limiter.catch_up(now);
        Ok(())
    }

    fn fill(&mut self, connection: &Connection, now: Timestamp) -> Result<(), Error> {
        let mailbox = &self.lane.mailbox;
        ledger::set_back(connection, mailbox, now, FAR_AHEAD)?;
        self.limiter = Limiter::new(&self.lane.rules);
        let longest = self.limiter.longest_window() + Duration::from_secs(1);
        let longest = SignedDuration::try_from(longest).unwrap_or(SignedDuration::MAX);
        let since = now.saturating_sub(longest).unwrap_or(Timestamp::MIN);
        for entry in ledger::since(connection, mailbox, since)? {
            match entry.stamped_at {
                Some(at) => self.limiter.record(at, entry.weight),
                None => self.limiter.reserve(Reservation(entry.id), entry.weight),
            }
        }
        self.own.clear();
        self.sequence = ledger::last_sequence(connection, mailbox)?;
        self.hold = holds::of(connection, mailbox)?;
        Ok(())
    }

    fn read_on(&mut self, connection: &Connection) -> Result<(), Error> {
        let mailbox = &self.lane.mailbox;
        for entry in ledger::stamped_after(connection, mailbox, self.sequence)? {
            let Some(at) = entry.stamped_at else { continue };
            if self.own.contains(&entry.id) {
                continue;
            }
            self.limiter.release(Reservation(entry.id));
            self.limiter.record(at, entry.weight);
        }
        self.own.clear();
        self.sequence = ledger::last_sequence(connection, mailbox)?;
        let open = ledger::reserved(connection, mailbox)?;
        let known: Vec<Reservation> = self.limiter.reservations().collect();
        for reservation in known {
            if open.iter().all(|entry| entry.id != reservation.0) {
                self.limiter.release(reservation);
            }
        }
        for entry in open {
            self.limiter.reserve(Reservation(entry.id), entry.weight);
        }
        self.hold = holds::of(connection, mailbox)?;
        Ok(())
    }

    /// Takes the next message for the account with this number if rules, calendar and provider allow it
    /// now. Runs inside a write transaction, so that no other process can take the same share.
    pub(super) fn claim(
        gates: &mut [Self],
        number: usize,
        connection: &Connection,
        now: Timestamp,
    ) -> Result<Answer, Error> {
        let next = match Self::next(gates, number, connection, now)? {
            Ok(next) => next,
            Err(refusal) => return Ok(refusal),
        };
        let gate = gates.get_mut(number).ok_or(Error::WriterGone)?;
        let next = Self::cut_off(connection, next)?;
        let claim = claims::take(connection, &gate.lane, &next, now)?;
        gate.limiter
            .reserve(Reservation(claim.reservation), claim.weight);
        Ok(Answer::Claimed(Box::new(claim)))
    }

    /// What [`Gate::claim`] would answer, without taking anything.
    pub(super) fn look(
        gates: &mut [Self],
        number: usize,
        connection: &Connection,
        now: Timestamp,
    ) -> Result<Answer, Error> {
        Ok(match Self::next(gates, number, connection, now)? {
            Ok(_) => Answer::MayGo,
            Err(refusal) => refusal,
        })
    }

    fn next(
        gates: &mut [Self],
        number: usize,
        connection: &Connection,
        now: Timestamp,
    ) -> Result<Result<Next, Answer>, Error> {
        let gate = gates.get_mut(number).ok_or(Error::WriterGone)?;
        let others = gate.others.iter().map(|other| (*other, Share::TakenOver));
        let lanes: Vec<_> = std::iter::once((number, Share::Own))
            .chain(others)
            .collect();
        let mut found = gate.first_that_may_go(connection, &lanes, now)?;
        if matches!(found, Found::None | Found::Passable(_)) {
            let stuck: Vec<_> = Self::stuck(gates, number, connection, now)?
                .map(|other| (other, Share::Untried))
                .collect();
            let gate = gates.get_mut(number).ok_or(Error::WriterGone)?;
            if !stuck.is_empty() {
                found = found.or(gate.first_that_may_go(connection, &stuck, now)?);
            }
            if let Found::None | Found::Passable(_) = found {
                return gate.later(connection, found.into_answer()).map(Err);
            }
        }
        Ok(match found {
            Found::Next(next) => Ok(next),
            Found::Passable(answer) | Found::Refused(answer) => Err(answer),
            Found::None => Err(Answer::Nothing),
        })
    }

    /// The first message of these lanes that may go now. Who waits for a rule that counts external
    /// recipients lets those pass who have none; nobody passes who waits for anything else.
    fn first_that_may_go(
        &mut self,
        connection: &Connection,
        lanes: &[(usize, Share)],
        now: Timestamp,
    ) -> Result<Found, Error> {
        let mut found = Found::None;
        for (lane, share) in lanes {
            let candidates = claims::in_turn(connection, self.campaign, *lane, *share, now)?;
            for mut next in candidates.into_iter().flatten() {
                self.keep_up(connection, now)?;
                let Some(refusal) = self.refusal(&next, now) else {
                    return Ok(Found::Next(next));
                };
                let refusal = match self.part(connection, &next, refusal, now)? {
                    Ok(kept) => {
                        next.kept = Some(kept);
                        return Ok(Found::Next(next));
                    }
                    Err(refusal) => refusal,
                };
                if next.weight.external == 0 || !self.counts_external() {
                    return Ok(found.or(Found::Refused(refusal)));
                }
                found = found.or(Found::Passable(refusal));
            }
        }
        Ok(found)
    }

    fn counts_external(&self) -> bool {
        let mut rules = self.lane.rules.iter();
        rules.any(|rule| rule.unit == Unit::ExternalRecipients)
    }

    /// Why this message may not go now; none when it may.
    fn refusal(&self, next: &Next, now: Timestamp) -> Option<Answer> {
        let pause = self.hold.as_ref().filter(|hold| hold.until > now);
        let from = pause.map_or(now, |hold| hold.until);
        match earliest(&self.limiter, &self.calendar, from, next.weight) {
            Decision::Go => pause.map(|hold| Answer::Held(hold.until, hold.reply.clone())),
            Decision::NotBefore(until, reason) => Some(Answer::NotBefore(until, reason)),
            Decision::AfterVerdict(rule) => Some(Answer::AfterVerdict(rule)),
            Decision::Never(rule) => Some(Answer::Never(next.number, rule)),
        }
    }

    /// How much of a shared message may go now, where the whole may not for longer than was planned, or never.
    fn part(
        &self,
        connection: &Connection,
        next: &Next,
        refusal: Answer,
        now: Timestamp,
    ) -> Result<Result<Part, Answer>, Error> {
        let whole = match &refusal {
            Answer::Never(_, rule) if rule.unit != Unit::Messages => None,
            Answer::NotBefore(until, Reason::Rule(rule))
                if rule.unit != Unit::Messages && until.duration_since(now) > WORTH =>
            {
                Some(*until)
            }
            _ => return Ok(Err(refusal)),
        };
        let Some((listed, planned)) = cutting::sharers(connection, next.id)? else {
            return Ok(Err(refusal));
        };
        let is_late =
            |whole: Timestamp| planned.is_none_or(|planned| whole.duration_since(planned) > WORTH);
        if !whole.is_none_or(is_late) {
            return Ok(Err(refusal));
        }
        let shared = Shared {
            weight: next.weight,
            listed,
        };
        let held = self.hold.as_ref().filter(|hold| hold.until > now);
        let cut = shared.cut(&self.limiter, &self.calendar, now, whole);
        Ok(match (cut, held) {
            (None, _) => Err(refusal),
            (Some(_), Some(hold)) => Err(Answer::Held(hold.until, hold.reply.clone())),
            (Some(Ok(kept)), None) => match self.lane.message_ids.next() {
                Some(message_id) => Ok(Part {
                    shared,
                    kept,
                    message_id,
                }),
                None => Err(refusal),
            },
            (Some(Err((at, reason))), None) => Err(Answer::NotBefore(at, reason)),
        })
    }

    /// The part of a message that may go, as a message of its own; the whole where nothing is to be cut.
    fn cut_off(connection: &Connection, next: Next) -> Result<Next, Error> {
        let Some(part) = &next.kept else {
            return Ok(next);
        };
        let (id, number) = cutting::cut_off(connection, next.id, part)?;
        Ok(Next {
            id,
            number,
            weight: part.shared.part(part.kept),
            kept: None,
            ..next
        })
    }

    /// Nothing may go now: what was put off may be due before what waits for a rule.
    fn later(&self, connection: &Connection, refusal: Option<Answer>) -> Result<Answer, Error> {
        // What has external recipients waits for the rule too.
        let kinds: &[bool] = if refusal.is_some() {
            &[false]
        } else {
            &[false, true]
        };
        let lanes = std::iter::once(self.number).chain(self.others.iter().copied());
        let due = claims::next_due(connection, self.campaign, lanes, kinds)?;
        let due =
            due.map(|due| Answer::NotBefore(self.calendar.next_open(due).0, Reason::Deferred));
        Ok(match sooner(refusal, due) {
            Some(answer) => answer,
            None if claims::is_unfinished(connection, self.campaign)? => Answer::LeftToOthers,
            None => Answer::Nothing,
        })
    }

    /// The other accounts that cannot send what they have left for a while: whoever is free takes it,
    /// even in another name. What failed by its own fault stays theirs.
    fn stuck(
        gates: &mut [Self],
        number: usize,
        connection: &Connection,
        now: Timestamp,
    ) -> Result<impl Iterator<Item = usize> + use<>, Error> {
        let mut stuck = Vec::new();
        let known = gates.get(number).map(|gate| gate.others.clone());
        for gate in gates.iter_mut() {
            let is_other = gate.number != number;
            if is_other
                && known
                    .as_ref()
                    .is_none_or(|known| !known.contains(&gate.number))
                && gate.is_stuck(connection, now)?
            {
                stuck.push(gate.number);
            }
        }
        Ok(stuck.into_iter())
    }

    fn is_stuck(&mut self, connection: &Connection, now: Timestamp) -> Result<bool, Error> {
        let own = [(self.number, Share::Own)];
        let (Found::Passable(answer) | Found::Refused(answer)) =
            self.first_that_may_go(connection, &own, now)?
        else {
            return Ok(false);
        };
        let is_long = |until: Timestamp| until.duration_since(now) > STUCK;
        Ok(match answer {
            Answer::Held(until, _) => is_long(until),
            Answer::NotBefore(until, Reason::Rule(_)) if is_long(until) => true,
            Answer::NotBefore(_, Reason::Rule(rule)) => {
                // A short window opens again and again: it is long when what is left needs many of them.
                let per = u64::try_from(rule.per.as_millis())
                    .unwrap_or(u64::MAX)
                    .max(1);
                let windows = STUCK.as_millis().unsigned_abs() as u64 / per + 1;
                let most = rule.max.saturating_mul(windows);
                claims::has_more_than(connection, self.campaign, self.number, most)?
            }
            _ => false,
        })
    }

    /// The provider asked for a pause. For a cap that is reached the mailbox waits until the longest
    /// window begins to free, and each time twice as long when it is told so again; never shorter
    /// than `pause`.
    pub(super) fn hold(
        &mut self,
        connection: &Connection,
        now: Timestamp,
        pause: &Pause,
    ) -> Result<Timestamp, Error> {
        let mailbox = &self.lane.mailbox;
        let before = holds::of(connection, mailbox)?;
        let refusals = before.as_ref().map_or(0, |hold| hold.refusals);
        // Several connections hear of the same cap: only the first one counts it.
        let is_news = before.as_ref().is_none_or(|hold| hold.until <= now);
        let refusals = refusals + u32::from(pause.is_cap && is_news);
        let length = if pause.is_cap {
            let doubled = 1 << refusals.saturating_sub(1).min(10);
            pause.length.saturating_mul(doubled).min(LONGEST_HOLD)
        } else {
            pause.length
        };
        let mut until = now.saturating_add(length).unwrap_or(Timestamp::MAX);
        if pause.is_cap {
            until = until.max(self.limiter.first_to_leave(now).unwrap_or(until));
        }
        until = until.max(before.map_or(until, |hold| hold.until));
        let hold = Hold {
            until,
            reply: pause.reply.clone(),
            refusals: refusals.max(1),
        };
        holds::set(connection, mailbox, &hold)?;
        self.hold = Some(hold);
        Ok(until)
    }

    /// An attempt has ended here, and its entry in the ledger may have a stamp: it is not to be read again
    /// as somebody else's.
    pub(super) fn finished(
        &mut self,
        connection: &Connection,
        reservation: i64,
    ) -> Result<(), Error> {
        if self.seen == Some(data_version(connection)?) {
            self.sequence = ledger::last_sequence(connection, &self.lane.mailbox)?;
        } else {
            self.own.insert(reservation);
        }
        Ok(())
    }

    /// The provider has taken a message: a pause that is over is forgotten.
    pub(super) fn taken(&mut self, connection: &Connection, now: Timestamp) -> Result<(), Error> {
        if self.hold.as_ref().is_some_and(|hold| hold.until <= now) {
            holds::lift(connection, &self.lane.mailbox)?;
            self.hold = None;
        }
        Ok(())
    }
}

/// Changes whenever another connection has committed something.
fn data_version(connection: &Connection) -> Result<i64, Error> {
    Ok(connection
        .prepare_cached("PRAGMA data_version")?
        .query_row([], |row| row.get(0))?)
}

/// A pause that a provider asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// How long, at least.
    pub length: SignedDuration,
    /// A cap of hours or days is reached, as opposed to: slower, please.
    pub is_cap: bool,
    /// The provider's words.
    pub reply: String,
}
