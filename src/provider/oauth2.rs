//! Signing in by OAuth 2.0: endpoints, scopes and flows of a provider.

use serde::{Deserialize, Serialize};

/// How a provider's accounts sign in by OAuth 2.0. In the endpoints `{authority}` and `{tenant}` stand for
/// what the account, or else this table, says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OAuth2 {
    /// The page that this comes from.
    pub source: String,
    /// The identity provider's address, without a slash at its end.
    pub authority: String,
    /// The organisation whose users sign in, where the account names none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The authorisation endpoint (RFC 6749 3.1).
    pub authorize: String,
    /// The token endpoint (RFC 6749 3.2).
    pub token: String,
    /// The device authorisation endpoint (RFC 8628 3.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// What is asked for when a person signs in.
    pub scopes: Vec<String>,
    /// What is asked for when the application signs in by itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub app_scopes: Vec<String>,
    /// The flows that the provider allows; the first one is taken where the account names none.
    pub flows: Vec<Flow>,
    /// The provider gives every application a secret, also those that cannot keep one (RFC 8252 8.5).
    #[serde(default)]
    pub public_clients_have_secrets: bool,
}

/// A flow of OAuth 2.0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flow {
    /// A code typed on another device (RFC 8628).
    DeviceCode,
    /// The browser on this machine, coming back to a loopback address (RFC 8252), with PKCE (RFC 7636).
    Browser,
    /// The application by itself (RFC 6749 4.4).
    ClientCredentials,
}

impl Flow {
    /// The name in accounts.toml.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DeviceCode => "device-code",
            Self::Browser => "browser",
            Self::ClientCredentials => "client-credentials",
        }
    }
}
