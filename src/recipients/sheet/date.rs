//! Days and times, which a sheet keeps as a number of days.

use jiff::ToSpan;
use jiff::civil::Date;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];

/// A part of a date or time as a format asks for it, with how many letters it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Year(usize),
    Month(usize),
    Day(usize),
    Hour(usize),
    Minute(usize),
    Second(usize),
    /// Digits of a second's fraction.
    Fraction(usize),
    /// AM or PM; true for A or P.
    Half(bool),
    /// All hours, minutes or seconds since the beginning.
    Elapsed(char, usize),
}

impl Part {
    /// A name of a month or day, which is written in some language.
    pub(super) fn is_name(self) -> bool {
        matches!(self, Self::Month(3..) | Self::Day(3..))
    }
}

/// A moment of a sheet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    /// None where the number is a time alone.
    date: Option<Date>,
    /// Since midnight.
    millis: i64,
    /// Since the number nought.
    elapsed: i64,
}

impl Moment {
    /// `places`: how many digits of a second's fraction are shown. None for what a sheet shows as ####,
    /// and for 29 February 1900, a day that only spreadsheets know.
    pub(super) fn of(days: f64, places: usize, from_1904: bool) -> Option<Self> {
        // The year 9999 ends at 2,958,466.
        if !(0.0..2_958_466.0).contains(&days) {
            return None;
        }
        let step = 10_i64.pow(3_u32.saturating_sub(places as u32));
        let exact = (days * 86_400_000.0).round() as i64;
        let elapsed = (exact + step / 2) / step * step;
        let (day, millis) = (elapsed / 86_400_000, elapsed % 86_400_000);
        let date = match (day, from_1904) {
            (_, true) => Some((1904, 1, 1, day)),
            (0, false) => None,
            (1..60, false) => Some((1899, 12, 31, day)),
            (60, false) => return None,
            (_, false) => Some((1899, 12, 30, day)),
        };
        let date = match date {
            Some((year, month, first, day)) => {
                let start = Date::new(year, month, first).ok()?;
                Some(start.checked_add(day.days()).ok()?)
            }
            None => None,
        };
        Some(Self {
            date,
            millis,
            elapsed,
        })
    }

    /// In the form of ISO 8601, which means the same everywhere.
    pub(super) fn iso(&self) -> String {
        let seconds = self.millis / 1000;
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        match self.date {
            Some(date) if seconds == 0 => date.to_string(),
            Some(date) => format!("{date} {hour:02}:{minute:02}:{second:02}"),
            None => format!("{hour:02}:{minute:02}:{second:02}"),
        }
    }

    /// One part of it; `half_days` when the format has AM and PM. None when there is no such part.
    pub(super) fn part(&self, part: Part, half_days: bool) -> Option<String> {
        let padded = |number: i64, width: usize| format!("{number:0width$}");
        let name = |names: &[&'static str], at: i8, width: usize| {
            let name = *names.get(usize::try_from(at).ok()?)?;
            Some(match width {
                3 => name.chars().take(3).collect(),
                5 => name.chars().take(1).collect(),
                _ => name.to_owned(),
            })
        };
        let seconds = self.millis / 1000;
        let hour = seconds / 3600;
        Some(match part {
            Part::Year(1 | 2) => padded(i64::from(self.date?.year()) % 100, 2),
            Part::Year(_) => padded(i64::from(self.date?.year()), 4),
            Part::Month(width @ 1..=2) => padded(self.date?.month().into(), width),
            Part::Month(width) => name(&MONTHS, self.date?.month() - 1, width)?,
            Part::Day(width @ 1..=2) => padded(self.date?.day().into(), width),
            Part::Day(width) => {
                let at = self.date?.weekday().to_monday_zero_offset();
                name(&DAYS, at, width.min(4))?
            }
            Part::Hour(width) if half_days => padded((hour + 11) % 12 + 1, width),
            Part::Hour(width) => padded(hour, width),
            Part::Minute(width) => padded(seconds / 60 % 60, width),
            Part::Second(width) => padded(seconds % 60, width),
            Part::Fraction(places) => {
                let millis = padded(self.millis % 1000, 3);
                millis.chars().take(places).collect()
            }
            Part::Half(short) => {
                let word = if hour < 12 { "AM" } else { "PM" };
                word.chars().take(if short { 1 } else { 2 }).collect()
            }
            Part::Elapsed(unit, width) => {
                let seconds = self.elapsed / 1000;
                let count = match unit {
                    'h' => seconds / 3600,
                    'm' => seconds / 60,
                    _ => seconds,
                };
                padded(count, width)
            }
        })
    }
}
