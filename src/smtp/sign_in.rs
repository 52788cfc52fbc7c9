//! Signing in with a password (RFC 4954): PLAIN, or LOGIN where the server has no PLAIN.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};

use super::exchange::positive;
use super::{Credentials, Session, SessionError, SessionErrorKind};
use crate::delivery::{Phase, Reply};

const PHASE: Phase = Phase::SignIn;
const HIDDEN: &str = "[hidden]";

impl Session {
    /// Signs in by the strongest mechanism that the server offers.
    pub(super) async fn sign_in(&mut self, credentials: &Credentials) -> Result<(), SessionError> {
        let offers = |name| self.capabilities.mechanisms.iter().any(|m| m == name);
        let outcome = if offers("PLAIN") {
            self.plain(credentials).await
        } else if offers("LOGIN") {
            self.login(credentials).await
        } else {
            let offered = self.capabilities.mechanisms.clone();
            Err(SessionError::new(
                PHASE,
                SessionErrorKind::NoMechanism { offered },
            ))
        };
        self.broken |= outcome.is_err();
        // A server may quote the line that it did not like.
        outcome.map_err(|error| conceal(error, credentials))
    }

    /// RFC 4616, with the response sent along (RFC 4954 4), which saves a round trip.
    async fn plain(&mut self, credentials: &Credentials) -> Result<(), SessionError> {
        let line = secret_line("AUTH PLAIN ", &plain_response(credentials));
        let reply = self.ask(&line).await?;
        positive(PHASE, reply).map(|_| ())
    }

    /// The mechanism of draft-murchison-sasl-login: name and password, each when asked for.
    async fn login(&mut self, credentials: &Credentials) -> Result<(), SessionError> {
        challenge(self.ask(&SecretString::from("AUTH LOGIN\r\n")).await?)?;
        let name = encoded(credentials.username.as_bytes());
        challenge(self.ask(&secret_line("", &name)).await?)?;
        let password = encoded(credentials.password.expose_secret().as_bytes());
        let reply = self.ask(&secret_line("", &password)).await?;
        positive(PHASE, reply).map(|_| ())
    }

    async fn ask(&mut self, line: &SecretString) -> Result<Reply, SessionError> {
        let limit = self.deadlines.command;
        self.command(PHASE, limit, line.expose_secret()).await
    }
}

/// Lets a 334 pass.
fn challenge(reply: Reply) -> Result<(), SessionError> {
    let kind = match reply.code {
        334 => return Ok(()),
        400..=599 => SessionErrorKind::Refused(reply),
        _ => SessionErrorKind::Protocol(reply.to_string()),
    };
    Err(SessionError::new(PHASE, kind))
}

fn plain_response(credentials: &Credentials) -> SecretString {
    let (name, password) = (&credentials.username, credentials.password.expose_secret());
    let response = SecretString::from(format!("\0{name}\0{password}"));
    encoded(response.expose_secret().as_bytes())
}

fn encoded(bytes: &[u8]) -> SecretString {
    STANDARD.encode(bytes).into()
}

fn secret_line(before: &str, secret: &SecretString) -> SecretString {
    format!("{before}{}\r\n", secret.expose_secret()).into()
}

/// Takes the secrets out of what the server said.
fn conceal(mut error: SessionError, credentials: &Credentials) -> SessionError {
    let secrets = [
        plain_response(credentials),
        encoded(credentials.password.expose_secret().as_bytes()),
        credentials.password.clone(),
    ];
    let hide = |text: &mut String| {
        for secret in secrets.iter().map(ExposeSecret::expose_secret) {
            if !secret.is_empty() && text.contains(secret) {
                *text = text.replace(secret, HIDDEN);
            }
        }
    };
    match &mut error.kind {
        SessionErrorKind::Refused(reply) => hide(&mut reply.text),
        SessionErrorKind::Protocol(text) => hide(text),
        _ => {}
    }
    error
}
