//! The charts, drawn as SVG: how many were sent when, and the bar of all outcomes.
//!
//! The drawings are stretched to the page's width; words and figures stand beside them as text, and every figure is
//! in a table as well.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _, ZonedDateTime};

use super::markup::table;
use crate::cli::report::Outcome;
use crate::cli::words;

/// How long a bar is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Minutes(i64),
    Hour,
    Day,
    Week,
}

impl Step {
    /// The shortest that makes no more bars than can be told apart.
    fn for_span(span: SignedDuration) -> Self {
        match span.as_mins() {
            ..=60 => Self::Minutes(1),
            61..=600 => Self::Minutes(10),
            601..=4_320 => Self::Hour,
            4_321..=172_800 => Self::Day,
            _ => Self::Week,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Minutes(1) => "minute",
            Self::Minutes(_) => "ten minutes",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
        }
    }

    /// When the bar of this moment begins, by the clock on the wall there.
    fn begin(self, at: &ZonedDateTime) -> Option<ZonedDateTime> {
        let into = |minutes: i64| {
            let over = i64::from(at.minute()) % minutes;
            at.checked_sub(over.minutes()).ok()
        };
        match self {
            Self::Minutes(minutes) => into(minutes),
            Self::Hour => into(60),
            Self::Day => at.start_of_day().ok(),
            Self::Week => {
                let days = at.weekday().to_monday_zero_offset();
                at.checked_sub(i64::from(days).days())
                    .ok()?
                    .start_of_day()
                    .ok()
            }
        }
    }

    fn next(self, at: &ZonedDateTime) -> Option<ZonedDateTime> {
        let later = match self {
            Self::Minutes(minutes) => at.checked_add(minutes.minutes()),
            Self::Hour => at.checked_add(1.hour()),
            Self::Day => at.checked_add(1.day()),
            Self::Week => at.checked_add(1.week()),
        };
        // A day that has no midnight begins later.
        self.begin(&later.ok()?)
    }

    fn label(self, at: &ZonedDateTime) -> String {
        let format = match self {
            Self::Minutes(_) | Self::Hour => "%a %-d %b, %H:%M",
            Self::Day => "%a %-d %b %Y",
            Self::Week => "week of %-d %b %Y",
        };
        at.strftime(format).to_string()
    }
}

/// The bars from the first to the last that has something, those between that have nothing included.
fn bars(
    minutes: &BTreeMap<i64, u64>,
    zone: &TimeZone,
) -> Option<(Step, Vec<(ZonedDateTime, u64)>)> {
    let at = |minute: &i64| {
        Some(
            Timestamp::from_second(minute.checked_mul(60)?)
                .ok()?
                .to_zoned_datetime(zone.clone()),
        )
    };
    let (first, last) = (
        at(minutes.keys().next()?)?,
        at(minutes.keys().next_back()?)?,
    );
    let step = Step::for_span(last.timestamp().duration_since(first.timestamp()));
    let mut bars = Vec::new();
    let mut begin = step.begin(&first)?;
    while begin <= last {
        bars.push((begin.clone(), 0));
        begin = step.next(&begin)?;
    }
    let mut place = 0;
    for (minute, count) in minutes {
        let when = at(minute)?;
        while bars.get(place + 1).is_some_and(|(next, _)| *next <= when) {
            place += 1;
        }
        bars.get_mut(place)?.1 += count;
    }
    Some((step, bars))
}

/// A round figure that is no less, for the top of the chart.
fn ceiling(most: u64) -> u64 {
    let mut unit = 1;
    loop {
        for round in [1, 2, 5] {
            if unit * round >= most {
                return unit * round;
            }
        }
        unit *= 10;
    }
}

