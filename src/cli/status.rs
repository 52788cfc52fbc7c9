//! `postroom status`: where a campaign stands.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::args::Folder;
use super::exit::Exit;
use super::failure::Failure;
use super::screen::Paint;
use super::setup::{Planned, sender};
use super::{Context, words};
use crate::config::Sender;
use crate::plan::forecast;
use crate::store::{CampaignRecord, Counts, RunState, Store};

/// Where a campaign stands.
pub(super) struct Standing {
    pub(super) state: RunState,
    pub(super) people: Counts,
    pub(super) messages: Counts,
    pub(super) next_send_at: Option<Timestamp>,
    pub(super) finishes_at: Option<Timestamp>,
}

impl Standing {
    /// Without a sender no times are told.
    pub(super) fn of(
        store: &Store,
        record: &CampaignRecord,
        sender: Option<&Sender>,
        now: Timestamp,
    ) -> Result<Self, Failure> {
        let people = store.recipient_counts(record.id)?;
        let running = store.is_being_sent(&record.name);
        let state = match &record.run_state {
            _ if people.is_finished() => RunState::Finished,
            // The process that said so is gone.
            RunState::Sending if !running => RunState::Planned,
            other => other.clone(),
        };
        let forecast = match sender {
            Some(sender) if state != RunState::Finished => {
                forecast(store, record.id, &sender.rules, &sender.mailbox(), now)?
            }
            _ => None,
        };
        let waits = matches!(state, RunState::Sending | RunState::Waiting);
        let next_send_at = record
            .next_send_at
            .or_else(|| forecast.map(|forecast| forecast.next_send_at))
            .filter(|_| waits);
        Ok(Self {
            messages: store.message_counts(record.id)?,
            // A pause that the provider asked for is no rule, so the forecast does not know of it.
            finishes_at: forecast
                .map(|forecast| forecast.finishes_at)
                .max(next_send_at),
            next_send_at,
            people,
            state,
        })
    }
}

pub(super) fn run(context: &Context, args: &Folder) -> Result<Exit, Failure> {
    let now = context.clock.now();
    let mut planned = Planned::find(&args.folder, &context.places)?;
    planned.settle(now)?;
    let sender = sender(&planned.record.account, &context.places);
    if let Err(failure) = &sender {
        context
            .screen
            .warning(&format!("no times can be told: {}", failure.message));
    }
    let standing = Standing::of(&planned.store, &planned.record, sender.as_ref().ok(), now)?;
    if context.screen.is_json() {
        context
            .screen
            .json(&status_json(&planned.record, &standing))?;
    } else {
        show(context, &planned, &standing)?;
    }
    Ok(Exit::Done)
}

fn show(context: &Context, planned: &Planned, standing: &Standing) -> Result<(), Failure> {
    let screen = &context.screen;
    let record = &planned.record;
    let title = format!("'{}' is {}", record.name, standing.state.as_str());
    screen.result(&screen.painted(Paint::Bold, &title))?;
    if let RunState::Stopped(because) = &standing.state {
        screen.result(&format!("  because     {because}"))?;
    }
    screen.result("")?;
    let head = format!("  {:<12}{:>12}{:>12}", "", "recipients", "messages");
    screen.result(&screen.painted(Paint::Dim, &head))?;
    for ((name, people), (_, messages)) in by_outcome(&standing.people)
        .iter()
        .zip(by_outcome(&standing.messages))
    {
        if *people + messages > 0 || *name == "total" {
            screen.result(&format!(
                "  {name:<12}{:>12}{:>12}",
                words::number(*people),
                words::number(messages)
            ))?;
        }
    }
    screen.result("")?;
    for batch in planned.store.batches(record.id)? {
        screen.result(&format!(
            "  {:<18}{} of {} messages settled",
            words::day(&batch.date),
            words::number(batch.settled),
            words::number(batch.messages)
        ))?;
    }
    if let Some(at) = standing.next_send_at {
        screen.result(&format!("  next        {}", words::time(at, &planned.zone)))?;
    }
    if let Some(at) = standing.finishes_at {
        screen.result(&format!(
            "  finishes    {} at the earliest",
            words::time(at, &planned.zone)
        ))?;
    }
    if standing.people.in_doubt > 0 {
        screen.note("`postroom resolve` lists what is in doubt, and how to settle it");
    }
    Ok(())
}

fn by_outcome(counts: &Counts) -> [(&'static str, u64); 8] {
    [
        ("sent", counts.sent),
        ("pending", counts.pending),
        ("deferred", counts.deferred),
        ("refused", counts.refused),
        ("in doubt", counts.in_doubt),
        ("suppressed", counts.suppressed),
        ("cancelled", counts.cancelled),
        ("total", counts.total()),
    ]
}

/// All outcomes that there are, in one line that adds up.
pub(super) fn counts_line(counts: &Counts) -> String {
    let parts: Vec<String> = by_outcome(counts)
        .into_iter()
        .filter(|(name, count)| *count > 0 && *name != "total")
        .map(|(name, count)| format!("{} {name}", words::number(count)))
        .collect();
    format!(
        "{}: {}",
        words::count(counts.total(), "recipient", "recipients"),
        parts.join(", ")
    )
}

fn counts_json(counts: &Counts) -> Value {
    json!({
        "total": counts.total(),
        "pending": counts.pending,
        "sent": counts.sent,
        "deferred": counts.deferred,
        "refused": counts.refused,
        "in_doubt": counts.in_doubt,
        "suppressed": counts.suppressed,
        "cancelled": counts.cancelled,
    })
}

/// The object of `status --json`, which `send --json` ends with too.
pub(super) fn status_json(record: &CampaignRecord, standing: &Standing) -> Value {
    let because = match &standing.state {
        RunState::Stopped(because) => Some(because),
        _ => None,
    };
    json!({
        "campaign": record.name,
        "state": standing.state.as_str(),
        "recipients": counts_json(&standing.people),
        "messages": counts_json(&standing.messages),
        "next_send_at": standing.next_send_at,
        "finishes_at": standing.finishes_at,
        "stopped_because": because,
    })
}
