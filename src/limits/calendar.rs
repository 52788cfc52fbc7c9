//! When a campaign may be sent at all: hours, holidays, and a time before which nothing goes.
//!
//! Everything is judged by what a clock on the wall of the campaign's time zone shows. When clocks go
//! forward, an hour that is left out is never open; when they go back, one that comes twice is open
//! twice.

use std::collections::BTreeSet;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::hours::Hours;

/// Why the calendar lets nothing go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Closed {
    /// It is not to begin yet.
    NotBefore,
    /// The day is a holiday.
    Holiday,
    /// Outside the sending hours.
    Hours,
}

/// What a campaign's author said about when it may be sent; the default is always.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// Sending hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<Hours>,
    /// Days on which nothing is sent.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub holidays: BTreeSet<Date>,
    /// Nothing is sent before this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// A start that was missed by more than a day goes on without a question.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub starts_late: bool,
}

/// A schedule in its time zone.
#[derive(Debug, Clone)]
pub struct Calendar {
    schedule: Schedule,
    zone: TimeZone,
}

impl Calendar {
    /// The calendar of a schedule, whose hours and days are those of `zone`.
    pub fn new(schedule: Schedule, zone: TimeZone) -> Self {
        Self { schedule, zone }
    }

    /// Always open.
    pub fn always() -> Self {
        Self::new(Schedule::default(), TimeZone::UTC)
    }

    /// What it is made from.
    pub fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// The zone of its hours and days.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The earliest moment from `at` on at which something may go, and why not at once; the end of
    /// time when it never opens again.
    pub fn next_open(&self, at: Timestamp) -> (Timestamp, Option<Closed>) {
        let start = self.schedule.not_before.map_or(at, |first| at.max(first));
        let Some(closed) = self.closed(start) else {
            let early = (start > at).then_some(Closed::NotBefore);
            return (start, early);
        };
        (self.search(start), Some(closed))
    }

    /// Until when it certainly stays open, where it is open at `at`: whoever asks for many moments in order need
    /// not ask for each. It may stay open for longer.
    pub fn open_until(&self, at: Timestamp) -> Timestamp {
        let schedule = &self.schedule;
        if schedule.hours.is_none() && schedule.holidays.is_empty() {
            return Timestamp::MAX;
        }
        // It closes only where hours end, at a midnight, or where the zone's clocks are set.
        let edges = schedule.hours.iter().flat_map(Hours::edges);
        let edges: BTreeSet<Time> = edges.chain([Time::midnight()]).collect();
        let today = self.zone.to_datetime(at).date();
        let dates = [Some(today), today.tomorrow().ok()].into_iter().flatten();
        let walls = dates.flat_map(|date| {
            edges
                .iter()
                .map(move |time| DateTime::from_parts(date, *time))
        });
        let moments = walls.flat_map(|wall| {
            let wall = self.zone.to_ambiguous_timestamp(wall);
            [wall.earlier().ok(), wall.later().ok()]
        });
        let change = self
            .zone
            .following(at)
            .next()
            .map(|change| change.timestamp());
        let next = moments.chain([change]).flatten().filter(|next| *next > at);
        // Without a next one there is nothing to rely on.
        next.min().unwrap_or(at)
    }

    /// Why nothing goes at this moment of the wall's clock; none when it may.
    fn closed(&self, at: Timestamp) -> Option<Closed> {
        let schedule = &self.schedule;
        if schedule.hours.is_none() && schedule.holidays.is_empty() {
            return None;
        }
        let wall = self.zone.to_datetime(at);
        if schedule.holidays.contains(&wall.date()) {
            return Some(Closed::Holiday);
        }
        let Some(hours) = &schedule.hours else {
            return None;
        };
        let over_midnight = || {
            let before = wall.date().yesterday().ok();
            before.is_some_and(|before| {
                !schedule.holidays.contains(&before)
                    && hours.reaches_over(before.weekday(), wall.time())
            })
        };
        let is_open = hours.opens(wall.date().weekday(), wall.time()) || over_midnight();
        (!is_open).then_some(Closed::Hours)
    }

