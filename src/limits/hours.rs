//! Sending hours: on which days of the week, from when to when.

use std::fmt;

use jiff::civil::{Time, Weekday};
use serde::{Deserialize, Serialize};

/// Minutes in a day.
const DAY: u32 = 24 * 60;

/// A stretch of a day in minutes from its midnight. One that ends after the next midnight belongs to
/// the day on which it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stretch {
    from: u32,
    to: u32,
}

/// Sending hours, as `"Mon-Fri 08:00-18:00"`, `"Mon-Thu 08:00-12:00, 13:00-17:00; Fri 08:00-14:00"` or
/// `"22:00-06:00"`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hours {
    text: String,
    /// From Monday.
    week: [Vec<Stretch>; 7],
}

/// Text that says no sending hours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HoursError {
    /// A word that is neither days nor hours.
    #[error("'{0}' is neither days such as Mon-Fri nor hours such as 08:00-18:00")]
    Word(String),
    /// A time that no clock shows.
    #[error("'{0}' is not a time of day: write 00:00 to 24:00")]
    Time(String),
    /// Hours that begin when they end.
    #[error("'{0}' begins when it ends: that would never be open")]
    Empty(String),
    /// Days without hours.
    #[error("'{0}' has days without hours after them")]
    NoHours(String),
    /// Nothing at all.
    #[error("there are no hours in it: it would never be open")]
    Never,
}

const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const FULL_NAMES: [&str; 7] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];

fn day(name: &str) -> Option<usize> {
    let name = name.to_ascii_lowercase();
    let known = |names: &[&str; 7]| names.iter().position(|known| *known == name);
    known(&NAMES).or_else(|| known(&FULL_NAMES))
}

/// `Fri`, `Mon-Fri`, or over the week's end `Sat-Mon`.
fn days(word: &str) -> Option<Vec<usize>> {
    let (first, last) = word.split_once(['-', '–']).unwrap_or((word, word));
    let (first, last) = (day(first)?, day(last)?);
    let count = (last + 7 - first) % 7 + 1;
    Some((0..count).map(|step| (first + step) % 7).collect())
}

fn minutes(text: &str) -> Option<u32> {
    let (hours, minutes) = text.split_once(':').unwrap_or((text, "00"));
    let is_number =
        |text: &str| matches!(text.len(), 1 | 2) && text.bytes().all(|b| b.is_ascii_digit());
    if !is_number(hours) || minutes.len() != 2 || !is_number(minutes) {
        return None;
    }
    let total = hours.parse::<u32>().ok()? * 60 + minutes.parse::<u32>().ok()?;
    let is_time = minutes.parse::<u32>().ok()? < 60 && total <= DAY;
    is_time.then_some(total)
}

fn stretch(word: &str) -> Result<Stretch, HoursError> {
    let Some((from, to)) = word.split_once(['-', '–']) else {
        return Err(HoursError::Word(word.to_owned()));
    };
    if !word.bytes().any(|b| b.is_ascii_digit()) {
        return Err(HoursError::Word(word.to_owned()));
    }
    let time = |text: &str| minutes(text).ok_or_else(|| HoursError::Time(text.to_owned()));
    let (from, to) = (time(from)?, time(to)?);
    if from == to || from == DAY {
        return Err(HoursError::Empty(word.to_owned()));
    }
    let to = if to < from { to + DAY } else { to };
    Ok(Stretch { from, to })
}

impl Hours {
    /// Reads sending hours: days (`Mon`, `Mon-Fri`; all days when none are named) followed by one or more
    /// stretches of hours; parts are divided by blanks, commas or semicolons.
    pub fn parse(text: &str) -> Result<Self, HoursError> {
        let mut week: [Vec<Stretch>; 7] = Default::default();
        let mut named: Vec<usize> = Vec::new();
        let mut last_days = "";
        let mut had_hours = true;
        for word in text.split(|c: char| c.is_whitespace() || c == ',' || c == ';') {
            if word.is_empty() {
                continue;
            }
            if let Some(days) = days(word) {
                if had_hours {
                    named.clear();
                }
                named.extend(days);
                (had_hours, last_days) = (false, word);
                continue;
            }
            let stretch = stretch(word)?;
            let all: Vec<usize> = (0..7).collect();
            for &day in if named.is_empty() { &all } else { &named } {
                week[day].push(stretch);
            }
            had_hours = true;
        }
        if !had_hours {
            return Err(HoursError::NoHours(last_days.to_owned()));
        }
        if week.iter().all(Vec::is_empty) {
            return Err(HoursError::Never);
        }
        Ok(Self {
            text: text.trim().to_owned(),
            week,
        })
    }

