//! `postroom halt` and `postroom resume`: a word that nothing more of a campaign goes, and its taking back.
//!
//! A halt is needed in a hurry: it takes no lock, asks nothing, and works while campaign.toml is half edited.

use clap::Args;
use jiff::tz::TimeZone;
use serde_json::json;

use super::args::Folder;
use super::exit::Exit;
use super::failure::Failure;
use super::setup::{self, Planned, zone_of};
use super::status::counts_line;
use super::who::who;
use super::{Context, words};
use crate::config::{Campaign, ConfigError};
use crate::store;

#[derive(Debug, Args)]
#[command(
    after_help = "It may be given in any terminal on the machine that sends. At most the messages in hand, one for each \
    connection, still go; a send that waits for a limit or for the sending hours ends within a few seconds. Until \
    `postroom resume`, `postroom send` sends nothing and ends with 75. A test to yourself and a rehearsal are not \
    affected.\n\n\
    Example:\n  postroom halt my-news\n\n\
    It ends with 2 when the campaign is finished, with 66 when it is not planned."
)]
pub(super) struct Halt {
    #[command(flatten)]
    pub(super) campaign: Folder,
}

#[derive(Debug, Args)]
#[command(
    after_help = "It sends nothing by itself: `postroom send` goes on where the campaign was.\n\n\
    Example:\n  postroom resume my-news && postroom send my-news"
)]
pub(super) struct Resume {
    #[command(flatten)]
    pub(super) campaign: Folder,
}

pub(super) fn halt(context: &Context, args: &Halt) -> Result<Exit, Failure> {
    let mut planned = find(context, &args.campaign)?;
    let (id, name) = (planned.record.id, planned.record.name.clone());
    if !planned.store.has_left(id)? && !planned.store.has_in_hand(id)? {
        return Err(Failure::new(
            Exit::Usage,
            format!(
                "'{name}' is finished: nothing of it is left to send, so there is nothing to halt"
            ),
            "`postroom status` says what became of it",
        ));
    }
    let new = store::Halt {
        at: context.clock.now(),
        by: who(),
    };
    let before = planned.store.halt(id, &new)?;
    let being_sent = planned.store.is_being_sent(&name);
    planned.settle(&context.clock)?;
    // What a sender that is gone had in hand does not go.
    let in_hand = if being_sent {
        planned.store.in_hand(id)?
    } else {
        0
    };
    let halt = before.as_ref().unwrap_or(&new);
    if context.screen.is_json() {
        context.screen.json(&json!({
            "campaign": name,
            "state": "halted",
            "halted_at": halt.at,
            "halted_by": halt.by,
            "was_halted": before.is_some(),
            "being_sent": being_sent,
            "in_hand": in_hand,
        }))?;
        return Ok(Exit::Done);
    }
    let first = if before.is_some() {
        let whose = halt_words(halt, &planned.zone);
        format!("'{name}' was halted already, {whose}; nothing was changed")
    } else {
        format!("'{name}' is halted: no further message is begun")
    };
    context.screen.result(&first)?;
    context.screen.result(&what_runs(being_sent, in_hand))?;
    let counts = planned.store.recipient_counts(id)?;
    context.screen.result(&counts_line(&counts))?;
    context
        .screen
        .note("`postroom resume` lifts the halt; then `postroom send` goes on where it was");
    Ok(Exit::Done)
}

fn what_runs(being_sent: bool, in_hand: u64) -> String {
    match (being_sent, in_hand) {
        (true, 0) => {
            "a process sends it now, with nothing in hand: it ends within a few seconds".to_owned()
        }
        (true, in_hand) => format!(
            "a process sends it now: {} in hand still {}, then it ends",
            words::count(in_hand, "message", "messages"),
            if in_hand == 1 { "goes" } else { "go" }
        ),
        (false, _) => {
            "nobody sends it now; `postroom send` sends nothing until the halt is lifted".to_owned()
        }
    }
}

pub(super) fn resume(context: &Context, args: &Resume) -> Result<Exit, Failure> {
    let mut planned = find(context, &args.campaign)?;
    let (id, name) = (planned.record.id, planned.record.name.clone());
    let before = planned.store.resume(id, &who(), context.clock.now())?;
    let being_sent = planned.store.is_being_sent(&name);
    if context.screen.is_json() {
        context.screen.json(&json!({
            "campaign": name,
            "was_halted": before.is_some(),
            "halted_at": before.as_ref().map(|halt| halt.at),
            "halted_by": before.as_ref().map(|halt| &halt.by),
            "being_sent": being_sent,
        }))?;
        return Ok(Exit::Done);
    }
    let screen = &context.screen;
    match &before {
        Some(halt) => {
            let whose = halt_words(halt, &planned.zone);
            screen.result(&format!("'{name}' is no longer halted (it was, {whose})"))?;
        }
        None => screen.result(&format!("'{name}' is not halted; nothing was changed"))?,
    }
    screen.result(match (being_sent, &before) {
        (true, Some(_)) => {
            "a process still has it; if that ends because of the halt, start `postroom send` again \
             (`postroom status` says whether one sends)"
        }
        (true, None) => "a process sends it now",
        (false, _) if !planned.store.has_left(id)? => "nothing of it is left to send",
        (false, _) => "nobody sends it now: `postroom send` goes on where it was",
    })?;
    Ok(Exit::Done)
}

/// The plan of the campaign in the folder; while its campaign.toml cannot be read, the one that was last planned
/// from there.
fn find(context: &Context, folder: &Folder) -> Result<Planned, Failure> {
    match Campaign::load(&folder.folder) {
        Ok(_) => Planned::find(&folder.folder, &context.places),
        Err(error) => by_folder(context, folder, error),
    }
}

fn by_folder(context: &Context, folder: &Folder, error: ConfigError) -> Result<Planned, Failure> {
    let Ok(path) = folder.folder.canonicalize() else {
        return Err(error.into());
    };
    let (store, _) = setup::store(&context.places)?;
    let name = store.planned_from(&path)?;
    let record = name
        .map(|name| store.campaign(&name))
        .transpose()?
        .flatten();
    let Some(record) = record else {
        return Err(error.into());
    };
    context.screen.warning(&format!(
        "campaign.toml cannot be read; going by the plan that was made from this folder: '{}'",
        record.name
    ));
    Ok(Planned {
        zone: zone_of(&record),
        record,
        store,
    })
}

/// When and by whom: `Tue 1 Dec 2026, 10:00 by ann on mailhost`.
pub(super) fn halt_words(halt: &store::Halt, zone: &TimeZone) -> String {
    let at = words::time(halt.at, zone);
    match halt.by.as_str() {
        "" => at,
        by => format!("{at} by {by}"),
    }
}
