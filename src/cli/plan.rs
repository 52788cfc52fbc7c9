//! `postroom plan`: freezes a campaign and shows its batches, days and finishing time.

use std::path::Path;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::args::Plan;
use super::bar::Bar;
use super::check::{note_warnings, refuse, rows_json, rows_line};
use super::exit::Exit;
use super::failure::Failure;
use super::screen::{Paint, Screen};
use super::setup::{self, Planned, Setup, accounts_words, senders, zone_of};
use super::since::Since;
use super::timetable::{
    Withdrawn, batch_json, limit_json, others_json, show_batches, show_limit, show_others,
};
use super::{Context, update, words};
use crate::clock::Reading;
use crate::config::Sender;
use crate::plan::{
    self, AccountLimits, Alternative, Forecast, Frozen, People, alternatives, is_edited,
};
use crate::store::{BatchProgress, CampaignRecord, RowCounts, Store};

pub(super) fn run(context: &Context, args: &Plan) -> Result<Exit, Failure> {
    if args.discard {
        return discard(context, args);
    }
    if args.update {
        return update::run(context, args);
    }
    let setup = Setup::read(&args.campaign.folder, &context.places)?;
    let (mut store, _) = setup::store(&context.places)?;
    let now = context.clock.reading();
    let record = match existing(context, &setup, &store)? {
        Some(record) => record,
        None => match freeze(&context.screen, &setup, &mut store, now)? {
            Ok(record) => record,
            Err(exit) => return Ok(exit),
        },
    };
    let senders = planned_senders(context, &setup, &record)?;
    show(&context.screen, &store, &record, &senders, now)?;
    Ok(Exit::Done)
}

/// The senders that a plan was made for, which the folder may have been changed away from.
pub(super) fn planned_senders(
    context: &Context,
    setup: &Setup,
    record: &CampaignRecord,
) -> Result<Vec<Sender>, Failure> {
    if record.accounts == setup.campaign.accounts {
        return Ok(setup.senders.clone());
    }
    senders(&record.accounts, &context.places)
}

/// The plan that is there already; warns when the folder was edited since.
pub(super) fn existing(
    context: &Context,
    setup: &Setup,
    store: &Store,
) -> Result<Option<CampaignRecord>, Failure> {
    let Some(record) = store.campaign(&setup.campaign.name)? else {
        return Ok(None);
    };
    note_other_folder(&context.screen, &record, &setup.campaign.folder);
    if record.accounts != setup.campaign.accounts {
        context.screen.warning(&format!(
            "the plan is for the {}, and campaign.toml now names the {}: the plan holds \
             (`postroom plan --discard`, then `postroom plan`, changes that while nothing is sent)",
            accounts_words(&record.accounts),
            accounts_words(&setup.campaign.accounts)
        ));
    } else if is_edited(&setup.inputs, &record.fingerprint) {
        context.screen.warning(
            "the campaign was edited after it was planned: the plan holds, the edits do not go out \
             (`postroom plan --update` takes them in)",
        );
    }
    Ok(Some(record))
}

/// Says so when a campaign of this name was planned from another folder.
pub(super) fn note_other_folder(screen: &Screen, record: &CampaignRecord, folder: &Path) {
    if Path::new(&record.folder) != folder {
        screen.warning(&format!(
            "the campaign '{}' was planned from the folder {}, not from this one; give this one another name if it is another",
            record.name, record.folder
        ));
    }
}

/// Plans a campaign that has no plan. The inner error is the exit of findings that were shown.
pub(super) fn freeze(
    screen: &Screen,
    setup: &Setup,
    store: &mut Store,
    now: impl Into<Reading>,
) -> Result<Result<CampaignRecord, Exit>, Failure> {
    let bar = Bar::reading(screen);
    let frozen = plan::plan(&setup.inputs, store, now, &mut |progress| {
        bar.read(progress);
    });
    bar.clear();
    match frozen? {
        Frozen::Defective(checked) => Ok(Err(refuse(screen, &checked)?)),
        Frozen::Planned(_, checked) => {
            note_warnings(screen, &checked);
            let record = store.campaign(&setup.campaign.name)?;
            record
                .map(Ok)
                .ok_or_else(|| Failure::own("the plan is gone"))
        }
    }
}

