//! An account's sign-in by OAuth 2.0 together with its preset's part.

use secrecy::SecretString;

use super::account::Account;
use super::error::{SenderError, SignInError};
use super::oauth2::OAuth2;
use super::secret::SecretSource;
use super::sender::Sender;
use crate::oauth;
use crate::provider::{self, Flow, Preset};

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
        client_secret: Option<SecretString>,
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

impl Sender {
    /// How it signs in by OAuth 2.0; none where it does not.
    pub fn flow(&self) -> Option<Flow> {
        self.sign_in.as_ref().map(SignIn::flow)
    }

    /// Where the application's secret for OAuth 2.0 comes from; none where it has none.
    pub fn client_secret(&self) -> Option<&SecretSource> {
        self.sign_in.as_ref()?;
        self.account.client_secret.as_ref()
    }

    /// What signing in by OAuth 2.0 goes by, with the application's secret and the further roots, which were
    /// read by now; none where the account does not sign in that way.
    pub fn oauth2(
        &self,
        client_secret: Option<SecretString>,
        extra_roots: Vec<Vec<u8>>,
    ) -> Option<oauth::Settings> {
        let sign_in = self.sign_in.as_ref()?;
        Some(sign_in.settings(&self.account, client_secret, extra_roots))
    }
}
