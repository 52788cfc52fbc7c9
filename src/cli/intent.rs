//! What a send is about to do: the question before it begins, and `send --dry-run`.

use super::canary::{self, Share};
use super::exit::Exit;
use super::failure::Failure;
use super::halting::halt_words;
use super::setup::{self, accounts_words, zone_of};
use super::status::{Standing, status_json};
use super::{Context, words};
use crate::config::Sender;
use crate::store::{CampaignRecord, Counts, Store};

/// The question that is asked before a send begins.
pub(super) fn question(
    context: &Context,
    store: &Store,
    record: &CampaignRecord,
    senders: &[Sender],
    canary: Option<u64>,
) -> Result<String, Failure> {
    let people = store.recipient_counts(record.id)?;
    let messages = store.message_counts(record.id)?;
    let left = |counts: &Counts| counts.pending + counts.deferred;
    let now = context.clock.reading();
    let outlook = setup::outlook(store, record, senders, now)?;
    let finish = match outlook.forecast(store, record.id)? {
        Some(forecast) => format!(
            ", finished {} at the earliest",
            words::time(forecast.finishes_at, &zone_of(record))
        ),
        None => String::new(),
    };
    let mut servers: Vec<&str> = senders.iter().map(server_words).collect();
    servers.dedup();
    let first = match canary::share(store, record, canary)? {
        Share::First(first) => format!(
            "; after the first {} you are asked again",
            words::count(first, "message", "messages")
        ),
        Share::All if canary.is_some() => {
            "; these are all there are, so --canary holds none of them back".to_owned()
        }
        Share::All | Share::Nothing => String::new(),
    };
    Ok(format!(
        "Send '{}': {} to {}, by {} through {}{finish}{first}?",
        record.name,
        words::count(left(&messages), "message", "messages"),
        words::count(left(&people), "recipient", "recipients"),
        accounts_words(&record.accounts),
        servers.join(" and "),
    ))
}

fn server_words(sender: &Sender) -> &str {
    sender
        .host
        .as_deref()
        .unwrap_or("the built-in stand-in server (nothing leaves this machine)")
}

/// `send --dry-run`: says what would be done, and does nothing.
pub(super) fn dry_run(
    context: &Context,
    store: &Store,
    record: &CampaignRecord,
    senders: &[Sender],
    canary: Option<u64>,
) -> Result<Exit, Failure> {
    if context.screen.is_json() {
        let standing = Standing::of(store, record, Some(senders), context.clock.reading())?;
        context.screen.json(&status_json(record, &standing))?;
        return Ok(Exit::Done);
    }
    let zone = zone_of(record);
    let halt = store.halt_of(record.id)?;
    let left = store.has_left(record.id)?;
    if let Some(halt) = halt.as_ref().filter(|_| left) {
        context.screen.result(&format!(
            "Would send nothing: '{}' was halted {}; `postroom resume` lifts that",
            record.name,
            halt_words(halt, &zone)
        ))?;
    } else {
        let question = question(context, store, record, senders, canary)?;
        context.screen.result(&format!(
            "Would {}",
            question.replacen("Send", "send", 1).trim_end_matches('?')
        ))?;
    }
    context
        .screen
        .note("nothing was connected to and nothing was sent");
    Ok(Exit::Done)
}
