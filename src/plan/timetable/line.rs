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

    /// So many messages come to stand in line, of which `turn` is the first.
    pub(super) fn push(&mut self, turn: Turn, messages: u64) {
        if let Some((first, count)) = self.entries.back_mut()
            && first.later(*count) == turn
        {
            *count += messages;
            return;
        }
        self.entries.push_back((turn, messages));
    }

    /// The first one and how many like it stand there, unless it is known to go later.
    pub(super) fn first_by(&self, at: Timestamp) -> Option<(Turn, u64)> {
        let first = self.entries.front().copied();
        first.filter(|_| self.not_before <= at)
    }

    /// The first one goes no earlier than this, whatever else goes meanwhile.
    pub(super) fn not_before(&mut self, at: Timestamp) {
        self.not_before = at;
    }

    /// The first so many have gone, but for this.
    pub(super) fn went(&mut self, messages: u64, left: Option<Turn>) {
        self.not_before = Timestamp::MIN;
        if let Some((first, count)) = self.entries.front_mut() {
            if *count > messages {
                (*first, *count) = (first.later(messages), *count - messages);
            } else {
                self.entries.pop_front();
            }
        }
        if let Some(left) = left {
            self.entries.push_front((left, 1));
        }
    }
}
