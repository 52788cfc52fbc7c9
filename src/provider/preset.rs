//! Presets: where a provider listens and what it allows.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::{OAuth2, PresetLimit, ProviderError, Region, UnknownPreset};
use crate::limits::Rule;

macro_rules! presets {
    ($($name:literal),* $(,)?) => {
        [$((
            concat!("presets/", $name, ".toml"),
            include_str!(concat!("presets/", $name, ".toml")),
        )),*]
    };
}

/// Every preset, in the order in which they are listed. A new provider is one more line here.
const FILES: [(&str, &str); 11] = presets![
    "microsoft365",
    "outlook",
    "microsoft365-hve",
    "azure-communication-services",
    "gmail",
    "google-workspace-relay",
    "amazon-ses",
    "mailgun",
    "postmark",
    "sendgrid",
    "custom",
];

/// How near a name must come to be suggested, from 0 (nothing alike) to 1 (the same).
const NEAR: f64 = 0.5;

static PRESETS: LazyLock<Result<Vec<Preset>, ProviderError>> =
    LazyLock::new(|| FILES.iter().map(|(file, text)| read(file, text)).collect());

/// How a connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// Begins in the clear and must be upgraded before sign-in (RFC 3207).
    Starttls,
    /// TLS from the first byte (RFC 8314).
    Implicit,
    /// Not at all; for a server on the same machine only.
    None,
}

/// A provider's settings, as its file and `providers --json` have them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// The name that `accounts.toml` uses.
    pub name: String,
    /// The name for people.
    pub title: String,
    /// Other names by which it is found.
    pub aliases: Vec<String>,
    /// Domains of sender addresses that belong to it; `*.example.org` takes every subdomain.
    pub domains: Vec<String>,
    /// The page that the figures come from.
    pub source: String,
    /// The day (YYYY-MM-DD) on which they were last compared with that page.
    pub checked_on: String,
    /// What a user should know before relying on the figures.
    pub notes: Vec<String>,
    /// The server's name; none when the account must say it. `{region}` stands for the account's region.
    pub host: Option<String>,
    /// The region of an account that names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The regions that there are; empty where the provider has one server for everybody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<Region>,
    /// The name that everybody signs in with, where it is always the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The server's port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: Tls,
    /// The most envelope recipients of one message.
    pub max_recipients_per_message: u32,
    /// The largest message in bytes, as it goes over the wire; none when only the server says it (RFC 1870).
    pub max_message_size: Option<u64>,
    /// An account sends only in its own name, unless it has been given the right to send as another: with
    /// several accounts each has a From address of its own.
    #[serde(default)]
    pub sends_as_itself: bool,
    /// The most connections at a time for one account.
    pub max_connections: u32,
    /// What may be handed over in which window; all must allow.
    pub limits: Vec<PresetLimit>,
    /// The reply tables to look into, in this order; the general tables always follow.
    pub replies: Vec<String>,
    /// Signing in by OAuth 2.0; none where the provider has only passwords.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oauth2: Option<OAuth2>,
}

impl Preset {
    /// The preset with this name or alias; case does not matter.
    ///
    /// # Errors
    /// [`UnknownPreset`] with the nearest name, or a broken built-in file.
    pub fn find(name: &str) -> Result<&'static Self, ProviderError> {
        let all = presets()?;
        let asked = name.trim();
        all.iter()
            .find(|preset| {
                preset
                    .names()
                    .any(|known| known.eq_ignore_ascii_case(asked))
            })
            .ok_or_else(|| unknown(asked, all).into())
    }

    /// The preset whose senders have addresses in `domain`; case does not matter. A domain of one's
    /// own says nothing about its provider, so most have none.
    ///
    /// # Errors
    /// A broken built-in file.
    pub fn for_domain(domain: &str) -> Result<Option<&'static Self>, ProviderError> {
        let domain = domain.trim().trim_end_matches('.').to_ascii_lowercase();
        let fits = |pattern: &String| match pattern.strip_prefix('*') {
            Some(suffix) => domain.ends_with(suffix) && domain.len() > suffix.len(),
            None => *pattern == domain,
        };
        Ok(presets()?
            .iter()
            .find(|preset| preset.domains.iter().any(fits)))
    }

    /// The rules alone, as the limiter takes them; those that the provider has withdrawn among them.
    pub fn rules(&self) -> Vec<Rule> {
        self.limits.iter().map(|limit| limit.rule).collect()
    }

    /// The rules that the provider has not withdrawn.
    pub fn rules_in_force(&self) -> Vec<Rule> {
        let in_force = self.limits.iter().filter(|limit| limit.withdrawn.is_none());
        in_force.map(|limit| limit.rule).collect()
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.name.as_str()).chain(self.aliases.iter().map(String::as_str))
    }
}

/// All presets.
///
/// # Errors
/// [`ProviderError::Broken`] when an embedded file cannot be read.
pub fn presets() -> Result<&'static [Preset], ProviderError> {
    PRESETS.as_deref().map_err(Clone::clone)
}

pub(super) fn read(file: &str, text: &str) -> Result<Preset, ProviderError> {
    let mut preset: Preset = toml::from_str(text).map_err(|e| ProviderError::broken(file, &e))?;
    preset
        .place_regions()
        .map_err(|e| ProviderError::broken(file, &e))?;
    let empty = [
        ("name", preset.name.is_empty()),
        ("title", preset.title.is_empty()),
        ("source", preset.source.is_empty()),
        ("checked_on", preset.checked_on.is_empty()),
        ("port", preset.port == 0),
        (
            "max_recipients_per_message",
            preset.max_recipients_per_message == 0,
        ),
        ("max_message_size", preset.max_message_size == Some(0)),
        ("max_connections", preset.max_connections == 0),
    ];
    match empty.iter().find(|(_, is_empty)| *is_empty) {
        Some((key, _)) => Err(ProviderError::broken(
            file,
            &format!("'{key}' has no value"),
        )),
        None => Ok(preset),
    }
}

fn unknown(name: &str, all: &[Preset]) -> UnknownPreset {
    let asked = name.to_lowercase();
    let nearest = all
        .iter()
        .flat_map(|preset| preset.names().map(move |known| (preset, known)))
        .map(|(preset, known)| {
            (
                preset,
                strsim::normalized_damerau_levenshtein(&asked, known),
            )
        })
        .filter(|(_, likeness)| *likeness >= NEAR)
        .max_by(|(_, a), (_, b)| a.total_cmp(b))
        .map(|(preset, _)| preset.name.clone());
    UnknownPreset {
        name: name.to_owned(),
        nearest,
        all: all.iter().map(|preset| preset.name.clone()).collect(),
    }
}
