//! `postroom preview` as a page in the browser.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;

use super::args::{Places, Preview};
use super::exit::Exit;
use super::failure::Failure;
use super::preview::gets_no_mail;
use super::setup::{self, Setup};
use super::{Context, connect, interrupt};
use crate::config::{Campaign, ConfigError, Problem};
use crate::plan::{Inputs, is_edited};
use crate::preview::{Note, Page, Previewer, ReadInputs, Source};
use crate::store::Store;

pub(super) fn run(context: &Context, args: &Preview, on_terminal: bool) -> Result<Exit, Failure> {
    let folder = &args.campaign.folder;
    let setup = Setup::read(folder, &context.places)?;
    let (store, path) = setup::store_if_any(&context.places)?;
    let record = match &store {
        Some(store) => store.campaign(&setup.campaign.name)?,
        None => None,
    };
    let root = setup.campaign.folder.clone();
    let source = match record {
        Some(record) => {
            let fingerprint = record.fingerprint;
            let read = reader(&root, &context.places);
            Source::Plan {
                previewer: Box::new(Previewer::of_plan(&path, record)?),
                edited: Arc::new(move || {
                    read().map_or(true, |inputs| is_edited(&inputs, &fingerprint))
                }),
            }
        }
        None => Source::Folder(unplanned(&root, &context.places, path)),
    };
    drop(store);
    connect::runtime()?.block_on(async {
        let mut signals = interrupt::Signals::catch()?;
        let page = Page::open(source, root, context.clock.clone()).await?;
        let start = tokio::select! {
            start = start(args, &page) => start?,
            () = signals.next() => return Ok(Exit::Done),
        };
        tell(context, args, &page, &start, on_terminal)?;
        page.serve(signals.next()).await?;
        Ok(Exit::Done)
    })
}

/// Reads the campaign's configuration again, as often as it is edited.
fn reader(folder: &Path, places: &Places) -> ReadInputs {
    let (folder, places) = (folder.to_owned(), places.clone());
    Arc::new(move || read(&folder, &places))
}

/// The same until the campaign is planned: from then on what is edited is not what goes out.
fn unplanned(folder: &Path, places: &Places, store: PathBuf) -> ReadInputs {
    let read = reader(folder, places);
    Arc::new(move || {
        let inputs = read()?;
        let plan = || Store::open(&store)?.campaign(&inputs.name);
        if store.exists() && matches!(plan(), Ok(Some(_))) {
            return Err(vec![Note::error(
                "planned-meanwhile",
                "the campaign was planned after this page was opened, and what was planned goes out, whatever is edited now",
                "run `postroom preview` again to see what was planned",
            )]);
        }
        Ok(inputs)
    })
}

fn read(folder: &Path, places: &Places) -> Result<Inputs, Vec<Note>> {
    match Campaign::load(folder) {
        Err(ConfigError::Invalid(problems)) => Err(problems.iter().map(note).collect()),
        _ => Setup::read(folder, places)
            .map(|setup| setup.inputs)
            .map_err(|failure| {
                vec![Note::error(
                    "configuration",
                    failure.message,
                    failure.remedy,
                )]
            }),
    }
}

fn note(problem: &Problem) -> Note {
    let name = problem.file.file_name().unwrap_or(problem.file.as_os_str());
    let message = match problem.key.as_str() {
        "" => problem.message.clone(),
        key => format!("{key}: {}", problem.message),
    };
    Note {
        file: name.to_string_lossy().into_owned(),
        line: problem.line.map(|line| line as u64),
        column: problem.column.map(|column| column.to_string()),
        ..Note::error("configuration", message, problem.remedy.clone())
    }
}

/// Where the page opens: at whom was asked for.
async fn start(args: &Preview, page: &Page) -> Result<String, Failure> {
    let (found, what) = match (args.row, &args.to) {
        (Some(row), _) => (
            page.has_row(row)
                .await
                .map(|is_there| is_there.then_some(row)),
            format!("row {row}"),
        ),
        (None, Some(address)) => (page.row_of(address).await, format!("the address {address}")),
        (None, None) => return Ok(String::new()),
    };
    match found {
        Some(Some(row)) => Ok(format!("#row={row}")),
        Some(None) => Err(gets_no_mail(&what)),
        // The page says why the list cannot be read.
        None => Ok(String::new()),
    }
}

fn tell(
    context: &Context,
    args: &Preview,
    page: &Page,
    start: &str,
    on_terminal: bool,
) -> Result<(), Failure> {
    let screen = &context.screen;
    let address = page.address() + start;
    if screen.is_json() {
        return screen.json(&json!({ "url": address }));
    }
    screen.result(&address)?;
    if on_terminal && !args.no_browser {
        let opening = page.opening_address() + start;
        match open::that_detached(opening) {
            Ok(()) => screen.note("It opens in your browser."),
            Err(cause) => screen.note(&format!(
                "no browser could be opened ({cause}): open the address above in one on this machine"
            )),
        }
    }
    screen.note("Only you can open it: the address is the key. Ctrl-C ends it.");
    Ok(())
}
