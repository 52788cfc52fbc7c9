//! Whom to ask for tokens, as whom, and for what.

use oauth2::url::{Host, Url};
use secrecy::SecretString;

use crate::provider::Flow;

/// An account's sign-in by OAuth 2.0, every value known and checked.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The account's name in accounts.toml: what was granted is kept under it.
    pub account: String,
    /// The mailbox to sign in for; shown to the person and given to the sign-in page as a hint.
    pub username: String,
    /// The application's identifier at the provider.
    pub client_id: String,
    /// The application's secret; none for one that cannot keep any (RFC 6749 2.1).
    pub client_secret: Option<SecretString>,
    /// How to sign in.
    pub flow: Flow,
    /// The authorisation endpoint; there for the browser.
    pub authorize: Option<String>,
    /// The token endpoint.
    pub token: String,
    /// The device authorisation endpoint, where the provider has one.
    pub device: Option<String>,
    /// What is asked for.
    pub scopes: Vec<String>,
    /// Further roots to trust, each a certificate in DER.
    pub extra_roots: Vec<Vec<u8>>,
}

/// Whether a sign-in may go to this address: over https, or over http to this machine (RFC 6749 3.1, 3.2).
pub fn is_safe_address(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else {
        return false;
    };
    let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    let this_machine = match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return false,
    };
    plain && (url.scheme() == "https" || url.scheme() == "http" && this_machine)
}
