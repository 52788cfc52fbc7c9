//! What can go wrong in a session, told apart so that each has its remedy.

use std::time::Duration;

use super::NotOffered;
use crate::delivery::{Phase, Reply};
use crate::trust::TlsProblem;

/// A session, or a step of it, failed. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {kind}", doing(*.phase))]
pub struct SessionError {
    /// What was waited for.
    pub phase: Phase,
    /// What happened.
    pub kind: SessionErrorKind,
}

/// What happened to a session.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SessionErrorKind {
    /// The host's name has no address, or nobody could be asked for one.
    #[error("the name {host} cannot be resolved ({reason})")]
    Resolve {
        /// The name looked for.
        host: String,
        /// What the resolver said.
        reason: String,
    },
    /// No TCP connection came about, at any of the addresses.
    #[error("no connection to {address} ({reason})")]
    Connect {
        /// The address tried last.
        address: String,
        /// What the operating system said.
        reason: String,
    },
    /// No TLS session that can be trusted came about.
    #[error(transparent)]
    Tls(#[from] TlsProblem),
    /// Nothing came within the deadline.
    #[error("no answer within {} s", .0.as_secs_f32())]
    Timeout(Duration),
    /// The other side closed the connection, or the network cut it.
    #[error("the connection was closed")]
    Closed,
    /// What came is no reply of an SMTP server, or one that was not due; an excerpt.
    #[error("the server's answer makes no sense here: {0:?}")]
    Protocol(String),
    /// A reply of more lines or bytes than any server needs; its beginning.
    #[error("the server's answer does not come to an end; it begins with {0:?}")]
    TooLong(String),
    /// The connection was closed in the middle of a reply; its beginning.
    #[error("the connection was closed in the middle of the server's answer, after {0:?}")]
    CutOff(String),
    /// A reply began, and the rest did not come within the deadline.
    #[error("the server's answer broke off after {heard:?}, and no more came within {} s", .waited.as_secs_f32())]
    Stalled {
        /// Its beginning.
        heard: String,
        /// The deadline.
        waited: Duration,
    },
    /// The server said no.
    #[error("the server answered {0}")]
    Refused(Reply),
    /// The server does not take the access token, and said why before it said no.
    #[error("the server answered {reply} ({reason})")]
    TokenRefused {
        /// Its verdict.
        reply: Reply,
        /// Its reasons: status and scope, as a rule.
        reason: String,
    },
    /// The server does not offer STARTTLS; nothing secret was sent.
    #[error("the server offers no encryption (STARTTLS) on this port")]
    NoStartTls,
    /// Somebody put bytes between the STARTTLS reply and the TLS handshake (RFC 3207 6).
    #[error("unencrypted bytes followed the reply to STARTTLS, as in an attack")]
    Injection,
    /// The server offers no way to sign in with what there is; nothing secret was sent.
    #[error("the server offers no sign-in with {wanted}; it offers: {}", listed(.offered))]
    NoMechanism {
        /// What there is to sign in with.
        wanted: &'static str,
        /// What it offers.
        offered: Vec<String>,
    },
    /// An unencrypted connection was asked for to an address that is not this machine.
    #[error("an unencrypted connection is allowed to this machine only")]
    PlainRefused,
    /// An address cannot be named to this server; nothing was sent.
    #[error(transparent)]
    NotOffered(#[from] NotOffered),
    /// A step was asked for that the session's state does not allow.
    #[error("the session is not ready for this step")]
    OutOfTurn,
}

impl SessionError {
    pub(super) fn new(phase: Phase, kind: impl Into<SessionErrorKind>) -> Self {
        let kind = kind.into();
        Self { phase, kind }
    }

    /// The server's reply, when it is what ended the session.
    pub fn reply(&self) -> Option<&Reply> {
        match &self.kind {
            SessionErrorKind::Refused(reply) | SessionErrorKind::TokenRefused { reply, .. } => {
                Some(reply)
            }
            _ => None,
        }
    }
}

fn doing(phase: Phase) -> &'static str {
    match phase {
        Phase::Connect => "connecting",
        Phase::Banner => "waiting for the greeting",
        Phase::Hello => "saying hello (EHLO)",
        Phase::Tls => "starting encryption",
        Phase::SignIn => "signing in",
        Phase::MailFrom => "naming the sender (MAIL FROM)",
        Phase::RcptTo => "naming a recipient (RCPT TO)",
        Phase::Data => "asking to send (DATA)",
        Phase::Body => "sending the content",
        Phase::FinalDot => "waiting for the verdict after the content",
        Phase::Reset => "resetting the session (RSET)",
    }
}

fn listed(names: &[String]) -> String {
    if names.is_empty() {
        "nothing".to_owned()
    } else {
        names.join(", ")
    }
}
