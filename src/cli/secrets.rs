//! Secrets of accounts: where they are kept, and getting them from wherever accounts.toml says.

use std::io;

use secrecy::SecretString;

use super::exit::Exit;
use super::failure::Failure;
use crate::config::{SecretError, SecretSource, secrets_folder};
use crate::vault::{Choice, Entry, Vault, VaultError};

/// Says where secrets are kept: `keyring` or `file`; else in the keyring, and in files where there is none.
const PLACE: &str = "POSTROOM_TOKENS";

/// What a kept password is called.
pub(super) const PASSWORD: &str = "password";

/// What an application's kept secret is called.
pub(super) const CLIENT_SECRET: &str = "client-secret";

/// Where secrets are kept.
pub(super) fn vault() -> Result<Vault, Failure> {
    let choice = std::env::var_os(PLACE).unwrap_or_default();
    let choice = Choice::parse(&choice.to_string_lossy()).map_err(|_| {
        Failure::new(
            Exit::Config,
            format!("{PLACE} is neither \"keyring\" nor \"file\""),
            format!("set {PLACE} to one of the two, or unset it"),
        )
    })?;
    Ok(Vault::new(secrets_folder()?, choice))
}

/// Gets an account's secret; asks for it in the name of `whom` where nothing else is said.
pub(super) fn resolve(
    source: &SecretSource,
    account: &str,
    kind: &'static str,
    whom: &str,
) -> Result<SecretString, Failure> {
    let ask = |words: &str| -> io::Result<SecretString> {
        rpassword::prompt_password(format!("{whom}: {words}")).map(SecretString::from)
    };
    let vault = vault()?;
    let kept = || match vault.read(&Entry::new(account, kind)) {
        Ok(Some(found)) => Ok(found.secret),
        Ok(None) | Err(VaultError::NoKeyring) => Err(SecretError::NotKept(account.to_owned())),
        Err(error) => Err(SecretError::Kept {
            account: account.to_owned(),
            reason: error.to_string(),
        }),
    };
    Ok(source.resolve(&ask, &kept)?)
}
