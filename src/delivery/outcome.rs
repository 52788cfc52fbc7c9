//! How far an attempt came and what its reply means.

use std::time::Duration;

use serde::Deserialize;

/// A phase of the SMTP dialogue, named by what was waited for when something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Name look-up and TCP.
    Connect,
    /// The 220 greeting.
    Banner,
    /// EHLO.
    Hello,
    /// STARTTLS and the TLS handshake.
    Tls,
    /// AUTH.
    SignIn,
    /// MAIL FROM.
    MailFrom,
    /// RCPT TO.
    RcptTo,
    /// DATA, up to the 354.
    Data,
    /// Writing the content, up to the final dot.
    Body,
    /// The final dot: from here on the server may have taken the message.
    FinalDot,
    /// RSET between two messages.
    Reset,
}

impl Phase {
    /// All of them, in the order of a dialogue.
    pub const ALL: [Self; 11] = [
        Self::Connect,
        Self::Banner,
        Self::Hello,
        Self::Tls,
        Self::SignIn,
        Self::MailFrom,
        Self::RcptTo,
        Self::Data,
        Self::Body,
        Self::FinalDot,
        Self::Reset,
    ];

    /// The phase with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.as_str() == name)
    }

    /// The name used in the store, in JSON and in reply tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Banner => "banner",
            Self::Hello => "hello",
            Self::Tls => "tls",
            Self::SignIn => "sign-in",
            Self::MailFrom => "mail-from",
            Self::RcptTo => "rcpt-to",
            Self::Data => "data",
            Self::Body => "body",
            Self::FinalDot => "final-dot",
            Self::Reset => "reset",
        }
    }
}

/// Whom a verdict is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// One recipient.
    Recipient,
    /// One message with all its recipients.
    Message,
    /// This connection only.
    Connection,
    /// The account: recipients are never marked for it.
    Account,
}

/// What a reply means for what is done next (first match in a provider's reply table).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The server took it.
    Accept,
    /// This recipient is refused for good; the others go on.
    RefuseRecipient,
    /// This message is refused for good, for all its recipients.
    RefuseMessage,
    /// Try the recipient or message again after the back-off.
    Defer,
    /// The account is too fast: wait this long, then go on; nobody is refused.
    SlowDown(Duration),
    /// The account's cap is reached: hold it at least this long; nobody is refused.
    HoldAccount(Duration),
    /// The access token has expired: get a new one and sign in again.
    RefreshToken,
    /// This connection is of no more use: connect again.
    Reconnect,
    /// The account must stop until a person has mended something; nobody is refused.
    StopAccount,
}

impl Verdict {
    /// The name used in reply tables and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::RefuseRecipient => "refuse-recipient",
            Self::RefuseMessage => "refuse-message",
            Self::Defer => "defer",
            Self::SlowDown(_) => "slow-down",
            Self::HoldAccount(_) => "hold-account",
            Self::RefreshToken => "refresh-token",
            Self::Reconnect => "reconnect",
            Self::StopAccount => "stop-account",
        }
    }
}

/// What an account's stop is about; decides the exit code and the remedy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Sign-in or permission: exit 77.
    SignIn,
    /// The sender may not use this From address: exit 77.
    Sender,
    /// The provider has blocked the account: exit 77.
    Blocked,
    /// Throttled or over a limit: waiting helps, exit 75.
    Quota,
    /// The recipient's own trouble (no such mailbox, full, closed to us).
    Recipient,
    /// The message's own trouble (too large, malformed, taken for spam).
    Message,
    /// The server's trouble: waiting helps.
    Server,
}

impl Class {
    /// The name used in reply tables and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SignIn => "sign-in",
            Self::Sender => "sender",
            Self::Blocked => "blocked",
            Self::Quota => "quota",
            Self::Recipient => "recipient",
            Self::Message => "message",
            Self::Server => "server",
        }
    }
}
