//! `[X.oauth2]`: the sign-in by OAuth 2.0, as typed, and together with the preset's part.

use toml::Spanned;

use super::account::Account;
use super::error::{SenderError, SignInError};
use super::section::{Section, Text};
use crate::oauth;
use crate::provider::{self, Flow, Preset};

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

/// The sign-in with the preset's part, every value known.
#[derive(Debug, Clone)]
pub(super) struct SignIn {
    flow: Flow,
    client_id: String,
    authorize: Option<String>,
    token: String,
    device: Option<String>,
    scopes: Vec<String>,
}

/// The tenants for everybody, on which no application can sign in by itself (AADSTS9001023).
const FOR_ALL: [&str; 3] = ["common", "consumers", "organizations"];

impl SignIn {
    /// Puts an account's sign-in and its preset's together.
    ///
    /// # Errors
    /// What cannot work, with the key and what to write instead.
    pub(super) fn of(account: &Account, preset: &Preset) -> Result<Self, SenderError> {
        let parts = Parts {
            account,
            preset,
            own: account.oauth2.as_ref(),
            usual: preset.oauth2.as_ref(),
        };
        Ok(parts.sign_in()?)
    }

    /// What `oauth` goes by.
    pub(super) fn settings(
        &self,
        account: &Account,
        client_secret: Option<secrecy::SecretString>,
        extra_roots: Vec<Vec<u8>>,
    ) -> oauth::Settings {
        oauth::Settings {
            account: account.name.clone(),
            username: account.username.clone().unwrap_or_default(),
            client_id: self.client_id.clone(),
            client_secret,
            flow: self.flow,
            authorize: self.authorize.clone(),
            token: self.token.clone(),
            device: self.device.clone(),
            scopes: self.scopes.clone(),
            extra_roots,
        }
    }

    /// How the account signs in.
    pub(super) fn flow(&self) -> Flow {
        self.flow
    }
}

struct Parts<'a> {
    account: &'a Account,
    preset: &'a Preset,
    own: Option<&'a OAuth2>,
    usual: Option<&'a provider::OAuth2>,
}

