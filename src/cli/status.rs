//! `postroom status`: where a campaign stands.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::args::Folder;
use super::exit::Exit;
use super::failure::Failure;
use super::screen::{Paint, Screen};
use super::setup::{self, Planned, senders};
use super::timetable::{Withdrawn, limit_json, others_json, show_limit, show_others};
use super::{Context, words};
use crate::clock::Reading;
use crate::config::Sender;
use crate::plan::Forecast;
use crate::store::{CampaignRecord, Counts, NewBatch, RunState, Store};

/// Where a campaign stands.
pub(super) struct Standing {
    pub(super) state: RunState,
    pub(super) people: Counts,
    pub(super) messages: Counts,
    pub(super) next_send_at: Option<Timestamp>,
    pub(super) finishes_at: Option<Timestamp>,
    /// What is still to come.
    pub(super) forecast: Option<Forecast>,
    /// What limits it has been withdrawn by its provider.
    withdrawn: Option<Withdrawn>,
}

impl Standing {
    /// Without the senders no times are told.
    pub(super) fn of(
        store: &Store,
        record: &CampaignRecord,
        senders: Option<&[Sender]>,
        now: impl Into<Reading>,
    ) -> Result<Self, Failure> {
        let people = store.recipient_counts(record.id)?;
        let running = store.is_being_sent(&record.name);
        let state = match &record.run_state {
            _ if people.is_finished() => RunState::Finished,
            _ if record.halted.is_some() => RunState::Halted,
            // The process that said so is gone.
            RunState::Sending if !running => RunState::Planned,
            RunState::Sending if record.next_send_at.is_some() => RunState::Waiting,
            other => other.clone(),
        };
        let forecast = match senders {
            Some(senders) if state != RunState::Finished => {
                setup::outlook(store, record, senders, now)?.forecast(store, record.id)?
            }
            _ => None,
        };
        let waits = matches!(state, RunState::Sending | RunState::Waiting);
        let next_send_at = record
            .next_send_at
            .filter(|_| waits)
            .or_else(|| forecast.as_ref().map(|forecast| forecast.next_send_at))
            .filter(|_| waits);
        Ok(Self {
            messages: store.message_counts(record.id)?,
            finishes_at: forecast
                .as_ref()
                .map(|forecast| forecast.finishes_at)
                .max(next_send_at),
            next_send_at,
            withdrawn: Withdrawn::of(forecast.as_ref(), senders.unwrap_or_default()),
            forecast,
            people,
            state,
        })
    }
}

pub(super) fn run(context: &Context, args: &Folder) -> Result<Exit, Failure> {
    let mut planned = Planned::find(&args.folder, &context.places)?;
    planned.settle(&context.clock)?;
    let senders = senders(&planned.record.accounts, &context.places);
    if let Err(failure) = &senders {
        context
            .screen
            .warning(&format!("no times can be told: {}", failure.message));
    }
    let known = senders.as_deref().ok();
    let standing = Standing::of(
        &planned.store,
        &planned.record,
        known,
        context.clock.reading(),
    )?;
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
    show_days(screen, planned, standing.forecast.as_ref())?;
    if let Some(at) = standing.next_send_at {
        screen.result(&format!("  next        {}", words::time(at, &planned.zone)))?;
    }
    if let Some(at) = standing.finishes_at {
        let moved = record.finishes_at.map_or_else(String::new, |planned| {
            moved_words(at.duration_since(planned))
        });
        screen.result(&format!(
            "  finishes    {} at the earliest{moved}",
            words::time(at, &planned.zone)
        ))?;
    }
    show_others(screen, standing.forecast.as_ref())?;
    show_limit(
        screen,
        standing.forecast.as_ref(),
        standing.withdrawn.as_ref(),
        &planned.zone,
    )?;
    if standing.people.in_doubt > 0 {
        screen.note("`postroom resolve` lists what is in doubt, and how to settle it");
    }
    Ok(())
}

/// The days of the plan with what is done of each, then the days that what is left will take from now on.
fn show_days(
    screen: &Screen,
    planned: &Planned,
    forecast: Option<&Forecast>,
) -> Result<(), Failure> {
    let several = planned.record.accounts.len() > 1;
    let by = |account: &str| {
        let told = several.then(|| format!("  by {account}"));
        told.unwrap_or_default()
    };
    let head = format!("  {:<18}{:>12}{:>12}", "planned", "recipients", "settled");
    screen.result(&screen.painted(Paint::Dim, &head))?;
    for batch in planned.store.batches(planned.record.id)? {
        screen.result(&format!(
            "  {:<18}{:>12}{:>12}{}",
            words::day(&batch.date),
            words::number(batch.recipients),
            words::number(batch.settled),
            by(&batch.account)
        ))?;
    }
    screen.result("")?;
    let Some(forecast) = forecast else {
        return Ok(());
    };
    let head = format!(
        "  {:<18}{:>12}{:>12}   {:<7}to",
        "to come", "messages", "recipients", "from"
    );
    screen.result(&screen.painted(Paint::Dim, &head))?;
    for batch in &forecast.laid.batches {
        screen.result(&format!(
            "  {:<18}{:>12}{:>12}   {:<7}{}{}",
            words::day(&batch.date),
            words::number(batch.messages),
            words::number(batch.recipients),
            words::time_of_day(batch.starts_at, &planned.zone),
            words::time_of_day(batch.ends_at, &planned.zone),
            by(&batch.account)
        ))?;
    }
    screen.result("")
}

/// How far the end has moved from the plan's.
fn moved_words(by: SignedDuration) -> String {
    if by.abs() < SignedDuration::from_mins(1) {
        return String::new();
    }
    let way = if by.is_negative() { "earlier" } else { "later" };
    format!(" ({} {way} than planned)", words::span(by.abs()))
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
        "planned_finishes_at": record.finishes_at,
        "to_come": standing.forecast.as_ref().map(|forecast| {
            forecast.laid.batches.iter().map(to_come_json).collect::<Vec<_>>()
        }),
        "limited_by": standing.forecast.as_ref().and_then(|forecast| limit_json(&forecast.laid, standing.withdrawn.as_ref())),
        "counted_first": others_json(standing.forecast.as_ref()),
        "stopped_because": because,
    })
}

/// A day of what is still to come.
fn to_come_json(batch: &NewBatch) -> Value {
    json!({
        "account": batch.account,
        "date": batch.date,
        "messages": batch.messages,
        "recipients": batch.recipients,
        "starts_at": batch.starts_at,
        "ends_at": batch.ends_at,
    })
}
