//! `postroom amend`: a new campaign, addressed to exactly those who got the wrong version of another one.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Component, Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::disk::{cannot_create, cannot_write};
use super::exit::Exit;
use super::failure::Failure;
use super::made::{Access, NewFolder, begin_private, name_private, refuse_full};
use super::setup::Planned;
use super::{Context, words};
use crate::config::{FILE_NAME, amended};
use crate::message::Definition;
use crate::store::ListedRow;

/// The list that is written.
const LIST: &str = "people.csv";

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    postroom amend my-news my-news-corrected\n\n\
    Nothing is sent. Correct the templates in the new folder, then check, rehearse and send it like any other campaign. \
    Those who have not been sent the wrong version yet are not in it: `postroom halt` stops it first, and \
    `postroom plan --update` gives them the right one.")]
pub(super) struct Amend {
    /// The folder of the campaign that went out wrong
    #[arg(value_name = "CAMPAIGN_FOLDER")]
    pub(super) folder: PathBuf,
    /// The folder to write; it must be empty or not there yet
    #[arg(value_name = "NEW_FOLDER")]
    pub(super) into: PathBuf,
    /// Only those who were sent this edition: 1 is what was planned first, each `plan --update` makes the next
    #[arg(long, value_name = "N")]
    pub(super) edition: Option<u64>,
    /// Those who are in doubt too: they may have got it
    #[arg(long)]
    pub(super) in_doubt: bool,
}

pub(super) fn run(context: &Context, args: &Amend) -> Result<Exit, Failure> {
    let mut planned = Planned::find(&args.folder, &context.places)?;
    planned.settle(&context.clock)?;
    let name = new_name(&planned, &args.into)?;
    refuse_place(&planned, &args.into)?;
    let mut people = Vec::new();
    let mut in_doubt = 0_u64;
    planned.store.listed(planned.record.id, |row| {
        if args.edition.is_some() && args.edition != row.edition {
            return;
        }
        // Whoever was forgotten has no address any more.
        if row.cells.is_none() {
            return;
        }
        in_doubt += u64::from(row.outcome == "in_doubt");
        if row.outcome == "sent" || args.in_doubt && row.outcome == "in_doubt" {
            people.push(row);
        }
    })?;
    if people.is_empty() {
        return Err(Failure::new(
            Exit::NoInput,
            format!(
                "nobody was sent '{}' yet, so there is nobody to write to again",
                planned.record.name
            ),
            "correct the campaign itself; `postroom plan --update` takes the edits in",
        ));
    }
    let folder = PathBuf::from(&planned.record.folder);
    let old_list = crate::config::Campaign::load(&args.folder)?.recipients.file;
    let into = NewFolder::begin(&args.into, Access::Usual)?;
    copy(&args.folder, into.path(), &old_list)?;
    let rows = write_list(&planned, &people, into.path())?;
    write_campaign(&args.folder, into.path(), &name)?;
    into.finish()?;
    let count = people.len() as u64;
    let screen = &context.screen;
    if screen.is_json() {
        screen.json(&json!({
            "folder": args.into, "campaign": name, "amends": planned.record.name, "recipients": count, "rows": rows,
            "left_out_in_doubt": if args.in_doubt { 0 } else { in_doubt },
        }))?;
        return Ok(Exit::Done);
    }
    let place = args.into.display();
    screen.result(&format!(
        "wrote the campaign '{name}' into {place}: {} who {} sent '{}' from {}",
        words::count(count, "person", "people"),
        if count == 1 { "was" } else { "were" },
        planned.record.name,
        folder.display()
    ))?;
    if in_doubt > 0 && !args.in_doubt {
        screen.note(&format!(
            "{} in doubt and not in it: `postroom resolve` settles whether they got it, --in-doubt takes them in",
            words::count(in_doubt, "person is", "people are")
        ));
    }
    screen.note(&format!(
        "next: correct the templates in {place}, then `postroom check {place}` and `postroom rehearse {place}`"
    ));
    Ok(Exit::Done)
}

/// The new folder's name, as long as no other campaign has it.
fn new_name(planned: &Planned, into: &Path) -> Result<String, Failure> {
    let name = into
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    let Some(name) = name else {
        return Err(Failure::new(
            Exit::Usage,
            format!("{} names no folder", into.display()),
            "name a folder that is not there yet",
        ));
    };
    if planned.store.campaign(&name)?.is_some() {
        return Err(Failure::new(
            Exit::Usage,
            format!("there is a campaign '{name}' already"),
            "give the new folder another name",
        ));
    }
    Ok(name)
}

