//! A rehearsal's days: what was planned for each and what was received, as a table with bars.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::failure::Failure;
use super::screen::{Paint, Screen};
use super::words;
use crate::sandbox::Received;
use crate::store::BatchProgress;

/// The bar's columns: with the table they are 80.
const BAR: u64 = 18;

/// A share of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Share {
    messages: u64,
    /// Of the list.
    recipients: u64,
    first: Timestamp,
    last: Timestamp,
}

/// What was planned for a day, and what was received.
#[derive(Debug, Default)]
struct Day {
    planned: Option<Share>,
    received: Option<Share>,
}

/// The days of a rehearsal, by their dates.
pub(super) struct Days(BTreeMap<String, Day>);

impl Share {
    fn add(share: &mut Option<Self>, other: Self) {
        match share {
            None => *share = Some(other),
            Some(share) => {
                share.messages += other.messages;
                share.recipients += other.recipients;
                share.first = share.first.min(other.first);
                share.last = share.last.max(other.last);
            }
        }
    }
}

impl Days {
    /// `people`: how many recipients of the list each message of the log went to.
    pub(super) fn of(
        batches: &[BatchProgress],
        log: &[Received],
        people: &[u64],
        zone: &TimeZone,
    ) -> Self {
        let mut days: BTreeMap<String, Day> = BTreeMap::new();
        for batch in batches {
            let share = Share {
                messages: batch.messages,
                recipients: batch.recipients,
                first: batch.starts_at,
                last: batch.ends_at,
            };
            let day = days.entry(batch.date.clone()).or_default();
            Share::add(&mut day.planned, share);
        }
        for (received, people) in log.iter().zip(people) {
            let share = Share {
                messages: 1,
                recipients: *people,
                first: received.at,
                last: received.at,
            };
            let date = zone.to_datetime(received.at).date().to_string();
            Share::add(&mut days.entry(date).or_default().received, share);
        }
        Self(days)
    }

    /// On how many days something was received.
    pub(super) fn received(&self) -> usize {
        let days = self.0.values();
        days.filter(|day| day.received.is_some()).count()
    }

    /// Two lines for each day; the bars are of recipients, as long as the largest share's.
    pub(super) fn show(&self, screen: &Screen, zone: &TimeZone) -> Result<(), Failure> {
        screen.result("")?;
        let head = format!(
            "  {:<25}{:>9}{:>12}  {:<6}{}",
            "day", "messages", "recipients", "from", "to"
        );
        screen.result(&screen.painted(Paint::Dim, &head))?;
        let shares = self.0.values().flat_map(|day| [day.planned, day.received]);
        let largest = shares.flatten().map(|share| share.recipients).max();
        let bar = |share: &Share, ink| bar(share.recipients, largest.unwrap_or(0), ink);
        for (date, day) in &self.0 {
            let planned = line(&words::day(date), "planned", day.planned.as_ref(), zone);
            let ink = day.planned.as_ref().map(|share| bar(share, Ink::Pale));
            let whole = format!("{planned}{}", ink.unwrap_or_default());
            screen.result(&screen.painted(Paint::Dim, whole.trim_end()))?;
            let received = line("", "received", day.received.as_ref(), zone);
            let ink = day.received.as_ref().map(|share| bar(share, Ink::Full));
            screen.result(format!("{received}{}", ink.unwrap_or_default()).trim_end())?;
        }
        screen.result("")
    }

    pub(super) fn json(&self) -> Value {
        let figures = |share: Option<Share>| {
            json!({
                "messages": share.map_or(0, |share| share.messages),
                "recipients": share.map_or(0, |share| share.recipients),
            })
        };
        let days = self.0.iter().map(|(date, day)| {
            let times = day.received.or(day.planned);
            json!({
                "date": date,
                "planned": figures(day.planned),
                "received": figures(day.received),
                "starts_at": times.map(|share| share.first),
                "ends_at": times.map(|share| share.last),
            })
        });
        days.collect()
    }
}

fn line(day: &str, what: &str, share: Option<&Share>, zone: &TimeZone) -> String {
    let Some(share) = share else {
        return format!("  {day:<16}{what:<9}{:>9}{:>12}", 0, 0);
    };
    format!(
        "  {day:<16}{what:<9}{:>9}{:>12}  {:<6}{:<6}",
        words::number(share.messages),
        words::number(share.recipients),
        words::time_of_day(share.first, zone),
        words::time_of_day(share.last, zone),
    )
}

/// What a bar is drawn with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ink {
    Pale,
    Full,
}

/// A bar of at most [`BAR`] columns less one for its margin; what is more than nothing can be seen.
fn bar(value: u64, largest: u64, ink: Ink) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    if value == 0 || largest == 0 {
        return String::new();
    }
    let eighths = (value.saturating_mul(BAR * 8) / largest).clamp(1, BAR * 8);
    let (whole, rest) = (eighths / 8, (eighths % 8) as usize);
    match ink {
        Ink::Full => format!("{}{}", "█".repeat(whole as usize), EIGHTHS[rest]),
        Ink::Pale => "░".repeat(eighths.div_ceil(8) as usize),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_scaled_to_the_largest_and_never_vanish() {
        assert_eq!(bar(10_000, 10_000, Ink::Full), "█".repeat(18));
        assert_eq!(bar(5_000, 10_000, Ink::Full), "█".repeat(9));
        assert_eq!(bar(1, 10_000, Ink::Full), "▏");
        assert_eq!(bar(1, 10_000, Ink::Pale), "░");
        assert_eq!(bar(0, 10_000, Ink::Full), "");
        assert_eq!(bar(0, 0, Ink::Full), "");
    }

    #[test]
    fn a_line_with_its_bar_has_eighty_columns() {
        let at: Timestamp = "2026-12-30T23:59:00Z".parse().unwrap();
        let share = Share {
            messages: 40_000,
            recipients: 40_000,
            first: at,
            last: at,
        };
        let line = line("Wed 30 Dec 2026", "received", Some(&share), &TimeZone::UTC);
        let whole = format!("{line}{}", bar(1, 1, Ink::Full));
        assert!(whole.chars().count() <= 80, "{}", whole.chars().count());
    }
}
