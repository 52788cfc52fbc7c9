//! Who can do what about a reply, and whether waiting helps.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use crate::delivery::Verdict;

/// Who can put something right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Owner {
    /// Nobody needs to: it passes, or Postroom sees to it.
    Nobody,
    /// Whoever runs the command.
    You,
    /// The administrator of the sending organisation.
    Administrator,
    /// The recipient, the owner of a group, or their administrator.
    Recipient,
    /// The provider.
    Provider,
}

impl Owner {
    /// The name in the tables and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::You => "you",
            Self::Administrator => "administrator",
            Self::Recipient => "recipient",
            Self::Provider => "provider",
        }
    }

    /// What stands before the colon.
    pub fn label(self) -> &'static str {
        match self {
            Self::Nobody => "Nothing to do",
            Self::You => "You",
            Self::Administrator => "Your administrator",
            Self::Recipient => "The recipient or group owner",
            Self::Provider => "The provider",
        }
    }
}

/// What one of them can do: a command or a menu's path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remedy {
    /// Who.
    pub who: Owner,
    /// What, as it goes on after a colon. `MAILBOX`, `ACCOUNT`, `FROM-ADDRESS` and
    /// `CLIENT-ID` stand for what a [`Whose`] fills in.
    pub what: String,
}

impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.who.label(), self.what)
    }
}

/// The remedies of an entry as they are written, by owner.
pub(super) type RawRemedies = BTreeMap<Owner, Spanned<String>>;

/// In the order in which they are written: who can help best comes first.
pub(super) fn in_order(raw: RawRemedies) -> Vec<Remedy> {
    let mut remedies: Vec<_> = raw.into_iter().collect();
    remedies.sort_by_key(|(_, what)| what.span().start);
    remedies
        .into_iter()
        .map(|(who, what)| Remedy {
            who,
            what: what.into_inner(),
        })
        .collect()
}

/// Remedies in one text.
pub(super) fn joined(remedies: &[Remedy]) -> String {
    let sentences: Vec<String> = remedies.iter().map(ToString::to_string).collect();
    sentences.join(" ")
}

/// Whether time alone puts something right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Helps {
    /// It does not.
    No,
    /// It does.
    Yes,
    /// Not by itself; but what was mended takes its time to hold.
    Afterwards,
}

impl Helps {
    /// The name in the tables and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::Yes => "yes",
            Self::Afterwards => "afterwards",
        }
    }
}

/// Whether waiting helps, and how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Whether.
    pub helps: Helps,
    /// How long, in words; empty where there is nothing to add.
    pub how: String,
}

impl fmt::Display for Waiting {
    /// As a sentence.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let begin = match self.helps {
            Helps::No => "It does not help",
            Helps::Yes => "It helps",
            Helps::Afterwards => "It does not help by itself. Once it is mended",
        };
        match self.how.as_str() {
            "" => write!(f, "{begin}."),
            how => write!(f, "{begin}: {how}."),
        }
    }
}

impl Waiting {
    /// As it is written: `no`, or `yes` or `afterwards` with how long after a colon.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (word, how) = text.split_once(':').unwrap_or((text, ""));
        let helps = [Helps::No, Helps::Yes, Helps::Afterwards]
            .into_iter()
            .find(|helps| helps.as_str() == word.trim())
            .ok_or_else(|| format!("'{text}' is no waiting: write no, yes or afterwards"))?;
        let how = how.trim().to_owned();
        if helps == Helps::Afterwards && how.is_empty() {
            return Err("'afterwards' needs how long after a colon".into());
        }
        Ok(Self { helps, how })
    }

    /// What follows from what is done next, where a table says nothing else.
    pub(super) fn after(verdict: Verdict) -> Self {
        let (helps, how) = match verdict {
            Verdict::StopAccount | Verdict::RefuseRecipient | Verdict::RefuseMessage => {
                (Helps::No, String::new())
            }
            Verdict::Accept | Verdict::RefreshToken => (Helps::Yes, String::new()),
            Verdict::Reconnect => (Helps::Yes, "a few seconds or minutes".to_owned()),
            Verdict::Defer => (Helps::Yes, "minutes to hours, at most a day".to_owned()),
            Verdict::SlowDown(pause) => (Helps::Yes, format!("{} or a little more", words(pause))),
            Verdict::HoldAccount(pause) => {
                let how = format!(
                    "until what was sent earlier is 24 hours old; it is tried again after {}, then after longer pauses",
                    words(pause)
                );
                (Helps::Yes, how)
            }
        };
        Self { helps, how }
    }
}

