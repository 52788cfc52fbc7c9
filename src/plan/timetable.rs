//! The timetable: which message goes when and by which account, by the same answer that the sender asks.
//!
//! It takes the network for infinitely fast: with a provider's rules those are what takes the time.
//! Every message is given to the account that can take it first, so that all of them end together, as
//! early as the rules allow. Who waits for a rule that counts external recipients lets those pass who have
//! none. `plan`, `status`, the rehearsal and what would be otherwise
//! ([`Outlook`](super::Outlook)) are all laid out here.

use jiff::{SignedDuration, Timestamp};

use crate::limits::{Calendar, Decision, Limiter, Reason, Rule, Unit, WORTH, Weight, in_openings};
use crate::store::{NewBatch, Run};

mod days;
mod line;
mod openings;
mod turn;

use days::Days;
use line::Line;
use openings::Openings;
pub(super) use turn::Part;
use turn::{Runs, Turn};

/// An account on the way: its windows, and the pause that its provider asked for.
#[derive(Debug, Clone)]
pub struct Track {
    /// The account's name.
    pub account: String,
    /// What it has handed over.
    pub limiter: Limiter,
    /// Nothing goes before this.
    pub held_until: Option<Timestamp>,
}

/// Puts messages, in order, on a calendar.
#[derive(Debug, Clone)]
pub struct Timetable {
    tracks: Vec<Track>,
    calendar: Openings,
    /// When the last message went.
    now: Timestamp,
    last: usize,
    /// Until when each account is busy with other campaigns, and what holds those back.
    busy: Vec<Option<(Timestamp, Reason)>>,
    days: Days,
    runs: Runs,
    /// Messages that were added.
    added: u64,
    /// Who waits for a rule that counts external recipients.
    line: Line,
    /// Some rule does.
    counts_external: bool,
    /// Shared messages are cut where a part can go long before the whole.
    cuts: bool,
    /// How long each reason held messages back.
    waits: Vec<(Reason, SignedDuration)>,
}

/// What a timetable must know of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message {
    /// What its envelope takes from the rules.
    pub weight: Weight,
    /// How many of the envelope are of the list.
    pub listed: u64,
    /// It goes no earlier than this.
    pub due: Option<Timestamp>,
    /// When it was to go by the plan, of one that several share and nobody has tried yet: when it would go
    /// later, or not at all any more, the sender cuts it.
    pub planned: Option<Timestamp>,
}

/// Where a message would go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) at: Timestamp,
    pub(super) track: usize,
    reason: Option<Reason>,
}

impl Timetable {
    /// A timetable that starts at `now` with what the accounts have already handed over.
    pub fn new(tracks: Vec<Track>, calendar: Calendar, now: Timestamp) -> Self {
        let is_external = |rule: &Rule| rule.unit == Unit::ExternalRecipients;
        let counts_external = |track: &Track| track.limiter.rules().any(is_external);
        let in_order = |track: Track| Track {
            limiter: track.limiter.in_order(),
            ..track
        };
        Self {
            counts_external: tracks.iter().any(counts_external),
            days: Days::new(tracks.len()),
            busy: vec![None; tracks.len()],
            tracks: tracks.into_iter().map(in_order).collect(),
            calendar: Openings::of(calendar),
            now,
            last: 0,
            runs: Runs::default(),
            added: 0,
            line: Line::default(),
            cuts: false,
            waits: Vec::new(),
        }
    }

    /// The same, with shared messages cut where a part can go long before the whole.
    pub(super) fn with_cuts(self) -> Self {
        Self { cuts: true, ..self }
    }

    /// The same, with accounts that are busy with other campaigns until a time; one for each track.
    pub(super) fn behind(mut self, busy: &[Option<(Timestamp, Reason)>]) -> Self {
        for (own, until) in self.busy.iter_mut().zip(busy) {
            *own = *until;
        }
        self
    }

    /// When the last message so far goes.
    pub(super) fn now(&self) -> Timestamp {
        self.now
    }

    /// The first place for a message of this weight that is not due before `due`; of several accounts the
    /// one that sent last goes on. The rule, when no account ever allows it.
    pub(super) fn find(&self, weight: Weight, due: Option<Timestamp>) -> Result<Slot, Rule> {
        let mut best: Result<Slot, Option<Rule>> = Err(None);
        let others = (0..self.tracks.len()).filter(|track| *track != self.last);
        for track in std::iter::once(self.last).chain(others) {
            match (self.on(track, weight, due), &best) {
                (Ok(slot), Ok(known)) if slot.at >= known.at => {}
                (Ok(slot), _) => {
                    best = Ok(slot);
                    if slot.at == self.now {
                        break;
                    }
                }
                (Err(rule), Err(None)) => best = Err(rule),
                (Err(_), _) => {}
            }
        }
        // A timetable without an account has no rule that could be in the way.
        best.map_err(|rule| rule.unwrap_or_else(no_rule))
    }

