//! Signing in (RFC 4954): LOGIN, PLAIN (RFC 4616) and XOAUTH2.

use base64::prelude::{BASE64_STANDARD, Engine};
use secrecy::{ExposeSecret, SecretString};

use super::faults::Phase;
use super::options::{Profile, SignIn};
use super::session::Session;
use super::wire::{Gone, Line};
use super::words;

/// What a client offers to sign in with.
#[derive(Debug)]
struct Credentials {
    user: String,
    secret: SecretString,
}

/// Why there are no credentials to judge.
enum Unread {
    Gone(Gone),
    /// The client broke it off with `*`.
    Cancelled,
    /// Not base64, or not what the mechanism asks for.
    Garbled,
}

impl From<Gone> for Unread {
    fn from(gone: Gone) -> Self {
        Self::Gone(gone)
    }
}

impl Session {
    /// AUTH, with or without an initial response.
    pub(super) async fn auth(
        &mut self,
        mechanism: &str,
        initial: Option<&str>,
    ) -> Result<(), Gone> {
        let mechanism = mechanism.to_ascii_uppercase();
        if !self.greeted {
            self.say(503, "5.5.1 Send hello first");
        } else if self.is_bare() {
            let (code, text) = words::auth_in_clear(self.profile());
            self.say(code, text);
        } else if self.user.is_some() || self.transaction.is_some() {
            self.say(503, "5.5.1 AUTH is not possible now");
        } else if !self
            .shared
            .options
            .mechanisms()
            .contains(&mechanism.as_str())
        {
            self.say(504, "5.7.4 Unrecognized authentication type");
        } else {
            match self.credentials(&mechanism, initial).await {
                Ok(credentials) => return self.judge(&mechanism, credentials).await,
                Err(Unread::Gone(gone)) => return Err(gone),
                Err(Unread::Cancelled) => self.say(501, "5.7.0 Authentication cancelled"),
                Err(Unread::Garbled) => self.say(501, "5.5.2 Cannot read the credentials"),
            }
        }
        Ok(())
    }

    async fn credentials(
        &mut self,
        mechanism: &str,
        initial: Option<&str>,
    ) -> Result<Credentials, Unread> {
        let first = match initial {
            // RFC 4954 4: an initial response of no length.
            Some("=") => Vec::new(),
            Some(initial) => decode(initial.as_bytes())?,
            None => {
                let prompt = if mechanism == "LOGIN" {
                    "Username:"
                } else {
                    ""
                };
                self.challenge(prompt).await?
            }
        };
        match mechanism {
            "LOGIN" => {
                let password = self.challenge("Password:").await?;
                credentials(Some(&first), Some(&password))
            }
            "PLAIN" => {
                let mut parts = first.splitn(3, |byte| *byte == 0).skip(1);
                credentials(parts.next(), parts.next())
            }
            _ => xoauth2(&first),
        }
    }

    async fn challenge(&mut self, prompt: &str) -> Result<Vec<u8>, Unread> {
        self.wire.say(334, &BASE64_STANDARD.encode(prompt));
        match self.wire.line().await? {
            Line::Whole(line) if line == b"*" => Err(Unread::Cancelled),
            Line::Whole(line) => decode(&line),
            Line::TooLong => Err(Unread::Garbled),
        }
    }

    async fn judge(&mut self, mechanism: &str, offered: Credentials) -> Result<(), Gone> {
        if self.meddled(Phase::Auth).await? {
            return Ok(());
        }
        if self.lets_in(mechanism, &offered) {
            self.stand_up();
            self.user = Some(offered.user.to_lowercase());
            // If none is free now, one may be by the time of MAIL.
            self.sit_down();
            self.say(235, "2.7.0 Authentication successful");
            return Ok(());
        }
        if mechanism == "XOAUTH2" && self.profile() == Profile::Generic {
            // Google explains first, and says 535 after the client's empty line.
            let why = r#"{"status":"401","schemes":"bearer","scope":"https://mail.google.com/"}"#;
            self.wire.say(334, &BASE64_STANDARD.encode(why));
            self.wire.line().await?;
        }
        let text = format!("5.7.3 Authentication unsuccessful [{}]", words::HOST);
        self.say(535, &text);
        Ok(())
    }

    fn lets_in(&mut self, mechanism: &str, offered: &Credentials) -> bool {
        let options = &self.shared.options;
        match &options.tokens {
            Some(tokens) if mechanism == "XOAUTH2" => {
                let is_known = options
                    .sign_in
                    .as_ref()
                    .is_none_or(|one| one.username.to_lowercase() == offered.user.to_lowercase());
                self.token = tokens.admits(&offered.secret, self.shared.clock.now());
                is_known && self.token.is_some() && !offered.user.is_empty()
            }
            _ => is_right(options.sign_in.as_ref(), offered),
        }
    }
}

fn is_right(expected: Option<&SignIn>, offered: &Credentials) -> bool {
    match expected {
        None => !offered.user.is_empty(),
        Some(expected) => {
            expected.username.to_lowercase() == offered.user.to_lowercase()
                && expected.password.expose_secret() == offered.secret.expose_secret()
        }
    }
}

fn decode(line: &[u8]) -> Result<Vec<u8>, Unread> {
    BASE64_STANDARD.decode(line).map_err(|_| Unread::Garbled)
}

fn credentials(user: Option<&[u8]>, secret: Option<&[u8]>) -> Result<Credentials, Unread> {
    let text = |bytes: Option<&[u8]>| {
        let text = bytes.and_then(|bytes| std::str::from_utf8(bytes).ok());
        text.map(str::to_owned).ok_or(Unread::Garbled)
    };
    Ok(Credentials {
        user: text(user)?,
        secret: SecretString::from(text(secret)?),
    })
}

/// `user=` name, ^A, `auth=Bearer ` token, ^A ^A.
fn xoauth2(response: &[u8]) -> Result<Credentials, Unread> {
    let body = response.strip_suffix(b"\x01\x01").ok_or(Unread::Garbled)?;
    let mut fields = body.split(|byte| *byte == 1);
    let user = fields.next().and_then(|field| field.strip_prefix(b"user="));
    let token = fields.next().and_then(|field| {
        let (scheme, token) = field.split_at_checked(b"auth=Bearer ".len())?;
        scheme
            .eq_ignore_ascii_case(b"auth=Bearer ")
            .then_some(token)
    });
    credentials(user, token)
}
