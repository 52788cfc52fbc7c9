//! Where to connect to, how long to wait, and who signs in.

use std::fmt;
use std::time::Duration;

use secrecy::SecretString;

/// How a connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// Plain until STARTTLS (RFC 3207), which the server must offer; usual on port 587.
    StartTls,
    /// TLS from the first byte (RFC 8314 3.3); usual on port 465.
    Implicit,
    /// No TLS: for a loopback address only, refused for any other.
    None,
}

/// A server and how it is spoken to.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// A host name in ASCII, or an IP address; the certificate must be for it.
    pub host: String,
    /// The TCP port.
    pub port: u16,
    /// How the connection is encrypted.
    pub tls: Tls,
    /// Further roots to trust, each a certificate in DER; see [`roots_from_pem`](super::roots_from_pem).
    pub extra_roots: Vec<Vec<u8>>,
    /// Whether the machine's own roots are trusted.
    pub trust_system_roots: bool,
    /// The name given with EHLO: a host name or an address literal (RFC 5321 4.1.3). Anything else is
    /// replaced by the literal of the loopback address.
    pub hello_name: String,
}

/// How long each wait may take; the defaults are those of RFC 5321 4.5.3.2 or longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// Name look-up, TCP (for each address), and the TLS handshake: each on its own. 30 s.
    pub connect: Duration,
    /// The greeting, and the reply to any command but DATA. 5 min.
    pub command: Duration,
    /// The reply to DATA, and each block of content that is written. 5 min.
    pub data: Duration,
    /// The reply to the final dot. 10 min.
    pub final_dot: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            command: Duration::from_mins(5),
            data: Duration::from_mins(5),
            final_dot: Duration::from_mins(10),
        }
    }
}

/// A user name and what proves it.
#[derive(Clone)]
pub struct Credentials {
    /// The user name, as the provider wants it.
    pub username: String,
    /// The proof; wiped from memory when dropped.
    pub secret: Secret,
}

/// What proves who one is; wiped from memory when dropped.
#[derive(Clone)]
pub enum Secret {
    /// A password: PLAIN or LOGIN.
    Password(SecretString),
    /// An access token of OAuth 2.0 (RFC 6750): XOAUTH2.
    Token(SecretString),
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("username", &self.username)
            .field("secret", &self.secret)
            .finish()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Password(_) => "Password([redacted])",
            Self::Token(_) => "Token([redacted])",
        })
    }
}
