//! What the stand-in server is told: whose limits it plays, whom it refuses, what it keeps.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use secrecy::SecretString;

use super::faults::{Act, Faults};
use super::tokens::Tokens;
use super::{Error, refuse, words};
use crate::clock::Timestamp;
use crate::limits::{Rule, Unit};

/// How TLS is offered (RFC 3207, RFC 8314).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TlsMode {
    /// In clear until STARTTLS; nothing can be sent or signed in before it.
    #[default]
    StartTls,
    /// TLS from the first byte, as on port 465.
    Implicit,
    /// No TLS at all. The server only ever listens on loopback.
    None,
}

/// Whose words and habits the server has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Profile {
    /// A plain server: AUTH PLAIN too, and an OAuth failure with a JSON challenge as Google does it.
    #[default]
    Generic,
    /// Exchange Online: its banner and replies, no AUTH PLAIN, an immediate 535 for a bad token, and
    /// no bare line feeds in content (`550 5.6.11`).
    Microsoft365,
}

/// The only sign-in that is let through.
#[derive(Debug, Clone)]
pub struct SignIn {
    /// The username; letter case doesn't matter.
    pub username: String,
    /// The password, or the access token for XOAUTH2.
    pub password: SecretString,
}

/// When a [`RefuseRule`] speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RefuseAt {
    /// At RCPT: this recipient alone is refused.
    #[default]
    Recipient,
    /// After the final dot: the whole message is refused if one of its recipients matches.
    Content,
}

/// What Exchange Online says of a recipient that it does not know.
pub const NO_SUCH_RECIPIENT: (u16, &str) = (
    550,
    "5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup",
);

/// Recipients that are refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefuseRule {
    /// Compared with the whole address, letter case aside; `*` stands for any run of characters, as
    /// in `gone.*@*`.
    pub pattern: String,
    /// The code (400 to 599) and the text, with its enhanced code if there is to be one. `{recipient}` in it
    /// stands for the address.
    pub reply: (u16, String),
    /// At RCPT or after the content.
    pub at: RefuseAt,
}

/// What others sent from a mailbox before the server started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// When.
    pub at: Timestamp,
    /// The mailbox's user, letter case aside; every user's mailbox when none.
    pub user: Option<String>,
    /// Messages.
    pub messages: u64,
    /// Their recipients.
    pub recipients: u64,
    /// Those of them outside the internal domains.
    pub external: u64,
}

impl Use {
    /// How much of `unit` was used.
    pub(super) fn of(&self, unit: Unit) -> u64 {
        match unit {
            Unit::Messages => self.messages,
            Unit::Recipients => self.recipients,
            Unit::ExternalRecipients => self.external,
        }
    }

    pub(super) fn is_of(&self, user: &str) -> bool {
        let same = |own: &String| own.to_lowercase() == user.to_lowercase();
        self.user.as_ref().is_none_or(same)
    }
}

/// Options of [`Sandbox::start`](super::Sandbox::start). The default is a generic server without
/// limits on a free loopback port, with STARTTLS, that takes any sign-in but wants one.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where to listen: a loopback address; port 0 takes a free port.
    pub listen: SocketAddr,
    /// Rolling limits, counted per signed-in user.
    pub rules: Vec<Rule>,
    /// What others have sent already: it fills the windows of `rules` at the start. Order doesn't matter.
    pub used: Vec<Use>,
    /// The most recipients a message may have; further RCPTs get `452 4.5.3`.
    pub max_recipients_per_message: Option<u64>,
    /// Bytes of content, announced as SIZE (RFC 1870). Without it 150 MiB, Exchange Online's ceiling.
    pub max_message_size: Option<u64>,
    /// Connections that one user may send on at a time; MAIL on any other gets `432 4.3.2`.
    pub max_connections: Option<usize>,
    /// How TLS is offered.
    pub tls: TlsMode,
    /// Who may sign in; anybody with any password when none.
    pub sign_in: Option<SignIn>,
    /// The tokens that XOAUTH2 lets in, for the one who may sign in or whichever user. Without them the
    /// password is the token.
    pub tokens: Option<Tokens>,
    /// The sign-in mechanisms on offer, out of LOGIN, PLAIN and XOAUTH2; those of the profile when none.
    pub mechanisms: Option<Vec<String>>,
    /// Whether MAIL without a sign-in is refused (`530 5.7.57`).
    pub require_auth: bool,
    /// Domains whose addresses are not external recipients; subdomains have to be named too.
    pub internal_domains: Vec<String>,
    /// Recipients that are refused; the first rule that matches answers.
    pub refuse: Vec<RefuseRule>,
    /// Folder for received messages, made if missing. `received.jsonl` is kept beside it.
    pub maildir: Option<PathBuf>,
    /// Keeps a [`Received`](super::Received) for each message in memory.
    pub keep_records: bool,
    /// What goes wrong on purpose.
    pub faults: Faults,
    /// Refuses what would break a rule. Otherwise it is taken, and recorded as a breach either way.
    pub strict: bool,
    /// Whose words and habits the server has.
    pub profile: Profile,
}

