//! `postroom suppress import`: a whole file, or nothing of it.

use std::io::Cursor;
use std::path::Path;

use super::telling::{for_whom, summary, told};
use super::{Import, one_line, put};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::{Context, setup, words};
use crate::recipients::{Columns, Item, ListOptions, ListReader, ReadError, Row, Subject};
use crate::store::NewSuppression;

/// So many lines that cannot be used are named.
const NAMED: usize = 20;

/// The header that a file of addresses alone is read under.
const HEADER: &[u8] = b"email\n";

pub(super) fn run(context: &Context, args: &Import) -> Result<Exit, Failure> {
    let bytes = std::fs::read(&args.file).map_err(|cause| {
        let exit = match cause.kind() {
            std::io::ErrorKind::NotFound => Exit::NoInput,
            _ => Exit::Io,
        };
        Failure::new(
            exit,
            format!("{} cannot be read: {cause}", args.file.display()),
            "name a file that is there and that you may read; nothing was changed",
        )
    })?;
    let new = read(&args.file, bytes, &one_line(&args.reason))?;
    let (mut store, _) = setup::store(&context.places)?;
    let name = args.scope.name(&store)?;
    let done = put(context, &mut store, name.as_deref(), &new)?;
    let line = summary(&done, &for_whom(name.as_deref()));
    told(context, &store, name.as_deref(), (&new, &done), &line)
}

fn read(file: &Path, bytes: Vec<u8>, reason: &str) -> Result<Vec<NewSuppression>, Failure> {
    let options = ListOptions {
        workbook: file
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("xlsx")),
        ..ListOptions::default()
    };
    let (bytes, added) = with_header(bytes);
    let list = ListReader::open(Cursor::new(bytes), &options)
        .map_err(|cause| broken(file, &cause.error))?;
    let columns = list.columns().clone();
    let at = columns.index_of(list.address_column()).unwrap_or(0);
    let (mut new, mut bad) = (Vec::new(), Vec::new());
    for item in list {
        match item.map_err(|cause| broken(file, &cause))? {
            Item::Row(row, address) => {
                new.push(entry(&columns, &row, &Subject::Person(address), at, reason));
            }
            Item::Invalid(row, problems) => {
                let cell = row.cells.get(at).map_or("", |cell| cell.trim());
                let domain = Subject::parse(cell).ok().filter(|_| cell.starts_with('@'));
                match domain {
                    Some(domain) => new.push(entry(&columns, &row, &domain, at, reason)),
                    None => bad.extend(
                        problems
                            .first()
                            .map(|problem| format!("line {}: {}", row.line - added, problem.kind)),
                    ),
                }
            }
        }
    }
    if bad.is_empty() {
        return Ok(new);
    }
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
        written: written.trim().to_owned(),
        reason: own.unwrap_or_else(|| reason.to_owned()),
    }
}

/// A text whose first line is an address or a domain has no header: it gets one. How many lines were added.
fn with_header(bytes: Vec<u8>) -> (Vec<u8>, u64) {
    const MARK: &[u8] = b"\xEF\xBB\xBF";
    let text = bytes.strip_prefix(MARK).unwrap_or(&bytes);
    let first = text
        .split(|byte| *byte == b'\n')
        .find(|line| !line.trim_ascii().is_empty());
    let first = String::from_utf8_lossy(first.unwrap_or_default());
    let cell = first
        .split([',', ';', '\t'])
        .next()
        .unwrap_or_default()
        .trim()
        .trim_matches('"');
    if cell.contains('@') {
        ([HEADER, text].concat(), 1)
    } else {
        (bytes, 0)
    }
}

fn broken(file: &Path, cause: &ReadError) -> Failure {
    Failure::new(
        Exit::Data,
        format!("{}: {cause}", file.display()),
        format!("{}; nothing was changed", cause.remedy()),
    )
}
