//! What can go wrong with a sign-in, told apart by what a person would do about it.

use std::fmt;

use crate::trust::TlsProblem;
use crate::vault::VaultError;

/// The longest text of a provider that is shown, in characters.
const MAX_WORDS: usize = 600;

/// A sign-in, or a token, could not be had. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct Error {
    account: String,
    kind: ErrorKind,
}

/// Why a token could not be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ErrorKind {
    /// Nothing is kept for this account and these settings. With why it could not be looked for, where
    /// that is so.
    #[error("nobody is signed in{}", because(.0.as_deref()))]
    NotSignedIn(Option<String>),
    /// The sign-in is over: expired, revoked, or the password was changed (`invalid_grant`, RFC 6749 5.2).
    #[error("the sign-in is over: {0}")]
    Revoked(Refusal),
    /// The provider refused, in its own words.
    #[error("the provider refused the sign-in: {0}")]
    Refused(Refusal),
    /// The person said no on the sign-in page.
    #[error("the sign-in was declined: {0}")]
    Declined(Refusal),
    /// Nobody finished signing in while there was time.
    #[error("nobody finished the sign-in in time")]
    TimedOut,
    /// The provider cannot be reached, or cannot serve now.
    #[error("{host} cannot be reached: {reason}")]
    Unreachable {
        /// Whom it was asked of.
        host: String,
        /// Why.
        reason: String,
    },
    /// The provider's certificate cannot be trusted.
    #[error("{host} cannot be trusted: {problem}")]
    Untrusted {
        /// Whom it was asked of.
        host: String,
        /// Why.
        problem: TlsProblem,
    },
    /// What was granted cannot be kept or read.
    #[error("the sign-in cannot be kept: {0}")]
    Keep(#[from] VaultError),
    /// What came is no answer of a sign-in service.
    #[error("{host} gave an answer that makes no sense: {reason}")]
    Protocol {
        /// Whom it was asked of.
        host: String,
        /// What is wrong with it; nothing of the answer itself.
        reason: String,
    },
    /// No local port could be opened for the browser to come back to.
    #[error("no port of this machine can be opened for the browser to come back to: {0}")]
    Listen(String),
    /// The settings cannot be used; `config` lets none of these through.
    #[error("the sign-in is set up wrongly: {0}")]
    Settings(String),
}

/// A provider's refusal, fit for a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The error's name (RFC 6749 5.2), such as `invalid_grant`.
    pub error: String,
    /// The description; Microsoft's has its AADSTS number in it.
    pub description: Option<String>,
}

impl Refusal {
    /// Takes out what a terminal must not get, and the secrets that were sent.
    pub(super) fn new(error: &str, description: Option<&str>, secrets: &[&str]) -> Self {
        let description = description.map(|text| fit(text, secrets));
        Self {
            error: fit(error, secrets),
            description: description.filter(|text| !text.is_empty()),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.description {
            Some(description) => write!(f, "{description} ({})", self.error),
            None => f.write_str(&self.error),
        }
    }
}

fn because(reason: Option<&str>) -> String {
    reason.map_or_else(String::new, |reason| format!(" ({reason})"))
}

/// Text of the other side on one line, without control characters or secrets.
pub(super) fn fit(text: &str, secrets: &[&str]) -> String {
    let mut text = text.to_owned();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        text = text.replace(secret, "[hidden]");
    }
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    words.join(" ").chars().take(MAX_WORDS).collect()
}

impl Error {
    pub(super) fn new(account: &str, kind: impl Into<ErrorKind>) -> Self {
        Self {
            account: account.to_owned(),
            kind: kind.into(),
        }
    }

    /// Why.
    pub fn kind(&self) -> &ErrorKind {
        &self.kind
    }

    /// The account it is about.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The provider's own words, for [`ReplyTable::explain`](crate::provider::ReplyTable::explain); none
    /// where it said nothing.
    pub fn text(&self) -> Option<String> {
        match &self.kind {
            ErrorKind::Revoked(refusal)
            | ErrorKind::Refused(refusal)
            | ErrorKind::Declined(refusal) => Some(refusal.to_string()),
            ErrorKind::Unreachable { reason, .. } => Some(reason.clone()),
            _ => None,
        }
    }

    /// Trying again later may help, without anybody doing anything.
    pub fn is_transient(&self) -> bool {
        matches!(self.kind, ErrorKind::Unreachable { .. })
    }

    /// What to do about it.
    pub fn remedy(&self) -> String {
        let login = format!("run `postroom login {}`", self.account);
        match &self.kind {
            ErrorKind::NotSignedIn(_) | ErrorKind::Revoked(_) => login,
            ErrorKind::Declined(_) => format!("{login} again and accept"),
            ErrorKind::TimedOut => format!("{login} again, and finish on the page that it names"),
            ErrorKind::Refused(_) => format!(
                "compare [{}.oauth2] in accounts.toml with the app's registration, then {login}",
                self.account
            ),
            ErrorKind::Unreachable { .. } => {
                "see that this machine is online and may reach that address, then run it again"
                    .to_owned()
            }
            ErrorKind::Untrusted { .. } => format!(
                "where your company's network puts its own certificate in between, name its root with ca_file under [{}]",
                self.account
            ),
            ErrorKind::Keep(_) => {
                "see that the folder can be written and the keyring is unlocked; POSTROOM_TOKENS=file keeps sign-ins in \
                 files that only you can read"
                    .to_owned()
            }
            ErrorKind::Protocol { .. } | ErrorKind::Settings(_) => format!(
                "compare authority, tenant and endpoints under [{}.oauth2] in accounts.toml with your provider's pages",
                self.account
            ),
            ErrorKind::Listen(_) => format!("{login} --flow device-code instead"),
        }
    }
}
