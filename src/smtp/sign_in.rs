//! Signing in with a password (RFC 4954): PLAIN, or LOGIN where the server has no PLAIN.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};

use super::exchange::positive;
use super::{Credentials, Secret, Session, SessionError, SessionErrorKind};
use crate::delivery::{Phase, Reply};

const PHASE: Phase = Phase::SignIn;
const HIDDEN: &str = "[hidden]";

impl Session {
    /// Signs in by the strongest mechanism that the server offers for this kind of proof.
    pub(super) async fn sign_in(&mut self, credentials: &Credentials) -> Result<(), SessionError> {
        let offers = |name| self.capabilities.mechanisms.iter().any(|m| m == name);
        let name = credentials.username.as_str();
        let outcome = match &credentials.secret {
            Secret::Token(token) if offers("XOAUTH2") => self.xoauth2(name, token).await,
            Secret::Password(password) if offers("PLAIN") => self.plain(name, password).await,
            Secret::Password(password) if offers("LOGIN") => self.login(name, password).await,
            Secret::Token(_) | Secret::Password(_) => {
                let offered = self.capabilities.mechanisms.clone();
                Err(SessionError::new(
                    PHASE,
                    SessionErrorKind::NoMechanism { offered },
                ))
            }
        };
        self.broken |= outcome.is_err();
        // A server may quote the line that it did not like.
        outcome.map_err(|error| conceal(error, credentials))
    }

    /// RFC 4616, with the response sent along (RFC 4954 4), which saves a round trip.
    async fn plain(&mut self, name: &str, password: &SecretString) -> Result<(), SessionError> {
        let line = secret_line("AUTH PLAIN ", &plain_response(name, password));
        let reply = self.ask(&line).await?;
        positive(PHASE, reply).map(|_| ())
    }

    /// The mechanism of draft-murchison-sasl-login: name and password, each when asked for.
    async fn login(&mut self, name: &str, password: &SecretString) -> Result<(), SessionError> {
        challenge(self.ask(&SecretString::from("AUTH LOGIN\r\n")).await?)?;
        challenge(
            self.ask(&secret_line("", &encoded(name.as_bytes())))
                .await?,
        )?;
        let password = encoded(password.expose_secret().as_bytes());
        let reply = self.ask(&secret_line("", &password)).await?;
        positive(PHASE, reply).map(|_| ())
    }

    async fn xoauth2(&mut self, name: &str, token: &SecretString) -> Result<(), SessionError> {
        let line = secret_line("AUTH XOAUTH2 ", &token_response(name, token));
        let reply = self.ask(&line).await?;
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

fn plain_response(name: &str, password: &SecretString) -> SecretString {
    let response = SecretString::from(format!("\0{name}\0{}", password.expose_secret()));
    encoded(response.expose_secret().as_bytes())
}

/// `user=` name, ^A, `auth=Bearer ` token, ^A ^A.
fn token_response(name: &str, token: &SecretString) -> SecretString {
    let token = token.expose_secret();
    let response = SecretString::from(format!("user={name}\x01auth=Bearer {token}\x01\x01"));
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
    let name = &credentials.username;
    let (secret, response) = match &credentials.secret {
        Secret::Password(password) => (password, plain_response(name, password)),
        Secret::Token(token) => (token, token_response(name, token)),
    };
    let secrets = [
        response,
        encoded(secret.expose_secret().as_bytes()),
        secret.clone(),
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
