//! What a server said, in plain words: what it means, who can do what about it, whether waiting helps.

use std::collections::BTreeMap;

use super::{Outcome, Problem};
use crate::cli::Context;
use crate::cli::failure::Failure;
use crate::cli::setup::{Planned, senders};
use crate::delivery::{Phase, Reply};
use crate::provider::{Remedy, ReplyTable};
use crate::store::ReportRow;

/// Why something was not sent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Reason {
    /// What has happened, as a sentence.
    pub(super) meaning: String,
    /// Who can do what about it, who can help best first.
    pub(super) remedies: Vec<(&'static str, String)>,
    /// Whether waiting helps; empty where that does not matter.
    pub(super) waiting: String,
}

/// The reply tables of a campaign's accounts.
pub(super) struct Reasons {
    accounts: BTreeMap<String, ReplyTable>,
    /// For an account that accounts.toml has no longer.
    others: ReplyTable,
}

impl Reasons {
    /// Without accounts.toml the words of all providers are known, too.
    pub(super) fn of(context: &Context, planned: &Planned) -> Result<Self, Problem> {
        let mut accounts = BTreeMap::new();
        for name in &planned.record.accounts {
            let Ok(senders) = senders(std::slice::from_ref(name), &context.places) else {
                continue;
            };
            for sender in senders {
                let table = ReplyTable::for_preset(sender.preset).map_err(Failure::from)?;
                accounts.insert(name.clone(), table.of_account(sender.whose()));
            }
        }
        Ok(Self {
            accounts,
            others: ReplyTable::of_all_providers().map_err(Failure::from)?,
        })
    }

    /// Why a row is what it is; none where there is nothing to explain.
    pub(super) fn explain(&self, row: &ReportRow, outcome: Outcome) -> Option<Reason> {
        let said = row.reply.as_deref()?;
        match outcome {
            Outcome::InDoubt => Some(in_doubt(said)),
            Outcome::Refused | Outcome::Deferred | Outcome::Pending => {
                Some(self.refused(row, said, outcome))
            }
            _ => None,
        }
    }

    fn refused(&self, row: &ReportRow, said: &str, outcome: Outcome) -> Reason {
        let Some(reply) = reply(said) else {
            return Reason {
                meaning: sentence(said),
                remedies: Vec::new(),
                waiting: String::new(),
            };
        };
        let account = row.account.as_ref();
        let table = account.and_then(|name| self.accounts.get(name));
        let table = table.unwrap_or(&self.others);
        let judgement = table.judge(row.phase.unwrap_or(Phase::RcptTo), &reply);
        let mut meaning = judgement.meaning.to_owned();
        let is_over = outcome == Outcome::Refused;
        if is_over && reply.is_transient() {
            meaning.push_str(" It was tried again for as long as is usual, in vain.");
        }
        let remedies = table.remedies(&judgement);
        let told = |remedy: Remedy| (remedy.who.label(), remedy.what);
        Reason {
            meaning,
            remedies: remedies.into_iter().map(told).collect(),
            waiting: if is_over {
                judgement.waiting.to_string()
            } else {
                String::new()
            },
        }
    }
}

/// The same for all that are in doubt, but for what broke.
fn in_doubt(said: &str) -> Reason {
    let what = "look for its Message-ID in the sent mail, or ask the recipient; then settle it with `postroom resolve`.";
    Reason {
        meaning: format!("It may have arrived or not. {}", sentence(said)),
        remedies: vec![("You", what.to_owned())],
        waiting: String::new(),
    }
}

/// A reply as the store has it: the code, then the words. Anything else is the program's own.
fn reply(said: &str) -> Option<Reply> {
    let code = said.get(..3)?.parse().ok()?;
    let is_code = said[3..].is_empty() || said[3..].starts_with(' ');
    (is_code && (200..600).contains(&code)).then(|| Reply::new(code, said[3..].trim_start()))
}

/// Words of the program's own, as a sentence.
fn sentence(words: &str) -> String {
    let mut letters = words.trim().chars();
    let first: String = letters
        .next()
        .into_iter()
        .flat_map(char::to_uppercase)
        .collect();
    let text = first + letters.as_str();
    if text.ends_with(['.', '!', '?']) {
        text
    } else {
        text + "."
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_servers_reply_is_told_from_words_of_our_own() {
        let code = |text| reply(text).map(|reply| reply.code);
        assert_eq!(code("550 5.1.1 no such user"), Some(550));
        assert_eq!(code("421"), Some(421));
        assert_eq!(code("5503 x"), None);
        assert_eq!(code("the connection was closed"), None);
        assert_eq!(code("ää"), None);
        assert_eq!(sentence("the line broke"), "The line broke.");
        assert_eq!(sentence(""), ".");
    }
}
