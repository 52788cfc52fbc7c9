//! What is kept of a sign-in, and what it is for.

use secrecy::zeroize::Zeroize;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::error::Refusal;
use super::settings::Settings;
use crate::clock::Timestamp;

/// Grows when the form changes; what has another number counts as none.
const VERSION: u32 = 1;

/// An access token (RFC 6749 1.4). Its `Debug` form does not show it.
#[derive(Debug, Clone)]
pub struct AccessToken {
    pub(super) secret: SecretString,
    pub(super) expires_at: Timestamp,
    pub(super) renew_at: Timestamp,
    pub(super) scopes: Vec<String>,
}

impl AccessToken {
    /// The token itself; wiped from memory when dropped.
    pub fn secret(&self) -> &SecretString {
        &self.secret
    }

    /// Until when it holds, by this machine's clock.
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// What it allows, as far as the provider says: what was asked for where it says nothing.
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// It need not be renewed yet.
    pub(super) fn is_fresh(&self, now: Timestamp) -> bool {
        now < self.renew_at
    }

    /// Whether it is another token than `other`.
    pub(super) fn differs(&self, other: Option<&Self>) -> bool {
        other.is_none_or(|other| self.secret.expose_secret() != other.secret.expose_secret())
    }
}

/// What a provider granted, or how that ended.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) refresh_token: Option<SecretString>,
    pub(super) access: Option<AccessToken>,
    /// When a person signed in.
    pub(super) granted_at: Timestamp,
    pub(super) ended: Option<Ended>,
}

/// The provider has ended a sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ended {
    pub(super) refusal: Refusal,
    pub(super) at: Timestamp,
}

/// Whom and what a sign-in is for: tokens for one thing are not tried for another.
#[derive(Serialize, Deserialize, PartialEq, Eq)]
struct Purpose {
    client_id: String,
    token_endpoint: String,
    username: String,
    scopes: Vec<String>,
}

impl Purpose {
    fn of(settings: &Settings) -> Self {
        Self {
            client_id: settings.client_id.clone(),
            token_endpoint: settings.token.clone(),
            username: settings.username.to_lowercase(),
            scopes: settings.scopes.clone(),
        }
    }
}

/// The record as JSON. Has no `Debug` form.
#[derive(Serialize, Deserialize)]
struct Written {
    version: u32,
    #[serde(rename = "for")]
    purpose: Purpose,
    granted_at: Timestamp,
    refresh_token: Option<Plain>,
    access_token: Option<WrittenToken>,
    ended: Option<WrittenEnd>,
}

#[derive(Serialize, Deserialize)]
struct WrittenToken {
    secret: Plain,
    expires_at: Timestamp,
    renew_at: Timestamp,
    scopes: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct WrittenEnd {
    error: String,
    description: Option<String>,
    at: Timestamp,
}

/// A secret on its way to or from JSON; wiped from memory when dropped.
#[derive(Serialize, Deserialize)]
struct Plain(String);

impl Drop for Plain {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl From<&SecretString> for Plain {
    fn from(secret: &SecretString) -> Self {
        Self(secret.expose_secret().to_owned())
    }
}

impl From<Plain> for SecretString {
    fn from(plain: Plain) -> Self {
        Self::from(plain.0.as_str())
    }
}

impl Record {
    /// The record that stands in `text`; none when it is for other settings, of another version, or none.
    pub(super) fn read(text: &SecretString, settings: &Settings) -> Option<Self> {
        let written: Written = serde_json::from_str(text.expose_secret()).ok()?;
        if written.version != VERSION || written.purpose != Purpose::of(settings) {
            return None;
        }
        let token = |token: WrittenToken| AccessToken {
            secret: token.secret.into(),
            expires_at: token.expires_at,
            renew_at: token.renew_at,
            scopes: token.scopes,
        };
        let end = |end: WrittenEnd| Ended {
            refusal: Refusal::new(&end.error, end.description.as_deref(), &[]),
            at: end.at,
        };
        let refresh_token = written.refresh_token;
        Some(Self {
            refresh_token: refresh_token.map(SecretString::from),
            access: written.access_token.map(token),
            granted_at: written.granted_at,
            ended: written.ended.map(end),
        })
    }

    /// The record as text.
    pub(super) fn write(&self, settings: &Settings) -> SecretString {
        let token = |token: &AccessToken| WrittenToken {
            secret: Plain::from(&token.secret),
            expires_at: token.expires_at,
            renew_at: token.renew_at,
            scopes: token.scopes.clone(),
        };
        let end = |end: &Ended| WrittenEnd {
            error: end.refusal.error.clone(),
            description: end.refusal.description.clone(),
            at: end.at,
        };
        let written = Written {
            version: VERSION,
            purpose: Purpose::of(settings),
            granted_at: self.granted_at,
            refresh_token: self.refresh_token.as_ref().map(Plain::from),
            access_token: self.access.as_ref().map(token),
            ended: self.ended.as_ref().map(end),
        };
        // Texts and times always have a form in JSON.
        serde_json::to_string(&written).unwrap_or_default().into()
    }
}
