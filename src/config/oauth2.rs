//! `[X.oauth2]`: the sign-in by OAuth 2.0, as typed.

use toml::Spanned;

use super::section::{Section, Text};
use crate::oauth;
use crate::provider::Flow;

/// The table's keys.
pub(super) const KEYS: &[&str] = &[
    "tenant",
    "client_id",
    "flow",
    "authority",
    "scopes",
    "authorize",
    "token",
    "device",
];

/// The sign-in of OAuth 2.0, as typed. Everything that is none or empty here is the preset's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuth2 {
    /// The organisation's domain or identifier.
    pub tenant: Option<String>,
    /// The application's identifier; there when the account signs in this way.
    pub client_id: Option<String>,
    /// How the person or program signs in.
    pub flow: Option<Flow>,
    /// Where tokens come from: https, or http on this machine; without a slash at its end.
    pub authority: Option<String>,
    /// What is asked for.
    pub scopes: Vec<String>,
    /// The authorisation endpoint; https, or http on this machine, as the others.
    pub authorize: Option<String>,
    /// The token endpoint.
    pub token: Option<String>,
    /// The device authorisation endpoint.
    pub device: Option<String>,
}

/// Reads the table; `needed` when the account signs in by it.
pub(super) fn read(section: &Section<'_>, needed: bool) -> Option<OAuth2> {
    if needed {
        section.require(
            "client_id",
            "add client_id = \"…\": what the app's registration at your provider calls application or client ID",
        );
    }
    let flows = [Flow::DeviceCode, Flow::Browser, Flow::ClientCredentials];
    section.is_present().then(|| OAuth2 {
        tenant: tenant(section),
        client_id: section.text("client_id").map(Spanned::into_inner),
        flow: section.choice("flow", &flows.map(|flow| (flow.as_str(), flow))),
        authority: address(section, "authority", "https://login.microsoftonline.com")
            .map(|address| address.trim_end_matches('/').to_owned()),
        scopes: scopes(section),
        authorize: address(section, "authorize", "https://login.example.com/authorize"),
        token: address(section, "token", "https://login.example.com/token"),
        device: address(section, "device", "https://login.example.com/device"),
    })
}

/// A word that can stand in an address.
fn tenant(section: &Section<'_>) -> Option<String> {
    let text = section.text("tenant")?;
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if text.get_ref().chars().all(fits) {
        return Some(text.into_inner());
    }
    section.refuse(
        "tenant",
        Some(text.span()),
        "is neither a domain nor an identifier",
        "write tenant = \"contoso.onmicrosoft.com\", or the tenant ID, or \"organizations\"",
    );
    None
}

/// Scopes are words without spaces (RFC 6749 3.3).
fn scopes(section: &Section<'_>) -> Vec<String> {
    let fits = |text: &Text| {
        let scope = text.get_ref();
        let good = scope
            .bytes()
            .all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\');
        if !good {
            section.refuse(
                "scopes",
                Some(text.span()),
                "holds something that is no scope",
                "write each scope as a text of its own: scopes = [\"https://outlook.office.com/SMTP.Send\", \"offline_access\"]",
            );
        }
        good
    };
    let texts = section.texts("scopes").into_iter().filter(fits);
    texts.map(Spanned::into_inner).collect()
}

fn address(section: &Section<'_>, key: &str, example: &str) -> Option<String> {
    let text = section.text(key)?;
    if oauth::is_safe_address(text.get_ref()) {
        return Some(text.into_inner());
    }
    let unencrypted = text.get_ref().to_ascii_lowercase().starts_with("http://");
    let message = if unencrypted {
        "would send the sign-in over the network unencrypted: it is not an https:// address"
    } else {
        "is not an https:// address"
    };
    section.refuse(
        key,
        Some(text.span()),
        message,
        format!("write {key} = \"{example}\"; http:// is for a server on this machine"),
    );
    None
}
