//! What to do about a session that came to nothing without a word of the server's.

use super::{SessionError, SessionErrorKind, TlsProblem};

impl SessionError {
    /// Who can do what about it. A refusal has its remedy in the provider's reply table instead.
    pub fn remedy(&self) -> &'static str {
        match &self.kind {
            SessionErrorKind::Tls(problem) => for_tls(problem),
            SessionErrorKind::Resolve { .. } => {
                "You: check 'host' in accounts.toml, and that this machine is online. Waiting helps if it is not."
            }
            SessionErrorKind::Connect { .. } | SessionErrorKind::Timeout(_) => {
                "You: check 'host' and 'port' in accounts.toml, and that this machine is online. Your network's \
                 administrator: check that the firewall lets the port out; many providers close port 25. Waiting helps \
                 if the server is down."
            }
            SessionErrorKind::Closed => {
                "You: check 'port' and 'tls' in accounts.toml: \"implicit\" is usual on 465, \"starttls\" on 587. \
                 Waiting helps if the server is down."
            }
            SessionErrorKind::CutOff(_) | SessionErrorKind::Stalled { .. } => {
                "The server's administrator: look into its log for this connection. Your network's administrator: look \
                 what stands in between. Waiting helps if the server or the line is overloaded."
            }
            SessionErrorKind::Protocol(_)
            | SessionErrorKind::TooLong(_)
            | SessionErrorKind::OutOfTurn => {
                "You: check 'host' and 'port' in accounts.toml: something other than a mail server seems to answer \
                 there, or something in between takes part in the conversation."
            }
            SessionErrorKind::NoStartTls | SessionErrorKind::Injection => {
                "No password and no token was sent. You: if the server takes encrypted connections on another port \
                 only, set tls = \"implicit\" and port = 465 in accounts.toml. Your network's administrator: check \
                 whether something between this machine and the server takes the encryption out. Waiting does not help."
            }
            SessionErrorKind::NoMechanism { wanted, offered } => no_mechanism(wanted, offered),
            SessionErrorKind::PlainRefused => {
                "You: set tls = \"starttls\" or \"implicit\" in accounts.toml; \"none\" is for this machine alone."
            }
            SessionErrorKind::NotOffered(_) => {
                "You: use an address in plain letters, or a server that offers SMTPUTF8."
            }
            SessionErrorKind::Refused(_) | SessionErrorKind::TokenRefused { .. } => {
                "You: read the server's own words."
            }
        }
    }

    /// The server was reached and the connection can be trusted, but there is no way to sign in.
    pub fn is_about_sign_in(&self) -> bool {
        matches!(self.kind, SessionErrorKind::NoMechanism { .. })
    }
}

fn no_mechanism(wanted: &str, offered: &[String]) -> &'static str {
    if offered.is_empty() {
        return "You: check 'port' in accounts.toml: the server takes no sign-in there (587 is usual). Where it lets this \
                machine in without one, set auth = \"none\".";
    }
    if wanted.contains("token") {
        "You: set auth = \"password\" in accounts.toml: this server takes no OAuth 2.0 sign-in (XOAUTH2)."
    } else {
        "You: set auth = \"oauth2\" in accounts.toml where the server offers XOAUTH2, then sign in with \
         `postroom login`. \
         Otherwise ask the server's administrator to offer PLAIN or LOGIN after STARTTLS."
    }
}

fn for_tls(problem: &TlsProblem) -> &'static str {
    match problem {
        TlsProblem::UntrustedIssuer => {
            "No password and no token was sent. You: if the server is your organisation's own, name its root certificate \
             with ca_file in accounts.toml. Your network's administrator: otherwise somebody is reading along. Waiting \
             does not help."
        }
        TlsProblem::Expired => {
            "No password and no token was sent. The server's administrator: renew its certificate. You: check that this \
             machine's clock is right."
        }
        TlsProblem::NotYetValid => {
            "No password and no token was sent. You: set this machine's clock. The server's administrator: check from \
             when the certificate holds."
        }
        TlsProblem::WrongName { .. } => {
            "No password and no token was sent. You: write one of the names that the certificate is for as 'host' in \
             accounts.toml, if that is your server. Waiting does not help."
        }
        TlsProblem::NotTls => {
            "No password and no token was sent. You: check 'port' and 'tls' in accounts.toml: \"implicit\" is usual on \
             465, \"starttls\" on 587."
        }
        TlsProblem::TooOld => {
            "No password and no token was sent. The server's administrator: let it offer TLS 1.2 or newer. Your network's \
             administrator: look for a proxy in between that speaks an older one. Waiting does not help."
        }
        TlsProblem::NoRoots(_) => {
            "You: install the system's root certificates (Debian: ca-certificates), or name a root with ca_file in \
             accounts.toml."
        }
        TlsProblem::BadRoot(_) => {
            "You: correct ca_file in accounts.toml: it names a file with certificates in PEM form."
        }
        TlsProblem::Other(_) => {
            "No password and no token was sent. The server's administrator: look into its log for this handshake."
        }
    }
}
