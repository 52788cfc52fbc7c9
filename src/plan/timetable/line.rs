//! Those who wait for a rule that counts external recipients, while others pass.

use std::collections::VecDeque;

use jiff::Timestamp;

use super::turn::Turn;
use crate::limits::Weight;

/// Messages in order, those that follow each other and weigh the same in one entry.
#[derive(Debug, Clone)]
pub(super) struct Line {
    entries: VecDeque<(Turn, u64)>,
    /// The first one goes no earlier.
    not_before: Timestamp,
}

impl Default for Line {
    fn default() -> Self {
        Self {
            entries: VecDeque::new(),
            not_before: Timestamp::MIN,
        }
    }
}

impl Line {
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn last_weight(&self) -> Option<Weight> {
        self.entries.back().map(|(turn, _)| turn.weight)
    }

    pub(super) fn push(&mut self, turn: Turn) {
        if let Some((first, count)) = self.entries.back_mut() {
            let next = Turn {
                number: first.number + *count,
                ..*first
            };
            if next == turn {
                *count += 1;
                return;
            }
        }
        self.entries.push_back((turn, 1));
    }

    /// The first one, unless it is known to go later.
    pub(super) fn first_by(&self, at: Timestamp) -> Option<Turn> {
        let first = self.entries.front().map(|(turn, _)| *turn);
        first.filter(|_| self.not_before <= at)
    }

    /// The first one goes no earlier than this, whatever else goes meanwhile.
    pub(super) fn not_before(&mut self, at: Timestamp) {
        self.not_before = at;
    }

    /// The first one has gone, but for this.
    pub(super) fn went(&mut self, left: Option<Turn>) {
        self.not_before = Timestamp::MIN;
        if let Some((first, count)) = self.entries.front_mut() {
            if *count > 1 {
                (first.number, *count) = (first.number + 1, *count - 1);
            } else {
                self.entries.pop_front();
            }
        }
        if let Some(left) = left {
            self.entries.push_front((left, 1));
        }
    }
}
