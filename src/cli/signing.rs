//! Accounts that sign in by OAuth 2.0: their tokens, and what went wrong with them in plain words.

use std::path::PathBuf;

use super::exit::Exit;
use super::failure::Failure;
use super::{Context, connect, secrets};
use crate::config::Sender;
use crate::delivery::Class;
use crate::oauth::{Error, ErrorKind, Keep, Settings, Tokens};
use crate::provider::{Preset, ReplyTable};
use crate::vault::Place;

/// What a kept sign-in is called.
pub(super) const SIGN_IN: &str = "sign-in";

/// Where sign-ins are kept.
pub(super) fn keep() -> Result<Keep, Failure> {
    Ok(Keep::new(secrets::vault()?))
}

/// What an account's sign-in goes by; none where it does not sign in by OAuth 2.0.
pub(super) fn settings(sender: &Sender) -> Result<Option<Settings>, Failure> {
    if sender.flow().is_none() {
        return Ok(None);
    }
    let secret = sender.client_secret().map(|source| {
        secrets::resolve(
            source,
            &sender.name,
            secrets::CLIENT_SECRET,
            "the app's client secret",
        )
    });
    Ok(sender.oauth2(secret.transpose()?, connect::extra_roots(sender)?))
}

/// An account's tokens; none where it does not sign in by OAuth 2.0.
pub(super) fn tokens(context: &Context, sender: &Sender) -> Result<Option<Tokens>, Failure> {
    let Some(settings) = settings(sender)? else {
        return Ok(None);
    };
    let tokens = Tokens::new(settings, keep()?, context.clock.clone());
    Ok(Some(
        tokens.map_err(|error| failure(&error, sender.preset))?,
    ))
}

/// A sign-in's error with its meaning, as far as the provider's words are known, and the remedy.
pub(super) fn failure(error: &Error, preset: &Preset) -> Failure {
    let exit = match error.kind() {
        ErrorKind::NotSignedIn(_)
        | ErrorKind::Revoked(_)
        | ErrorKind::Refused(_)
        | ErrorKind::Declined(_)
        | ErrorKind::TimedOut => Exit::NotPermitted,
        ErrorKind::Unreachable { .. }
        | ErrorKind::Untrusted { .. }
        | ErrorKind::Protocol { .. } => Exit::Unreachable,
        ErrorKind::Keep(_) | ErrorKind::Listen(_) => Exit::Io,
        ErrorKind::Settings(_) => Exit::Config,
    };
    let message = format!("account '{}': {error}", error.account());
    let Some((meaning, remedy)) = explained(error, preset) else {
        return Failure::new(exit, message, error.remedy());
    };
    let remedy = match error.kind() {
        // Whatever the reason is, somebody must sign in again; the table says what may be in the way.
        ErrorKind::Revoked(_) if !remedy.contains(&error.remedy()) => {
            format!("{}. {remedy}", error.remedy())
        }
        _ => remedy,
    };
    Failure::new(exit, format!("{message}\n{meaning}"), remedy)
}

/// What the provider's words mean, and what to do; none when no table knows them.
fn explained(error: &Error, preset: &Preset) -> Option<(&'static str, String)> {
    let text = error.text()?;
    let judgement = ReplyTable::for_preset(preset).ok()?.explain(&text)?;
    // Numbers in the words may look like a mail server's reply, which this is not.
    let known = judgement.class == Class::SignIn;
    known.then(|| {
        let remedy = judgement.remedy.replace("ACCOUNT", error.account());
        (judgement.meaning, remedy)
    })
}

/// Where something is kept, as a person reads it.
pub(super) fn place(place: &Place) -> String {
    match place {
        Place::Keyring => "in the keyring".to_owned(),
        Place::File(path) => format!("in {}, which only you can read", path.display()),
    }
}

/// The file in which something is kept; none for the keyring.
pub(super) fn file_of(place: &Place) -> Option<&PathBuf> {
    match place {
        Place::Keyring => None,
        Place::File(path) => Some(path),
    }
}
