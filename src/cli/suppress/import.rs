//! `postroom suppress import`: a whole file, or nothing of it.
//!
//! A file is a list with a header, or has an address or a domain a line (`lines`). Either may have remarks, lines that
//! begin with `#`.

mod lines;

use std::io::Cursor;
use std::path::Path;

use super::telling::{for_whom, summary, told};
use super::{Import, one_line, put};
use crate::cli::disk::cannot_read;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::{Context, setup, words};
use crate::recipients::{
    Columns, Item, ListOptions, ListReader, Mailbox, ReadError, Row, Subject, text_of,
};
use crate::store::NewSuppression;

/// So many lines that cannot be used are named.
const NAMED: usize = 20;

pub(super) fn run(context: &Context, args: &Import) -> Result<Exit, Failure> {
    let bytes = std::fs::read(&args.file).map_err(|cause| cannot_read(&args.file, &cause))?;
    let new = read(&args.file, bytes, &one_line(&args.reason))?;
    let (mut store, _) = setup::store(&context.places)?;
    let name = args.scope.name(&store)?;
    let done = put(context, &mut store, name.as_deref(), &new)?;
    let line = summary(&done, &for_whom(name.as_deref()));
    told(context, &store, name.as_deref(), (&new, &done), &line)
}

fn read(file: &Path, bytes: Vec<u8>, reason: &str) -> Result<Vec<NewSuppression>, Failure> {
    let is_workbook = file
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("xlsx"));
    let found = if is_workbook {
        rows(file, bytes, true, reason)?
    } else {
        let text = text_of(Cursor::new(bytes)).map_err(|cause| broken(file, &cause))?;
        let text = without_remarks(&text);
        match lines::of(&text) {
            Some(lines) => lines::read(lines, reason),
            None => rows(file, text.into_bytes(), false, reason)?,
        }
    };
    if found.bad.is_empty() {
        return Ok(found.new);
    }
    let mut bad = found.bad;
    let count = words::count(bad.len() as u64, "line", "lines");
    let more = bad.len().saturating_sub(NAMED);
    bad.truncate(NAMED);
    if more > 0 {
        bad.push(format!("and {} more", words::number(more as u64)));
    }
    Err(Failure::new(
        Exit::Data,
        format!(
            "{count} of {} cannot be used:\n    {}",
            file.display(),
            bad.join("\n    ")
        ),
        "mend or delete them and import the file again; nothing was changed",
    ))
}

/// What a file has.
#[derive(Default)]
struct Found {
    new: Vec<NewSuppression>,
    /// Each line that cannot be used, and why.
    bad: Vec<String>,
}

/// The text with an empty line in place of each that begins with `#`, so that all others keep their numbers.
fn without_remarks(text: &str) -> String {
    let mut in_quotes = false;
    let shown = text.split_inclusive('\n').map(|line| {
        if !in_quotes && line.starts_with('#') {
            return "\n";
        }
        in_quotes ^= !line.matches('"').count().is_multiple_of(2);
        line
    });
    shown.collect()
}

/// The rows of a list with a header.
fn rows(file: &Path, bytes: Vec<u8>, workbook: bool, reason: &str) -> Result<Found, Failure> {
    let options = ListOptions {
        workbook,
        ..ListOptions::default()
    };
    let list = ListReader::open(Cursor::new(bytes), &options)
        .map_err(|cause| broken(file, &cause.error))?;
    let columns = list.columns().clone();
    let at = columns.index_of(list.address_column()).unwrap_or(0);
    let mut found = Found::default();
    for item in list {
        let (row, subject) = match item {
            Ok(Item::Row(row, address)) => (row, Ok(Subject::Person(address))),
            Ok(Item::Invalid(row, problems)) => {
                let cell = row.cells.get(at).map_or("", |cell| cell.trim());
                // A row that is well but for its address may name a domain, or a person as mail programs do.
                let read = match problems.as_slice() {
                    [one] if one.column.as_deref() == Some(list_column(&columns, at)) => {
                        subject(cell)
                    }
                    _ => Err(String::new()),
                };
                let kinds = problems.iter().map(|problem| problem.kind.to_string());
                let why = kinds.collect::<Vec<_>>().join("; ");
                (row, read.map_err(|_| why))
            }
            // Beyond this nothing can be read: what was found wrong before is told too.
            Err(cause) if !found.bad.is_empty() => {
                found.bad.push(cause.to_string());
                break;
            }
            Err(cause) => return Err(broken(file, &cause)),
        };
        match subject {
            Ok(subject) => found.new.push(entry(&columns, &row, &subject, at, reason)),
            Err(why) => found.bad.push(format!("line {}: {why}", row.line)),
        }
    }
    Ok(found)
}

fn list_column(columns: &Columns, at: usize) -> &str {
    columns.names().get(at).map_or("", String::as_str)
}

/// A domain with an `@` before it, or a person as mail programs write them: `"Ann" <ann@contoso.com>`.
fn subject(text: &str) -> Result<Subject, String> {
    if text.starts_with('@') {
        return Subject::parse(text).map_err(|error| error.to_string());
    }
    let mailbox = Mailbox::parse(text).map_err(|error| error.to_string())?;
    Ok(Subject::Person(mailbox.address))
}

fn entry(
    columns: &Columns,
    row: &Row,
    subject: &Subject,
    address_at: usize,
    reason: &str,
) -> NewSuppression {
    let own = columns.index_of("reason").and_then(|at| row.cells.get(at));
    let own = own
        .map(|cell| one_line(cell))
        .filter(|cell| !cell.is_empty());
    let written = row.cells.get(address_at).map_or("", String::as_str);
    NewSuppression {
        subject: subject.key(),
        written: written_as(subject, written),
        reason: own.unwrap_or_else(|| reason.to_owned()),
    }
}

/// As it was given, but for a name before a person's address.
fn written_as(subject: &Subject, given: &str) -> String {
    match subject {
        Subject::Person(address) if given.contains('<') => address.to_string(),
        _ => given.trim().to_owned(),
    }
}

fn broken(file: &Path, cause: &ReadError) -> Failure {
    Failure::new(
        Exit::Data,
        format!("{}: {cause}", file.display()),
        format!("{}; nothing was changed", cause.remedy()),
    )
}
