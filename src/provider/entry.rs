//! An entry of a reply table: which replies it is about, and what they mean.

use std::time::Duration;

use serde::Deserialize;

use super::ProviderError;
use super::remedy::{RawRemedies, Remedy, Waiting, in_order, joined};
use super::words::Words;
use crate::delivery::{Class, EnhancedCode, Phase, Verdict};
use crate::limits::parse_duration;

/// A reply table's file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    reply: Vec<RawEntry>,
}

/// An entry as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEntry {
    code: Option<CodePattern>,
    #[serde(default)]
    enhanced: OneOrMore,
    #[serde(default)]
    text: OneOrMore,
    #[serde(default)]
    phase: Vec<Phase>,
    verdict: String,
    #[serde(rename = "for")]
    wait: Option<String>,
    class: Class,
    meaning: String,
    remedy: RawRemedies,
    waiting: Option<String>,
    source: String,
}

/// One text or several, any of which may fit.
#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl Default for OneOrMore {
    fn default() -> Self {
        Self::More(Vec::new())
    }
}

impl From<OneOrMore> for Vec<String> {
    fn from(texts: OneOrMore) -> Self {
        match texts {
            OneOrMore::One(text) => vec![text],
            OneOrMore::More(texts) => texts,
        }
    }
}

/// `550`, or `"5xx"` for every code of that class.
#[derive(Deserialize)]
#[serde(untagged)]
enum CodePattern {
    Exact(u16),
    Class(String),
}

/// An entry, checked. All that it names must fit; an empty list fits anything.
#[derive(Debug)]
pub(super) struct Entry {
    /// First and last code that fit.
    codes: Option<(u16, u16)>,
    enhanced: Vec<EnhancedPattern>,
    /// Phrases in lower case.
    pub(super) text: Vec<String>,
    phases: Vec<Phase>,
    pub(super) verdict: Verdict,
    pub(super) class: Class,
    pub(super) meaning: String,
    pub(super) remedies: Vec<Remedy>,
    /// The remedies in one text.
    pub(super) remedy: String,
    pub(super) waiting: Waiting,
    pub(super) source: String,
}

/// `5.7.139`, or `5.7.5xx` where each `x` takes any digit.
#[derive(Debug)]
struct EnhancedPattern(String);

impl EnhancedPattern {
    fn fits(&self, code: EnhancedCode) -> bool {
        let code = code.to_string();
        self.0.len() == code.len()
            && self.0.bytes().zip(code.bytes()).all(|(pattern, found)| {
                pattern == found || (pattern == b'x' && found.is_ascii_digit())
            })
    }
}

/// Where a recipient can be refused: after it was named.
const RECIPIENT_PHASES: [Phase; 4] = [Phase::RcptTo, Phase::Data, Phase::Body, Phase::FinalDot];

impl Entry {
    /// Whether this entry is about what was said in this phase; without a phase, about the words alone.
    pub(super) fn fits(&self, phase: Option<Phase>, words: &Words) -> bool {
        phase.is_none_or(|phase| self.phases.is_empty() || self.phases.contains(&phase))
            && self.code_fits(words.code)
            && (self.enhanced.is_empty()
                || words
                    .enhanced
                    .is_some_and(|code| self.enhanced.iter().any(|pattern| pattern.fits(code))))
            && (self.text.is_empty() || self.text.iter().any(|phrase| words.say(phrase)))
    }

    /// How telling it is that this entry fits: a code alone says less than words or an enhanced code.
    pub(super) fn is_by_code_alone(&self) -> bool {
        self.text.is_empty() && self.enhanced.is_empty()
    }

    /// Whether it asks for a three-digit code beside other things.
    pub(super) fn asks_for_code(&self) -> bool {
        self.codes.is_some()
    }

    /// What no table says but this program knows.
    pub(super) fn own(
        verdict: Verdict,
        class: Class,
        meaning: &str,
        remedy: Remedy,
        source: &str,
    ) -> Self {
        let remedies = vec![remedy];
        Self {
            codes: None,
            enhanced: Vec::new(),
            text: Vec::new(),
            phases: Vec::new(),
            verdict,
            class,
            meaning: meaning.to_owned(),
            remedy: joined(&remedies),
            remedies,
            waiting: Waiting::after(verdict),
            source: source.to_owned(),
        }
    }

    /// Words that were quoted without their code can still be told by what else the entry names.
    fn code_fits(&self, code: Option<u16>) -> bool {
        match (self.codes, code) {
            (None, _) => true,
            (Some((first, last)), Some(code)) => (first..=last).contains(&code),
            (Some(_), None) => !self.enhanced.is_empty() || !self.text.is_empty(),
        }
    }
}

