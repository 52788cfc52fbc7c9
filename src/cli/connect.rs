//! From a sender to what a send needs to sign in: endpoint, roots, password; and the stand-in server.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use secrecy::SecretString;
use tokio::runtime::{Builder, Runtime};

use super::exit::Exit;
use super::failure::Failure;
use super::{Context, secrets, signing};
use crate::clock::Clock;
use crate::config::Sender;
use crate::sandbox::{self, NO_SUCH_RECIPIENT, Profile, RefuseRule, Sandbox, TlsMode};
use crate::send::{self, SignIn};
use crate::smtp::{Credentials, Endpoint, Secret, Tls, roots_from_pem};

/// Whom a stand-in server refuses unless it is told otherwise, so that refusals are rehearsed too.
pub(super) const GONE: &str = "gone.*@*";

/// The account of a real server, with its password or its tokens; asks for a password on a terminal.
pub(super) fn account(context: &Context, sender: &Sender) -> Result<send::Account, Failure> {
    let extra_roots = extra_roots(sender)?;
    let endpoint = Endpoint {
        host: sender.host.clone().unwrap_or_default(),
        port: sender.port,
        tls: sender.tls,
        extra_roots,
        trust_system_roots: true,
        hello_name: String::new(),
    };
    let whom = sender.username().unwrap_or_default();
    let password = sender
        .password()
        .map(|source| secrets::resolve(source, &sender.name, secrets::PASSWORD, whom))
        .transpose()?;
    let username = sender.username().map(str::to_owned);
    let sign_in = match (username, password, signing::tokens(context, sender)?) {
        (Some(username), _, Some(tokens)) => SignIn::OAuth2 { username, tokens },
        (Some(username), Some(password), None) => SignIn::Password(Credentials {
            username,
            secret: Secret::Password(password),
        }),
        _ => SignIn::None,
    };
    Ok(sender.for_sending(endpoint, sign_in)?)
}

/// The further roots that an account trusts, each a certificate in DER.
pub(super) fn extra_roots(sender: &Sender) -> Result<Vec<Vec<u8>>, Failure> {
    sender.ca_file().map_or(Ok(Vec::new()), |path| roots(path))
}

/// All roots of the world take a tenth of it.
const MOST_PEM: u64 = 4 << 20;

fn roots(path: &Path) -> Result<Vec<Vec<u8>>, Failure> {
    let unusable = |cause: &dyn std::fmt::Display| {
        Failure::new(
            Exit::Config,
            format!(
                "the certificate file {} cannot be used: {cause}",
                path.display()
            ),
            "correct 'ca_file' in accounts.toml: it names a file with certificates in PEM form",
        )
    };
    let mut pem = Vec::new();
    let read = File::open(path).and_then(|open| open.take(MOST_PEM + 1).read_to_end(&mut pem));
    read.map_err(|cause| unusable(&cause))?;
    if pem.len() as u64 > MOST_PEM {
        return Err(unusable(&"it is larger than 4 MiB"));
    }
    roots_from_pem(&pem).map_err(|cause| unusable(&cause))
}

/// How the stand-in of a sender's provider behaves.
pub(super) fn stand_in(
    sender: &Sender,
    internal: &[String],
    refuse: &[String],
) -> sandbox::Options {
    sandbox::Options {
        rules: sender.provider_rules.clone(),
        max_recipients_per_message: Some(sender.max_recipients_per_message),
        max_message_size: sender.max_message_size,
        max_connections: Some(sender.max_connections),
        tls: match sender.tls {
            Tls::Implicit => TlsMode::Implicit,
            Tls::StartTls | Tls::None => TlsMode::StartTls,
        },
        internal_domains: internal.to_vec(),
        refuse: refuse.iter().map(|pattern| refusal(pattern)).collect(),
        strict: true,
        profile: profile(sender.preset.name.as_str()),
        ..sandbox::Options::default()
    }
}

/// The refusal of a recipient that is not there.
pub(super) fn refusal(pattern: &str) -> RefuseRule {
    RefuseRule {
        pattern: pattern.to_owned(),
        reply: (NO_SUCH_RECIPIENT.0, NO_SUCH_RECIPIENT.1.to_owned()),
        at: sandbox::RefuseAt::Recipient,
    }
}

/// Whose words a preset's stand-in speaks.
pub(super) fn profile(preset: &str) -> Profile {
    match preset {
        "microsoft365" | "outlook" => Profile::Microsoft365,
        _ => Profile::Generic,
    }
}

/// The account that sends to a running stand-in: any name and password will do there, and the real
/// ones are never shown to it.
pub(super) fn account_at(sender: &Sender, server: &Sandbox) -> Result<send::Account, Failure> {
    let endpoint = Endpoint {
        host: server.address().ip().to_string(),
        port: server.address().port(),
        tls: match sender.tls {
            Tls::Implicit => Tls::Implicit,
            Tls::StartTls | Tls::None => Tls::StartTls,
        },
        extra_roots: roots_from_pem(server.certificate_pem().as_bytes()).map_err(Failure::own)?,
        trust_system_roots: false,
        hello_name: String::new(),
    };
    let sign_in = SignIn::Password(Credentials {
        username: sender.username().unwrap_or("sandbox").to_owned(),
        secret: Secret::Password(SecretString::from("rehearsal")),
    });
    Ok(sender.for_sending(endpoint, sign_in)?)
}

/// Starts a stand-in server.
pub(super) async fn start(options: sandbox::Options, clock: &Clock) -> Result<Sandbox, Failure> {
    Ok(Sandbox::start(options, clock.clone()).await?)
}

/// A runtime for a command that talks to a network.
pub(super) fn runtime() -> Result<Runtime, Failure> {
    started(Builder::new_multi_thread().enable_all())
}

/// A runtime for stand-in servers, beside a sender that has a thread of its own: on a second one, so that they hand
/// nothing to each other but what the line carries.
pub(super) fn house() -> Result<Runtime, Failure> {
    started(Builder::new_multi_thread().worker_threads(1).enable_all())
}

fn started(builder: &mut Builder) -> Result<Runtime, Failure> {
    builder.build().map_err(|cause| {
        Failure::new(
            Exit::Io,
            format!("no threads can be started: {cause}"),
            "close other programs and try again",
        )
    })
}
