//! A provider's rule, as it is written in presets and in accounts.toml.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// What a rule counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Messages: SMTP transactions.
    Messages,
    /// Recipients of the envelope, each message again.
    Recipients,
    /// Recipients outside the campaign's internal domains.
    ExternalRecipients,
}

impl Unit {
    /// The name as it is written in TOML and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Messages => "messages",
            Self::Recipients => "recipients",
            Self::ExternalRecipients => "external-recipients",
        }
    }
}

/// At most `max` units in any window of length `per` (rolling).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The most that a window may hold; at least 1.
    #[serde(deserialize_with = "at_least_one")]
    pub max: u64,
    /// The window's length; written as `"30s"`, `"1m"`, `"24h"`, `"1d"`.
    #[serde(deserialize_with = "duration", serialize_with = "as_duration")]
    pub per: Duration,
    /// What is counted.
    pub unit: Unit,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = self.unit.as_str().replace('-', " ");
        write!(f, "{} {unit} per {}", self.max, format_duration(self.per))
    }
}

/// What a message takes from the rules: its envelope, counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Weight {
    /// Envelope recipients: the listed ones, cc and bcc.
    pub recipients: u64,
    /// Those of them outside the internal domains.
    pub external: u64,
}

impl Weight {
    /// How much of `unit` a message of this weight takes.
    pub fn of(self, unit: Unit) -> u64 {
        match unit {
            Unit::Messages => 1,
            Unit::Recipients => self.recipients,
            Unit::ExternalRecipients => self.external,
        }
    }
}

/// A value in a rule that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// Not a whole number and a unit.
    #[error(
        "'{0}' is not a duration: write a whole number and s, m, h or d, such as \"30s\" or \"24h\""
    )]
    Duration(String),
    /// A window or wait of no length.
    #[error("'{0}' is no time at all: a duration is at least 1s")]
    Zero(String),
}

/// Reads a duration: a whole number and `s`, `m`, `h` or `d`; at most about 100 years.
pub fn parse_duration(text: &str) -> Result<Duration, RuleError> {
    let bad = || RuleError::Duration(text.to_owned());
    let unit = match text.bytes().last() {
        Some(b's') => 1,
        Some(b'm') => 60,
        Some(b'h') => 3600,
        Some(b'd') => 86_400,
        _ => return Err(bad()),
    };
    let digits = &text[..text.len() - 1];
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(bad());
    }
    let count: u64 = digits.parse().map_err(|_| bad())?;
    let seconds = count.checked_mul(unit).ok_or_else(bad)?;
    match seconds {
        0 => Err(RuleError::Zero(text.to_owned())),
        1..=3_155_760_000 => Ok(Duration::from_secs(seconds)),
        _ => Err(bad()),
    }
}

/// Writes a duration in the longest unit that fits evenly; a day as `24h`, as providers say it.
pub(super) fn format_duration(duration: Duration) -> String {
    match duration.as_secs() {
        seconds if seconds.is_multiple_of(86_400) && seconds > 86_400 => {
            format!("{}d", seconds / 86_400)
        }
        seconds if seconds.is_multiple_of(3600) => format!("{}h", seconds / 3600),
        seconds if seconds.is_multiple_of(60) => format!("{}m", seconds / 60),
        seconds => format!("{seconds}s"),
    }
}

fn duration<'de, D: Deserializer<'de>>(input: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(input)?;
    parse_duration(&text).map_err(de::Error::custom)
}

fn as_duration<S: Serializer>(duration: &Duration, output: S) -> Result<S::Ok, S::Error> {
    output.serialize_str(&format_duration(*duration))
}

fn at_least_one<'de, D: Deserializer<'de>>(input: D) -> Result<u64, D::Error> {
    let max = i64::deserialize(input)?;
    match u64::try_from(max) {
        Ok(max) if max > 0 => Ok(max),
        _ => Err(de::Error::custom(format!(
            "'max = {max}' would let nothing through: write 1 or more"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_written() {
        for (text, seconds) in [("30s", 30), ("1m", 60), ("24h", 86_400), ("7d", 604_800)] {
            let duration = parse_duration(text).unwrap();
            assert_eq!(duration.as_secs(), seconds);
            assert_eq!(format_duration(duration), text);
        }
        for bad in [
            "",
            "s",
            "1",
            "1.5h",
            "-1s",
            "0s",
            "1w",
            "99999999999999999999d",
            "1 m",
            "é",
        ] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }
}