    fn on(
        &self,
        track: usize,
        weight: Weight,
        due: Option<Timestamp>,
    ) -> Result<Slot, Option<Rule>> {
        let Some(lane) = self.tracks.get(track) else {
            return Err(None);
        };
        let (mut at, mut reason) = (self.now, None);
        let waits = [
            due.map(|until| (until, Reason::Deferred)),
            lane.held_until.map(|until| (until, Reason::Provider)),
            self.busy.get(track).copied().flatten(),
        ];
        for (until, why) in waits.into_iter().flatten() {
            if until > at {
                (at, reason) = (until, Some(why));
            }
        }
        loop {
            let by_rules = lane.limiter.decide(at, weight);
            match in_openings(by_rules, at, |from| self.calendar.next_open(from)) {
                Decision::Go => return Ok(Slot { at, track, reason }),
                // The end of time: whoever lays out looks whether that is too far away.
                Decision::NotBefore(until, _) if until <= at => {
                    return Ok(Slot { at, track, reason });
                }
                Decision::NotBefore(until, why) => (at, reason) = (until, Some(why)),
                // Nothing is reserved here, so only a message that never fits is left.
                Decision::AfterVerdict(rule) | Decision::Never(rule) => return Err(Some(rule)),
            }
        }
    }

    /// Adds the next message, `listed` of whose envelope are of the list. When the rules never allow it,
    /// that rule is returned.
    pub fn add(&mut self, weight: Weight, listed: u64, due: Option<Timestamp>) -> Result<(), Rule> {
        self.add_run(
            &Message {
                weight,
                listed,
                due,
                planned: None,
            },
            1,
        )
    }

    /// Adds the next messages, which are all like this one. They go where they would go one by one; what it
    /// takes is a step for each moment at which some of them go, not for each of them.
    pub fn add_run(&mut self, message: &Message, messages: u64) -> Result<(), Rule> {
        let turn = Turn {
            planned: message.planned,
            ..Turn::new(self.added + 1, message.weight, message.listed, message.due)
        };
        self.added += messages;
        if turn.due.is_some() {
            self.empty_line()?;
        }
        if turn.due.is_some() || turn.weight.external == 0 || !self.counts_external {
            return self.take(turn, messages);
        }
        self.take_or_line_up(turn, messages)
    }

    /// Those who go at once go; the others come to stand in line.
    fn take_or_line_up(&mut self, mut turn: Turn, mut messages: u64) -> Result<(), Rule> {
        // The others of its weight are in line because it may go at some time.
        while messages > 0 && self.line.last_weight() != Some(turn.weight) {
            let (slot, kept) = self.slot_for(&turn)?;
            if !self.line.is_empty() || slot.at != self.now || kept.is_some() {
                break;
            }
            let placed = self.place(slot, &turn, messages);
            (turn, messages) = (turn.later(placed), messages - placed);
        }
        if messages > 0 {
            self.line.push(turn, messages);
        }
        Ok(())
    }

    /// Places messages that are alike; before each those in line that can go no later.
    fn take(&mut self, mut turn: Turn, mut messages: u64) -> Result<(), Rule> {
        // Of one that was cut.
        let mut left: Option<Turn> = None;
        while left.is_some() || messages > 0 {
            let next = left.unwrap_or(turn);
            let (slot, kept) = self.slot_for(&next)?;
            if self.first_in_line_goes_by(slot.at)? {
                continue;
            }
            let alike = if left.is_some() { 1 } else { messages };
            let (placed, rest) = match kept {
                None => (self.place(slot, &next, alike), None),
                Some(kept) => (1, Some(self.place_part(slot, next, kept))),
            };
            if left.is_none() {
                (turn, messages) = (turn.later(placed), messages - placed);
            }
            left = rest;
        }
        Ok(())
    }

    /// Places the first ones in line if they can go by then.
    fn first_in_line_goes_by(&mut self, at: Timestamp) -> Result<bool, Rule> {
        let Some((first, alike)) = self.line.first_by(at) else {
            return Ok(false);
        };
        let (slot, kept) = self.slot_for(&first)?;
        if slot.at > at {
            self.line.not_before(slot.at);
            return Ok(false);
        }
        match kept {
            None => {
                let placed = self.place(slot, &first, alike);
                self.line.went(placed, None);
            }
            Some(kept) => {
                let left = self.place_part(slot, first, kept);
                self.line.went(1, Some(left));
            }
        }
        Ok(true)
    }

    fn empty_line(&mut self) -> Result<(), Rule> {
        while self.first_in_line_goes_by(Timestamp::MAX)? {}
        Ok(())
    }

