//! What the codes of findings and of errors mean: a table, `codes.toml`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::cli::failure::Failure;
use crate::cli::screen::{Paint, Screen};
use crate::recipients::Nearest;

/// What a code means.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::cli) struct Meaning {
    means: String,
    #[serde(rename = "do")]
    remedy: String,
    /// The exit code of a command that ends with it; none of findings.
    exit: Option<u8>,
}

/// A table that cannot be read knows nothing; a test holds that it can.
static CODES: LazyLock<BTreeMap<String, Meaning>> =
    LazyLock::new(|| toml::from_str(include_str!("codes.toml")).unwrap_or_default());

/// True when the table knows this code.
pub(in crate::cli) fn is_known(code: &str) -> bool {
    CODES.contains_key(code)
}

/// The code that the text is, or begins with as findings and errors are printed: `error[unknown-field]: …`.
pub(super) fn code_in(text: &str) -> Option<(&str, &'static Meaning)> {
    let text = text.trim();
    let printed = || {
        let (before, rest) = text.split_once('[')?;
        let is_level = matches!(before, "error" | "warning" | "note");
        let (code, _) = rest.split_once(']')?;
        is_level.then_some(code)
    };
    let code = printed().unwrap_or(text);
    CODES.get(code).map(|meaning| (code, meaning))
}

/// The known code that is nearest to a word that looks like one.
pub(super) fn nearest(text: &str) -> Option<String> {
    let text = text.trim();
    let is_code_like =
        text.contains('-') && text.chars().all(|c| c.is_ascii_lowercase() || c == '-');
    let codes = CODES.keys().map(String::as_str);
    Nearest::name(text)
        .among(codes.filter(|_| is_code_like))
        .found()
}

pub(super) fn show(screen: &Screen, code: &str, meaning: &Meaning) -> Result<(), Failure> {
    screen.field("", 0, &screen.painted(Paint::Bold, &meaning.means))?;
    screen.result("")?;
    screen.field("", 0, &meaning.remedy)?;
    screen.result("")?;
    let kind = match meaning.exit {
        Some(exit) => format!("`{code}`, an error with which a command ends with exit code {exit}"),
        None => format!("`{code}`, a finding of `postroom check`"),
    };
    screen.field("code", super::HEADING, &kind)
}

pub(super) fn json(code: &str, meaning: &Meaning) -> Value {
    json!({
        "known": true,
        "by": "code-of-postroom",
        "code": code,
        "exit": meaning.exit,
        "meaning": meaning.means,
        "verdict": null,
        "class": null,
        "remedies": [{ "who": "you", "what": meaning.remedy }],
        "waiting": null,
        "waiting_helps": null,
        "postroom": null,
        "source": null,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_can_be_read_and_says_something_of_each_code() {
        let codes: BTreeMap<String, Meaning> = toml::from_str(include_str!("codes.toml")).unwrap();
        for (code, meaning) in codes {
            let ends = |text: &str| text.ends_with(['.', '}', '"', ';']);
            assert!(ends(&meaning.means) && ends(&meaning.remedy), "{code}");
        }
    }

    #[test]
    fn a_code_is_known_as_it_is_printed() {
        for text in [
            "unknown-field",
            " error[unknown-field]: there is no field 'x'",
        ] {
            assert_eq!(code_in(text).unwrap().0, "unknown-field");
        }
        assert!(code_in("550 5.1.1 unknown-field").is_none());
        assert_eq!(nearest("unknown-feild").as_deref(), Some("unknown-field"));
        assert_eq!(nearest("mailbox full"), None);
    }
}
