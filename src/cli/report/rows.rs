//! What spreadsheets and scripts read: CSV and JSON, a record for every row of the list.

use std::io::Write;

use serde_json::json;

use super::excel::{Excel, MARK};
use super::{Outcome, Problem, rows_with};
use crate::cli::setup::Planned;
use crate::store::ReportRow;

/// A contract with scripts: more may follow at the end, none is renamed.
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

impl From<csv::Error> for Problem {
    fn from(error: csv::Error) -> Self {
        // Through `io::Error::from` a closed pipe would lose its kind.
        Self::Output(match error.into_kind() {
            csv::ErrorKind::Io(cause) => cause,
            other => std::io::Error::other(format!("{other:?}")),
        })
    }
}

/// Writes it as CSV (RFC 4180); returns how many rows it has.
pub(super) fn csv(
    planned: &Planned,
    outcomes: &[Outcome],
    excel: Option<Excel>,
    mut out: impl Write,
) -> Result<u64, Problem> {
    if excel.is_some() {
        out.write_all(MARK.as_bytes())?;
    }
    let mut writer = csv::WriterBuilder::new()
        .delimiter(excel.map_or(b',', Excel::separator))
        .from_writer(out);
    writer.write_record(COLUMNS)?;
    let count = rows_with(planned, outcomes, |row, _| {
        let cells = cells(row).map(|cell| defused(&cell));
        Ok(writer.write_record(&cells)?)
    })?;
    writer.flush()?;
    Ok(count)
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
pub(in crate::cli) fn defused(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

/// Writes it as one array of objects; returns how many rows it has.
pub(super) fn json(
    planned: &Planned,
    outcomes: &[Outcome],
    mut out: impl Write,
) -> Result<u64, Problem> {
    let mut separator = "[";
    let count = rows_with(planned, outcomes, |row, _| {
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
    if count == 0 {
        write!(out, "[")?;
    }
    writeln!(out, "]")?;
    out.flush()?;
    Ok(count)
}
