//! `send --canary N`: the first N messages of a campaign go, and the others wait for a word.
//!
//! N counts the messages that have left the plan over all runs, whatever became of them; one that was split
//! while it was sent is one. The word is a person's: `--yes` does not give it.

use serde_json::json;

use super::exit::Exit;
use super::failure::Failure;
use super::{Context, words};
use crate::store::{CampaignRecord, Counts, Store};

/// What of a campaign may go before the word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Share {
    /// All of it: there is no canary, or it is as large as the campaign.
    All,
    /// So many more messages.
    First(u64),
    /// Nothing more.
    Nothing,
}

/// What may go.
pub(super) fn share(
    store: &Store,
    record: &CampaignRecord,
    canary: Option<u64>,
) -> Result<Share, Failure> {
    let Some(first) = canary else {
        return Ok(Share::All);
    };
    let (out, left) = store.messages_out(record.id)?;
    Ok(if first >= out + left {
        Share::All
    } else if first > out {
        Share::First(first - out)
    } else {
        Share::Nothing
    })
}

/// Says what has gone and asks whether the others may; never true where there is nobody to ask.
pub(super) fn may_go_on(
    context: &Context,
    store: &Store,
    record: &CampaignRecord,
) -> Result<bool, Failure> {
    let (out, left) = store.messages_out(record.id)?;
    let screen = &context.screen;
    if screen.is_json() {
        let people = store.recipient_counts(record.id)?;
        screen.json(&json!({
            "event": "canary",
            "out": out,
            "left": left,
            "recipients": {
                "total": people.total(),
                "sent": people.sent,
                "deferred": people.deferred,
                "refused": people.refused,
                "in_doubt": people.in_doubt,
            },
        }))?;
    }
    if !screen.can_ask() {
        return Ok(false);
    }
    let standing = standing(store, record)?;
    let others = others(left);
    let question = format!(
        "{standing}. Look at them first: in the mailbox of somebody who got one, and with `postroom report`. Go on \
         with {others}?"
    );
    screen.confirm(&question, false)
}

/// What is said where the word was not given.
pub(super) fn waits(store: &Store, record: &CampaignRecord) -> Result<Failure, Failure> {
    let (_, left) = store.messages_out(record.id)?;
    let (standing, others) = (standing(store, record)?, others(left));
    Ok(Failure::new(
        Exit::NotFinished,
        format!("not finished: {standing}; {others} wait for a word"),
        "look at them, then `postroom send --yes` goes on",
    )
    .named("canary-waits"))
}

fn others(left: u64) -> String {
    match left {
        1 => "the other message".to_owned(),
        left => format!("the other {} messages", words::number(left)),
    }
}

/// `20 of 310 messages are out, to 20 of 310 recipients: 19 sent, 1 refused`.
fn standing(store: &Store, record: &CampaignRecord) -> Result<String, Failure> {
    let (out, left) = store.messages_out(record.id)?;
    let people = store.recipient_counts(record.id)?;
    let outcomes = outcomes(&people);
    let reached: u64 = outcomes.iter().map(|(count, _)| count).sum();
    let outcomes: Vec<String> = outcomes
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{} {what}", words::number(count)))
        .collect();
    Ok(format!(
        "{} of {} out, to {} of {}: {}",
        words::number(out),
        words::count(out + left, "message is", "messages are"),
        words::number(reached),
        words::count(people.total(), "recipient", "recipients"),
        outcomes.join(", ")
    ))
}

fn outcomes(people: &Counts) -> [(u64, &'static str); 4] {
    [
        (people.sent, "sent"),
        (people.refused, "refused"),
        (people.in_doubt, "in doubt"),
        (people.deferred, "put off"),
    ]
}
