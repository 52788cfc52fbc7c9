//! `postroom logout`: forgets what `login` has kept.

use serde_json::json;

use super::args::Logout;
use super::exit::Exit;
use super::failure::Failure;
use super::{Context, secrets, signing};
use crate::config::{Accounts, accounts_path};
use crate::vault::{Entry, VaultError};

pub(super) fn run(context: &Context, args: &Logout) -> Result<Exit, Failure> {
    let name = &args.account;
    let vault = secrets::vault()?;
    let failed = |error: &dyn std::fmt::Display| {
        Failure::new(
            Exit::Io,
            format!("what is kept for '{name}' cannot be forgotten: {error}"),
            "unlock the keyring and run it again; without a keyring, POSTROOM_TOKENS=file looks at files only",
        )
    };
    let mut forgotten = Vec::new();
    if signing::keep()?
        .forget(name)
        .map_err(|error| failed(&error))?
    {
        forgotten.push("sign-in");
    }
    for kind in [secrets::PASSWORD, secrets::CLIENT_SECRET] {
        let remove = || vault.lock(&Entry::new(name, kind))?.remove();
        if remove().map_err(|error: VaultError| failed(&error))? {
            forgotten.push(kind);
        }
    }
    if forgotten.is_empty() {
        // An account that was taken out of the file may still have something kept; a mistyped one has not.
        Accounts::load(&accounts_path(context.places.accounts.as_deref())?)?.get(name)?;
    }
    let screen = &context.screen;
    if screen.is_json() {
        screen.json(&json!({ "account": name, "forgotten": forgotten }))?;
        return Ok(Exit::Done);
    }
    if forgotten.is_empty() {
        screen.result(&format!("nothing is kept for '{name}'"))?;
        return Ok(Exit::Done);
    }
    screen.result(&format!("forgotten for '{name}': {}", forgotten.join(", ")))?;
    if forgotten.contains(&"sign-in") {
        screen.note(
            "the provider still lists the app as allowed; that is taken back on its own account pages",
        );
    }
    Ok(Exit::Done)
}
