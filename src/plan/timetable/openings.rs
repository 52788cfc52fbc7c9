//! A calendar that is asked for many moments, most of them one after the other.

use std::cell::Cell;

use jiff::Timestamp;

use crate::limits::{Calendar, Closed};

/// The calendar, and when it was last found to be open.
#[derive(Debug, Clone)]
pub(super) struct Openings {
    calendar: Calendar,
    /// From when to before when.
    open: Cell<Option<(Timestamp, Timestamp)>>,
}

impl Openings {
    pub(super) fn of(calendar: Calendar) -> Self {
        Self {
            calendar,
            open: Cell::new(None),
        }
    }

    pub(super) fn calendar(&self) -> &Calendar {
        &self.calendar
    }

    /// What [`Calendar::next_open`] says.
    pub(super) fn next_open(&self, at: Timestamp) -> (Timestamp, Option<Closed>) {
        if let Some((from, until)) = self.open.get()
            && from <= at
            && at < until
        {
            return (at, None);
        }
        let (opening, closed) = self.calendar.next_open(at);
        if closed.is_none() {
            let until = self.calendar.open_until(opening);
            self.open.set(Some((opening, until)));
        }
        (opening, closed)
    }
}
