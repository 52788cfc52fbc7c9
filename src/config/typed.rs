//! Values that are more than a text: whole numbers, durations, words from a fixed choice.

use std::time::Duration;

use toml::de::DeValue;

use super::section::{Section, Value};
use crate::limits::{RuleError, parse_duration};
use crate::recipients::Nearest;

/// The largest whole number that TOML has.
pub(super) const NO_MAX: u64 = i64::MAX as u64;

impl Section<'_> {
    /// A whole number of at least `min` and at most `max`.
    pub(super) fn whole(&self, key: &str, min: u64, max: u64) -> Option<u64> {
        let value = self.value(key)?;
        let DeValue::Integer(integer) = value.get_ref() else {
            self.wrong_type(
                key,
                value,
                "a whole number",
                &format!("write {key} = {min}, without quotes"),
            );
            return None;
        };
        let number = i128::from_str_radix(integer.as_str(), integer.radix()).ok();
        let number = number.and_then(|n| u64::try_from(n).ok());
        let fits = number.filter(|n| (min..=max).contains(n));
        if fits.is_none() {
            let range = if max == NO_MAX {
                format!("{min} or more")
            } else {
                format!("a number from {min} to {max}")
            };
            self.refuse(
                key,
                Some(value.span()),
                "is out of range",
                format!("write {range}"),
            );
        }
        fits
    }

    /// True or false.
    pub(super) fn switch(&self, key: &str) -> Option<bool> {
        let value = self.value(key)?;
        if let DeValue::Boolean(is_on) = value.get_ref() {
            return Some(*is_on);
        }
        let remedy = format!("write {key} = true or {key} = false, without quotes");
        self.wrong_type(key, value, "true or false", &remedy);
        None
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(&self, key: &str, choices: &[(&'static str, T)]) -> Option<T> {
        let text = self.text(key)?;
        if let Some((_, value)) = choices.iter().find(|(word, _)| word == text.get_ref()) {
            return Some(*value);
        }
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        let hint = match Nearest::name(text.get_ref())
            .among(words.iter().copied())
            .found()
        {
            Some(word) => format!("did you mean \"{word}\"? "),
            None => String::new(),
        };
        self.refuse(
            key,
            Some(text.span()),
            format!(
                "{} is not one of {}",
                self.document.shown(text.get_ref()),
                words.join(", ")
            ),
            format!("{hint}write {key} = \"{}\"", words.join("\", or \"")),
        );
        None
    }

    /// A duration: a whole number and s, m, h or d.
    pub(super) fn duration(&self, key: &str) -> Option<Duration> {
        let value = self.value(key)?;
        self.as_duration(key, value)
    }

    /// This value as a duration.
    pub(super) fn as_duration(&self, key: &str, value: &Value<'_>) -> Option<Duration> {
        let remedy = "write a whole number and s, m, h or d in quotes, such as \"30s\" or \"24h\"";
        let text = self.as_text(key, value, remedy)?;
        let message = match parse_duration(text.get_ref()) {
            Ok(duration) => return Some(duration),
            Err(RuleError::Duration(_)) => "is not a duration",
            Err(RuleError::Zero(_)) => "is no time at all",
        };
        self.refuse(key, Some(text.span()), message, remedy);
        None
    }
}
