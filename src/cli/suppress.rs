//! `postroom suppress`: the list of people who are never written to.
//!
//! `add` and `import` withdraw whoever is still to get something, in every campaign under way, and say what
//! they could not: a message that a sender has in hand, or that has gone. `remove` queues nobody again by
//! itself: whoever was left out of a campaign is queued by `retry --suppressed`, which says who that is first, or
//! comes in again with the next `plan --update`.

mod import;
mod list;
mod remove;
mod telling;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};

use super::exit::Exit;
use super::failure::Failure;
use super::who::who;
use super::{Context, setup};
use crate::config::{Campaign, FILE_NAME};
use crate::recipients::{Nearest, Subject};
use crate::store::{NewSuppression, Store, Suppressed};
use telling::{for_whom, summary, told};

#[derive(Debug, Subcommand)]
pub(super) enum Suppress {
    /// Puts people or whole domains on the list, and withdraws who is still to get something
    Add(Add),
    /// Takes people or domains off the list
    Remove(Remove),
    /// Shows the list
    List(List),
    /// Puts everybody of a file on the list: a CSV with a column `email`, or an address a line
    Import(Import),
}

/// Which campaigns an entry is for.
#[derive(Debug, Args)]
struct Scope {
    /// Only for this campaign: its folder, or its name [default: for all campaigns]
    #[arg(long, value_name = "FOLDER")]
    campaign: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(
    after_help = "A domain stands for itself alone: @partner.example is nobody at mail.partner.example.\n\n\
    Examples:\n  \
    postroom suppress add anna.kowalska@example.com --reason \"asked to be left out\"\n  \
    postroom suppress add @partner.example\n  \
    postroom suppress add liam.oconnor@example.com --campaign my-news"
)]
pub(super) struct Add {
    /// Addresses, or domains such as @partner.example
    #[arg(value_name = "ADDR", required = true)]
    who: Vec<String>,
    /// Why, for the list and the report
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    reason: String,
    #[command(flatten)]
    scope: Scope,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Who was left out of a campaign that is planned already stays left out for now: `postroom retry \
    --suppressed` queues them with the mail that was planned, and the next `postroom plan --update` adds whoever of \
    them is in the list.\n\n\
    Examples:\n  \
    postroom suppress remove anna.kowalska@example.com\n  \
    postroom retry my-news --suppressed --yes"
)]
pub(super) struct Remove {
    /// Addresses or domains, as they are on the list
    #[arg(value_name = "ADDR", required = true)]
    who: Vec<String>,
    #[command(flatten)]
    scope: Scope,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    postroom suppress list\n  \
    postroom suppress list --format csv > left-out.csv")]
pub(super) struct List {
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    scope: Scope,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For reading
    Table,
    /// For a spreadsheet
    Csv,
}

#[derive(Debug, Args)]
#[command(
    after_help = "An address may have a name, as in \"Ann\" <ann@example.com>. Lines with an @ and a domain alone, such \
    as @partner.example, stand for the whole domain; a column `reason` says why; lines that begin with # are remarks. \
    With a single line that cannot be used nothing is changed.\n\n\
    Example:\n  postroom suppress import left-out.csv --reason \"left the company\""
)]
pub(super) struct Import {
    /// The file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Why, where the file does not say
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    reason: String,
    #[command(flatten)]
    scope: Scope,
}

pub(super) fn run(context: &Context, command: &Suppress) -> Result<Exit, Failure> {
    match command {
        Suppress::Add(args) => add(context, args),
        Suppress::Remove(args) => remove::run(context, args),
        Suppress::List(args) => list::run(context, args),
        Suppress::Import(args) => import::run(context, args),
    }
}

impl Scope {
    /// The name of the campaign that is meant, if one is.
    fn name(&self, store: &Store) -> Result<Option<String>, Failure> {
        let Some(given) = &self.campaign else {
            return Ok(None);
        };
        if given.join(FILE_NAME).exists() || given.is_dir() {
            return Ok(Some(Campaign::load(given)?.name));
        }
        named(store, given).map(Some)
    }
}

/// A campaign by its name: one that is planned, or that has entries of its own from another time.
fn named(store: &Store, given: &Path) -> Result<String, Failure> {
    let name = given.to_string_lossy().into_owned();
    let mut known = store.campaign_names()?;
    let entries = store.suppressions()?.into_iter();
    known.extend(entries.filter_map(|entry| entry.campaign));
    if known.contains(&name) {
        return Ok(name);
    }
    let nearest = Nearest::name(&name).among(known.iter().map(String::as_str));
    Err(Failure::new(
        Exit::NoInput,
        format!(
            "there is no campaign '{name}': neither a folder nor a planned campaign has this name"
        ),
        match nearest.found() {
            Some(known) => format!("did you mean '{known}'? Nothing was changed"),
            None => "name the campaign's folder; nothing was changed".to_owned(),
        },
    ))
}

fn subjects(who: &[String]) -> Result<Vec<(String, Subject)>, Failure> {
    let read = |text: &String| {
        Subject::parse(text)
            .map(|subject| (text.trim().to_owned(), subject))
            .map_err(|error| {
                Failure::new(
                    Exit::Usage,
                    format!("'{text}' is neither an address nor a domain: {error}"),
                    format!("{}; nothing was changed", error.remedy()),
                )
            })
    };
    who.iter().map(read).collect()
}

fn add(context: &Context, args: &Add) -> Result<Exit, Failure> {
    let (mut store, _) = setup::store(&context.places)?;
    let name = args.scope.name(&store)?;
    let subjects = subjects(&args.who)?;
    let new: Vec<NewSuppression> = subjects
        .iter()
        .map(|(written, subject)| NewSuppression {
            subject: subject.key(),
            written: written.clone(),
            reason: one_line(&args.reason),
        })
        .collect();
    let done = put(context, &mut store, name.as_deref(), &new)?;
    let for_whom = for_whom(name.as_deref());
    let lines = match new.as_slice() {
        [one] if done.added == 1 && one.subject.starts_with('@') => {
            format!("nobody at {} is written to {for_whom}", one.subject)
        }
        [one] if done.added == 1 => format!("{} is never written to {for_whom}", one.written),
        [one] => format!("{} was on the list {for_whom} already", one.written),
        _ => summary(&done, for_whom.as_str()),
    };
    told(context, &store, name.as_deref(), (&new, &done), &lines)
}

/// Text of one line, without anything that steers a terminal.
fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ").trim().to_owned()
}

fn put(
    context: &Context,
    store: &mut Store,
    campaign: Option<&str>,
    new: &[NewSuppression],
) -> Result<Suppressed, Failure> {
    // What a sender that is gone left in hand is in nobody's.
    match store.recover_abandoned(&context.clock) {
        Ok(_) | Err(crate::store::Error::Elsewhere(_)) => {}
        Err(other) => return Err(other.into()),
    }
    Ok(store.suppress(campaign, new, &who(), context.clock.now())?)
}
