//! An account's access token, renewed in time.

use std::sync::Arc;

use secrecy::ExposeSecret;
use tokio::sync::Mutex;

use super::error::{Error, ErrorKind};
use super::http::Http;
use super::keep::{Keep, Taken};
use super::record::{AccessToken, Ended, Record};
use super::requests::{as_application, refresh};
use super::settings::Settings;
use crate::clock::Clock;
use crate::provider::Flow;

/// The access tokens of one account: one handle for all of its connections. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Tokens(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    source: Source,
    /// The latest one. The lock is held while another is fetched, so that it is fetched once.
    held: Mutex<Option<AccessToken>>,
}

/// Where tokens come from.
#[derive(Debug, Clone)]
struct Source {
    settings: Arc<Settings>,
    keep: Keep,
    clock: Clock,
}

impl Tokens {
    /// The tokens of an account. Nothing is read or asked for yet.
    ///
    /// # Errors
    /// [`ErrorKind::Settings`] when an endpoint is no address.
    pub fn new(settings: Settings, keep: Keep, clock: Clock) -> Result<Self, Error> {
        super::requests::client(&settings)?;
        let source = Source {
            settings: Arc::new(settings),
            keep,
            clock,
        };
        Ok(Self(Arc::new(Inner {
            source,
            held: Mutex::new(None),
        })))
    }

    /// The account's name.
    pub fn account(&self) -> &str {
        &self.0.source.settings.account
    }

    /// A token that holds for ten minutes more at least: from memory, from the keep, or a new one. One whose
    /// whole life is short holds for half of it.
    ///
    /// # Errors
    /// Why there is none. A sign-in that the provider has ended stays so, without asking it again, until
    /// somebody signs in.
    pub async fn access_token(&self) -> Result<AccessToken, Error> {
        let mut held = self.0.held.lock().await;
        let now = self.0.source.clock.now();
        if let Some(token) = held.as_ref().filter(|token| token.is_fresh(now)) {
            return Ok(token.clone());
        }
        let token = told(self.0.source.fetch(None).await)?;
        Ok(held.insert(token).clone())
    }

    /// The server has refused this token: gives another one, which is fetched once for all who ask.
    ///
    /// # Errors
    /// As [`access_token`](Self::access_token).
    pub async fn renew(&self, refused: &AccessToken) -> Result<AccessToken, Error> {
        let mut held = self.0.held.lock().await;
        let now = self.0.source.clock.now();
        let other = held
            .as_ref()
            .filter(|token| token.differs(Some(refused)) && token.is_fresh(now));
        if let Some(token) = other {
            return Ok(token.clone());
        }
        let token = told(self.0.source.fetch(Some(refused)).await)?;
        Ok(held.insert(token).clone())
    }
}

/// Says in the log whether there is a token; the provider's words may name people.
fn told(fetched: Result<AccessToken, Error>) -> Result<AccessToken, Error> {
    match &fetched {
        Ok(token) => tracing::info!(expires_at = %token.expires_at, "access token there"),
        Err(error) => {
            tracing::warn!(transient = error.is_transient(), "no access token");
            tracing::debug!(because = ?error.to_string(), "no access token");
        }
    }
    fetched
}

impl Source {
    /// Fetches a token in a task of its own: whoever waits for it may be dropped, what the provider has
    /// answered must not be.
    async fn fetch(&self, refused: Option<&AccessToken>) -> Result<AccessToken, Error> {
        let _working = self.clock.hold();
        let (source, refused) = (self.clone(), refused.cloned());
        let task = tokio::spawn(async move { source.fetch_whole(refused.as_ref()).await });
        task.await.unwrap_or_else(|_| {
            let kind = ErrorKind::Settings("the program is ending".to_owned());
            Err(Error::new(&self.settings.account, kind))
        })
    }

    async fn fetch_whole(&self, refused: Option<&AccessToken>) -> Result<AccessToken, Error> {
        let settings = &self.settings;
        if settings.flow == Flow::ClientCredentials {
            let http = Http::new(settings, &self.clock).await?;
            return as_application(settings, &http, self.clock.now()).await;
        }
        let taken = self.keep.take(settings, &self.clock).await?;
        let Some(record) = taken.record.clone() else {
            return Err(self.failed(ErrorKind::NotSignedIn(None)));
        };
        if let Some(ended) = record.ended {
            return Err(self.failed(ErrorKind::Revoked(ended.refusal)));
        }
        let now = self.clock.now();
        // Another process, or an earlier one, may have got one meanwhile.
        let kept = record.access.as_ref();
        let kept = kept.filter(|token| token.differs(refused));
        if let Some(token) = kept.filter(|token| token.is_fresh(now)) {
            return Ok(token.clone());
        }
        let usable = kept.filter(|token| now < token.expires_at).cloned();
        match self.renewed(taken, &record).await {
            // There is still time: the next one who asks tries again.
            Err(error) if error.is_transient() && usable.is_some() => usable.ok_or(error),
            result => result,
        }
    }

    fn failed(&self, kind: ErrorKind) -> Error {
        Error::new(&self.settings.account, kind)
    }

    /// Uses the refresh token, and keeps what came of it before anything else is done with it.
    async fn renewed(&self, taken: Taken, record: &Record) -> Result<AccessToken, Error> {
        let settings = &self.settings;
        let Some(refresh_token) = &record.refresh_token else {
            let reason = "the provider gave nothing to renew the last sign-in with".to_owned();
            return Err(self.failed(ErrorKind::NotSignedIn(Some(reason))));
        };
        let http = Http::new(settings, &self.clock).await?;
        let now = self.clock.now();
        match refresh(refresh_token, settings, &http, now).await {
            Ok((access, rotated)) => {
                let is_new = rotated
                    .as_ref()
                    .is_some_and(|new| new.expose_secret() != refresh_token.expose_secret());
                let record = Record {
                    refresh_token: rotated.or_else(|| Some(refresh_token.clone())),
                    access: Some(access.clone()),
                    ..record.clone()
                };
                let written = taken.put(&record, settings, &self.clock).await;
                match written {
                    // What is kept may be used up: the next run would be refused for no visible reason.
                    Err(error) if is_new => Err(self.failed(error.into())),
                    _ => Ok(access),
                }
            }
            Err(error) => {
                if let ErrorKind::Revoked(refusal) = error.kind() {
                    let refusal = refusal.clone();
                    let record = Record {
                        refresh_token: None,
                        access: None,
                        granted_at: record.granted_at,
                        ended: Some(Ended { refusal, at: now }),
                    };
                    // If this cannot be written down, the provider says it again next time.
                    let _ = taken.put(&record, settings, &self.clock).await;
                }
                Err(error)
            }
        }
    }
}
