//! `postroom report`: one line per row of the list.

use std::io::{self, BufWriter, Write};

use serde_json::json;

use super::args::{Report, ReportFormat};
use super::exit::Exit;
use super::failure::{Failure, cannot_write};
use super::setup::Planned;
use super::{Context, words};
use crate::store::ReportRow;

const COLUMNS: [&str; 9] = [
    "row",
    "email",
    "outcome",
    "sent_at",
    "account",
    "batch",
    "message_id",
    "attempts",
    "reply",
];

pub(super) fn run(context: &Context, args: &Report) -> Result<Exit, Failure> {
    let mut planned = Planned::find(&args.campaign.folder, &context.places)?;
    planned.settle(&context.clock)?;
    let out = BufWriter::new(io::stdout().lock());
    let written = match args.format {
        _ if context.screen.is_json() => json_rows(&planned, out),
        ReportFormat::Json => json_rows(&planned, out),
        ReportFormat::Csv => csv_rows(&planned, out),
        ReportFormat::Table => table(&planned, out),
    };
    match written {
        Err(Problem::Output(cause)) if cause.kind() == io::ErrorKind::BrokenPipe => Ok(Exit::Done),
        Err(Problem::Output(cause)) => Err(cannot_write("the report", &cause)),
        Err(Problem::Store(error)) => Err(error.into()),
        Ok(()) => Ok(Exit::Done),
    }
}

enum Problem {
    Store(crate::store::Error),
    Output(io::Error),
}

impl From<crate::store::Error> for Problem {
    fn from(error: crate::store::Error) -> Self {
        Self::Store(error)
    }
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<csv::Error> for Problem {
    fn from(error: csv::Error) -> Self {
        // Through `io::Error::from` a closed pipe would lose its kind.
        Self::Output(match error.into_kind() {
            csv::ErrorKind::Io(cause) => cause,
            other => io::Error::other(format!("{other:?}")),
        })
    }
}

fn csv_rows(planned: &Planned, out: impl Write) -> Result<(), Problem> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(COLUMNS)?;
    planned
        .store
        .report(planned.record.id, |row| -> Result<(), Problem> {
            let cells = cells(&row).map(|cell| defused(&cell));
            Ok(writer.write_record(&cells)?)
        })?;
    Ok(writer.flush()?)
}

fn cells(row: &ReportRow) -> [String; 9] {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    [
        row.row.to_string(),
        row.email.clone(),
        row.outcome.clone(),
        row.sent_at.map(|at| at.to_string()).unwrap_or_default(),
        text(&row.account),
        row.batch.map(|batch| batch.to_string()).unwrap_or_default(),
        text(&row.message_id),
        row.attempts.to_string(),
        text(&row.reply),
    ]
}

/// A cell that a spreadsheet would run as a formula is made a text
/// (<https://owasp.org/www-community/attacks/CSV_Injection>).
pub(super) fn defused(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

fn json_rows(planned: &Planned, mut out: impl Write) -> Result<(), Problem> {
    let mut separator = "[";
    planned
        .store
        .report(planned.record.id, |row| -> Result<(), Problem> {
            let value = json!({
                "row": row.row,
                "email": row.email,
                "outcome": row.outcome,
                "sent_at": row.sent_at,
                "account": row.account,
                "batch": row.batch,
                "message_id": row.message_id,
                "attempts": row.attempts,
                "reply": row.reply,
            });
            write!(out, "{separator}{value}")?;
            separator = ",\n";
            Ok(())
        })?;
    if separator == "[" {
        write!(out, "[")?;
    }
    Ok(writeln!(out, "]").and_then(|()| out.flush())?)
}

fn table(planned: &Planned, mut out: impl Write) -> Result<(), Problem> {
    writeln!(
        out,
        "{:>7}  {:<11} {:<40} sent at / reply",
        "row", "outcome", "email"
    )?;
    planned
        .store
        .report(planned.record.id, |row| -> Result<(), Problem> {
            let last = match (row.sent_at, &row.reply) {
                (Some(at), _) => words::time(at, &planned.zone),
                (None, Some(reply)) => reply.clone(),
                (None, None) => String::new(),
            };
            let clean = |text: &str| text.replace(char::is_control, " ");
            Ok(writeln!(
                out,
                "{:>7}  {:<11} {:<40} {}",
                row.row,
                row.outcome,
                clean(&row.email),
                clean(&last)
            )?)
        })?;
    Ok(out.flush()?)
}