    /// The first moment after `start` at which it opens: it can only do so where hours begin, at a
    /// midnight, or where the zone's clocks are set.
    fn search(&self, start: Timestamp) -> Timestamp {
        let mut date = self.zone.to_datetime(start).date();
        // A week without an opening is one with a holiday, or with an hour that was left out.
        for _ in 0..7 * (self.schedule.holidays.len() + 3) {
            let opening = self
                .candidates(date)
                .into_iter()
                .filter(|at| *at >= start && self.closed(*at).is_none())
                // What is found of the next day already may come after an opening of that day.
                .filter(|at| self.zone.to_datetime(*at).date() <= date)
                .min();
            if let Some(opening) = opening {
                return opening;
            }
            match date.tomorrow() {
                Ok(next) => date = next,
                Err(_) => break,
            }
        }
        Timestamp::MAX
    }

    fn candidates(&self, date: Date) -> Vec<Timestamp> {
        let hours = self.schedule.hours.as_ref();
        let begins = hours
            .into_iter()
            .flat_map(|hours| hours.begins(date.weekday()));
        let mut moments = Vec::new();
        for time in std::iter::once(Time::midnight()).chain(begins) {
            let wall = self
                .zone
                .to_ambiguous_timestamp(DateTime::from_parts(date, time));
            moments.extend(wall.earlier().ok());
            moments.extend(wall.later().ok());
        }
        let Some(first) = moments.iter().min().copied() else {
            return moments;
        };
        let day = SignedDuration::from_hours(49);
        let last = first.saturating_add(day).unwrap_or(Timestamp::MAX);
        let changes = self.zone.following(first).map(|change| change.timestamp());
        moments.extend(changes.take_while(|at| *at <= last));
        moments
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn berlin() -> TimeZone {
        TimeZone::get("Europe/Berlin").unwrap()
    }

    fn calendar(hours: &str, holidays: &[&str]) -> Calendar {
        let schedule = Schedule {
            hours: Some(Hours::parse(hours).unwrap()),
            holidays: holidays.iter().map(|day| day.parse().unwrap()).collect(),
            ..Schedule::default()
        };
        Calendar::new(schedule, berlin())
    }

    fn opens(calendar: &Calendar, at: &str) -> (String, Option<Closed>) {
        let (opening, why) = calendar.next_open(at.parse().unwrap());
        (opening.to_string(), why)
    }

    #[test]
    fn nights_week_ends_and_holidays_are_slept_through() {
        let calendar = calendar("Mon-Fri 08:00-18:00", &["2026-12-25"]);
        let at = |at| opens(&calendar, at);
        assert_eq!(
            at("2026-12-01T09:00:00Z"),
            ("2026-12-01T09:00:00Z".to_owned(), None)
        );
        let night = ("2026-12-02T07:00:00Z".to_owned(), Some(Closed::Hours));
        assert_eq!(at("2026-12-01T17:00:00Z"), night);
        // Thursday evening, a holiday on Friday, then the week-end.
        let monday = ("2026-12-28T07:00:00Z".to_owned(), Some(Closed::Hours));
        assert_eq!(at("2026-12-24T17:30:00Z"), monday);
        let monday = ("2026-12-28T07:00:00Z".to_owned(), Some(Closed::Holiday));
        assert_eq!(at("2026-12-25T12:00:00Z"), monday);
    }

    #[test]
    fn an_hour_is_that_of_the_wall_when_clocks_are_set() {
        let calendar = calendar("08:00-18:00", &[]);
        let at = |at| opens(&calendar, at).0;
        // Berlin: 29 March and 25 October 2026.
        assert_eq!(at("2026-03-28T20:00:00Z"), "2026-03-29T06:00:00Z");
        assert_eq!(at("2026-10-24T20:00:00Z"), "2026-10-25T07:00:00Z");
    }

    #[test]
    fn an_hour_left_out_is_never_open_and_one_that_comes_twice_is_open_twice() {
        let calendar = calendar("02:15-02:45", &[]);
        let at = |at| opens(&calendar, at).0;
        assert_eq!(at("2026-03-29T00:00:00Z"), "2026-03-30T00:15:00Z");
        assert_eq!(at("2026-10-25T00:00:00Z"), "2026-10-25T00:15:00Z");
        assert_eq!(at("2026-10-25T00:45:00Z"), "2026-10-25T01:15:00Z");
    }

    #[test]
    fn hours_that_begin_in_an_hour_left_out_begin_when_the_clock_is_set() {
        let calendar = calendar("02:30-04:00", &[]);
        assert_eq!(
            opens(&calendar, "2026-03-29T00:00:00Z").0,
            "2026-03-29T01:00:00Z"
        );
    }

    #[test]
    fn clocks_that_are_set_at_the_end_of_an_opening_do_not_hide_its_beginning() {
        let mut calendar = calendar("Sat 09:30-01:15", &[]);
        calendar.zone = TimeZone::get("Asia/Beirut").unwrap();
        // At midnight of 28 March 2026 it becomes one o'clock there.
        let at = |at| opens(&calendar, at).0;
        assert_eq!(at("2026-03-23T08:30:00Z"), "2026-03-28T07:30:00Z");
        assert_eq!(at("2026-03-28T22:00:00Z"), "2026-03-28T22:00:00Z");
    }

    #[test]
    fn hours_over_a_change_of_clocks_begin_when_they_say_after_a_holiday() {
        let calendar = calendar("01:30-03:30", &["2027-03-27"]);
        // Clocks go forward at two o'clock on the 28th, half an hour after it has opened.
        assert_eq!(
            opens(&calendar, "2027-03-27T12:00:00Z").0,
            "2027-03-28T00:30:00Z"
        );
    }

    #[test]
    fn a_night_before_a_holiday_ends_at_midnight() {
        let calendar = calendar("22:00-06:00", &["2026-12-25"]);
        let at = |at| opens(&calendar, at).0;
        assert_eq!(at("2026-12-24T22:59:59Z"), "2026-12-24T22:59:59Z");
        // The holiday's own night does not begin, so its morning after is closed too.
        assert_eq!(at("2026-12-24T23:00:00Z"), "2026-12-26T21:00:00Z");
    }

    #[test]
    fn nothing_goes_before_the_start() {
        let mut calendar = calendar("Mon-Fri 08:00-18:00", &[]);
        calendar.schedule.not_before = Some("2026-12-05T12:00:00Z".parse().unwrap());
        assert_eq!(
            opens(&calendar, "2026-12-01T12:00:00Z").0,
            "2026-12-07T07:00:00Z"
        );
        calendar.schedule.hours = None;
        let start = ("2026-12-05T12:00:00Z".to_owned(), Some(Closed::NotBefore));
        assert_eq!(opens(&calendar, "2026-12-01T12:00:00Z"), start);
    }

    proptest! {
        /// What is given as the next opening is open, and no quarter of an hour before it was.
        #[test]
        fn the_next_opening_is_the_first(
            zone in prop_oneof![Just("Europe/Berlin"), Just("America/St_Johns"), Just("Asia/Beirut"), Just("UTC"), Just("Australia/Lord_Howe")],
            start in 1_767_225_600_i64..1_798_761_600,
            from in 0_u32..96, length in 1_u32..96, first in 0_usize..7, days in 0_usize..7,
            holidays in proptest::collection::btree_set(0_i64..30, 0..6),
        ) {
            let day = |n: usize| ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"][n % 7];
            let clock = |quarters: u32| format!("{:02}:{:02}", quarters / 4 % 24, quarters % 4 * 15);
            prop_assume!(length % 96 != 0);
            let text = format!("{}-{} {}-{}", day(first), day(first + days), clock(from), clock(from + length));
            let zone = TimeZone::get(zone).unwrap();
            let start = Timestamp::from_second(start).unwrap();
            let today = zone.to_datetime(start).date();
            let holidays = holidays.iter().map(|n| today.saturating_add(jiff::Span::new().days(*n))).collect();
            let schedule = Schedule { hours: Some(Hours::parse(&text).unwrap()), holidays, ..Schedule::default() };
            let calendar = Calendar::new(schedule, zone);
            let (opening, _) = calendar.next_open(start);
            prop_assert!(opening >= start);
            prop_assert!(calendar.closed(opening).is_none(), "{text}: {opening}");
            let until = calendar.open_until(opening);
            prop_assert!(until > opening);
            let mut at = opening;
            while at < until {
                prop_assert!(calendar.closed(at).is_none(), "{text}: {at} before {until}");
                at += SignedDuration::from_mins(5);
            }
            let mut at = start;
            while at < opening {
                prop_assert!(calendar.closed(at).is_some(), "{text}: {at} before {opening}");
                at += SignedDuration::from_mins(15);
            }
        }
    }
}
