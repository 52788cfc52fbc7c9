//! Numbers, times and spans as people read them.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::limits::{Closed, Reason, Rule};

/// 1203 → `1,203`.
pub(super) fn number(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 message`, `1,203 messages`.
pub(super) fn count(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", number(count), if count == 1 { one } else { many })
}

/// A rule with its figures as people read them: `10,000 recipients per 24h`.
pub(super) fn rule(rule: &Rule) -> String {
    let text = rule
        .to_string()
        .replacen(&rule.max.to_string(), &number(rule.max), 1);
    match rule.max {
        1 => text.replacen("s per ", " per ", 1),
        _ => text,
    }
}

/// What holds messages back, as the subject of a sentence.
pub(super) fn limit(reason: &Reason) -> String {
    match reason {
        Reason::Rule(limit) => format!("the limit of {}", rule(limit)),
        Reason::Closed(closed) => self::closed(*closed).to_owned(),
        Reason::Provider => "the pause that the provider asked for".to_owned(),
        Reason::Deferred => "messages that were put off".to_owned(),
    }
}

/// A closed calendar.
pub(super) fn closed(closed: Closed) -> &'static str {
    match closed {
        Closed::NotBefore => "the start that the campaign has set (not_before)",
        Closed::Holiday => "a holiday",
        Closed::Hours => "the sending hours",
    }
}

/// The two largest units: `2 d 3 h`, `5 h 33 min`, `10 min`, `20 s`.
pub(super) fn span(span: SignedDuration) -> String {
    let seconds = u64::try_from(span.as_secs()).unwrap_or(0);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    let two = |first: u64, a: &str, second: u64, b: &str| {
        if second == 0 {
            format!("{first} {a}")
        } else {
            format!("{first} {a} {second} {b}")
        }
    };
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, _, _) => two(hours, "h", minutes, "min"),
        _ => two(days, "d", hours, "h"),
    }
}

/// A time in a campaign's zone: `Tue 1 Dec 2026, 08:00`.
pub(super) fn time(at: Timestamp, zone: &TimeZone) -> String {
    zone.to_datetime(at)
        .strftime("%a %-d %b %Y, %H:%M")
        .to_string()
}

/// A time soon, where there is little room: `Tue 1 Dec, 08:00`.
pub(super) fn short_time(at: Timestamp, zone: &TimeZone) -> String {
    zone.to_datetime(at)
        .strftime("%a %-d %b, %H:%M")
        .to_string()
}

/// A time that is named again and again where there is little room: `15:33` today, `Tue 1 Dec, 08:00` later.
pub(super) fn soon(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    if zone.to_datetime(at).date() == zone.to_datetime(now).date() {
        return time_of_day(at, zone);
    }
    short_time(at, zone)
}

/// The time of day in a campaign's zone.
pub(super) fn time_of_day(at: Timestamp, zone: &TimeZone) -> String {
    zone.to_datetime(at).strftime("%H:%M").to_string()
}

/// The same where every second counts: `15:33:07`.
pub(super) fn to_the_second(at: Timestamp, zone: &TimeZone) -> String {
    zone.to_datetime(at).strftime("%H:%M:%S").to_string()
}

/// A calendar day as it is in the store: `2026-12-01` → `Tue 1 Dec 2026`.
pub(super) fn day(date: &str) -> String {
    date.parse::<jiff::civil::Date>().map_or_else(
        |_| date.to_owned(),
        |date| date.strftime("%a %-d %b %Y").to_string(),
    )
}
