//! `postroom suppress list`.

use std::io;

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::{Format, List};
use crate::cli::disk::cannot_write;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::report::defused;
use crate::cli::screen::Paint;
use crate::cli::{Context, setup, words};
use crate::store::Suppression;

pub(super) fn run(context: &Context, args: &List) -> Result<Exit, Failure> {
    let (store, _) = setup::store_to_look_at(&context.places)?;
    let name = args.scope.name(&store)?;
    let mut entries = store.suppressions()?;
    if let Some(name) = &name {
        entries.retain(|entry| entry.campaign.as_ref() == Some(name));
    }
    if context.screen.is_json() {
        let entries: Vec<Value> = entries.iter().map(entry_json).collect();
        context.screen.json(&json!({ "suppressed": entries }))?;
    } else if args.format == Format::Csv {
        csv_rows(&entries)?;
    } else {
        table(context, &entries)?;
    }
    Ok(Exit::Done)
}

pub(super) fn entry_json(entry: &Suppression) -> Value {
    json!({
        "email": entry.written,
        "campaign": entry.campaign,
        "reason": entry.reason,
        "added_at": entry.added_at,
    })
}

fn csv_rows(entries: &[Suppression]) -> Result<(), Failure> {
    let mut writer = csv::Writer::from_writer(io::stdout().lock());
    let mut write = || -> Result<(), csv::Error> {
        writer.write_record(["email", "campaign", "reason", "added_at"])?;
        for entry in entries {
            writer.write_record([
                // A domain is written with an `@` before it, and nothing else of it could be run.
                &if entry.subject.starts_with('@') {
                    entry.subject.clone()
                } else {
                    defused(&entry.written)
                },
                &defused(entry.campaign.as_deref().unwrap_or_default()),
                &defused(&entry.reason),
                &entry.added_at.to_string(),
            ])?;
        }
        Ok(writer.flush()?)
    };
    match write() {
        Err(error) => match error.into_kind() {
            csv::ErrorKind::Io(cause) if cause.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            csv::ErrorKind::Io(cause) => Err(cannot_write("the list", &cause)),
            other => Err(Failure::own(format!("{other:?}"))),
        },
        Ok(()) => Ok(()),
    }
}

fn table(context: &Context, entries: &[Suppression]) -> Result<(), Failure> {
    let screen = &context.screen;
    if entries.is_empty() {
        return screen.result("nobody is on the list");
    }
    let zone = TimeZone::system();
    let width = |of: fn(&Suppression) -> &str, least: usize| {
        let widths = entries.iter().map(|entry| of(entry).chars().count());
        widths.max().unwrap_or(0).clamp(least, 40)
    };
    let (who, whose) = (
        width(|entry| &entry.written, 3),
        width(|entry| entry.campaign.as_deref().unwrap_or("all"), 8),
    );
    let head = format!(
        "{:<who$}  {:<whose$}  {:<15}  why",
        "who", "campaign", "since"
    );
    screen.result(&screen.painted(Paint::Dim, &head))?;
    for entry in entries {
        let since = zone.to_datetime(entry.added_at).strftime("%a %-d %b %Y");
        let line = format!(
            "{:<who$}  {:<whose$}  {:<15}  {}",
            entry.written,
            entry.campaign.as_deref().unwrap_or("all"),
            since.to_string(),
            entry.reason
        );
        screen.result(line.trim_end())?;
    }
    screen.note(&words::count(entries.len() as u64, "entry", "entries"));
    Ok(())
}