/// How many were sent in each hour or day, with the figures in a table.
pub(super) fn section(minutes: &BTreeMap<i64, u64>, zone: &TimeZone) -> String {
    let Some((step, bars)) = bars(minutes, zone) else {
        return String::new();
    };
    let most = bars.iter().map(|(_, count)| *count).max().unwrap_or(0);
    let top = ceiling(most.max(1));
    let mut drawn = String::new();
    for (at, (begin, count)) in bars.iter().enumerate().filter(|(_, (_, count))| *count > 0) {
        // What is more than nothing can be seen.
        let height = (*count as f64 / top as f64 * 100.0).max(0.7);
        let _ = writeln!(
            drawn,
            "<rect x=\"{at}.08\" y=\"{:.2}\" width=\"0.84\" height=\"{height:.2}\"><title>{}: {}</title></rect>",
            100.0 - height,
            step.label(begin),
            words::number(*count),
        );
    }
    let label = |bar: Option<&(ZonedDateTime, u64)>| {
        bar.map_or_else(String::new, |(begin, _)| step.label(begin))
    };
    let ends = match bars.as_slice() {
        [only] => format!("<span>{}</span>", label(Some(only))),
        all => format!(
            "<span>{}</span><span>{}</span>",
            label(all.first()),
            label(all.last())
        ),
    };
    let told: Vec<Vec<String>> = bars
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(begin, count)| vec![step.label(begin), words::number(*count)])
        .collect();
    let word = step.word();
    let of_all = words::count(minutes.values().sum(), "recipient", "recipients");
    let caption = format!("Recipients sent to in each {word}");
    format!(
        "<section class=\"numbers\" aria-labelledby=\"when\">\n<h2 id=\"when\">Sent in each {word}</h2>\n\
         <figure class=\"chart\">\n<div class=\"scale\" aria-hidden=\"true\"><span>{}</span><span>0</span></div>\n\
         <svg role=\"img\" aria-label=\"{of_all}, at most {} in one {word}; the table below has the figures\" \
         viewBox=\"0 0 {} 100\" preserveAspectRatio=\"none\">\n{drawn}</svg>\n\
         <div class=\"ends\" aria-hidden=\"true\">{ends}</div>\n</figure>\n\
         <details>\n<summary>The figures</summary>\n{}</details>\n</section>\n",
        words::number(top),
        words::number(most),
        bars.len(),
        table(&caption, &["When", "Recipients"], &told),
    )
}

/// All outcomes side by side; the figures stand below it as text.
pub(super) fn bar(outcomes: &[(Outcome, u64)], all: u64) -> String {
    if all == 0 {
        return String::new();
    }
    let mut drawn = String::new();
    let mut x = 0.0;
    for (outcome, count) in outcomes.iter().filter(|(_, count)| *count > 0) {
        let width = *count as f64 / all as f64 * 1000.0;
        let _ = writeln!(
            drawn,
            "<rect class=\"{}\" x=\"{x:.2}\" y=\"0\" width=\"{:.2}\" height=\"10\"/>",
            outcome.as_str(),
            width.max(2.0),
        );
        x += width;
    }
    format!(
        "<svg class=\"all\" aria-hidden=\"true\" viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\">\n{drawn}</svg>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(minutes: &[(&str, u64)], zone: &str) -> (Step, Vec<(String, u64)>) {
        let minutes = minutes.iter().map(|(at, count)| {
            let at: Timestamp = at.parse().unwrap();
            (at.as_second() / 60, *count)
        });
        let zone = TimeZone::get(zone).unwrap();
        let (step, bars) = bars(&minutes.collect(), &zone).unwrap();
        let told = bars
            .iter()
            .map(|(begin, count)| (step.label(begin), *count));
        (step, told.collect())
    }

    #[test]
    fn bars_begin_where_the_clock_on_the_wall_does() {
        let (step, bars) = counted(
            &[("2026-12-01T08:40:00Z", 1), ("2026-12-01T21:20:00Z", 2)],
            "Asia/Kolkata",
        );
        assert_eq!(step, Step::Hour);
        assert_eq!(bars.first(), Some(&("Tue 1 Dec, 14:00".to_owned(), 1)));
        assert_eq!(bars.last(), Some(&("Wed 2 Dec, 02:00".to_owned(), 2)));
        assert_eq!(bars.len(), 13);
    }

    #[test]
    fn an_hour_that_comes_twice_has_two_bars_and_days_stay_days() {
        let (_, bars) = counted(
            &[("2026-10-24T23:30:00Z", 1), ("2026-10-25T12:30:00Z", 5)],
            "Europe/Berlin",
        );
        let twice = bars
            .iter()
            .filter(|(label, _)| label == "Sun 25 Oct, 02:00");
        assert_eq!(twice.count(), 2);
        let (step, bars) = counted(
            &[("2026-10-20T22:30:00Z", 4), ("2026-10-28T22:30:00Z", 5)],
            "Europe/Berlin",
        );
        assert_eq!(step, Step::Day);
        assert_eq!(bars.len(), 8);
        assert_eq!(bars.iter().map(|(_, count)| count).sum::<u64>(), 9);
    }

    #[test]
    fn nothing_sent_is_no_chart() {
        assert_eq!(section(&BTreeMap::new(), &TimeZone::UTC), "");
        assert_eq!(ceiling(1), 1);
        assert_eq!(ceiling(9_990), 10_000);
        assert_eq!(ceiling(201), 500);
    }
}