/// `5 seconds`, `1 minute`, `1 hour`.
fn words(span: Duration) -> String {
    let (count, unit) = match span.as_secs() {
        seconds if seconds >= 3600 => (seconds / 3600, "hour"),
        seconds if seconds >= 60 => (seconds / 60, "minute"),
        seconds => (seconds, "second"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

/// The account that a remedy is for: its names replace the words in capitals.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Whose {
    /// Its name in accounts.toml, in place of `ACCOUNT`.
    pub account: Option<String>,
    /// The address that signs in, in place of `MAILBOX`.
    pub mailbox: Option<String>,
    /// The From address of what it sends, in place of `FROM-ADDRESS`.
    pub from: Option<String>,
    /// The application that signs in by OAuth 2.0, in place of `CLIENT-ID`.
    pub client: Option<String>,
}

impl Whose {
    /// `text` with the names in place; what is not known stays as it is.
    pub fn fill(&self, text: &str) -> String {
        let mut filled = text.to_owned();
        if let Some(account) = &self.account {
            filled = filled.replace("ACCOUNT", &as_key(account));
        }
        if let Some(mailbox) = &self.mailbox {
            filled = filled.replace("MAILBOX", &as_argument(mailbox));
        }
        if let Some(from) = &self.from {
            filled = filled.replace("FROM-ADDRESS", &as_argument(from));
        }
        if let Some(client) = &self.client {
            filled = filled.replace("CLIENT-ID", &as_argument(client));
        }
        filled
    }
}

/// A name as TOML and a shell take it.
fn as_key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.chars().all(bare) {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
    }
}

/// An address as PowerShell takes it: in quotes where it has more than the usual characters.
fn as_argument(address: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "@._-+".contains(c);
    if address.chars().all(plain) {
        address.to_owned()
    } else {
        format!("'{}'", address.replace('\'', "''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_put_where_the_capitals_are() {
        let whose = Whose {
            account: Some("comms".into()),
            mailbox: Some("comms@contoso.com".into()),
            ..Whose::default()
        };
        assert_eq!(
            whose.fill("`Set-X -Identity MAILBOX`, then `postroom login ACCOUNT`; FROM-ADDRESS"),
            "`Set-X -Identity comms@contoso.com`, then `postroom login comms`; FROM-ADDRESS"
        );
        let odd = Whose {
            account: Some("my account".into()),
            mailbox: Some("o'brien@contoso.com".into()),
            ..Whose::default()
        };
        assert_eq!(
            odd.fill("login ACCOUNT -Identity MAILBOX"),
            "login \"my account\" -Identity 'o''brien@contoso.com'"
        );
        assert_eq!(Whose::default().fill("login ACCOUNT"), "login ACCOUNT");
    }

    #[test]
    fn waiting_is_read_and_said() {
        let said = |text| Waiting::parse(text).map(|waiting| waiting.to_string());
        assert_eq!(said("no"), Ok("It does not help.".into()));
        assert_eq!(said("yes: an hour"), Ok("It helps: an hour.".into()));
        assert_eq!(
            said("afterwards: up to an hour"),
            Ok("It does not help by itself. Once it is mended: up to an hour.".into())
        );
        assert!(said("maybe").is_err() && said("afterwards").is_err());
    }
}
