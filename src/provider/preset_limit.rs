//! A rule of a preset, with what is to be known about it.

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::limits::Rule;

/// A rule of a preset and what is to be known about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PresetLimit {
    /// The rule.
    #[serde(flatten)]
    pub rule: Rule,
    /// Where it comes from, when that needs saying.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The day (YYYY-MM-DD) on which the provider took it back. It holds all the same, until the account
    /// says `withdrawn_limits = false`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<String>,
}

impl<'de> Deserialize<'de> for PresetLimit {
    /// By hand, because serde cannot both flatten a rule and refuse unknown keys.
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let mut table = toml::Table::deserialize(input)?;
        let mut text = |key| {
            let text = table.remove(key).map(String::deserialize);
            text.transpose().map_err(de::Error::custom)
        };
        let (note, withdrawn) = (text("note")?, text("withdrawn")?);
        let rule = Rule::deserialize(table).map_err(de::Error::custom)?;
        Ok(Self {
            rule,
            note,
            withdrawn,
        })
    }
}
