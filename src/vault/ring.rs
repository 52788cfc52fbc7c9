//! The system's keyring: Keychain, Credential Manager, or the Secret Service of the desktop.

use keyring::Error;
use secrecy::{ExposeSecret, SecretString};

use super::VaultError;

/// The service that every entry belongs to.
const SERVICE: &str = "postroom";

/// A keyring.
pub(super) trait Ring: Send + Sync {
    /// The secret under this name; none when there is none.
    fn get(&self, user: &str) -> Result<Option<SecretString>, VaultError>;
    /// Keeps a secret in place of an earlier one.
    fn set(&self, user: &str, secret: &SecretString) -> Result<(), VaultError>;
    /// Forgets a secret; true when there was one.
    fn remove(&self, user: &str) -> Result<bool, VaultError>;
}

/// The one that the system has.
pub(super) struct SystemRing;

impl Ring for SystemRing {
    fn get(&self, user: &str) -> Result<Option<SecretString>, VaultError> {
        match entry(user)?.get_secret() {
            Ok(bytes) => match String::from_utf8(bytes) {
                Ok(text) => Ok(Some(text.into())),
                Err(_) => Err(VaultError::Keyring(
                    "the entry is not of this program".to_owned(),
                )),
            },
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(complaint(&error)),
        }
    }

    fn set(&self, user: &str, secret: &SecretString) -> Result<(), VaultError> {
        // Bytes, because as text some systems double its size, and their room is small.
        entry(user)?
            .set_secret(secret.expose_secret().as_bytes())
            .map_err(|error| complaint(&error))
    }

    fn remove(&self, user: &str) -> Result<bool, VaultError> {
        match entry(user)?.delete_credential() {
            Ok(()) => Ok(true),
            Err(Error::NoEntry) => Ok(false),
            Err(error) => Err(complaint(&error)),
        }
    }
}

fn entry(user: &str) -> Result<keyring::Entry, VaultError> {
    if keyring::Entry::store_status().is_err() {
        return Err(VaultError::NoKeyring);
    }
    keyring::Entry::new(SERVICE, user).map_err(|error| complaint(&error))
}

/// The complaint on one line. The kinds that carry an entry's bytes are named only.
fn complaint(error: &Error) -> VaultError {
    let text = match error {
        Error::BadEncoding(_) | Error::BadDataFormat(..) => "the entry cannot be read".to_owned(),
        Error::Ambiguous(_) => "there are several entries of that name".to_owned(),
        other => other.to_string(),
    };
    let text = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    VaultError::Keyring(text.take(200).collect())
}