fn discard(context: &Context, args: &Plan) -> Result<Exit, Failure> {
    let mut planned = Planned::find(&args.campaign.folder, &context.places)?;
    let name = planned.record.name.clone();
    let lock = planned.store.lock_for_sending(&name, context.clock.now())?;
    let question = format!("Drop the plan of '{name}'?");
    if !context.screen.confirm(&question, args.yes)? {
        context.screen.note("nothing was changed");
        return Ok(Exit::Done);
    }
    let dropped = planned.store.discard_plan(planned.record.id)?;
    drop(lock);
    if !dropped {
        return Err(Failure::new(
            Exit::Usage,
            format!(
                "some of '{name}' was sent or tried already, so its plan is kept: it knows who has the mail"
            ),
            "send the rest with `postroom send`, or begin a new campaign under another name",
        ));
    }
    if context.screen.is_json() {
        context
            .screen
            .json(&json!({ "campaign": name, "discarded": true }))?;
    } else {
        context.screen.result(&format!(
            "the plan of '{name}' is dropped; the folder was not touched"
        ))?;
    }
    Ok(Exit::Done)
}

/// What a plan comes to.
struct Figures {
    rows: RowCounts,
    messages: u64,
    batches: Vec<BatchProgress>,
    /// Of what is still to go.
    forecast: Option<Forecast>,
    /// What limits it has been withdrawn by its provider.
    withdrawn: Option<Withdrawn>,
    alternatives: [Alternative; 2],
    /// What has changed, and what holds now; none while it stands as it was made.
    since: Option<Since>,
}

fn figures(
    store: &Store,
    record: &CampaignRecord,
    senders: &[Sender],
    now: Reading,
) -> Result<Figures, Failure> {
    let rows = store.row_counts(record)?;
    let since = Since::of(store, record, senders, now)?;
    let outlook = setup::outlook(
        store,
        record,
        senders,
        told_from(record, since.as_ref(), now),
    )?;
    let forecast = outlook.forecast(store, record.id)?;
    let limits: Vec<AccountLimits> = senders.iter().map(Sender::limits).collect();
    let batches = store.batches(record.id)?;
    Ok(Figures {
        // As planned: a message that is cut while it is sent has become two since.
        messages: batches.iter().map(|batch| batch.messages).sum(),
        batches,
        withdrawn: Withdrawn::of(forecast.as_ref(), senders),
        forecast,
        alternatives: alternatives(&People::of(store, record)?, &limits, &outlook),
        rows,
        since,
    })
}

/// As long as it stands as it was made, a plan is told from then.
fn told_from(record: &CampaignRecord, since: Option<&Since>, now: Reading) -> Reading {
    since.map_or(record.planned_at.into(), |_| now)
}

/// The plan, for scripts.
pub(super) fn json_of(
    store: &Store,
    record: &CampaignRecord,
    senders: &[Sender],
    now: Reading,
) -> Result<Value, Failure> {
    Ok(plan_json(record, &figures(store, record, senders, now)?))
}

/// Prints the plan.
pub(super) fn show(
    screen: &Screen,
    store: &Store,
    record: &CampaignRecord,
    senders: &[Sender],
    now: Reading,
) -> Result<(), Failure> {
    if screen.is_json() {
        return screen.json(&json_of(store, record, senders, now)?);
    }
    let figures = figures(store, record, senders, now)?;
    let now = now.wall;
    let zone = zone_of(record);
    show_head(screen, record, senders, &figures)?;
    show_batches(screen, &figures.batches, &zone)?;
    show_cuts(screen, record, &zone)?;
    if let Some(finishes_at) = record.finishes_at {
        let starts = figures.batches.iter().map(|batch| batch.starts_at);
        let starts_at = starts.min().unwrap_or(record.planned_at);
        let finish = format!(
            "{}, {} after the start",
            words::time(finishes_at, &zone),
            words::span(finishes_at.duration_since(starts_at))
        );
        screen.result(&format!(
            "  finishes    {}",
            screen.painted(Paint::Bold, &finish)
        ))?;
        if figures.since.is_none()
            && let Some(at) = later(store, record, senders, now)?
        {
            let at = words::time(at, &zone);
            screen.field(
                "now",
                12,
                &format!("it would be finished {at} at the earliest"),
            )?;
        }
    }
    if let Some(since) = &figures.since {
        since.show(screen, &zone)?;
    }
    show_others(screen, figures.forecast.as_ref())?;
    show_limit(
        screen,
        figures.forecast.as_ref(),
        figures.withdrawn.as_ref(),
        &zone,
    )?;
    let others = figures
        .alternatives
        .iter()
        // What has begun is not compared with what could have been; nor is the plan with itself, but for what was cut.
        .filter(|_| figures.since.is_none())
        .filter(|other| other.messages + record.cuts != figures.messages);
    for alternative in others {
        screen.field(
            "compare",
            12,
            &alternative_line(alternative, record.planned_at),
        )?;
    }
    let age = now.duration_since(record.planned_at);
    if age.as_secs() > 60 {
        screen.note(&format!(
            "planned {} ago; repeating `plan` changes nothing",
            words::span(age)
        ));
    }
    Ok(())
}

