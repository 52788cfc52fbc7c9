//! From a server's reply to what is done next.

use std::sync::LazyLock;

use super::entry::{Entry, read_table};
use super::fallback::{accepted, out_of_step};
use super::remedy::{Remedy, Waiting, Whose};
use super::words::Words;
use super::{Preset, ProviderError};
use crate::delivery::{Class, Phase, Reply, Verdict};

/// The tables that follow every provider's own.
const GENERAL: [&str; 3] = ["oauth", "general-account", "general"];

/// What is left when no other table knows the words.
const BY_CLASS: &str = "by-class";

macro_rules! tables {
    ($($name:literal),* $(,)?) => {
        [$((
            $name,
            concat!("replies/", $name, ".toml"),
            include_str!(concat!("replies/", $name, ".toml")),
        )),*]
    };
}

/// Every reply table, providers' own first. A preset names those that it uses, in its order.
const FILES: [(&str, &str, &str); 10] = tables![
    "microsoft-sign-in",
    "microsoft-account",
    "microsoft",
    "microsoft-entra",
    "google",
    "amazon-ses",
    "oauth",
    "general-account",
    "general",
    "by-class",
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
    /// Who can do what about it, who can help best first; for any account ([`Whose`] fills in its names).
    pub remedies: &'static [Remedy],
    /// The same in one text; [`ReplyTable::remedy`] has it with the account's names.
    pub remedy: &'static str,
    /// Whether waiting helps.
    pub waiting: &'static Waiting,
    /// The page that this comes from.
    pub source: &'static str,
}

impl Judgement {
    pub(super) fn of(entry: &'static Entry) -> Self {
        Self {
            verdict: entry.verdict,
            class: entry.class,
            meaning: &entry.meaning,
            remedies: &entry.remedies,
            remedy: &entry.remedy,
            waiting: &entry.waiting,
            source: &entry.source,
        }
    }
}

/// A provider's replies: its own tables, then the general ones; the first entry that fits decides.
#[derive(Debug, Clone)]
pub struct ReplyTable {
    pub(super) entries: Vec<&'static Entry>,
    /// Looked into when none of these fits.
    pub(super) by_class: &'static [Entry],
    whose: Whose,
}

impl ReplyTable {
    /// The tables that `preset` names, followed by the general ones.
    ///
    /// # Errors
    /// [`ProviderError::Broken`] when an embedded table cannot be read or does not exist.
    pub fn for_preset(preset: &Preset) -> Result<Self, ProviderError> {
        let names = preset.replies.iter().map(String::as_str).chain(GENERAL);
        Self::of(&preset.name, names)
    }

    /// All tables, for words of which nobody knows who has said them.
    ///
    /// # Errors
    /// [`ProviderError::Broken`] when an embedded table cannot be read.
    pub fn of_all_providers() -> Result<Self, ProviderError> {
        let names = FILES.iter().map(|(name, ..)| *name);
        Self::of("all providers", names.filter(|name| *name != BY_CLASS))
    }

    fn of<'n>(whose: &str, names: impl Iterator<Item = &'n str>) -> Result<Self, ProviderError> {
        let mut entries = Vec::new();
        for name in names {
            entries.extend(table(whose, name)?);
        }
        Ok(Self {
            entries,
            by_class: table(whose, BY_CLASS)?,
            whose: Whose::default(),
        })
    }

    /// The same, for this account: its names stand in what [`Self::remedy`] says.
    #[must_use]
    pub fn of_account(self, whose: Whose) -> Self {
        Self { whose, ..self }
    }

    /// A judgement's remedies in one text, with the names of the account that this table is of.
    pub fn remedy(&self, judgement: &Judgement) -> String {
        self.whose.fill(judgement.remedy)
    }

    /// A judgement's remedies one by one, with the names of the account that this table is of.
    pub fn remedies(&self, judgement: &Judgement) -> Vec<Remedy> {
        let fill = |remedy: &Remedy| Remedy {
            who: remedy.who,
            what: self.whose.fill(&remedy.what),
        };
        judgement.remedies.iter().map(fill).collect()
    }

    /// What `reply` means in `phase`. There is an answer to everything: what no table knows is judged by
    /// its class and phase (RFC 5321 4.2.1).
    ///
    /// Only RCPT TO can refuse a recipient, and it refuses nothing else: a word against the message there
    /// is this recipient's, and a word against a recipient after the content is the message's. A 4xx refuses
    /// nobody, whatever its words.
    pub fn judge(&self, phase: Phase, reply: &Reply) -> Judgement {
        if reply.is_positive() {
            return Judgement::of(accepted(phase, reply.code));
        }
        let words = Words::from(reply);
        let known = self.entry(Some(phase), &words);
        let mut judgement = Judgement::of(known.unwrap_or_else(|| self.by_class(phase, &words)));
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

    /// What an error of the sign-in service means: its `error` (RFC 6749 5.2, RFC 8628 3.5) and what it says
    /// to it. What no table knows stops the account: asking again gets the same answer.
    pub fn judge_sign_in_service(&self, error: &str, description: &str) -> Judgement {
        let said = Words::new(None, None, &format!("{error}: {description}"));
        let refused = || self.by_class(Phase::SignIn, &Words::new(Some(535), None, ""));
        let known = self.entry(Some(Phase::SignIn), &said);
        Judgement::of(known.unwrap_or_else(refused))
    }

    pub(super) fn entry(&self, phase: Option<Phase>, words: &Words) -> Option<&'static Entry> {
        self.entries
            .iter()
            .copied()
            .find(|entry| entry.fits(phase, words))
    }

    pub(super) fn by_class(&self, phase: Phase, words: &Words) -> &'static Entry {
        let entry = self
            .by_class
            .iter()
            .find(|entry| entry.fits(Some(phase), words));
        entry.unwrap_or_else(|| out_of_step())
    }
}

fn table(whose: &str, name: &str) -> Result<&'static [Entry], ProviderError> {
    let tables = TABLES.as_ref().map_err(Clone::clone)?;
    let known = tables.iter().find(|(known, _)| *known == name);
    known
        .map(|(_, entries)| entries.as_slice())
        .ok_or_else(|| ProviderError::broken(whose, &format!("there is no reply table '{name}'")))
}