    /// Where a message goes; with so many of its recipients, when it is to be cut there.
    fn slot_for(&self, turn: &Turn) -> Result<(Slot, Option<u64>), Rule> {
        let whole = self.find(turn.weight, turn.due);
        let is_long = |slot: &Slot, since: Timestamp| slot.at.duration_since(since) > WORTH;
        let is_late = |slot: &Slot| turn.planned.is_some_and(|planned| is_long(slot, planned));
        let may_cut = match &whole {
            Ok(slot) => is_long(slot, self.now) && (self.cuts || is_late(slot)),
            Err(_) => turn.planned.is_some(),
        };
        let part = (may_cut && turn.listed > 1)
            .then(|| self.part(turn))
            .flatten();
        match (whole, part) {
            (Ok(whole), Some((part, _))) if !is_long(&whole, part.at) => Ok((whole, None)),
            (_, Some((part, kept))) => Ok((part, Some(kept))),
            (whole, None) => whole.map(|slot| (slot, None)),
        }
    }

    /// Where the first part of a shared message goes, with how many of its recipients.
    fn part(&self, turn: &Turn) -> Option<(Slot, u64)> {
        let shared = turn.shared();
        let slots = self.tracks.iter().enumerate().filter_map(|(place, track)| {
            let least = shared.least(&track.limiter)?;
            let slot = self.on(place, least, turn.due).ok()?;
            Some((slot, shared.fits(&track.limiter, slot.at)))
        });
        slots
            .min_by_key(|(slot, _)| (slot.at, slot.track != self.last))
            .filter(|(_, kept)| *kept > 0 && *kept < turn.listed)
    }

    /// Places a message and as many of those like it after it as may go at the same moment; how many there
    /// are, out of `messages`.
    fn place(&mut self, slot: Slot, turn: &Turn, messages: u64) -> u64 {
        let placed = match self.tracks.get(slot.track) {
            // Nothing comes after the end of time.
            _ if slot.at == Timestamp::MAX => messages,
            // Where a calendar or a rule has no answer, one goes all the same.
            Some(track) if messages > 1 => {
                track.limiter.fits(slot.at, turn.weight).clamp(1, messages)
            }
            _ => 1,
        };
        let batch = self.settle(slot, turn, placed);
        self.runs.enter(turn, placed, slot.track, batch);
        placed
    }

    /// Places the part of a message with so many of its recipients; what is left of it.
    fn place_part(&mut self, slot: Slot, turn: Turn, kept: u64) -> Turn {
        let (part, left) = turn.cut(kept);
        let batch = self.settle(slot, &part, 1);
        self.runs.enter_part(&part, &left, slot.track, batch);
        left
    }

    /// Counts messages in the rules and in their batch, whose number is returned.
    fn settle(&mut self, slot: Slot, turn: &Turn, messages: u64) -> u64 {
        if let Some(reason) = slot.reason {
            let wait = slot.at.duration_since(self.now);
            match self.waits.iter_mut().find(|(known, _)| *known == reason) {
                Some((_, sum)) => *sum = sum.saturating_add(wait),
                None => self.waits.push((reason, wait)),
            }
        }
        (self.now, self.last) = (slot.at, slot.track);
        if let Some(track) = self.tracks.get_mut(slot.track) {
            track.limiter.record_several(slot.at, turn.weight, messages);
        }
        let zone = self.calendar.calendar().zone();
        let account = self.tracks.get(slot.track).map(|track| &track.account);
        let account = account.map_or("", String::as_str);
        self.days.enter(
            (slot.track, account),
            slot.at,
            zone,
            (messages, turn.listed),
        )
    }

    /// What it came to.
    pub fn finish(mut self) -> Laid {
        // What is in line may go at some time, or it would not have come to stand there.
        let _all_go = self.empty_line();
        let (runs, cuts) = self.runs.finish();
        let longest = self.waits.into_iter().max_by_key(|(_, wait)| *wait);
        Laid {
            finishes_at: (self.days.placed > 0).then_some(self.now),
            limited_by: longest.map(|(reason, _)| reason),
            messages: self.days.placed,
            batches: self.days.batches,
            runs,
            cuts,
        }
    }
}

fn no_rule() -> Rule {
    Rule {
        max: 0,
        per: std::time::Duration::ZERO,
        unit: Unit::Messages,
    }
}

/// A finished timetable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Laid {
    /// Each account's days.
    pub batches: Vec<NewBatch>,
    /// Which messages are in which of them.
    pub runs: Vec<Run>,
    /// How many messages it has.
    pub messages: u64,
    /// When the last one goes; none when there is none.
    pub finishes_at: Option<Timestamp>,
    /// Where messages were cut, in their order.
    pub(super) cuts: Vec<Part>,
    /// What holds messages back for the longest time.
    pub limited_by: Option<Reason>,
}

#[cfg(test)]
mod tests;
