//! What can be found about single rows of the list.

use super::findings::{Finding, Severity};
use super::inputs::Inputs;
use super::sources::{CAMPAIGN, error};
use crate::recipients::{Address, Row, RowProblem};

pub(super) fn of_row(
    inputs: &Inputs,
    row: &Row,
    severity: Severity,
    code: &'static str,
) -> Finding {
    Finding {
        severity,
        code,
        file: inputs.list.clone(),
        row: Some(row.number),
        line: Some(row.line),
        column: None,
        message: String::new(),
        remedy: String::new(),
        excerpt: None,
    }
}

/// A cell for a message: in quotes, shortened, without anything that steers a terminal.
pub(super) fn shown(cell: &str) -> String {
    let cell = cell.trim();
    let short: String = cell.chars().take(40).collect();
    let more = if short.len() < cell.len() { "…" } else { "" };
    format!("'{}{more}'", readable(&short))
}

/// An earlier row has the same address.
pub(super) fn duplicate(
    inputs: &Inputs,
    row: &Row,
    address: &Address,
    first: u64,
    column: &str,
) -> Finding {
    Finding {
        column: Some(column.to_owned()),
        message: format!("{address} is in row {first} already; this row gets no mail"),
        remedy: "nothing needs to be done: the first row counts; remove the row to silence this"
            .to_owned(),
        ..of_row(inputs, row, Severity::Warning, "duplicate")
    }
}

/// Nothing is written to anybody of the list.
pub(super) fn all_suppressed(people: u64) -> Finding {
    let message = match people {
        1 => "the list's only recipient is on the suppression list".to_owned(),
        _ => format!("all {people} recipients are on the suppression list"),
    };
    let remedy = "`postroom suppress list` shows who is on it, `postroom suppress remove` takes people off it";
    error("all-suppressed", CAMPAIGN.as_ref(), message, remedy)
}

/// A mail would go to somebody, or name somebody, to whom nothing is to be written.
pub(super) fn suppressed_copy(part: &str, address: &Address) -> Finding {
    error(
        "suppressed-copy",
        format!("{CAMPAIGN}: message.{part}").as_ref(),
        format!("'{part}' names {address}, who is on the suppression list"),
        "take the address out, or `postroom suppress remove` it",
    )
}

/// The row cannot be used.
pub(super) fn defect(inputs: &Inputs, problem: &RowProblem) -> Finding {
    let found = if problem.found.is_empty() {
        String::new()
    } else {
        format!(" (found: {})", readable(&problem.found))
    };
    let cell = problem.cell.as_deref();
    let cell = cell.map_or_else(String::new, |cell| format!("cell {cell}: "));
    Finding {
        severity: Severity::Error,
        code: problem.code(),
        file: inputs.list.clone(),
        row: Some(problem.row),
        line: Some(problem.line),
        column: problem.column.clone(),
        message: format!("{cell}{}{found}", problem.kind),
        remedy: problem.remedy().to_owned(),
        excerpt: None,
    }
}

/// The subject comes out empty.
pub(super) fn empty_subject(inputs: &Inputs, row: &Row) -> Finding {
    Finding {
        message: "the subject is empty for this row".to_owned(),
        remedy: "look at 'subject' under [message] in campaign.toml and at the row's cells"
            .to_owned(),
        ..of_row(inputs, row, Severity::Warning, "empty-subject")
    }
}

/// `mode = "shared"`, and the row's content is not that of the first one.
pub(super) fn content_differs(
    inputs: &Inputs,
    row: &Row,
    first: &Row,
    fields: &[String],
) -> Finding {
    Finding {
        column: fields.first().cloned(),
        message: format!(
            "the content differs from that of row {} by {}, and mode = \"shared\" allows one content only",
            first.number,
            fields.join(", ")
        ),
        remedy: "take the field out of the templates, or set mode = \"auto\" under [delivery]"
            .to_owned(),
        ..of_row(inputs, row, Severity::Error, "content-differs")
    }
}

/// Text of the user's on one line, without anything that cannot be seen or turns what follows; quotes stay.
fn readable(text: &str) -> String {
    const KEPT: [char; 3] = ['"', '\'', '\\'];
    let mut readable = String::with_capacity(text.len());
    for piece in text.split_inclusive(KEPT) {
        let plain = piece.trim_end_matches(KEPT);
        readable.extend(plain.escape_debug());
        readable.push_str(&piece[plain.len()..]);
    }
    readable
}
