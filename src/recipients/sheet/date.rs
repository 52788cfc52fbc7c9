//! Days and times, which a sheet keeps as a number of days.

use jiff::ToSpan;
use jiff::civil::Date;

use super::language::Names;

/// How dates are written: a workbook leaves the sign between their parts, and the short date as a whole, to the
/// settings of each computer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateStyle {
    pub(super) between: char,
    parts: [Part; 3],
}

impl DateStyle {
    /// Ways that are usual, each by how it writes 1 March 2026.
    pub const EXAMPLES: [&str; 6] = [
        "01.03.2026",
        "1.3.2026",
        "01/03/2026",
        "3/1/2026",
        "01-03-2026",
        "2026-03-01",
    ];

    /// Reads how 1 March 2026 is to look; none when this is not that day, or not in figures with `.`, `/` or `-`
    /// between them.
    pub fn by_example(example: &str) -> Option<Self> {
        let example = example.trim();
        let between = example.chars().find(|c| !c.is_ascii_digit())?;
        let part = |figures: &str| {
            let part = match figures {
                "1" | "01" => Part::Day,
                "3" | "03" => Part::Month,
                "26" | "2026" => Part::Year,
                _ => return None,
            };
            Some(part(figures.len()))
        };
        let parts: Vec<Part> = example.split(between).map(part).collect::<Option<_>>()?;
        let parts: [Part; 3] = parts.try_into().ok()?;
        let kinds = [
            parts.iter().any(|part| matches!(part, Part::Day(_))),
            parts.iter().any(|part| matches!(part, Part::Month(_))),
            parts.iter().any(|part| matches!(part, Part::Year(_))),
        ];
        (kinds == [true; 3] && matches!(between, '.' | '/' | '-'))
            .then_some(Self { between, parts })
    }
}

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

    /// The short date, and the time of day where it has one or is asked for.
    pub(super) fn short(&self, style: DateStyle, with_time: bool) -> Option<String> {
        let parts = style.parts.map(|part| self.part(part, false, None));
        let [first, second, third] = parts;
        let between = style.between;
        let seconds = self.millis / 1000;
        let time = format!(" {:02}:{:02}", seconds / 3600, seconds / 60 % 60);
        let time = if with_time { time.as_str() } else { "" };
        Some(format!(
            "{}{between}{}{between}{}{time}",
            first?, second?, third?
        ))
    }

    /// One part of it; `half_days` when the format has AM and PM, `names` of its language. None when there is no
    /// such part, or what it is called is not known.
    pub(super) fn part(
        &self,
        part: Part,
        half_days: bool,
        names: Option<&Names>,
    ) -> Option<String> {
        let padded = |number: i64, width: usize| format!("{number:0width$}");
        let name = |of: fn(&Names) -> &[&'static str], at: i8, width: usize| {
            let names = names?;
            let name = *of(names).get(usize::try_from(at).ok()?)?;
            Some(match width {
                3 if !names.cut_to_three => return None,
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
            Part::Month(width) => name(|names| &names.months, self.date?.month() - 1, width)?,
            Part::Day(width @ 1..=2) => padded(self.date?.day().into(), width),
            Part::Day(width) => {
                let at = self.date?.weekday().to_monday_zero_offset();
                name(|names| &names.days, at, width.min(4))?
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