fn refuse_place(planned: &Planned, into: &Path) -> Result<(), Failure> {
    refuse_full(into)?;
    let absolute = std::path::absolute(into).unwrap_or_else(|_| into.to_owned());
    let plain: PathBuf = absolute
        .components()
        .filter(|part| *part != Component::CurDir)
        .collect();
    if plain.starts_with(&planned.record.folder) {
        return Err(Failure::new(
            Exit::Usage,
            format!("{} lies within the campaign's own folder", into.display()),
            "name a folder beside it",
        ));
    }
    Ok(())
}

/// Copies the folder as it is now, but for its list, its campaign.toml, and what is hidden or a link.
fn copy(from: &Path, to: &Path, list: &Path) -> Result<(), Failure> {
    fs::create_dir_all(to).map_err(|cause| cannot_create(to, &cause))?;
    let unreadable = |cause| cannot_write(format!("a copy of {}", from.display()), &cause);
    for entry in fs::read_dir(from).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let (name, kind) = (entry.file_name(), entry.file_type().map_err(unreadable)?);
        let target = to.join(&name);
        if name.to_string_lossy().starts_with('.') || Path::new(&name) == list {
            continue;
        }
        if kind.is_dir() {
            // A list in a folder below is left out there.
            let below = list.strip_prefix(&name).unwrap_or(Path::new(""));
            copy(&entry.path(), &target, below)?;
        } else if kind.is_file() && name != FILE_NAME {
            fs::copy(entry.path(), &target).map_err(|cause| cannot_create(&target, &cause))?;
        }
    }
    Ok(())
}

/// The columns that the rows of each edition have.
struct Editions<'a> {
    planned: &'a Planned,
    known: BTreeMap<u64, Definition>,
}

impl Editions<'_> {
    fn of(&mut self, number: u64) -> Result<&Definition, Failure> {
        if !self.known.contains_key(&number) {
            let (store, campaign) = (&self.planned.store, self.planned.record.id);
            let text = store.definition(campaign, number)?;
            let text = text.ok_or_else(|| Failure::own(format!("edition {number} is gone")))?;
            let definition = serde_json::from_str(&text).map_err(own)?;
            self.known.insert(number, definition);
        }
        self.known
            .get(&number)
            .ok_or_else(|| Failure::own("no edition"))
    }
}

fn own(cause: impl std::fmt::Display) -> Failure {
    Failure::own(format!("the frozen list: {cause}"))
}

/// Writes the people with the cells that they had, under the current edition's columns and whatever else former
/// ones have; the number of rows.
fn write_list(planned: &Planned, people: &[ListedRow], into: &Path) -> Result<u64, Failure> {
    let current = planned.record.edition;
    let mut editions = Editions {
        planned,
        known: BTreeMap::new(),
    };
    let edition_of = |person: &ListedRow| person.edition.unwrap_or(current);
    let mut header = editions.of(current)?.columns.names().to_vec();
    for person in people {
        for name in editions.of(edition_of(person))?.columns.names() {
            if !header.contains(name) {
                header.push(name.clone());
            }
        }
    }
    let path = into.join(LIST);
    let file = begin_private(&path).map_err(|cause| cannot_create(&path, &cause))?;
    let mut writer = csv::Writer::from_writer(file);
    let failed = |cause: csv::Error| cannot_write(path.display(), &cause.into());
    writer.write_record(&header).map_err(failed)?;
    let mut rows = 0;
    for person in people {
        let definition = editions.of(edition_of(person))?;
        let cells = person.cells.as_deref().unwrap_or("[]");
        for row in definition.rows_of(cells).map_err(own)? {
            let cell = |name: &String| {
                let at = definition
                    .columns
                    .names()
                    .iter()
                    .position(|one| one == name);
                at.and_then(|at| row.get(at)).map_or("", String::as_str)
            };
            writer
                .write_record(header.iter().map(cell))
                .map_err(failed)?;
            rows += 1;
        }
    }
    let file = writer
        .into_inner()
        .map_err(|error| cannot_write(path.display(), error.error()))?;
    name_private(file, &path).map_err(|cause| cannot_create(&path, &cause))?;
    Ok(rows)
}

fn write_campaign(from: &Path, into: &Path, name: &str) -> Result<(), Failure> {
    let source = from.join(FILE_NAME);
    let text = fs::read_to_string(&source)
        .map_err(|cause| cannot_write(format!("a copy of {}", source.display()), &cause))?;
    // It was read as a campaign before.
    let text = amended(&text, name, LIST).map_err(Failure::own)?;
    let path = into.join(FILE_NAME);
    File::create_new(&path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|cause| cannot_create(&path, &cause))
}
