//! What came of putting people on the list.

use serde_json::{Value, json};

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::{Context, words};
use crate::message::Definition;
use crate::recipients::{Mailbox, SuppressedPeople};
use crate::store::{NewSuppression, Reached, Store, Suppressed};

pub(super) fn for_whom(campaign: Option<&str>) -> String {
    match campaign {
        Some(name) => format!("by the campaign '{name}'"),
        None => "by any campaign".to_owned(),
    }
}

pub(super) fn summary(done: &Suppressed, for_whom: &str) -> String {
    let added = words::count(done.added, "new entry", "new entries");
    let known = match done.known {
        0 => String::new(),
        known => format!(", {} known already", words::number(known)),
    };
    format!("{added}{known}: they are never written to {for_whom}")
}

/// Says what came of it: in which campaigns who was withdrawn, and for whom it comes too late.
pub(super) fn told(
    context: &Context,
    store: &Store,
    campaign: Option<&str>,
    (new, done): (&[NewSuppression], &Suppressed),
    line: &str,
) -> Result<Exit, Failure> {
    let screen = &context.screen;
    if screen.is_json() {
        screen.json(&json!({
            "campaign": campaign,
            "added": done.added,
            "known": done.known,
            "campaigns": done.reached.iter().map(reached_json).collect::<Vec<_>>(),
        }))?;
    } else {
        screen.result(line)?;
        for reached in done.reached.iter().filter(|one| one.withdrawn > 0) {
            let count = words::count(reached.withdrawn, "recipient", "recipients");
            screen.result(&format!("withdrawn from '{}': {count}", reached.campaign))?;
        }
    }
    for reached in &done.reached {
        too_late(context, reached);
    }
    warn_of_copies(context, store, campaign, new)?;
    Ok(Exit::Done)
}

fn too_late(context: &Context, reached: &Reached) {
    let name = &reached.campaign;
    let said = [
        (
            words::count(reached.in_hand, "message is", "messages are"),
            reached.in_hand,
            "in a sender's hands at this moment and may go",
        ),
        (
            words::count(reached.sent, "recipient has", "recipients have"),
            reached.sent,
            "the mail already: it was sent before",
        ),
        (
            words::count(reached.in_doubt, "recipient is", "recipients are"),
            reached.in_doubt,
            "in doubt and may have the mail: see `postroom resolve`",
        ),
    ];
    for (who, count, what) in said {
        if count > 0 {
            context.screen.warning(&format!("in '{name}' {who} {what}"));
        }
    }
}

fn reached_json(reached: &Reached) -> Value {
    json!({
        "campaign": reached.campaign,
        "withdrawn": reached.withdrawn,
        "in_hand": reached.in_hand,
        "sent": reached.sent,
        "in_doubt": reached.in_doubt,
    })
}

/// Copies are no recipients of the list: nobody can be withdrawn from a copy that is planned.
fn warn_of_copies(
    context: &Context,
    store: &Store,
    campaign: Option<&str>,
    new: &[NewSuppression],
) -> Result<(), Failure> {
    let people = SuppressedPeople::of(new.iter().map(|one| one.subject.clone()));
    for name in store.campaign_names()? {
        if campaign.is_some_and(|only| only != name) {
            continue;
        }
        let Some(record) = store.campaign(&name)? else {
            continue;
        };
        if !store.has_left(record.id)? {
            continue;
        }
        // What cannot be read has no copies that could be told.
        let Ok(definition) = serde_json::from_str::<Definition>(&record.definition) else {
            continue;
        };
        let sources = &definition.sources;
        let copies = sources.cc.iter().chain(&sources.bcc);
        for copy in copies.filter_map(|source| Mailbox::parse(&source.text).ok()) {
            if people.covers(&copy.address) {
                context.screen.warning(&format!(
                    "'{name}' sends a copy of its messages to {} (cc or bcc), which the list does not stop: `postroom \
                     halt` it, and plan it again without",
                    copy.address
                ));
            }
        }
    }
    Ok(())
}
