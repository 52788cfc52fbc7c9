//! A message on its way into a timetable, whole or what is left of it, and what is said of its place.

use jiff::Timestamp;

use crate::limits::{Shared, Weight};
use crate::store::Run;

/// A message, or what is left of it after cuts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Turn {
    /// Its place among those that were added, from 1.
    pub(super) number: u64,
    /// How often it was cut.
    pub(super) part: u64,
    pub(super) weight: Weight,
    /// How many recipients of the list are left.
    pub(super) listed: u64,
    pub(super) due: Option<Timestamp>,
    /// When it was to go by the plan: it is cut when it would go later. None where it is not to be.
    pub(super) planned: Option<Timestamp>,
}

/// A cut: so many recipients of a message, in the order of the list, go in the next part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::plan) struct Part {
    /// The message's place among those that were added, from 1.
    pub(in crate::plan) number: u64,
    pub(in crate::plan) kept: u64,
}

impl Turn {
    pub(super) fn new(number: u64, weight: Weight, listed: u64, due: Option<Timestamp>) -> Self {
        Self {
            number,
            part: 0,
            weight,
            listed,
            due,
            planned: None,
        }
    }

    /// The one that comes so many messages after it, where all of them weigh the same.
    pub(super) fn later(self, messages: u64) -> Self {
        Self {
            number: self.number + messages,
            ..self
        }
    }

    pub(super) fn shared(&self) -> Shared {
        Shared {
            weight: self.weight,
            listed: self.listed,
        }
    }

    /// The part of it with so many recipients, and what is left.
    pub(super) fn cut(self, kept: u64) -> (Self, Self) {
        let part = |listed, part| Self {
            weight: self.shared().part(listed),
            listed,
            part,
            ..self
        };
        let left = part(self.listed - kept, self.part + 1);
        (part(kept, self.part), left)
    }
}

/// Which messages are in which batch.
#[derive(Debug, Clone, Default)]
pub(super) struct Runs {
    placed: Vec<(u64, u64, Run)>,
    /// What the last run would go on with: number and part.
    next: Option<(u64, u64)>,
    cuts: Vec<Part>,
}

impl Runs {
    /// So many messages were placed, of which `turn` is the first.
    pub(super) fn enter(&mut self, turn: &Turn, messages: u64, lane: usize, batch: u64) {
        self.go_on(turn, messages, lane, batch);
        self.next = Some((turn.number + messages, 0));
    }

    /// A part of a message was placed, and this is left of it.
    pub(super) fn enter_part(&mut self, turn: &Turn, left: &Turn, lane: usize, batch: u64) {
        self.go_on(turn, 1, lane, batch);
        self.next = Some((left.number, left.part));
        self.cuts.push(Part {
            number: turn.number,
            kept: turn.listed,
        });
    }

    fn go_on(&mut self, turn: &Turn, messages: u64, lane: usize, batch: u64) {
        let goes_on = self.next == Some((turn.number, turn.part));
        match self.placed.last_mut() {
            Some((.., run)) if run.batch == batch && goes_on => run.messages += messages,
            _ => {
                let run = Run {
                    first: 0,
                    messages,
                    lane,
                    batch,
                };
                self.placed.push((turn.number, turn.part, run));
            }
        }
    }

    /// The runs, with the numbers that messages have once they are cut, and the cuts in their order.
    pub(super) fn finish(mut self) -> (Vec<Run>, Vec<Part>) {
        // Parts of the same message were cut off one after the other.
        self.cuts.sort_by_key(|cut| cut.number);
        let cuts = &self.cuts;
        let runs = self.placed.into_iter().map(|(number, part, run)| {
            let before = cuts.partition_point(|cut| cut.number < number) as u64;
            Run {
                first: number + before + part,
                ..run
            }
        });
        (runs.collect(), self.cuts)
    }
}
