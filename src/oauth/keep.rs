//! Keeping what was granted from one run to the next.

use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;

use super::error::{Error, ErrorKind, Refusal};
use super::record::{Ended, Record};
use super::settings::Settings;
use super::sign_in::Granted;
use crate::clock::{Clock, Timestamp};
use crate::vault::{Entry, Locked, Place, Vault, VaultError};

/// How long a keyring may take, which may ask a person to unlock it, and another process to renew a token.
const PATIENCE: Duration = Duration::from_mins(3);

/// Where sign-ins are kept. Its methods may block.
#[derive(Debug, Clone)]
pub struct Keep {
    vault: Vault,
}

/// What is known of an account's sign-in without asking the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Nobody is signed in with these settings.
    SignedOut,
    /// Somebody is.
    SignedIn {
        /// Since when.
        since: Timestamp,
        /// Until when the latest access token holds.
        until: Option<Timestamp>,
        /// It is renewed by itself.
        renews: bool,
        /// Where it is kept.
        place: Place,
    },
    /// The provider has ended it.
    Ended {
        /// In its words.
        refusal: Refusal,
        /// When it said so.
        at: Timestamp,
    },
}

fn entry(account: &str) -> Entry {
    Entry::new(account, "tokens")
}

impl Keep {
    /// Keeps sign-ins in this vault.
    pub fn new(vault: Vault) -> Self {
        Self { vault }
    }

    /// How an account's sign-in stands.
    ///
    /// # Errors
    /// [`ErrorKind::Keep`] when it cannot be looked at; [`ErrorKind::NotSignedIn`] where only a keyring could
    /// have it, and there is none.
    pub fn standing(&self, settings: &Settings) -> Result<Standing, Error> {
        let found = self.vault.read(&entry(&settings.account));
        let found = found.map_err(|error| Error::new(&settings.account, TakeError::Read(error)))?;
        let Some(found) = found else {
            return Ok(Standing::SignedOut);
        };
        Ok(match Record::read(&found.secret, settings) {
            None => Standing::SignedOut,
            Some(Record {
                ended: Some(Ended { refusal, at }),
                ..
            }) => Standing::Ended { refusal, at },
            Some(record) => Standing::SignedIn {
                since: record.granted_at,
                until: record.access.map(|token| token.expires_at),
                renews: record.refresh_token.is_some(),
                place: found.place,
            },
        })
    }

    /// Keeps what was granted, in place of what was kept for this account; says where.
    ///
    /// # Errors
    /// [`ErrorKind::Keep`] when it cannot be kept.
    pub fn store(&self, settings: &Settings, granted: &Granted) -> Result<Place, Error> {
        let store = || {
            let locked = self.vault.lock(&entry(&settings.account))?;
            locked.write(&granted.record.write(settings))
        };
        store().map_err(|error: VaultError| Error::new(&settings.account, error))
    }

    /// Forgets an account's sign-in, whatever it is for; true when there was one.
    ///
    /// # Errors
    /// It cannot be forgotten, or a keyring that may have it cannot be looked at.
    pub fn forget(&self, account: &str) -> Result<bool, VaultError> {
        self.vault.lock(&entry(account))?.remove()
    }

    /// Waits until no other process renews this account's token, and reads what is kept by then.
    pub(super) async fn take(&self, settings: &Settings, clock: &Clock) -> Result<Taken, Error> {
        let (vault, entry) = (self.vault.clone(), entry(&settings.account));
        let take = move || -> Result<(Locked, Option<crate::vault::Found>), TakeError> {
            let locked = vault.lock(&entry).map_err(TakeError::Lock)?;
            let found = locked.read().map_err(TakeError::Read)?;
            Ok((locked, found))
        };
        let failed = |kind| Error::new(&settings.account, kind);
        let (locked, found) = off_thread(clock, take)
            .await
            .map_err(|reason| failed(ErrorKind::Keep(VaultError::Keyring(reason))))?
            .map_err(|error| failed(error.into()))?;
        Ok(Taken {
            record: found.and_then(|found| Record::read(&found.secret, settings)),
            locked,
        })
    }
}

enum TakeError {
    Lock(VaultError),
    Read(VaultError),
}

impl From<TakeError> for ErrorKind {
    fn from(error: TakeError) -> Self {
        match error {
            // Where there is no keyring, nobody has signed in with one.
            TakeError::Read(error @ VaultError::NoKeyring) => {
                Self::NotSignedIn(Some(error.to_string()))
            }
            TakeError::Read(error) | TakeError::Lock(error) => Self::Keep(error),
        }
    }
}

/// An account's record, which no other process changes meanwhile.
pub(super) struct Taken {
    pub(super) record: Option<Record>,
    locked: Locked,
}

impl Taken {
    /// Keeps `record`, and lets others have their turn. The writing has begun when this returns, and ends even
    /// if nobody waits for it: a provider that has given a new token may take the old one no more.
    pub(super) fn put(
        self,
        record: &Record,
        settings: &Settings,
        clock: &Clock,
    ) -> impl Future<Output = Result<(), VaultError>> + Send + use<> {
        let text = record.write(settings);
        let written = off_thread(clock, move || self.locked.write(&text));
        async move {
            let written = written.await.map_err(VaultError::Keyring)?;
            written.map(|_| ())
        }
    }
}

/// Runs what may block on a thread of its own, which begins at once. Neither a deadline nor the end of the
/// runtime has to wait for it.
fn off_thread<T: Send + 'static, W: FnOnce() -> T + Send + 'static>(
    clock: &Clock,
    work: W,
) -> impl Future<Output = Result<T, String>> + Send + use<T, W> {
    let (done, result) = oneshot::channel();
    let started = thread::Builder::new()
        .name("keep".to_owned())
        // Nobody listens any more once the deadline has passed.
        .spawn(move || drop(done.send(work())));
    let clock = clock.clone();
    async move {
        started.map_err(|error| error.to_string())?;
        match clock.within(PATIENCE, result).await {
            Ok(Ok(result)) => Ok(result),
            Ok(Err(_)) => Err("it broke off".to_owned()),
            Err(elapsed) => Err(elapsed.to_string()),
        }
    }
}
