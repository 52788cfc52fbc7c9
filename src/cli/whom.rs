//! Whom a command is about: people of a campaign, named by address, and a few of many.

use super::exit::Exit;
use super::failure::Failure;
use super::setup::Planned;
use super::words;
use crate::recipients::{Nearest, person_key};
use crate::store::PersonState;

/// The person of the campaign who has this address, however it is written.
///
/// # Errors
/// Wrong usage where there is none, with the address that is most like it.
pub(super) fn person(planned: &Planned, address: &str) -> Result<(String, PersonState), Failure> {
    let key = person_key(address);
    if let Some(found) = planned.store.state_of_person(planned.record.id, &key)? {
        return Ok((key, found));
    }
    let mut nearest = Nearest::address(&key);
    planned
        .store
        .people(planned.record.id, |known| nearest.look_at(known))?;
    Err(nobody(&planned.record.name, address, nearest.found()))
}

fn nobody(campaign: &str, address: &str, nearest: Option<String>) -> Failure {
    let remedy = match nearest {
        Some(known) => format!("did you mean {known}? Nothing was changed"),
        None => "`postroom report` lists everybody of the campaign; nothing was changed".to_owned(),
    };
    Failure::new(
        Exit::Usage,
        format!("'{address}' is no recipient of the campaign '{campaign}'"),
        remedy,
    )
}

/// `ann@contoso.com was not refused: the outcome is 'in doubt'`.
pub(super) fn otherwise(person: &PersonState, what: &str) -> String {
    let outcome = person.outcome.replace('_', " ");
    format!("{} {what}: the outcome is '{outcome}'", person.address)
}

/// How many of a long list are named.
pub(super) const FEW: usize = 3;

/// The first few of a list, and how many more.
pub(super) fn shortened(all: &[String]) -> String {
    few(all, all.len() as u64)
}

/// The first few of so many in all, and how many more.
pub(super) fn few(first: &[String], all: u64) -> String {
    let named = first.get(..FEW).unwrap_or(first);
    match all.saturating_sub(named.len() as u64) {
        0 => named.join(", "),
        more => format!("{} and {} more", named.join(", "), words::number(more)),
    }
}

/// What comes of a change next: the sender at work takes it up, or somebody has to send.
pub(super) fn goes_on(planned: &Planned) -> &'static str {
    if planned.store.is_being_sent(&planned.record.name) {
        "the `postroom send` that is running sends to them"
    } else {
        "`postroom send` sends to them"
    }
}
