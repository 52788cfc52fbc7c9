//! Signing in (RFC 4954): a password by PLAIN or LOGIN, an access token by XOAUTH2.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::exchange::positive;
use super::veil::Veil;
use super::{Credentials, Secret, Session, SessionError, SessionErrorKind};
use crate::delivery::{Phase, Reply};

const PHASE: Phase = Phase::SignIn;

/// The longest command line that a server must take, its line end included (RFC 5321 4.5.3.1.4). RFC 4954 4
/// holds AUTH with a response to it as well; only a line of its own may have 12,288 octets.
const LONGEST_COMMAND: usize = 512;

/// How often a server may explain itself after a token before it says yes or no.
const EXPLANATIONS: usize = 3;

/// The reply to a mechanism that the server does not know after all (RFC 4954 4).
const UNKNOWN_MECHANISM: u16 = 504;

/// How much of a server's explanation is kept.
const EXCERPT: usize = 300;

impl Session {
    /// Signs in by the strongest mechanism that the server offers for this kind of proof.
    ///
    /// # Errors
    /// [`SessionError`] at [`Phase::SignIn`]; it holds no secret and no piece of one, whatever the server
    /// quotes. The session is of no more use then.
    pub async fn sign_in(&mut self, credentials: &Credentials) -> Result<(), SessionError> {
        let offers = |name| self.capabilities.mechanisms.iter().any(|m| m == name);
        let (plain, login, xoauth2) = (offers("PLAIN"), offers("LOGIN"), offers("XOAUTH2"));
        let name = credentials.username.as_str();
        let outcome = match &credentials.secret {
            Secret::Token(token) if xoauth2 => self.xoauth2(name, token).await,
            Secret::Password(password) if plain => match self.plain(name, password).await {
                // Some servers announce more than they let everybody use.
                Err(error) if login && is_unknown(&error) && !self.broken => {
                    self.login(name, password).await
                }
                outcome => outcome,
            },
            Secret::Password(password) if login => self.login(name, password).await,
            Secret::Token(_) => Err(self.no_mechanism("an access token (XOAUTH2)")),
            Secret::Password(_) => Err(self.no_mechanism("a password (PLAIN, LOGIN)")),
        };
        match &outcome {
            Ok(()) => tracing::info!(mechanisms = ?self.capabilities.mechanisms, "signed in"),
            // The words may quote what was said.
            Err(error) => {
                let code = error.reply().map(|reply| reply.code);
                tracing::warn!(code, mechanisms = ?self.capabilities.mechanisms, "not signed in");
            }
        }
        self.broken |= outcome.is_err();
        // A server may quote the line that it did not like.
        outcome.map_err(|error| conceal(error, credentials))
    }

    fn no_mechanism(&self, wanted: &'static str) -> SessionError {
        let offered = self.capabilities.mechanisms.clone();
        SessionError::new(PHASE, SessionErrorKind::NoMechanism { wanted, offered })
    }

    /// RFC 4616.
    async fn plain(&mut self, name: &str, password: &SecretString) -> Result<(), SessionError> {
        let reply = self
            .respond("PLAIN", &plain_response(name, password))
            .await?;
        positive(PHASE, reply).map(|_| ())
    }

    /// The mechanism of draft-murchison-sasl-login: name and password, each when asked for.
    async fn login(&mut self, name: &str, password: &SecretString) -> Result<(), SessionError> {
        challenge(self.ask(&SecretString::from("AUTH LOGIN\r\n")).await?)?;
        challenge(self.ask(&line("", &encoded(name.as_bytes()))).await?)?;
        let password = encoded(password.expose_secret().as_bytes());
        let reply = self.ask(&line("", &password)).await?;
        positive(PHASE, reply).map(|_| ())
    }

    /// Microsoft's and Google's way to give a token
    /// (<https://developers.google.com/workspace/gmail/imap/xoauth2-protocol>). Microsoft refuses a token at
    /// once; Google, Dovecot and others explain first, in base64, and say no after an empty line.
    async fn xoauth2(&mut self, name: &str, token: &SecretString) -> Result<(), SessionError> {
        let mut reply = self
            .respond("XOAUTH2", &token_response(name, token))
            .await?;
        let mut reason = String::new();
        for _ in 0..EXPLANATIONS {
            if reply.code != 334 {
                break;
            }
            reason = explanation(&reply.text);
            reply = self.ask(&SecretString::from("\r\n")).await?;
        }
        match reply.code {
            400..=599 if !reason.is_empty() => Err(SessionError::new(
                PHASE,
                SessionErrorKind::TokenRefused { reply, reason },
            )),
            _ => positive(PHASE, reply).map(|_| ()),
        }
    }

    /// Gives the response along with the command, which saves a round trip; on a line of its own where it is
    /// too long for that, or where the server asks for it by an empty challenge.
    async fn respond(
        &mut self,
        mechanism: &str,
        response: &SecretString,
    ) -> Result<Reply, SessionError> {
        let command = line(&format!("AUTH {mechanism} "), response);
        let alone = command.expose_secret().len() > LONGEST_COMMAND;
        let reply = if alone {
            let command = SecretString::from(format!("AUTH {mechanism}\r\n"));
            self.ask(&command).await?
        } else {
            self.ask(&command).await?
        };
        let asks = reply.code == 334 && (alone || reply.text.trim().is_empty());
        if asks {
            self.ask(&line("", response)).await
        } else {
            Ok(reply)
        }
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

fn is_unknown(error: &SessionError) -> bool {
    error
        .reply()
        .is_some_and(|reply| reply.code == UNKNOWN_MECHANISM)
}

/// What a server says of a token that it does not take: a JSON object in base64, of which status and scope
/// tell something; any other text as it is. In one line of plain letters.
fn explanation(challenge: &str) -> String {
    let decoded = STANDARD.decode(challenge.trim()).ok();
    let text = decoded.map_or_else(
        || challenge.to_owned(),
        |bytes| String::from_utf8_lossy(&bytes).into_owned(),
    );
    let told = match serde_json::from_str(&text) {
        Ok(Value::Object(fields)) => {
            let known = ["status", "scope", "error", "error_description"];
            let told = known.iter().filter_map(|name| {
                let value = fields.get(*name)?;
                let value = value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned);
                Some(format!("{name} {value}"))
            });
            told.collect::<Vec<_>>().join(", ")
        }
        _ => text,
    };
    let legible = |c: char| if c.is_control() { ' ' } else { c };
    told.chars()
        .map(legible)
        .take(EXCERPT)
        .collect::<String>()
        .trim()
        .to_owned()
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

fn line(before: &str, secret: &SecretString) -> SecretString {
    format!("{before}{}\r\n", secret.expose_secret()).into()
}

/// Takes the secrets out of what the server said.
fn conceal(mut error: SessionError, credentials: &Credentials) -> SessionError {
    let name = &credentials.username;
    let (secret, response) = match &credentials.secret {
        Secret::Password(password) => (password, plain_response(name, password)),
        Secret::Token(token) => (token, token_response(name, token)),
    };
    let veil = Veil::over(secret, &[response]);
    match &mut error.kind {
        SessionErrorKind::Refused(reply) => reply.text = veil.conceal(&reply.text),
        SessionErrorKind::Protocol(text)
        | SessionErrorKind::TooLong(text)
        | SessionErrorKind::CutOff(text)
        | SessionErrorKind::Stalled { heard: text, .. } => *text = veil.conceal(text),
        SessionErrorKind::TokenRefused { reply, reason } => {
            reply.text = veil.conceal(&reply.text);
            *reason = veil.conceal(reason);
        }
        _ => {}
    }
    error
}