/// Reads a reply table.
pub(super) fn read_table(file: &str, text: &str) -> Result<Vec<Entry>, ProviderError> {
    let table: File = toml::from_str(text).map_err(|e| ProviderError::broken(file, &e))?;
    let mut entries = Vec::with_capacity(table.reply.len());
    for (index, raw) in table.reply.into_iter().enumerate() {
        let entry = check(raw).map_err(|reason| {
            ProviderError::broken(file, &format!("entry {}: {reason}", index + 1))
        })?;
        entries.push(entry);
    }
    Ok(entries)
}

fn check(raw: RawEntry) -> Result<Entry, String> {
    let enhanced = Vec::from(raw.enhanced);
    let text: Vec<String> = Vec::from(raw.text)
        .iter()
        .map(|t| t.to_lowercase())
        .collect();
    if raw.code.is_none() && enhanced.is_empty() && text.is_empty() {
        return Err("names no code, enhanced code or text".into());
    }
    if text.iter().any(String::is_empty) {
        return Err("an empty text fits every reply".into());
    }
    let remedies = in_order(raw.remedy);
    let is_empty = |sentence: &String| sentence.trim().is_empty();
    if remedies.is_empty()
        || remedies.iter().any(|remedy| is_empty(&remedy.what))
        || [&raw.meaning, &raw.source].into_iter().any(is_empty)
    {
        return Err("meaning, remedy and source each need words".into());
    }
    let verdict = verdict(&raw.verdict, raw.wait.as_deref())?;
    let waiting = match raw.waiting {
        Some(text) => Waiting::parse(&text)?,
        None => Waiting::after(verdict),
    };
    Ok(Entry {
        codes: raw.code.map(codes).transpose()?,
        enhanced: enhanced
            .into_iter()
            .map(pattern)
            .collect::<Result<_, _>>()?,
        text,
        phases: phases(verdict, raw.phase)?,
        verdict,
        class: raw.class,
        meaning: raw.meaning,
        remedy: joined(&remedies),
        remedies,
        waiting,
        source: raw.source,
    })
}

/// Where an entry can apply. Before MAIL FROM there is no message, and before RCPT TO no recipient, that
/// could be refused: words that look like a bad address there are about the sender.
fn phases(verdict: Verdict, written: Vec<Phase>) -> Result<Vec<Phase>, String> {
    let possible: &[Phase] = match verdict {
        Verdict::RefuseRecipient => &RECIPIENT_PHASES,
        Verdict::RefuseMessage | Verdict::Defer => &[
            Phase::MailFrom,
            Phase::RcptTo,
            Phase::Data,
            Phase::Body,
            Phase::FinalDot,
        ],
        _ => return Ok(written),
    };
    if written.is_empty() {
        return Ok(possible.to_vec());
    }
    match written.iter().find(|phase| !possible.contains(phase)) {
        Some(phase) => Err(format!(
            "this verdict is not possible at {}",
            phase.as_str()
        )),
        None => Ok(written),
    }
}

fn verdict(name: &str, wait: Option<&str>) -> Result<Verdict, String> {
    let duration = || -> Result<Duration, String> {
        let wait = wait.ok_or_else(|| format!("'{name}' needs 'for'"))?;
        parse_duration(wait).map_err(|e| e.to_string())
    };
    let verdict = match name {
        "slow-down" => return Ok(Verdict::SlowDown(duration()?)),
        "hold-account" => return Ok(Verdict::HoldAccount(duration()?)),
        "refuse-recipient" => Verdict::RefuseRecipient,
        "refuse-message" => Verdict::RefuseMessage,
        "defer" => Verdict::Defer,
        "refresh-token" => Verdict::RefreshToken,
        "reconnect" => Verdict::Reconnect,
        "stop-account" => Verdict::StopAccount,
        other => return Err(format!("'{other}' is no verdict")),
    };
    match wait {
        Some(_) => Err(format!("'{name}' does not wait: remove 'for'")),
        None => Ok(verdict),
    }
}

fn codes(pattern: CodePattern) -> Result<(u16, u16), String> {
    match pattern {
        CodePattern::Exact(code @ 400..=599) => Ok((code, code)),
        CodePattern::Class(class) if class == "4xx" => Ok((400, 499)),
        CodePattern::Class(class) if class == "5xx" => Ok((500, 599)),
        CodePattern::Exact(code) => Err(format!("{code} is no refusal")),
        CodePattern::Class(class) => Err(format!("'{class}' is neither \"4xx\" nor \"5xx\"")),
    }
}

fn pattern(text: String) -> Result<EnhancedPattern, String> {
    let readable = EnhancedCode::at_start_of(&text.replace('x', "0")).is_some();
    if readable && !text.contains(char::is_whitespace) {
        return Ok(EnhancedPattern(text));
    }
    Err(format!("'{text}' is no enhanced status code"))
}
