//! `postroom store restore`: a copy in the store's place.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::{extent, knows_until};
use crate::cli::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::config::store_path;
use crate::store::{Replaced, Store};

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    postroom store restore postroom-backup.db\n  \
    postroom store restore postroom-backup.db --yes\n\n\
    The store that was there is kept aside under a name with the time, whatever state it is in. The one that is put back \
    does not know whom anything was sent to since it was copied: nothing is sent before `postroom store claim`, which says \
    what that means.")]
pub(in crate::cli) struct Restore {
    /// A backup, or any other copy of the store
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Does not ask
    #[arg(long, short)]
    yes: bool,
}

pub(super) fn run(context: &Context, args: &Restore) -> Result<Exit, Failure> {
    let path = store_path(context.places.store.as_deref())?;
    if !args.file.exists() {
        return Err(Failure::new(
            Exit::NoInput,
            format!("there is no file {}", args.file.display()),
            "name the backup that is to be put back",
        ));
    }
    // Said before anything is asked.
    let backup = Store::check(&args.file)?;
    let screen = &context.screen;
    screen.warning(&format!(
        "the backup {} ({}): {}. Whoever was sent a mail after that, it takes for not yet written to.{}",
        args.file.display(),
        extent(&backup),
        knows_until(backup.known_until),
        present(&path)
    ));
    let question = format!("Put it in the place of the store {}?", path.display());
    if !screen.confirm(&question, args.yes)? {
        screen.note("nothing was changed");
        return Ok(Exit::Done);
    }
    let replaced = Store::replace(&path, &args.file, context.clock.now())?;
    tell(context, &path, &args.file, &replaced)?;
    Ok(Exit::Done)
}

/// What is known of the store that is there.
fn present(path: &Path) -> String {
    match Store::check(path) {
        Ok(now) if now.is_sound() => {
            format!(
                "\nThe store that is there now is sound; {}",
                knows_until(now.known_until)
            )
        }
        Ok(_) => "\nThe store that is there now is not sound: it is kept aside".to_owned(),
        Err(_) => String::new(),
    }
}

fn tell(context: &Context, path: &Path, file: &Path, replaced: &Replaced) -> Result<(), Failure> {
    let screen = &context.screen;
    if screen.is_json() {
        return screen.json(&json!({
            "store": path,
            "restored_from": file,
            "kept_aside": replaced.aside,
            "known_until": replaced.checkup.known_until,
        }));
    }
    let (path, file) = (path.display(), file.display());
    screen.result(&format!("the store {path} is restored from {file}"))?;
    if let Some(aside) = &replaced.aside {
        screen.result(&format!(
            "the one that was there is kept as {}",
            aside.display()
        ))?;
    }
    screen.note(
        "nothing is sent from it yet: `postroom store claim` makes it the one that sends. Before you send, compare `postroom \
         report` with the mailbox's Sent Items, and take whoever has their mail already out with `postroom cancel CAMPAIGN \
         --to ADDR`",
    );
    Ok(())
}
