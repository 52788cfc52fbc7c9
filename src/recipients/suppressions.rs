//! A file of people who are never written to: a list with a header, or an address or a domain a line (`lines`).
//! Either may have remarks, lines that begin with `#`.

mod lines;

use std::io::Cursor;

use super::columns::Columns;
use super::error::ReadError;
use super::list::{Item, ListOptions, ListReader, Row};
use super::mailbox::Mailbox;
use super::suppressed::Subject;
use super::text::text_of;

/// What such a file has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Suppressions {
    /// In the file's order.
    pub entries: Vec<SuppressionEntry>,
    /// Each line that cannot be used, and why.
    pub bad: Vec<String>,
}

/// Somebody who is never to be written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuppressionEntry {
    /// Who.
    pub subject: Subject,
    /// As it was given, but for a name before a person's address.
    pub written: String,
    /// What the column `reason` says; none where there is none, or nothing in it.
    pub reason: Option<String>,
}

impl SuppressionEntry {
    fn new(subject: Subject, given: &str, reason: Option<String>) -> Self {
        let written = match &subject {
            Subject::Person(address) if given.contains('<') => address.to_string(),
            _ => given.trim().to_owned(),
        };
        Self {
            subject,
            written,
            reason,
        }
    }
}

impl Suppressions {
    /// Reads a file, a workbook or a text.
    ///
    /// # Errors
    /// Why nothing of it can be read.
    pub fn read(bytes: Vec<u8>, workbook: bool) -> Result<Self, ReadError> {
        if workbook {
            return rows(bytes, true);
        }
        let text = without_remarks(&text_of(Cursor::new(bytes))?);
        match lines::of(&text) {
            Some(lines) => Ok(lines::read(lines)),
            None => rows(text.into_bytes(), false),
        }
    }
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
fn rows(bytes: Vec<u8>, workbook: bool) -> Result<Suppressions, ReadError> {
    let options = ListOptions {
        workbook,
        ..ListOptions::default()
    };
    let list = ListReader::open(Cursor::new(bytes), &options).map_err(|refused| refused.error)?;
    let columns = list.columns().clone();
    let at = columns.index_of(list.address_column()).unwrap_or(0);
    let mut found = Suppressions::default();
    for item in list {
        let (row, subject) = match item {
            Ok(Item::Row(row, address)) => (row, Ok(Subject::Person(address))),
            Ok(Item::Invalid(row, problems)) => {
                let cell = row.cells.get(at).map_or("", |cell| cell.trim());
                // A row that is well but for its address may name a domain, or a person as mail programs do.
                let read = match problems.as_slice() {
                    [one] if one.column.as_ref() == columns.names().get(at) => subject(cell),
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
            Err(cause) => return Err(cause),
        };
        match subject {
            Ok(subject) => found.entries.push(entry(&columns, &row, subject, at)),
            Err(why) => found.bad.push(format!("line {}: {why}", row.line)),
        }
    }
    Ok(found)
}

fn entry(columns: &Columns, row: &Row, subject: Subject, at: usize) -> SuppressionEntry {
    let own = columns.index_of("reason").and_then(|at| row.cells.get(at));
    let own = own.filter(|cell| !cell.trim().is_empty()).cloned();
    let written = row.cells.get(at).map_or("", String::as_str);
    SuppressionEntry::new(subject, written, own)
}

/// A domain with an `@` before it, or a person as mail programs write them: `"Ann" <ann@contoso.com>`.
fn subject(text: &str) -> Result<Subject, String> {
    if text.starts_with('@') {
        return Subject::parse(text).map_err(|error| error.to_string());
    }
    let mailbox = Mailbox::parse(text).map_err(|error| error.to_string())?;
    Ok(Subject::Person(mailbox.address))
}
