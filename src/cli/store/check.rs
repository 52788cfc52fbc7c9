//! `postroom store check`: whether the store is sound.

use clap::Args;
use serde_json::{Value, json};

use super::{existing, extent, knows_until};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::{Context, disk, words};
use crate::store::{Checkup, Flaw, Law, Store, Trouble};

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    postroom store check\n  \
    postroom store check --json\n\n\
    It looks at the file itself, whether its tables agree with each other, and at the mark beside it. A backup is looked \
    at with --store FILE. 0: sound; 74: not.")]
pub(in crate::cli) struct Check {}

pub(super) fn run(context: &Context) -> Result<Exit, Failure> {
    let path = existing(context)?;
    let checkup = Store::check(&path)?;
    let screen = &context.screen;
    if screen.is_json() {
        screen.json(&checked_json(&path, &checkup))?;
        return Ok(if checkup.is_sound() {
            Exit::Done
        } else {
            Exit::Io
        });
    }
    let path = path.display();
    if checkup.is_sound() {
        screen.result(&format!("the store {path} is sound: {}", extent(&checkup)))?;
    } else {
        for flaw in &checkup.flaws {
            screen.result(&format!("- {}", told(flaw)))?;
        }
    }
    if !checkup.is_older && checkup.is_sound() {
        screen.note(&knows_until(checkup.known_until));
    }
    if checkup.in_hand > 0 {
        screen.note(&format!(
            "{} in hand: of a send that is at work, or left by one that ended in the middle; that is settled at the next \
             start",
            words::count(checkup.in_hand, "message is", "messages are")
        ));
    }
    if let Some(away) = &checkup.away {
        screen.warning(&format!(
            "{away}: `postroom store claim` says what that means"
        ));
    }
    if checkup.is_sound() {
        return Ok(Exit::Done);
    }
    Err(failure(&path, &checkup.flaws))
}

/// What is wrong, as an error of the command.
fn failure(path: &impl std::fmt::Display, flaws: &[Flaw]) -> Failure {
    let (what, remedy) = if *flaws == [Flaw::Behind] {
        (
            "knows less than was sent",
            "`postroom store claim` says what that means, and nothing is sent before; if the newer file is still to be \
             had, put that one back with `postroom store restore FILE`",
        )
    } else {
        ("is not sound", disk::mend_store(Trouble::Damaged))
    };
    Failure::new(Exit::Io, format!("the store {path} {what}"), remedy).named("store-damaged")
}

/// A flaw in plain words.
pub(super) fn told(flaw: &Flaw) -> String {
    match flaw {
        Flaw::File(said) => format!("the file cannot be read as it should: {said}"),
        Flaw::Orphans { table, of, rows } => format!(
            "{} of '{table}' to something that is missing in '{of}'",
            words::count(*rows, "row belongs", "rows belong")
        ),
        Flaw::Contradiction {
            law,
            campaign,
            times,
        } => {
            let whose = campaign
                .as_ref()
                .map_or_else(String::new, |name| format!("'{name}': "));
            let times = words::count(*times, "time", "times");
            format!("{whose}{} ({times})", broken(*law))
        }
        Flaw::Behind => {
            "the mark beside the store tells of more than it knows: it is an older copy, or has lost what was written \
             last"
                .to_owned()
        }
    }
}

/// What it means that a law is broken.
fn broken(law: Law) -> &'static str {
    match law {
        Law::RecipientTally => "recipients are not as many as is written down",
        Law::MessageTally => "messages are not as many as is written down",
        Law::LastTried => "when something was last tried is not what the attempts say",
        Law::States => "messages or recipients are in a state that there is not",
        Law::Recipients => "a recipient has another outcome than their message can have",
        Law::Attempts => {
            "a message that is in hand has no attempt, or one that is not has an attempt without an end"
        }
        Law::Handover => "a message and its attempt disagree on whether it is being handed over",
        Law::Sent => "a message is said to be sent without an attempt that sent it",
        Law::Reserved => "what is in hand and what is reserved of the limits differ",
        Law::Counted => "a message that was handed over does not count against the limits",
    }
}

fn checked_json(path: &std::path::Path, checkup: &Checkup) -> Value {
    let flaws = checkup.flaws.iter().map(|flaw| {
        let (kind, campaign) = match flaw {
            Flaw::File(_) => ("file", None),
            Flaw::Orphans { .. } => ("orphans", None),
            Flaw::Contradiction { law, campaign, .. } => (law.as_str(), campaign.as_ref()),
            Flaw::Behind => ("behind", None),
        };
        json!({ "kind": kind, "campaign": campaign, "message": told(flaw) })
    });
    json!({
        "store": path,
        "sound": checkup.is_sound(),
        "flaws": flaws.collect::<Vec<_>>(),
        "format": checkup.format,
        "campaigns": checkup.campaigns,
        "recipients": checkup.recipients,
        "in_hand": checkup.in_hand,
        "known_until": checkup.known_until,
        "found": checkup.away.as_ref().map_or("home", |away| away.displacement.as_str()),
    })
}
