//! `[delivery]`: when and how.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};
use toml::de::DeValue;
use toml::value::{Datetime, Offset as TomlOffset};

use super::section::{Section, Value};
use crate::limits::{Hours, Schedule};

/// The keys of `[delivery]`.
pub(super) const KEYS: &[&str] = &[
    "mode",
    "hours",
    "timezone",
    "not_before",
    "missed_start",
    "holidays",
];

/// When and how the campaign is sent.
#[derive(Debug, Clone, PartialEq)]
pub struct DeliveryOptions {
    /// Whether recipients with equal content share messages.
    pub mode: Mode,
    /// Sending hours.
    pub hours: Option<Hours>,
    /// The campaign's time zone; the machine's when none is given.
    pub timezone: Option<TimeZone>,
    /// Nothing is sent before this.
    pub not_before: Option<NotBefore>,
    /// What happens when that was missed by more than a day.
    pub missed_start: MissedStart,
    /// Days without sending, each once, in the file's order.
    pub holidays: Vec<Date>,
}

/// Whether recipients with equal content share messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Those whose content is equal share; everyone else gets their own.
    #[default]
    Auto,
    /// All share; differing content is an error.
    Shared,
    /// Everyone gets their own.
    Individual,
}

/// What happens when a campaign that was to begin at a time begins more than a day later: the machine was
/// off, or the timer did not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MissedStart {
    /// A person is asked. The default: an invitation to what is over cannot be recalled.
    #[default]
    Ask,
    /// It goes on.
    Go,
}

/// When sending may begin, as the file says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotBefore {
    /// In the campaign's time zone.
    Local(DateTime),
    /// Written with an offset.
    At(Timestamp),
}

/// A start after this year is a slip.
const LAST_YEAR: i16 = 2200;

impl NotBefore {
    fn year(self) -> i16 {
        match self {
            Self::Local(wall) => wall.year(),
            Self::At(at) => TimeZone::UTC.to_datetime(at).year(),
        }
    }
}

impl DeliveryOptions {
    /// The zone of its hours and days: its own, or the machine's. A machine's zone without a name cannot be
    /// written down with the plan; what goes by a zone is refused then, and days are told in UTC.
    pub fn zone(&self) -> TimeZone {
        let own = self.timezone.clone();
        own.or_else(machine_zone).unwrap_or(TimeZone::UTC)
    }

    /// When the campaign may be sent; times without an offset are those of its zone.
    pub fn schedule(&self) -> Schedule {
        let zone = self.zone();
        let not_before = self.not_before.and_then(|first| match first {
            NotBefore::At(at) => Some(at),
            NotBefore::Local(wall) => zone.to_timestamp(wall).ok(),
        });
        Schedule {
            hours: self.hours.clone(),
            holidays: self.holidays.iter().copied().collect(),
            not_before,
            starts_late: self.missed_start == MissedStart::Go,
        }
    }
}

/// Reads the table.
pub(super) fn read(section: &Section<'_>) -> DeliveryOptions {
    let modes = [
        ("auto", Mode::Auto),
        ("shared", Mode::Shared),
        ("individual", Mode::Individual),
    ];
    let options = DeliveryOptions {
        mode: section.choice("mode", &modes).unwrap_or_default(),
        hours: hours(section),
        timezone: timezone(section),
        not_before: not_before(section),
        missed_start: section
            .choice(
                "missed_start",
                &[("ask", MissedStart::Ask), ("go", MissedStart::Go)],
            )
            .unwrap_or_default(),
        holidays: holidays(section),
    };
    require_zone(section, &options);
    options
}

/// The machine's time zone, if it has a name of the IANA database: with `TZ=EST5EDT,M3.2.0,M11.1.0`, or a
/// copy of a zone's file as `/etc/localtime`, it has none. A machine that names no zone at all is on UTC
/// (POSIX.1-2024, 8.3).
fn machine_zone() -> Option<TimeZone> {
    let zone = TimeZone::system();
    if !zone.is_unknown() {
        return Some(zone).filter(|zone| zone.iana_name().is_some());
    }
    let is_set = std::env::var_os("TZ").is_some_and(|name| !name.is_empty());
    let is_there = std::fs::exists("/etc/localtime").unwrap_or(true);
    (!is_set && !is_there).then_some(TimeZone::UTC)
}

