//! Which message an account may take next: of its own, or of an account that cannot.

use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;

use super::Gate;
use crate::clock::Reading;
use crate::limits::{Decision, Reason, Reservation, Shared, Unit, WORTH};
use crate::store::Error;
use crate::store::claims::{self, Answer};
use crate::store::cutting::{self, Part};
use crate::store::line::{self, Next, Share};
use crate::store::suppressing;

/// An account that cannot go on for longer than this leaves what it never tried to whoever is free.
const STUCK: SignedDuration = SignedDuration::from_mins(2);

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

impl Gate {
    /// Takes the next message for the account with this number if rules, calendar and provider allow it
    /// now. Runs inside a write transaction, so that no other process can take the same share. Whoever is on the
    /// suppression list by then is withdrawn from it first.
    pub(in crate::store) fn claim(
        gates: &mut [Self],
        number: usize,
        connection: &Connection,
        now: &Reading,
    ) -> Result<Answer, Error> {
        let next = loop {
            let next = match Self::next(gates, number, connection, now)? {
                Ok(next) => next,
                Err(refusal) => return Ok(refusal),
            };
            let campaign = gates.get(number).ok_or(Error::WriterGone)?.campaign;
            // With anybody withdrawn the message is another one, or none: it is looked for anew.
            if suppressing::withdraw_from(connection, campaign, next.id, now.wall)? == 0 {
                break next;
            }
            Self::line_changed(gates);
        };
        if next.kept.is_some() {
            Self::line_changed(gates);
        }
        for gate in gates.iter_mut() {
            gate.ahead.taken(&next);
        }
        let gate = gates.get_mut(number).ok_or(Error::WriterGone)?;
        let next = Self::cut_off(connection, next)?;
        let claim = claims::take(connection, &gate.lane, next, now.wall, gate.version)?;
        gate.limiter
            .reserve(Reservation(claim.reservation), claim.weight);
        Ok(Answer::Claimed(Box::new(claim)))
    }

    /// What [`Gate::claim`] would answer, without taking anything.
    pub(in crate::store) fn look(
        gates: &mut [Self],
        number: usize,
        connection: &Connection,
        now: &Reading,
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
        now: &Reading,
    ) -> Result<Result<Next, Answer>, Error> {
        let gate = gates.get_mut(number).ok_or(Error::WriterGone)?;
        gate.keep_up(connection, now)?;
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
        now: &Reading,
    ) -> Result<Found, Error> {
        let mut found = Found::None;
        for (lane, share) in lanes {
            let candidates = match share {
                Share::Own if *lane == self.number => {
                    let own = (self.campaign, self.number);
                    self.ahead
                        .in_turn(connection, own, self.version, now.wall)?
                }
                share => line::in_turn(connection, self.campaign, *lane, *share, now.wall)?,
            };
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
    fn refusal(&self, next: &Next, now: &Reading) -> Option<Answer> {
        let pause = self.hold.as_ref().filter(|hold| hold.until > now.wall);
        let from = pause.map_or(now.wall, |hold| hold.until);
        match self.earliest(now, from, next.weight) {
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
        now: &Reading,
    ) -> Result<Result<Part, Answer>, Error> {
        let whole = match &refusal {
            Answer::Never(_, rule) if rule.unit != Unit::Messages => None,
            Answer::NotBefore(until, _)
                if until.duration_since(now.wall) > WORTH && self.waits_for_room(next, now) =>
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
        let pause = self.hold.as_ref().filter(|hold| hold.until > now.wall);
        // The limiter's times, and the machine's: see [`Gate::earliest`].
        let behind = self.reckoning.behind(now);
        let judged = |at: Timestamp| at.saturating_sub(behind).unwrap_or(Timestamp::MIN);
        let shown = |at: Timestamp| at.saturating_add(behind).unwrap_or(Timestamp::MAX);
        let cut = shared.cut(
            &self.limiter,
            &self.calendar,
            judged(now.wall),
            whole.map(judged),
        );
        Ok(match (cut, pause) {
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
            (Some(Err((at, reason))), None) => Err(Answer::NotBefore(shown(at), reason)),
        })
    }

    /// Whether it is a rule that counts recipients that it waits for, and not only the hours.
    fn waits_for_room(&self, next: &Next, now: &Reading) -> bool {
        let decision = self.limiter.decide(self.reckoning.shows(now), next.weight);
        matches!(decision, Decision::NotBefore(_, Reason::Rule(rule)) if rule.unit != Unit::Messages)
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
            message_id: part.message_id.clone(),
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
        let due = line::next_due(connection, self.campaign, lanes, kinds)?;
        let due =
            due.map(|due| Answer::NotBefore(self.calendar.next_open(due).0, Reason::Deferred));
        Ok(match sooner(refusal, due) {
            Some(answer) => answer,
            None if line::is_unfinished(connection, self.campaign)? => Answer::LeftToOthers,
            None => Answer::Nothing,
        })
    }

    /// The other accounts that cannot send what they have left for a while: whoever is free takes it,
    /// even in another name. What failed by its own fault stays theirs.
    fn stuck(
        gates: &mut [Self],
        number: usize,
        connection: &Connection,
        now: &Reading,
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

    fn is_stuck(&mut self, connection: &Connection, now: &Reading) -> Result<bool, Error> {
        let own = [(self.number, Share::Own)];
        let (Found::Passable(answer) | Found::Refused(answer)) =
            self.first_that_may_go(connection, &own, now)?
        else {
            return Ok(false);
        };
        let is_long = |until: Timestamp| until.duration_since(now.wall) > STUCK;
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
                line::has_more_than(connection, self.campaign, self.number, most)?
            }
            _ => false,
        })
    }
}
