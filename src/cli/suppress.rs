//! `postroom suppress`: the list of people who are never written to.
//!
//! `add` and `import` withdraw whoever is still to get something, in every campaign under way, and say what
//! they could not: a message that a sender has in hand, or that has gone. `remove` queues nobody again by
//! itself: whoever was left out of a campaign is queued by `retry --suppressed`, which says who that is first.

mod import;
mod list;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::exit::Exit;
use super::failure::Failure;
use super::who::who;
use super::whom::Nearest;
use super::{Context, setup, words};
use crate::config::{Campaign, FILE_NAME};
use crate::message::Definition;
use crate::recipients::{Mailbox, Subject, SuppressedPeople};
use crate::store::{NewSuppression, Reached, Store, Suppressed};

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
    after_help = "Who was left out of a campaign that is planned already stays left out: `postroom retry --suppressed` \
    queues them.\n\n\
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
    after_help = "Lines with an @ and a domain alone, such as @partner.example, stand for the whole domain; a column \
    `reason` says why. With a single line that cannot be used nothing is changed.\n\n\
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
        Suppress::Remove(args) => remove(context, args),
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
    let mut nearest = Nearest::to(&name);
    known.iter().for_each(|one| nearest.look_at(one));
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
    Ok(store.suppress(campaign, new, &who(), context.clock.now())?)
}

fn for_whom(campaign: Option<&str>) -> String {
    match campaign {
        Some(name) => format!("by the campaign '{name}'"),
        None => "by any campaign".to_owned(),
    }
}

fn summary(done: &Suppressed, for_whom: &str) -> String {
    let added = words::count(done.added, "new entry", "new entries");
    let known = match done.known {
        0 => String::new(),
        known => format!(", {} known already", words::number(known)),
    };
    format!("{added}{known}: they are never written to {for_whom}")
}

/// Says what came of it: in which campaigns who was withdrawn, and whom it comes too late for.
fn told(
    context: &Context,
    store: &Store,
    campaign: Option<&str>,
    (new, done): (&[NewSuppression], &Suppressed),
    line: &str,
) -> Result<Exit, Failure> {
    let screen = &context.screen;
    if screen.is_json() {
        screen.json(&json!({
            "campaign": campaign,
            "added": done.added,
            "known": done.known,
            "campaigns": done.reached.iter().map(reached_json).collect::<Vec<_>>(),
        }))?;
    } else {
        screen.result(line)?;
        for reached in done.reached.iter().filter(|one| one.withdrawn > 0) {
            let count = words::count(reached.withdrawn, "recipient", "recipients");
            screen.result(&format!("withdrawn from '{}': {count}", reached.campaign))?;
        }
    }
    for reached in &done.reached {
        too_late(context, reached);
    }
    warn_of_copies(context, store, campaign, new)?;
    Ok(Exit::Done)
}

fn too_late(context: &Context, reached: &Reached) {
    let name = &reached.campaign;
    let people = |count| words::count(count, "of them", "of them");
    if reached.in_hand > 0 {
        context.screen.warning(&format!(
            "in '{name}' a sender has the message to {} in hand at this moment: it may go",
            people(reached.in_hand)
        ));
    }
    if reached.sent > 0 {
        context.screen.warning(&format!(
            "in '{name}' {} has the mail already: it was sent before",
            people(reached.sent)
        ));
    }
    if reached.in_doubt > 0 {
        context.screen.warning(&format!(
            "in '{name}' {} is in doubt and may have the mail: see `postroom resolve`",
            people(reached.in_doubt)
        ));
    }
}

fn reached_json(reached: &Reached) -> Value {
    json!({
        "campaign": reached.campaign,
        "withdrawn": reached.withdrawn,
        "in_hand": reached.in_hand,
        "sent": reached.sent,
        "in_doubt": reached.in_doubt,
    })
}