impl Profile {
    /// Code and words of a server that throttles a sender, for an [`Act::Reply`].
    pub fn throttled(self) -> (u16, &'static str) {
        words::throttled(self)
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            rules: Vec::new(),
            used: Vec::new(),
            max_recipients_per_message: None,
            max_message_size: None,
            max_connections: None,
            tls: TlsMode::default(),
            sign_in: None,
            tokens: None,
            mechanisms: None,
            require_auth: true,
            internal_domains: Vec::new(),
            refuse: Vec::new(),
            maildir: None,
            keep_records: false,
            faults: Faults::default(),
            strict: false,
            profile: Profile::default(),
        }
    }
}

/// Announced and enforced when no size is set: Exchange Online's `SIZE 157286400`.
const CEILING: u64 = 150 * 1024 * 1024;

/// Enforced when no cap is set, so that a message that never gets its dot cannot fill the memory.
const MOST_RECIPIENTS: u64 = 50_000;

impl Options {
    /// Refuses what no server could do, and brings names to lower case for comparing.
    pub(super) fn checked(mut self) -> Result<Self, Error> {
        if !self.listen.ip().is_loopback() {
            return Err(Error::NotLoopback(self.listen));
        }
        for rule in &mut self.refuse {
            refusal(rule.reply.0)?;
            rule.pattern = rule.pattern.to_lowercase();
        }
        for fault in &self.faults.list {
            if let Act::Reply(code, _) = fault.act {
                refusal(code)?;
            }
            if fault.when.is_never() {
                return Err(Error::NeverHappens);
            }
        }
        for domain in &mut self.internal_domains {
            *domain = domain.to_lowercase();
        }
        Ok(self)
    }

    /// The sign-in mechanisms on offer.
    pub(super) fn mechanisms(&self) -> Vec<&str> {
        match &self.mechanisms {
            Some(chosen) => chosen.iter().map(String::as_str).collect(),
            None => words::mechanisms(self.profile).to_vec(),
        }
    }

    /// The most bytes of content.
    pub(super) fn size_limit(&self) -> u64 {
        self.max_message_size.unwrap_or(CEILING).min(CEILING)
    }

    /// The most recipients of a message.
    pub(super) fn recipient_limit(&self) -> u64 {
        self.max_recipients_per_message.unwrap_or(MOST_RECIPIENTS)
    }

    /// How many of these addresses are outside the internal domains.
    pub(super) fn count_external(&self, recipients: &[String]) -> u64 {
        let internal = |address: &&String| {
            let domain = address
                .rsplit('@')
                .next()
                .unwrap_or_default()
                .to_lowercase();
            self.internal_domains.contains(&domain)
        };
        let inside = recipients.iter().filter(internal).count();
        (recipients.len() - inside) as u64
    }

    /// The reply of the first rule for `at` that matches `address`.
    pub(super) fn refusal_of(&self, address: &str, at: RefuseAt) -> Option<(u16, String)> {
        if self.refuse.is_empty() {
            return None;
        }
        let lower = address.to_lowercase();
        let hit = |rule: &&RefuseRule| rule.at == at && refuse::matches(&rule.pattern, &lower);
        let (code, text) = &self.refuse.iter().find(hit)?.reply;
        Some((*code, text.replace("{recipient}", address)))
    }
}

fn refusal(code: u16) -> Result<(), Error> {
    match code {
        400..=599 => Ok(()),
        _ => Err(Error::NotARefusal(code)),
    }
}
