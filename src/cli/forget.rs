//! `postroom forget`: erases a person from the store.

use std::collections::BTreeSet;
use std::path::Path;

use clap::Args;
use serde_json::json;

use super::exit::Exit;
use super::failure::Failure;
use super::show::not_found;
use super::who::who;
use super::{Context, setup, words};
use crate::preview::Previewer;
use crate::recipients::person_key;
use crate::store::{Chapter, OwnFile, Store};

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    postroom forget anna.kowalska@example.com --yes\n\n\
    Totals and reports keep a row, with its outcome, and a fingerprint of the address, so that nobody gets a mail twice \
    because of it. It waits while one of their campaigns is being sent (75). What it cannot erase: mail that was delivered, \
    the list files and backups, logs, rehearsals and what `preview --out` has written, what a server's operator keeps. \
    Who is on the suppression list stays there, or they would be written to again: `postroom suppress remove`.")]
pub(super) struct Forget {
    /// The person's address
    #[arg(value_name = "ADDR")]
    pub(super) address: String,
    /// Does not ask
    #[arg(long, short)]
    pub(super) yes: bool,
}

pub(super) fn run(context: &Context, args: &Forget) -> Result<Exit, Failure> {
    let (mut store, path) = setup::store_to_look_at(&context.places)?;
    let key = person_key(&args.address);
    let chapters = store.story(&key)?;
    if chapters.is_empty() {
        return Err(not_found(&store, &args.address, &key, None)?);
    }
    refuse_if_at_work(&store, &chapters)?;
    if let Some(one) = chapters.iter().find(|one| one.outcome == "in_doubt") {
        return Err(Failure::new(
            Exit::Usage,
            format!(
                "whether '{}' has reached {} is in doubt",
                one.campaign,
                args.address.escape_debug()
            ),
            "settle that first with `postroom resolve`; nothing was erased",
        ));
    }
    let places: BTreeSet<&str> = chapters.iter().map(|one| one.campaign.as_str()).collect();
    let places: Vec<&str> = places.into_iter().collect();
    let going = chapters
        .iter()
        .filter(|one| matches!(one.outcome.as_str(), "pending" | "deferred"))
        .count() as u64;
    let gets_nothing = match going {
        0 => String::new(),
        count => format!(
            "; {} that {} not gone yet {} not sent",
            words::count(count, "mail", "mails"),
            if count == 1 { "has" } else { "have" },
            if count == 1 { "is" } else { "are" }
        ),
    };
    let question = format!(
        "Erase {} from {} ({}){gets_nothing}? It cannot be taken back.",
        args.address.escape_debug(),
        words::count(places.len() as u64, "campaign", "campaigns"),
        places.join(", ")
    );
    if !context.screen.confirm(&question, args.yes)? {
        context.screen.note("nothing was erased");
        return Ok(Exit::Done);
    }
    let files = own_files(&store, &path, &chapters)?;
    let erased = store.forget(&key, &files, (&who(), context.clock.now()))?;
    let is_wiped = store.wipe()?;
    let screen = &context.screen;
    if screen.is_json() {
        screen.json(&json!({
            "address": args.address, "campaigns": places, "rows": erased.rows, "cancelled": erased.cancelled,
            "files": erased.files, "wiped": is_wiped,
        }))?;
    } else {
        screen.result(&format!(
            "erased {} of {} in {}{}",
            words::count(erased.rows, "row", "rows"),
            args.address.escape_debug(),
            places.join(", "),
            match erased.files {
                0 => String::new(),
                files => format!(", and {} of theirs", words::count(files, "file", "files")),
            }
        ))?;
    }
    if !is_wiped {
        screen.warning(
            "another process uses the store, so deleted text may still lie in its file until it is written anew: any \
             other `postroom forget` does that, when nothing else runs",
        );
    }
    screen.note("take them out of your lists too, and out of what was exported of them");
    Ok(Exit::Done)
}

/// Nobody is erased from a campaign while it goes out: its sender may have them in hand.
fn refuse_if_at_work(store: &Store, chapters: &[Chapter]) -> Result<(), Failure> {
    let is_at_work = |one: &&Chapter| one.is_in_hand() || store.is_being_sent(&one.campaign);
    let Some(one) = chapters.iter().find(is_at_work) else {
        return Ok(());
    };
    let name = &one.campaign;
    Err(Failure::new(
        Exit::NotFinished,
        format!("'{name}' is being sent from this store"),
        "wait for it, or `postroom halt` it, and run it again; nothing was erased",
    )
    .named("being-sent"))
}

/// What only the person was given, of files that rows name.
fn own_files(store: &Store, path: &Path, chapters: &[Chapter]) -> Result<Vec<OwnFile>, Failure> {
    let mut files = BTreeSet::new();
    let campaigns: BTreeSet<&str> = chapters.iter().map(|one| one.campaign.as_str()).collect();
    for name in campaigns {
        let Some(record) = store.campaign(name)? else {
            continue;
        };
        let campaign = record.id;
        let previewer = Previewer::of_plan(path, record)?;
        let theirs = chapters.iter().filter(|one| one.campaign == name);
        let theirs: BTreeSet<u64> = theirs.map(|one| one.row).collect();
        let found = previewer.files_only_of(&theirs)?;
        files.extend(found.into_iter().map(|(edition, path)| OwnFile {
            campaign,
            edition,
            path,
        }));
    }
    Ok(files.into_iter().collect())
}
