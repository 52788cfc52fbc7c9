//! `postroom store backup`: a copy of the store.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::{existing, extent, knows_until};
use crate::cli::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::store::{Error, Store};

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    postroom store backup\n  \
    postroom store backup postroom-backup.db --force\n\n\
    The copy is of one moment, looked through before it gets its name, and only you can read it: it holds every address. \
    It does not know of what is sent after it was made, so a store that is put back from it (`postroom store restore`) \
    sends nothing before that is settled. Whoever is erased with `postroom forget` stays in backups made before.")]
pub(in crate::cli) struct Backup {
    /// The file [default: one with the time in its name, beside the store]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Replaces the file if it is there
    #[arg(long, requires = "file")]
    force: bool,
}

pub(super) fn run(context: &Context, args: &Backup) -> Result<Exit, Failure> {
    let path = existing(context)?;
    let file = match &args.file {
        Some(file) => file.clone(),
        None => dated(context, &path),
    };
    let checkup = Store::back_up(&path, &file, args.force).map_err(|error| taken(error, &file))?;
    let screen = &context.screen;
    if screen.is_json() {
        let value = json!({
            "store": path,
            "backup": file,
            "campaigns": checkup.campaigns,
            "recipients": checkup.recipients,
            "known_until": checkup.known_until,
        });
        screen.json(&value)?;
        return Ok(Exit::Done);
    }
    screen.result(&format!(
        "the store is copied to {}: {}",
        file.display(),
        extent(&checkup)
    ))?;
    screen.note(&format!(
        "{}; of what is sent from now on it will not know. Keep it on another disk: `postroom store restore FILE` puts it \
         back",
        knows_until(checkup.known_until)
    ));
    Ok(Exit::Done)
}

/// A file that is there is left alone, unless it is to be replaced.
fn taken(error: Error, file: &Path) -> Failure {
    let is_file = file.symlink_metadata().is_ok_and(|there| there.is_file());
    let is_taken = matches!(error, Error::Taken { .. });
    let failure = Failure::from(error);
    if is_taken && is_file {
        let remedy = "name another file, or add --force to replace that one";
        return Failure {
            remedy: remedy.to_owned(),
            ..failure
        };
    }
    failure
}

/// `postroom-20261129-195300.backup`, beside the store.
fn dated(context: &Context, store: &Path) -> PathBuf {
    let now = context.clock.now().strftime("%Y%m%d-%H%M%S");
    let name = store.file_stem().unwrap_or_default().to_string_lossy();
    store.with_file_name(format!("{name}-{now}.backup"))
}
