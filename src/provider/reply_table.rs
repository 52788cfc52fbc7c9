//! From a server's reply to what is done next.

use std::sync::LazyLock;

use super::entry::{Entry, Words, read_table};
use super::fallback::{accepted, by_class};
use super::{Preset, ProviderError};
use crate::delivery::{Class, EnhancedCode, Phase, Reply, Verdict};

/// The tables that follow every provider's own.
const GENERAL: [&str; 2] = ["general-account", "general"];

/// Every reply table. A preset names those that it uses, in its order.
const FILES: [(&str, &str, &str); 6] = [
    (
        "microsoft-sign-in",
        "replies/microsoft-sign-in.toml",
        include_str!("replies/microsoft-sign-in.toml"),
    ),
    (
        "microsoft-account",
        "replies/microsoft-account.toml",
        include_str!("replies/microsoft-account.toml"),
    ),
    (
        "microsoft",
        "replies/microsoft.toml",
        include_str!("replies/microsoft.toml"),
    ),
    (
        "microsoft-entra",
        "replies/microsoft-entra.toml",
        include_str!("replies/microsoft-entra.toml"),
    ),
    (
        "general-account",
        "replies/general-account.toml",
        include_str!("replies/general-account.toml"),
    ),
    (
        "general",
        "replies/general.toml",
        include_str!("replies/general.toml"),
    ),
];

type Tables = Vec<(&'static str, Vec<Entry>)>;

static TABLES: LazyLock<Result<Tables, ProviderError>> = LazyLock::new(|| {
    FILES
        .iter()
        .map(|(name, file, text)| Ok((*name, read_table(file, text)?)))
        .collect()
});

/// What a reply means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judgement {
    /// What is done next.
    pub verdict: Verdict,
    /// Whose trouble it is. A refused message of class [`Class::Recipient`] is refused for one of its
    /// recipients: with more than one, the others can go out without it.
    pub class: Class,
    /// What has happened, in plain words.
    pub meaning: &'static str,
    /// Who can do what about it.
    pub remedy: &'static str,
}

impl Judgement {
    fn of(entry: &'static Entry) -> Self {
        Self {
            verdict: entry.verdict,
            class: entry.class,
            meaning: &entry.meaning,
            remedy: &entry.remedy,
        }
    }

    pub(super) fn new(
        verdict: Verdict,
        class: Class,
        meaning: &'static str,
        remedy: &'static str,
    ) -> Self {
        Self {
            verdict,
            class,
            meaning,
            remedy,
        }
    }
}

/// A provider's replies: its own tables, then the general ones; the first entry that fits decides.
#[derive(Debug, Clone)]
pub struct ReplyTable {
    pub(super) entries: Vec<&'static Entry>,
}

impl ReplyTable {
    /// The tables that `preset` names, followed by the general ones.
    ///
    /// # Errors
    /// [`ProviderError::Broken`] when an embedded table cannot be read or does not exist.
    pub fn for_preset(preset: &Preset) -> Result<Self, ProviderError> {
        let tables = TABLES.as_ref().map_err(Clone::clone)?;
        let mut entries = Vec::new();
        for name in preset.replies.iter().map(String::as_str).chain(GENERAL) {
            let (_, table) = tables
                .iter()
                .find(|(known, _)| *known == name)
                .ok_or_else(|| {
                    ProviderError::broken(
                        &preset.name,
                        &format!("there is no reply table '{name}'"),
                    )
                })?;
            entries.extend(table);
        }
        Ok(Self { entries })
    }

    /// What `reply` means in `phase`. There is an answer to everything: what no table knows is judged by
    /// its class and phase (RFC 5321 4.2.1).
    ///
    /// Only RCPT TO can refuse a recipient, and it refuses nothing else: a word against the message there
    /// is this recipient's, and a word against a recipient after the content is the message's. A 4xx refuses
    /// nobody, whatever its words.
    pub fn judge(&self, phase: Phase, reply: &Reply) -> Judgement {
        if reply.is_positive() {
            return accepted(phase, reply.code);
        }
        let mut judgement = self
            .entry(Some(phase), &Words::from(reply))
            .map_or_else(|| by_class(phase, reply.code), Judgement::of);
        judgement.verdict = match judgement.verdict {
            Verdict::RefuseRecipient | Verdict::RefuseMessage if reply.is_transient() => {
                Verdict::Defer
            }
            Verdict::RefuseRecipient | Verdict::RefuseMessage if phase == Phase::RcptTo => {
                Verdict::RefuseRecipient
            }
            Verdict::RefuseRecipient => Verdict::RefuseMessage,
            verdict => verdict,
        };
        judgement
    }

    /// What words mean that someone has copied from a log, a bounce or a sign-in page; none when nothing
    /// known is in them. Without its phase a verdict is only the likely one.
    pub fn explain(&self, text: &str) -> Option<Judgement> {
        let words = Words::new(code_in(text), enhanced_in(text), text);
        let known = self.entry(None, &words).map(Judgement::of);
        known.or_else(|| {
            let code = words.code.filter(|code| (400..600).contains(code))?;
            Some(by_class(Phase::FinalDot, code))
        })
    }

    pub(super) fn entry(&self, phase: Option<Phase>, words: &Words) -> Option<&'static Entry> {
        self.entries
            .iter()
            .copied()
            .find(|entry| entry.fits(phase, words))
    }
}

/// The first number of three digits that can be a reply's code.
fn code_in(text: &str) -> Option<u16> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '.')
        .filter(|word| word.len() == 3)
        .filter_map(|word| word.parse().ok())
        .find(|code| (200..600).contains(code))
}

/// The first enhanced status code, wherever it stands.
fn enhanced_in(text: &str) -> Option<EnhancedCode> {
    text.split(|c: char| !c.is_ascii_digit() && c != '.')
        .map(|word| word.trim_end_matches('.'))
        .find_map(EnhancedCode::at_start_of)
}