    /// Whether this moment of a day is inside what begins on it.
    pub(super) fn opens(&self, weekday: Weekday, time: Time) -> bool {
        let second = second_of(time);
        self.on(weekday)
            .any(|stretch| stretch.from * 60 <= second && second < stretch.to.min(DAY) * 60)
    }

    /// Whether this moment of a day is inside what began on the day before, which was `before`.
    pub(super) fn reaches_over(&self, before: Weekday, time: Time) -> bool {
        let second = second_of(time);
        self.on(before)
            .any(|stretch| stretch.to > DAY && second < (stretch.to - DAY) * 60)
    }

    /// Every time of day at which something begins or ends on some day.
    pub(super) fn edges(&self) -> impl Iterator<Item = Time> {
        let all = self.week.iter().flatten();
        all.flat_map(|stretch| [stretch.from, stretch.to])
            .filter_map(|minute| {
                let (hour, minute) = (minute % DAY / 60, minute % 60);
                Time::new(hour as i8, minute as i8, 0, 0).ok()
            })
    }

    /// The times of day at which something begins on this day of the week.
    pub(super) fn begins(&self, weekday: Weekday) -> impl Iterator<Item = Time> {
        self.on(weekday).filter_map(|stretch| {
            let (hour, minute) = (stretch.from / 60, stretch.from % 60);
            Time::new(hour as i8, minute as i8, 0, 0).ok()
        })
    }

    fn on(&self, weekday: Weekday) -> impl Iterator<Item = &Stretch> {
        self.week[weekday.to_monday_zero_offset() as usize].iter()
    }
}

fn second_of(time: Time) -> u32 {
    (i32::from(time.hour()) * 3600 + i32::from(time.minute()) * 60 + i32::from(time.second()))
        as u32
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<String> for Hours {
    type Error = HoursError;

    fn try_from(text: String) -> Result<Self, HoursError> {
        Self::parse(&text)
    }
}

impl From<Hours> for String {
    fn from(hours: Hours) -> Self {
        hours.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(hours: &str, weekday: Weekday, time: (i8, i8)) -> bool {
        let hours = Hours::parse(hours).unwrap();
        let time = Time::new(time.0, time.1, 0, 0).unwrap();
        hours.opens(weekday, time) || hours.reaches_over(weekday.previous(), time)
    }

    #[test]
    fn hours_are_read_as_people_write_them() {
        let week = "Mon-Thu 08:00-12:00, 13:00-17:00; Fri 8-14:30";
        assert!(open(week, Weekday::Monday, (8, 0)));
        assert!(!open(week, Weekday::Monday, (12, 0)));
        assert!(open(week, Weekday::Thursday, (16, 59)));
        assert!(!open(week, Weekday::Thursday, (17, 0)));
        assert!(open(week, Weekday::Friday, (14, 29)));
        assert!(!open(week, Weekday::Friday, (15, 0)));
        assert!(!open(week, Weekday::Sunday, (10, 0)));
        assert!(open("monday, WED 09:00-10:00", Weekday::Wednesday, (9, 30)));
        assert!(open("09:00-10:00", Weekday::Sunday, (9, 30)));
        assert!(open("00:00-24:00", Weekday::Sunday, (23, 59)));
    }

    #[test]
    fn a_night_belongs_to_the_day_on_which_it_begins() {
        let night = "Fri-Sat 22:00-06:00";
        assert!(open(night, Weekday::Friday, (22, 0)));
        assert!(!open(night, Weekday::Friday, (5, 0)));
        assert!(open(night, Weekday::Sunday, (5, 59)));
        assert!(!open(night, Weekday::Sunday, (6, 0)));
        assert!(open("Sat-Mon 10:00-11:00", Weekday::Sunday, (10, 0)));
    }

    #[test]
    fn what_says_no_hours_is_refused() {
        for bad in [
            "",
            " , ",
            "Mon-Fri",
            "Mon-Fri 8:00-18:00; Sat",
            "08:00",
            "Mo-Fr 08:00-18:00",
            "08:00-08:00",
            "24:00-24:00",
            "24:00-06:00",
            "08:00-25:00",
            "08:60-09:00",
            "8.00-9.00",
            "08:00-18:00-20:00",
            "office hours",
            "-",
            "é-ü",
        ] {
            assert!(Hours::parse(bad).is_err(), "{bad}");
        }
    }
}
