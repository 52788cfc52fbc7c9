//! Signing in: a person, by one of two ways, or the application by itself.

use super::error::{Error, ErrorKind};
use super::http::Http;
use super::record::{AccessToken, Record};
use super::requests::as_application;
use super::settings::Settings;
use super::{browser, device};
use crate::clock::{Clock, Timestamp};
use crate::provider::Flow;

/// What a person must be shown to sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Open this address on any device and type this code (RFC 8628 3.3).
    Code {
        /// The page.
        address: String,
        /// The code; it is of no use without the person's own sign-in.
        code: String,
        /// The page with the code in it, where the provider has that.
        with_code: Option<String>,
        /// Until when.
        until: Timestamp,
    },
    /// Open this address in a browser on this machine (RFC 8252).
    Browser {
        /// The page.
        address: String,
        /// Until when it is waited for.
        until: Timestamp,
    },
}

/// What a provider granted.
#[derive(Debug, Clone)]
pub struct Granted {
    pub(super) record: Record,
}

impl Granted {
    /// The first access token.
    pub fn access_token(&self) -> Option<&AccessToken> {
        self.record.access.as_ref()
    }

    /// It can be renewed without a person.
    pub fn renews(&self) -> bool {
        self.record.refresh_token.is_some()
    }
}

/// Signs in by the flow that the settings name; `show` is told what a person must see. Nothing is kept:
/// that is for [`Keep::store`](super::Keep::store). May be dropped while it waits for the person.
///
/// # Errors
/// The provider refuses or cannot be reached, the person declines, or the time is over.
pub async fn sign_in(
    settings: &Settings,
    clock: &Clock,
    show: &mut (dyn FnMut(Step) + Send),
) -> Result<Granted, Error> {
    let http = Http::new(settings, clock).await?;
    let record = match settings.flow {
        Flow::DeviceCode => device::sign_in(settings, &http, clock, show).await,
        Flow::Browser => browser::sign_in(settings, &http, clock, show).await,
        Flow::ClientCredentials => {
            let now = clock.now();
            let access = as_application(settings, &http, now).await;
            access.map(|access| Record {
                refresh_token: None,
                access: Some(access),
                granted_at: now,
                ended: None,
            })
        }
    };
    let record = record.map_err(|error| at_first(error, settings))?;
    Ok(Granted { record })
}

/// At the first sign-in there is nothing yet that could have been revoked.
fn at_first(error: Error, settings: &Settings) -> Error {
    match error.kind() {
        ErrorKind::Revoked(refusal) => {
            Error::new(&settings.account, ErrorKind::Refused(refusal.clone()))
        }
        _ => error,
    }
}
