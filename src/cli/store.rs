//! `postroom store`: looks the store through, copies it, puts a copy in its place, and (`claim`) makes a store that was
//! copied or restored the one that sends.

mod backup;
mod check;
mod restore;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::exit::Exit;
use super::failure::Failure;
use super::{Context, setup, words};
use crate::config::store_path;
use crate::store::{Away, Checkup, Displacement, Store, Whereabouts, is_remembered};

#[derive(Debug, Subcommand)]
pub(super) enum StoreCommand {
    /// Looks whether the store is sound; changes nothing, also while something is sent
    Check(check::Check),
    /// Copies the store into a file, also while something is sent
    Backup(backup::Backup),
    /// Puts a copy in the store's place; the one that was there is kept aside
    Restore(restore::Restore),
    /// Makes a store that was copied or restored the one that sends, once it is said what that means
    Claim(Claim),
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    postroom store claim\n\n\
    It is for a store that was copied to another machine or restored from a backup, and has nothing to do otherwise.")]
pub(super) struct Claim {
    /// Does not ask
    #[arg(long, short)]
    yes: bool,
}

pub(super) fn run(context: &Context, command: &StoreCommand) -> Result<Exit, Failure> {
    match command {
        StoreCommand::Check(_) => check::run(context),
        StoreCommand::Backup(args) => backup::run(context, args),
        StoreCommand::Restore(args) => restore::run(context, args),
        StoreCommand::Claim(args) => claim(context, args),
    }
}

/// Where the store is; one must have been there.
fn existing(context: &Context) -> Result<PathBuf, Failure> {
    let path = store_path(context.places.store.as_deref())?;
    if path.exists() || is_remembered(&path) {
        return Ok(path);
    }
    Err(Failure::new(
        Exit::NoInput,
        format!("there is no store at {}", path.display()),
        "name the store's file with --store",
    ))
}

/// How much is in a store.
fn extent(checkup: &Checkup) -> String {
    if checkup.format == 0 {
        return "nothing is in it yet".to_owned();
    }
    if checkup.is_older {
        return "in the format of an earlier version".to_owned();
    }
    format!(
        "{}, {}",
        words::count(checkup.campaigns, "campaign", "campaigns"),
        words::count(checkup.recipients, "recipient", "recipients")
    )
}

/// Until when a store knows what was sent.
fn knows_until(known: Option<Timestamp>) -> String {
    known.map_or_else(
        || "it knows of no message that was handed over".to_owned(),
        |at| {
            let at = words::time(at, &TimeZone::system());
            format!("the last message that it knows of was handed over {at}")
        },
    )
}

fn claim(context: &Context, args: &Claim) -> Result<Exit, Failure> {
    let path = existing(context)?;
    let (mut store, _) = setup::store(&context.places)?;
    let screen = &context.screen;
    let Whereabouts::Away(away) = store.whereabouts()? else {
        if screen.is_json() {
            screen.json(&claimed_json(&store, false, None))?;
        } else {
            screen.result(&format!(
                "the store {} is at home: there is nothing to claim",
                path.display()
            ))?;
        }
        return Ok(Exit::Done);
    };
    screen.warning(&explanation(&away));
    if !screen.confirm("Claim this store?", args.yes)? {
        screen.note("nothing was changed");
        return Ok(Exit::Done);
    }
    store.claim(context.clock.now())?;
    if screen.is_json() {
        screen.json(&claimed_json(&store, true, Some(&away)))?;
    } else {
        screen.result(&format!(
            "the store {} is claimed: `postroom send` sends from it",
            path.display()
        ))?;
    }
    Ok(Exit::Done)
}

/// Before a send: a store that is not at home is explained and asked about. None when the send may go
/// on. A yes to sending is no yes to this, so `--yes` does not answer it.
pub(super) fn claim_before_sending(
    context: &Context,
    store: &mut Store,
) -> Result<Option<Exit>, Failure> {
    let Whereabouts::Away(away) = store.whereabouts()? else {
        return Ok(None);
    };
    let screen = &context.screen;
    if !screen.can_ask() {
        return Err(crate::store::Error::Elsewhere(Box::new(away)).into());
    }
    // It must be read before the question is answered, quiet or not.
    screen.warning(&explanation(&away));
    if !screen.confirm("Claim this store, and send from it?", false)? {
        screen.note("nothing was sent");
        return Ok(Some(Exit::Done));
    }
    store.claim(context.clock.now())?;
    Ok(None)
}

/// What was found, and what claiming means.
fn explanation(away: &Away) -> String {
    let zone = TimeZone::system();
    let known = match away.known_until {
        Some(at) => format!(
            "The last message that it knows of was handed over {}. Whoever was sent a mail after that, it takes for not \
             yet written to: these people may get it twice, and the limits do not count it.",
            words::time(at, &zone)
        ),
        None => "It knows of no message that was handed over. Whoever was sent a mail by another copy may get it twice, \
                 and the limits do not count it."
            .to_owned(),
    };
    let more = match away.unknown {
        None => String::new(),
        Some(0) => {
            "\nThe mark that was kept beside it tells of verdicts that it does not know.".to_owned()
        }
        Some(count) => format!(
            "\nThe mark that was kept beside it tells of up to {} that it does not know of: claim it alone (`postroom store claim`), look \
             into the mailbox's Sent Items whom they went to, take these people out with `postroom cancel CAMPAIGN --to \
             ADDR`, and send only then.",
            words::count(count, "attempt to send", "attempts to send")
        ),
    };
    let other = match away.displacement {
        Displacement::OtherMachine => {
            "Once this one is claimed, the one on the other machine must not be used any more."
        }
        Displacement::Copied => {
            "Once this one is claimed, the one that it was copied from must not be used any more."
        }
        Displacement::Restored => {
            "If the newer file is still to be had and sound, put that one back (`postroom store restore FILE`) instead of \
             claiming this one."
        }
    };
    format!("{away}.\n{known}{more}\n{other}")
}

fn claimed_json(store: &Store, claimed: bool, away: Option<&Away>) -> Value {
    json!({
        "claimed": claimed,
        "store": store.path(),
        "found": away.map_or("home", |away| away.displacement.as_str()),
        "last_home": away.map(|away| &away.home),
        "last_home_since": away.map(|away| away.since),
        "known_until": away.and_then(|away| away.known_until),
        "unknown_attempts": away.and_then(|away| away.unknown),
    })
}