/// Copies are no recipients of the list: nobody can be withdrawn from a copy that is planned.
fn warn_of_copies(
    context: &Context,
    store: &Store,
    campaign: Option<&str>,
    new: &[NewSuppression],
) -> Result<(), Failure> {
    let people = SuppressedPeople::of(new.iter().map(|one| one.subject.clone()));
    for name in store.campaign_names()? {
        if campaign.is_some_and(|only| only != name) {
            continue;
        }
        let Some(record) = store.campaign(&name)? else {
            continue;
        };
        if !store.has_left(record.id)? {
            continue;
        }
        // What cannot be read has no copies that could be told.
        let Ok(definition) = serde_json::from_str::<Definition>(&record.definition) else {
            continue;
        };
        let sources = &definition.sources;
        let copies = sources.cc.iter().chain(&sources.bcc);
        for copy in copies.filter_map(|source| Mailbox::parse(&source.text).ok()) {
            if people.covers(&copy.address) {
                context.screen.warning(&format!(
                    "'{name}' sends a copy of its messages to {} (cc or bcc), which the list does not stop: `postroom \
                     halt` it, and plan it again without",
                    copy.address
                ));
            }
        }
    }
    Ok(())
}

fn remove(context: &Context, args: &Remove) -> Result<Exit, Failure> {
    let (mut store, _) = setup::store(&context.places)?;
    let name = args.scope.name(&store)?;
    let subjects = subjects(&args.who)?;
    let known = store.suppressions()?;
    let is_of = |campaign: &Option<String>| *campaign == name;
    for (written, subject) in &subjects {
        let key = subject.key();
        if known
            .iter()
            .any(|one| is_of(&one.campaign) && one.subject == key)
        {
            continue;
        }
        return Err(not_on_list(&known, name.as_deref(), written, subject));
    }
    let mut removed = Vec::new();
    let mut left_out = Vec::new();
    for (_, subject) in &subjects {
        removed.extend(store.unsuppress(name.as_deref(), &subject.key())?);
        left_out.extend(store.left_out_for(name.as_deref(), &subject.key())?);
    }
    if context.screen.is_json() {
        let left_out = left_out.iter();
        context.screen.json(&json!({
            "campaign": name,
            "removed": removed.iter().map(list::entry_json).collect::<Vec<_>>(),
            "left_out": left_out
                .map(|(campaign, count)| json!({ "campaign": campaign, "recipients": count }))
                .collect::<Vec<_>>(),
        }))?;
        return Ok(Exit::Done);
    }
    for entry in &removed {
        context
            .screen
            .result(&format!("{} is off the list", entry.written))?;
    }
    for (campaign, count) in left_out {
        context.screen.note(&format!(
            "{} of '{campaign}' stay left out until `postroom retry --suppressed` queues them",
            words::count(count, "recipient", "recipients")
        ));
    }
    Ok(Exit::Done)
}

fn not_on_list(
    known: &[crate::store::Suppression],
    campaign: Option<&str>,
    written: &str,
    subject: &Subject,
) -> Failure {
    let key = subject.key();
    let elsewhere = known.iter().find(|one| one.subject == key);
    let domain = match subject {
        Subject::Person(address) => Some(format!("@{}", address.domain())),
        Subject::Domain(_) => None,
    };
    let domain = known
        .iter()
        .find(|one| Some(&one.subject) == domain.as_ref());
    let remedy = match (elsewhere, domain) {
        (Some(one), _) => match &one.campaign {
            Some(name) => format!("it is there for the campaign '{name}': add --campaign '{name}'"),
            None => "it is there for all campaigns: leave --campaign out".to_owned(),
        },
        (None, Some(one)) => format!("its whole domain is there: {}", one.written),
        (None, None) => {
            let mut nearest = Nearest::to(&key);
            known.iter().for_each(|one| nearest.look_at(&one.subject));
            match nearest.found() {
                Some(near) => format!("did you mean {near}?"),
                None => "`postroom suppress list` shows the list".to_owned(),
            }
        }
    };
    let of = campaign.map_or_else(String::new, |name| format!(" of the campaign '{name}'"));
    Failure::new(
        Exit::Usage,
        format!("'{written}' is not on the list{of}"),
        format!("{remedy}; nothing was changed"),
    )
}
