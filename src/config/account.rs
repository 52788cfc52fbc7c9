//! One account of accounts.toml.

use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::Spanned;

use super::document::Schema;
use super::oauth2::{self, OAuth2};
use super::secret::{self, SecretSource};
use super::section::Section;
use super::server;
use super::typed::NO_MAX;
use crate::delivery::Backoff;
use crate::limits::Rule;
use crate::recipients::Mailbox;

/// Every key of an account, by table.
pub(super) const SCHEMA: Schema = &[
    (
        "",
        &[
            "provider",
            "region",
            "username",
            "from",
            "auth",
            "reserve",
            "host",
            "port",
            "tls",
            "max_recipients_per_message",
            "max_message_size",
            "max_connections",
            "limits",
            "withdrawn_limits",
            "ca_file",
            "retry",
            "deadlines",
            "oauth2",
            "password",
            "client_secret",
        ],
    ),
    (
        "reserve",
        &["messages", "recipients", "external_recipients"],
    ),
    ("limits", server::LIMIT_KEYS),
    ("deadlines", server::DEADLINE_KEYS),
    ("oauth2", oauth2::KEYS),
    ("password", secret::KEYS),
    ("client_secret", secret::KEYS),
];

/// An account, checked. Everything that is none here is the preset's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its name in accounts.toml; quotas belong to it.
    pub name: String,
    /// The preset, as typed or found by the mail domain; `custom` has nothing preset.
    pub provider: String,
    /// The provider's region, where it has several.
    pub region: Option<String>,
    /// The name to sign in with, the preset's where that is the same for everybody; there unless `auth` is none.
    pub username: Option<String>,
    /// The From header of what it sends, where that is not the campaign's.
    pub from: Option<String>,
    /// How to sign in.
    pub auth: Auth,
    /// What is left free for people who use the same mailbox.
    pub reserve: Reserve,
    /// The server.
    pub host: Option<String>,
    /// The server's port, from 1.
    pub port: Option<u16>,
    /// How the connection is encrypted; none only to this machine.
    pub tls: Option<Tls>,
    /// The most recipients that one message may have; at least 1.
    pub max_recipients_per_message: Option<u64>,
    /// The largest message in bytes; at least 1.
    pub max_message_size: Option<u64>,
    /// The most connections at once, over all processes; at least 1.
    pub max_connections: Option<u64>,
    /// Rules in place of all of the preset's.
    pub limits: Option<Vec<Rule>>,
    /// Rules of the preset hold that its provider has withdrawn.
    pub withdrawn_limits: bool,
    /// A file with a further root to trust; relative ones are taken from accounts.toml's folder.
    pub ca_file: Option<PathBuf>,
    /// When a deferred message is tried again.
    pub retry: Option<Backoff>,
    /// How long each phase may take.
    pub deadlines: Deadlines,
    /// Where the password comes from; there when `auth` is a password.
    pub password: Option<SecretSource>,
    /// The sign-in of OAuth 2.0.
    pub oauth2: Option<OAuth2>,
    /// Where the client's secret for OAuth 2.0 comes from.
    pub client_secret: Option<SecretSource>,
}

/// How to sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Auth {
    /// OAuth 2.0.
    OAuth2,
    /// A name and a password.
    Password,
    /// Not at all.
    None,
}

/// How the connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// STARTTLS, required (RFC 3207).
    StartTls,
    /// TLS from the first byte (RFC 8314).
    Implicit,
    /// Not at all; to this machine only.
    None,
}

/// What is left free of every rule of a day or longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reserve {
    /// Messages.
    pub messages: u64,
    /// Recipients.
    pub recipients: u64,
    /// External recipients.
    pub external_recipients: u64,
}

/// How long each phase of a session may take; RFC 5321 section 4.5.3.2 where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Deadlines {
    /// Name look-up, TCP and TLS.
    pub connect: Option<Duration>,
    /// A command's reply.
    pub command: Option<Duration>,
    /// Writing a piece of the message.
    pub data: Option<Duration>,
    /// The reply to the final dot.
    pub final_: Option<Duration>,
}

/// Reads an account; `folder` is the file's. None when something required is missing or wrong.
pub(super) fn read(account: &Section<'_>, name: &str, folder: &Path) -> Option<Account> {
    let line = |key| account.text(key).map(Spanned::into_inner);
    let positive = |key| account.whole(key, 1, NO_MAX);
    let provider = server::provider(account);
    let username = line("username").or_else(|| server::fixed_username(provider.as_deref()?));
    let host = server::host(account);
    if provider.as_deref() == Some("custom") {
        account.require(
            "host",
            "add host = \"smtp.example.com\": provider = \"custom\" has no preset host",
        );
    }
    let (auth, password) = sign_in(account, username.is_some());
    let rest = Account {
        name: name.to_owned(),
        provider: String::new(),
        region: line("region"),
        username,
        from: from(account),
        auth: auth.unwrap_or(Auth::None),
        reserve: reserve(&account.table("reserve")),
        port: account.whole("port", 1, 65_535).map(|port| port as u16),
        tls: server::tls(account, host.as_deref()),
        host,
        max_recipients_per_message: positive("max_recipients_per_message"),
        max_message_size: positive("max_message_size"),
        max_connections: positive("max_connections"),
        limits: server::limits(account),
        withdrawn_limits: account.switch("withdrawn_limits").unwrap_or(true),
        ca_file: line("ca_file").map(|file| folder.join(file)),
        retry: server::retry(account),
        deadlines: server::deadlines(account),
        password,
        oauth2: oauth2::read(&account.table("oauth2"), auth == Some(Auth::OAuth2)),
        client_secret: secret::read(account, "client_secret"),
    };
    auth?;
    Some(Account {
        provider: provider?,
        ..rest
    })
}

/// A sender of its own, checked like the campaign's.
fn from(account: &Section<'_>) -> Option<String> {
    let text = account.text("from")?;
    if let Err(cause) = Mailbox::parse(text.get_ref()) {
        account.refuse(
            "from",
            Some(text.span()),
            format!("is not a sender: {cause}"),
            "write from = \"Contoso Comms <comms@contoso.com>\"",
        );
        return None;
    }
    Some(text.into_inner())
}

/// How to sign in. Without `auth`, a table that only one way uses decides; without a username there
/// is nobody to sign in as.
fn sign_in(account: &Section<'_>, has_username: bool) -> (Option<Auth>, Option<SecretSource>) {
    let source = secret::read(account, "password");
    let choices = [
        ("oauth2", Auth::OAuth2),
        ("password", Auth::Password),
        ("none", Auth::None),
    ];
    let given = |key| account.value(key).is_some();
    let auth = if given("auth") {
        account.choice("auth", &choices)
    } else if given("password") && !given("oauth2") {
        Some(Auth::Password)
    } else if !has_username && !given("oauth2") {
        Some(Auth::None)
    } else {
        account.require(
            "auth",
            "add auth = \"password\", or \"none\" for a server that asks for no sign-in",
        );
        None
    };
    if matches!(auth, Some(Auth::Password | Auth::OAuth2)) && !has_username {
        account.require(
            "username",
            "add username = \"you@example.com\": the name to sign in with",
        );
    }
    let asked = || Some(SecretSource::Prompt).filter(|_| auth == Some(Auth::Password));
    (auth, source.or_else(asked))
}

fn reserve(section: &Section<'_>) -> Reserve {
    let units = |key| section.whole(key, 0, NO_MAX).unwrap_or(0);
    Reserve {
        messages: units("messages"),
        recipients: units("recipients"),
        external_recipients: units("external_recipients"),
    }
}