/// What goes by a clock on the wall needs a zone that can be written down with the plan, so that
/// whoever sends it, whenever and however started, opens and closes at the same moments.
fn require_zone(section: &Section<'_>, options: &DeliveryOptions) {
    let by_the_wall = [
        ("hours", options.hours.is_some()),
        ("holidays", !options.holidays.is_empty()),
        (
            "not_before",
            matches!(options.not_before, Some(NotBefore::Local(_))),
        ),
    ];
    let Some((key, _)) = by_the_wall.into_iter().find(|(_, is_used)| *is_used) else {
        return;
    };
    if section.value("timezone").is_some() || machine_zone().is_some() {
        return;
    }
    let whose = std::env::var("TZ").ok().filter(|name| !name.is_empty());
    let found = whose.map_or_else(String::new, |name| format!(" (TZ={name})"));
    section.refuse(
        "timezone",
        None,
        format!("is needed for '{key}': this machine's time zone{found} has no name in the IANA time zone database"),
        "add timezone = \"Europe/Berlin\", or another name of the IANA time zone database, under [delivery]",
    );
}

fn hours(section: &Section<'_>) -> Option<Hours> {
    let text = section.text("hours")?;
    match Hours::parse(text.get_ref()) {
        Ok(hours) => Some(hours),
        Err(cause) => {
            section.refuse(
                "hours",
                Some(text.span()),
                format!("cannot be used: {cause}"),
                "write hours = \"Mon-Fri 08:00-18:00\"; several parts are divided by commas: \"Mon-Thu 08:00-12:00, 13:00-17:00, Fri 08:00-14:00\"",
            );
            None
        }
    }
}

fn timezone(section: &Section<'_>) -> Option<TimeZone> {
    let text = section.text("timezone")?;
    match TimeZone::get(text.get_ref()) {
        Ok(zone) if !zone.is_unknown() => Some(zone),
        _ => {
            section.refuse(
                "timezone",
                Some(text.span()),
                format!(
                    "{} is not a time zone",
                    section.document.shown(text.get_ref())
                ),
                "write a name of the IANA time zone database, such as \"Europe/Berlin\" or \"UTC\"",
            );
            None
        }
    }
}

fn not_before(section: &Section<'_>) -> Option<NotBefore> {
    let remedy = "write not_before = 2026-12-01T09:00:00, without quotes";
    let value = section.value("not_before")?;
    let DeValue::Datetime(typed) = value.get_ref() else {
        section.wrong_type("not_before", value, "a date and time", remedy);
        return None;
    };
    let checked = moment(typed);
    let wrong = match checked {
        None => "is not a day in the calendar".to_owned(),
        Some(first) if first.year() > LAST_YEAR => format!("is after the year {LAST_YEAR}"),
        Some(_) => return checked,
    };
    section.refuse("not_before", Some(value.span()), wrong, remedy);
    None
}

/// A moment from TOML's four kinds; none for a time without a date. A date alone is its midnight.
pub(super) fn moment(typed: &Datetime) -> Option<NotBefore> {
    let time = match typed.time {
        None => Time::midnight(),
        Some(time) => Time::new(
            i8::try_from(time.hour).ok()?,
            i8::try_from(time.minute).ok()?,
            // RFC 3339 knows leap seconds, the calendar here does not; a second earlier is as good.
            i8::try_from(time.second.unwrap_or(0)).ok()?.min(59),
            i32::try_from(time.nanosecond.unwrap_or(0)).ok()?,
        )
        .ok()?,
    };
    let local = civil_date(typed)?.to_datetime(time);
    let minutes = match typed.offset {
        None => return Some(NotBefore::Local(local)),
        Some(TomlOffset::Z) => 0,
        Some(TomlOffset::Custom { minutes }) => i32::from(minutes),
    };
    let offset = Offset::from_seconds(minutes * 60).ok()?;
    offset.to_timestamp(local).ok().map(NotBefore::At)
}

fn civil_date(typed: &Datetime) -> Option<Date> {
    let date = typed.date?;
    Date::new(
        i16::try_from(date.year).ok()?,
        i8::try_from(date.month).ok()?,
        i8::try_from(date.day).ok()?,
    )
    .ok()
}

fn holidays(section: &Section<'_>) -> Vec<Date> {
    let remedy = "write holidays = [\"2026-12-25\"]: year, month and day";
    let items = section.list("holidays", "a list of dates", remedy);
    let mut days = Vec::new();
    for item in items.unwrap_or_default() {
        match holiday(item) {
            Some(day) if days.contains(&day) => {}
            Some(day) => days.push(day),
            None => section.refuse(
                "holidays",
                Some(item.span()),
                "is not a day in the calendar",
                remedy,
            ),
        }
    }
    days
}

/// A date in quotes or TOML's own. Exactly `YYYY-MM-DD`: ISO 8601's other forms only look like slips.
fn holiday(item: &Value<'_>) -> Option<Date> {
    match item.get_ref() {
        DeValue::String(text) if text.len() == 10 => text.parse().ok(),
        DeValue::Datetime(typed) if typed.time.is_none() => civil_date(typed),
        _ => None,
    }
}