/// When it would be finished were it sent from now on, where that is later than planned.
fn later(
    store: &Store,
    record: &CampaignRecord,
    senders: &[Sender],
    now: Timestamp,
) -> Result<Option<Timestamp>, Failure> {
    let outlook = setup::outlook(store, record, senders, now)?;
    let forecast = outlook.forecast(store, record.id)?;
    let is_later = |at: &Timestamp| {
        let planned = record.finishes_at.unwrap_or(*at);
        at.duration_since(planned) > SignedDuration::from_hours(1)
    };
    Ok(forecast
        .map(|forecast| forecast.finishes_at)
        .filter(is_later))
}

fn show_head(
    screen: &Screen,
    record: &CampaignRecord,
    senders: &[Sender],
    figures: &Figures,
) -> Result<(), Failure> {
    let by = accounts_words(&record.accounts);
    let title = match senders {
        [sender] => format!(
            "Plan of '{}', sent by {by} ({})",
            record.name, sender.preset.title
        ),
        _ => format!("Plan of '{}', sent by {by}", record.name),
    };
    let title = match figures.since {
        None => title,
        Some(_) => format!(
            "{title}, as it was made {}",
            words::time(record.planned_at, &zone_of(record))
        ),
    };
    screen.result(&screen.painted(Paint::Bold, &title))?;
    screen.result("")?;
    screen.result(&format!("  list        {}", rows_line(&figures.rows)))?;
    let messages = words::number(figures.messages);
    screen.result(&format!("  messages    {messages}"))?;
    for sender in senders {
        let whose = match senders {
            [_] => String::new(),
            _ => format!("  ({})", sender.name),
        };
        if sender.rules.is_empty() {
            screen.result(&format!("  limit       none{whose}"))?;
        }
        for rule in &sender.rules {
            screen.result(&format!("  limit       {}{whose}", words::rule(rule)))?;
        }
    }
    let schedule = &record.schedule;
    if let Some(first) = schedule.not_before {
        let first = words::time(first, &zone_of(record));
        screen.result(&format!("  not before  {first}"))?;
    }
    if let Some(hours) = &schedule.hours {
        screen.result(&format!("  hours       {hours} ({})", record.time_zone))?;
    }
    if !schedule.holidays.is_empty() {
        let days: Vec<String> = schedule.holidays.iter().map(ToString::to_string).collect();
        screen.field("holidays", 12, &days.join(", "))?;
    }
    Ok(())
}

fn show_cuts(screen: &Screen, record: &CampaignRecord, zone: &TimeZone) -> Result<(), Failure> {
    let Some(uncut) = record.uncut_finishes_at else {
        return Ok(());
    };
    let text = format!(
        "{} cut in two, so that what is left of a window is used; whole, the last one would go {}",
        words::count(record.cuts, "shared message is", "shared messages are"),
        words::time(uncut, zone)
    );
    screen.field("packing", 12, &text)
}

fn alternative_line(alternative: &Alternative, start: Timestamp) -> String {
    let what = match alternative.mode {
        "shared" => "if nothing were personal, all shared",
        _ => "everybody a mail of their own",
    };
    let span = alternative.finishes_at.map_or_else(
        || "never, by the limits".to_owned(),
        |at| words::span(at.duration_since(start)),
    );
    let messages = words::count(alternative.messages, "message", "messages");
    format!("{what}: {messages}, {span}")
}

fn plan_json(record: &CampaignRecord, figures: &Figures) -> Value {
    let alternatives: serde_json::Map<String, Value> = figures
        .alternatives
        .iter()
        .map(|alternative| {
            let value =
                json!({ "messages": alternative.messages, "finishes_at": alternative.finishes_at });
            (alternative.mode.to_owned(), value)
        })
        .collect();
    json!({
        "campaign": record.name,
        "account": record.accounts.first(),
        "accounts": record.accounts,
        "recipients": rows_json(&figures.rows),
        "messages": figures.messages,
        "mode": record.mode,
        "batches": figures.batches.iter().map(batch_json).collect::<Vec<_>>(),
        "finishes_at": record.finishes_at,
        "planned_at": record.planned_at,
        "now": figures.since.as_ref().map(Since::json),
        "limited_by": figures.forecast.as_ref().and_then(|forecast| limit_json(&forecast.laid, figures.withdrawn.as_ref())),
        "with_another_account": figures.forecast.as_ref().and_then(|forecast| forecast.with_another_account),
        "at_any_hour": figures.forecast.as_ref().and_then(|forecast| forecast.at_any_hour),
        "counted_first": others_json(figures.forecast.as_ref()),
        "cuts": record.cuts,
        "uncut_finishes_at": record.uncut_finishes_at,
        "alternatives": alternatives,
    })
}
