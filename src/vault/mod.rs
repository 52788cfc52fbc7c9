//! A person's secrets, kept from one run to the next: in the system's keyring, or, where there is none, in
//! files that only their owner can read.
//!
//! It knows names and secrets and nothing of what they are for. It must not print, ask, or talk to a
//! server, and shows no secret in a `Debug` form or an error. Everything here may block, the keyring even
//! until a person has unlocked it. Called by `oauth` (tokens) and `cli` (passwords and client secrets).
//!
//! What lies in a file stays in a file: there is one place to look, so a secret that is replaced often is
//! never found in an older form elsewhere.

mod file;
mod ring;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use secrecy::SecretString;

use ring::{Ring, SystemRing};

/// Where secrets are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Choice {
    /// In the keyring, and in files where there is none.
    #[default]
    Automatic,
    /// In the keyring only.
    Keyring,
    /// In files only.
    Files,
}

impl Choice {
    /// The choice by its name: `keyring` or `file`; nothing for automatic.
    ///
    /// # Errors
    /// The name, when it is none of these.
    pub fn parse(name: &str) -> Result<Self, String> {
        match name.trim() {
            "" => Ok(Self::Automatic),
            "keyring" => Ok(Self::Keyring),
            "file" => Ok(Self::Files),
            other => Err(other.to_owned()),
        }
    }
}

/// Where a secret lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In the system's keyring.
    Keyring,
    /// In this file.
    File(PathBuf),
}

/// Why a secret cannot be kept or found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// There is no keyring, or none that can be reached from here, as in a job of cron.
    #[error("no keyring can be reached from here")]
    NoKeyring,
    /// The keyring is locked, or refuses.
    #[error("the keyring cannot be used ({0})")]
    Keyring(String),
    /// A file or its folder cannot be read or written.
    #[error("{} cannot be used ({reason})", .path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
}

impl VaultError {
    fn file(path: &Path, error: &io::Error) -> Self {
        Self::File {
            path: path.to_owned(),
            reason: error.to_string(),
        }
    }
}

/// The secrets of one person. Cheap to clone.
#[derive(Clone)]
pub struct Vault {
    folder: PathBuf,
    choice: Choice,
    ring: Arc<dyn Ring>,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault")
            .field("folder", &self.folder)
            .field("choice", &self.choice)
            .finish_non_exhaustive()
    }
}

/// A secret and where it was found.
#[derive(Debug, Clone)]
pub struct Found {
    /// The secret.
    pub secret: SecretString,
    /// Where it lies.
    pub place: Place,
}

/// The right to change one secret, held by one process at a time until it is dropped.
#[derive(Debug)]
pub struct Locked {
    vault: Vault,
    entry: Entry,
    _file: File,
}

/// What a secret is called: whose it is, and what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    account: String,
    kind: &'static str,
}

impl Entry {
    /// A secret of an account; `kind` is a word for what it is, in small letters.
    pub fn new(account: &str, kind: &'static str) -> Self {
        Self {
            account: account.to_owned(),
            kind,
        }
    }

    /// The name in the keyring.
    fn user(&self) -> String {
        format!("{}/{}", self.account, self.kind)
    }

    /// The file's name: readable as far as it can be, and different for different accounts.
    fn file_name(&self) -> String {
        let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        let name: String = self.account.chars().filter(|c| safe(*c)).take(32).collect();
        let digest = blake3::hash(self.account.as_bytes()).to_hex();
        format!("{name}-{}.{}", &digest[..16], self.kind)
    }
}

impl Vault {
    /// The secrets that lie in the keyring or in files of `folder`, which need not exist.
    pub fn new(folder: PathBuf, choice: Choice) -> Self {
        Self {
            folder,
            choice,
            ring: Arc::new(SystemRing),
        }
    }

    fn file(&self, entry: &Entry) -> PathBuf {
        self.folder.join(entry.file_name())
    }

    /// The secret; none when there is none.
    ///
    /// # Errors
    /// The keyring or the file cannot be read. With [`Choice::Automatic`] a keyring that cannot be used
    /// is an error too: the secret may be in it.
    pub fn read(&self, entry: &Entry) -> Result<Option<Found>, VaultError> {
        if self.choice != Choice::Keyring {
            let path = self.file(entry);
            if let Some(secret) = file::read(&path)? {
                let place = Place::File(path);
                return Ok(Some(Found { secret, place }));
            }
        }
        if self.choice == Choice::Files {
            return Ok(None);
        }
        let secret = self.ring.get(&entry.user());
        let found = |secret| Found {
            secret,
            place: Place::Keyring,
        };
        Ok(secret?.map(found))
    }

    /// Waits until no other process changes this secret.
    ///
    /// # Errors
    /// The folder or the lock's file cannot be made.
    pub fn lock(&self, entry: &Entry) -> Result<Locked, VaultError> {
        file::make_folder(&self.folder)?;
        let path = self
            .folder
            .join(format!("{}.lock", Entry::file_name(entry)));
        let failed = |error: io::Error| VaultError::file(&path, &error);
        let file = file::open_private(&path).map_err(failed)?;
        file.lock().map_err(failed)?;
        Ok(Locked {
            vault: self.clone(),
            entry: entry.clone(),
            _file: file,
        })
    }
}

impl Locked {
    /// The secret as it is now.
    ///
    /// # Errors
    /// As [`Vault::read`].
    pub fn read(&self) -> Result<Option<Found>, VaultError> {
        self.vault.read(&self.entry)
    }

    /// Keeps the secret in place of an earlier one; after a crash there is the one or the other. Says where.
    ///
    /// # Errors
    /// It is nowhere to be kept: what was there before is there still.
    pub fn write(&self, secret: &SecretString) -> Result<Place, VaultError> {
        let path = self.vault.file(&self.entry);
        let in_file = || {
            file::replace(&path, secret)?;
            Ok(Place::File(path.clone()))
        };
        let there = path.symlink_metadata().is_ok();
        match self.vault.choice {
            Choice::Files => return in_file(),
            Choice::Automatic if there => return in_file(),
            Choice::Automatic | Choice::Keyring => {}
        }
        match self.vault.ring.set(&self.entry.user(), secret) {
            Ok(()) => Ok(Place::Keyring),
            Err(_) if self.vault.choice == Choice::Automatic => in_file(),
            Err(error) => Err(error),
        }
    }

    /// Forgets the secret, wherever it lies; true when there was one.
    ///
    /// # Errors
    /// It could not be removed, or there may be one in a keyring that cannot be used.
    pub fn remove(&self) -> Result<bool, VaultError> {
        let in_file =
            self.vault.choice != Choice::Keyring && file::remove(&self.vault.file(&self.entry))?;
        if self.vault.choice == Choice::Files {
            return Ok(in_file);
        }
        match self.vault.ring.remove(&self.entry.user()) {
            Ok(in_ring) => Ok(in_file || in_ring),
            Err(VaultError::NoKeyring) if in_file => Ok(true),
            Err(error) => Err(error),
        }
    }
}