impl Parts<'_> {
    fn wrong(&self, key: &str, message: String, remedy: impl Into<String>) -> SignInError {
        SignInError {
            key: format!("{}.{key}", self.account.name),
            message,
            remedy: remedy.into(),
        }
    }

    fn sign_in(&self) -> Result<SignIn, SignInError> {
        let name = &self.account.name;
        if self.usual.is_none() && self.own.is_none_or(|own| own.token.is_none()) {
            return Err(self.wrong(
                "auth",
                format!("is \"oauth2\", and '{}' is not known to have that", self.preset.name),
                format!(
                    "write auth = \"password\", or name your provider's endpoints under [{name}.oauth2]: token = \"https://…\", \
                     with device = or authorize ="
                ),
            ));
        }
        let flow = self.flow()?;
        self.check_secret(flow)?;
        let scopes = match (self.own, self.usual) {
            (Some(own), _) if !own.scopes.is_empty() => own.scopes.clone(),
            (_, Some(usual)) if flow == Flow::ClientCredentials => usual.app_scopes.clone(),
            (_, Some(usual)) => usual.scopes.clone(),
            (_, None) => Vec::new(),
        };
        Ok(SignIn {
            flow,
            client_id: self
                .own
                .and_then(|own| own.client_id.clone())
                .unwrap_or_default(),
            authorize: self.authorize(flow)?,
            token: self.token(flow)?,
            device: self.device(flow)?,
            scopes,
        })
    }

    /// The flow that is typed, else the first that the provider has endpoints for.
    fn flow(&self) -> Result<Flow, SignInError> {
        let typed = self.own.and_then(|own| own.flow);
        let Some(usual) = self.usual else {
            let by_endpoint = match self.own {
                Some(own) if own.device.is_some() => Flow::DeviceCode,
                Some(own) if own.authorize.is_some() => Flow::Browser,
                _ => Flow::ClientCredentials,
            };
            return Ok(typed.unwrap_or(by_endpoint));
        };
        let first = usual.flows.first().copied().unwrap_or(Flow::Browser);
        let flow = typed.unwrap_or(first);
        if usual.flows.contains(&flow) {
            return Ok(flow);
        }
        let names: Vec<String> = usual
            .flows
            .iter()
            .map(|flow| format!("\"{}\"", flow.as_str()))
            .collect();
        Err(self.wrong(
            "oauth2.flow",
            format!(
                "is \"{}\", which {} does not have",
                flow.as_str(),
                self.preset.title
            ),
            format!("write flow = {}", names.join(" or ")),
        ))
    }

    fn check_secret(&self, flow: Flow) -> Result<(), SignInError> {
        let name = &self.account.name;
        let has_one = self.account.client_secret.is_some();
        if flow == Flow::ClientCredentials {
            if has_one {
                return Ok(());
            }
            return Err(self.wrong(
                "client_secret",
                "is required for flow = \"client-credentials\"".to_owned(),
                format!("add [{name}.client_secret] with env = \"NAME\", command = \"…\" or keyring = true"),
            ));
        }
        if !has_one
            || self
                .usual
                .is_some_and(|usual| usual.public_clients_have_secrets)
        {
            return Ok(());
        }
        Err(self.wrong(
            "client_secret",
            format!(
                "is given, and flow = \"{}\" is for apps without one",
                flow.as_str()
            ),
            format!("take [{name}.client_secret] out, or write flow = \"client-credentials\""),
        ))
    }

    fn token(&self, flow: Flow) -> Result<String, SignInError> {
        let own = self.own.and_then(|own| own.token.as_deref());
        let usual = self.usual.map(|usual| usual.token.as_str());
        let endpoint = self.endpoint(own, usual, flow)?;
        // There is one of the two: it was looked at first.
        Ok(endpoint.unwrap_or_default())
    }

    fn authorize(&self, flow: Flow) -> Result<Option<String>, SignInError> {
        let own = self.own.and_then(|own| own.authorize.as_deref());
        let usual = self.usual.map(|usual| usual.authorize.as_str());
        self.needed(
            "authorize",
            flow == Flow::Browser,
            self.endpoint(own, usual, flow)?,
        )
    }

    fn device(&self, flow: Flow) -> Result<Option<String>, SignInError> {
        let own = self.own.and_then(|own| own.device.as_deref());
        let usual = self.usual.and_then(|usual| usual.device.as_deref());
        self.needed(
            "device",
            flow == Flow::DeviceCode,
            self.endpoint(own, usual, flow)?,
        )
    }

    fn needed(
        &self,
        key: &str,
        needed: bool,
        endpoint: Option<String>,
    ) -> Result<Option<String>, SignInError> {
        if endpoint.is_some() || !needed {
            return Ok(endpoint);
        }
        let message = "is required for this flow".to_owned();
        let remedy = format!(
            "add {key} = \"https://…\", as your provider's pages have it, or write another flow"
        );
        Err(self.wrong(&format!("oauth2.{key}"), message, remedy))
    }

    /// The typed endpoint, else the preset's with authority and tenant in their places.
    fn endpoint(
        &self,
        own: Option<&str>,
        usual: Option<&str>,
        flow: Flow,
    ) -> Result<Option<String>, SignInError> {
        if own.is_some() {
            return Ok(own.map(str::to_owned));
        }
        let (Some(template), Some(preset)) = (usual, self.usual) else {
            return Ok(None);
        };
        let authority = self.own.and_then(|own| own.authority.as_ref());
        let mut address = template.replace("{authority}", authority.unwrap_or(&preset.authority));
        if address.contains("{tenant}") {
            address = address.replace("{tenant}", self.tenant(preset, flow)?);
        }
        Ok(Some(address))
    }

    fn tenant<'p>(
        &'p self,
        preset: &'p provider::OAuth2,
        flow: Flow,
    ) -> Result<&'p str, SignInError> {
        let typed = self.own.and_then(|own| own.tenant.as_deref());
        let remedy = "write tenant = \"contoso.onmicrosoft.com\", or your organisation's tenant ID";
        let Some(tenant) = typed.or(preset.tenant.as_deref()) else {
            return Err(self.wrong("oauth2.tenant", "is required".to_owned(), remedy));
        };
        let for_all = FOR_ALL.iter().any(|name| name.eq_ignore_ascii_case(tenant));
        if flow == Flow::ClientCredentials && for_all {
            return Err(self.wrong(
                "oauth2.tenant",
                format!("is \"{tenant}\", and flow = \"client-credentials\" signs in to one organisation"),
                remedy,
            ));
        }
        Ok(tenant)
    }
}
