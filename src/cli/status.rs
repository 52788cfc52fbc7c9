//! `postroom status`: where a campaign stands, once or as long as it is being sent.
//!
//! It looks and changes nothing, but for what a sender that is gone has left in hand. `send` ends with the same
//! figures.

mod days;
mod figures;
mod page;
mod refused;
mod standing;
mod state;
mod watch;

use super::Context;
use super::args::Folder;
use super::exit::Exit;
use super::failure::Failure;
use super::setup::{Planned, senders};
use crate::config::Sender;

pub(super) use figures::{counts_json, status_json};
pub(super) use page::counts_line;
pub(super) use standing::Standing;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    postroom status my-news\n  \
    postroom status my-news --watch\n  \
    postroom status my-news --json")]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) campaign: Folder,
    /// Goes on showing it until it is finished, halted or stopped, or until Ctrl-C; where there is no terminal, a
    /// line (with --json an object) whenever something has changed
    #[arg(long, short)]
    pub(super) watch: bool,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let mut planned = Planned::find(&args.campaign.folder, &context.places)?;
    let senders = known_senders(context, &planned);
    if args.watch {
        return watch::run(context, planned, senders.as_deref());
    }
    planned.settle(&context.clock)?;
    let standing = Standing::of(
        &planned.store,
        &planned.record,
        senders.as_deref(),
        context.clock.reading(),
    )?;
    if context.screen.is_json() {
        context
            .screen
            .json(&status_json(&planned.record, &standing))?;
    } else {
        for line in page::lines(&context.screen, &planned, &standing) {
            context.screen.result(&line)?;
        }
    }
    Ok(Exit::Done)
}

/// The campaign's accounts; without them no times are told.
fn known_senders(context: &Context, planned: &Planned) -> Option<Vec<Sender>> {
    let senders = senders(&planned.record.accounts, &context.places);
    if let Err(failure) = &senders {
        context
            .screen
            .warning(&format!("no times can be told: {}", failure.message));
    }
    senders.ok()
}
