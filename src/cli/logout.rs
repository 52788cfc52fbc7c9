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
    let screen = &context.screen;
    let mut forgotten = Vec::new();
    let mut unseen = None;
    for kind in [signing::SIGN_IN, secrets::PASSWORD, secrets::CLIENT_SECRET] {
        let removed = match kind {
            signing::SIGN_IN => signing::keep()?.forget(name),
            kind => vault
                .lock(&Entry::new(name, kind))
                .and_then(|locked| locked.remove()),
        };
        match removed {
            Ok(true) => forgotten.push(kind),
            // Where there is no keyring, nothing was put into one.
            Ok(false) | Err(VaultError::NoKeyring) => {}
            Err(error @ VaultError::Keyring(_)) => unseen = Some(error),
            Err(error) => return Err(not_forgotten(name, &error)),
        }
    }
    if let Some(error) = unseen {
        screen.warning(&format!(
            "{error}: if something of '{name}' is kept there, it is there still"
        ));
    }
    if forgotten.is_empty() {
        // An account that was taken out of the file may still have something kept; a mistyped one has not.
        Accounts::load(&accounts_path(context.places.accounts.as_deref())?)?.get(name)?;
    }
    if screen.is_json() {
        screen.json(&json!({ "account": name, "forgotten": forgotten }))?;
        return Ok(Exit::Done);
    }
    if forgotten.is_empty() {
        screen.result(&format!("nothing is kept for '{name}'"))?;
        return Ok(Exit::Done);
    }
    screen.result(&format!("forgotten for '{name}': {}", forgotten.join(", ")))?;
    if forgotten.contains(&signing::SIGN_IN) {
        screen.note(
            "the provider still lists the app as allowed; that is taken back on its own account pages",
        );
    }
    Ok(Exit::Done)
}

fn not_forgotten(account: &str, error: &VaultError) -> Failure {
    Failure::new(
        Exit::Io,
        format!("what is kept for '{account}' cannot be forgotten: {error}"),
        "make sure that you may write there, and run it again",
    )
}
