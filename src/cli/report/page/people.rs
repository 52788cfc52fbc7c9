//! Who was not sent to, one by one, and the rows of the list that became nobody.

use std::fmt::Write as _;

use super::Facts;
use super::markup::{foreign, prose, table, text};
use crate::cli::report::summary::{LISTED, Listed};
use crate::cli::report::{Outcome, Summary};
use crate::cli::words;

/// Those who were refused, are in doubt or put off, or are not to be written to.
pub(super) fn section(facts: &Facts<'_>) -> String {
    let kinds = [
        (Outcome::Refused, "Refused"),
        (Outcome::InDoubt, "In doubt"),
        (Outcome::Deferred, "Put off"),
        (Outcome::Cancelled, "Cancelled"),
        (Outcome::Suppressed, "Not to be written to"),
    ];
    let summary = &facts.summary;
    let tables = kinds
        .map(|(outcome, title)| listed(summary, outcome, title))
        .concat();
    let everybody = format!(
        "<p class=\"more\">Everybody, those who were sent to included, row by row: \
         <code>postroom report --format csv --out {}.csv</code> in the campaign's folder.</p>\n",
        text(&file_name(&facts.planned.record.name))
    );
    let title = if tables.is_empty() {
        "Everybody"
    } else {
        "Who was not sent to"
    };
    format!(
        "<section aria-labelledby=\"who\">\n<h2 id=\"who\">{title}</h2>\n{tables}{everybody}</section>\n"
    )
}

/// A name that a shell takes without quotes.
fn file_name(name: &str) -> String {
    let plain = |c: char| {
        if c.is_alphanumeric() || "-_.".contains(c) {
            c
        } else {
            '-'
        }
    };
    name.chars().map(plain).collect()
}

fn listed(summary: &Summary, outcome: Outcome, title: &str) -> String {
    let Some(listed) = summary.listed.get(&outcome) else {
        return String::new();
    };
    let by_reason = matches!(
        outcome,
        Outcome::Refused | Outcome::InDoubt | Outcome::Deferred
    );
    let mut columns = vec!["Row", "Address"];
    if by_reason {
        columns.extend(["What happened", "The server's words"]);
    }
    if outcome == Outcome::InDoubt {
        columns.push("Message-ID");
    }
    let rows: Vec<Vec<String>> = listed
        .iter()
        .map(|one| row(one, outcome, by_reason))
        .collect();
    table(title, &columns, &rows) + &more(summary, outcome)
}

fn row(one: &Listed, outcome: Outcome, by_reason: bool) -> Vec<String> {
    let mut cells = vec![one.row.row.to_string(), foreign(&one.row.email)];
    if by_reason {
        let reason = one.reason.as_ref();
        cells.push(reason.map_or_else(String::new, |reason| prose(&reason.meaning)));
        cells.push(foreign(one.row.reply.as_deref().unwrap_or_default()));
    }
    if outcome == Outcome::InDoubt {
        cells.push(foreign(one.row.message_id.as_deref().unwrap_or_default()));
    }
    cells
}

/// How many are not listed, and where they are.
fn more(summary: &Summary, outcome: Outcome) -> String {
    let all = summary.rows(outcome);
    if all <= LISTED as u64 {
        return String::new();
    }
    format!(
        "<p class=\"more\">These are the first {} of {}. All of them: \
         <code>postroom report --outcome {} --format csv</code> in the campaign's folder.</p>\n",
        words::number(LISTED as u64),
        words::number(all),
        outcome.as_str(),
    )
}

/// The rows of the list that became no recipient.
pub(super) fn left_out(facts: &Facts<'_>) -> String {
    let summary = &facts.summary;
    let mut lines = String::new();
    let mut tables = String::new();
    let recipients = summary.all_people();
    // Writing into a String cannot fail, here and below.
    for outcome in [Outcome::Duplicate, Outcome::Invalid, Outcome::Filtered] {
        let count = summary.rows(outcome);
        if count == 0 {
            continue;
        }
        let counted = words::number(count);
        let _ = writeln!(
            lines,
            "<li><strong>{counted}</strong> {}: {}</li>",
            outcome.word(),
            outcome.meaning()
        );
        tables += &listed(summary, outcome, &super::markup::capital(outcome.word()));
    }
    if summary.joined > 0 {
        let joined = words::number(summary.joined);
        let _ = writeln!(
            lines,
            "<li><strong>{joined}</strong> joined: further rows of people who have a row already; they are in the same message.</li>"
        );
    }
    if lines.is_empty() {
        return lines;
    }
    format!(
        "<section aria-labelledby=\"rows\">\n<h2 id=\"rows\">Rows of the list</h2>\n\
         <p>The list has {}; {} became a recipient. The others:</p>\n<ul>\n{lines}</ul>\n{tables}</section>\n",
        words::count(facts.rows.listed, "row", "rows"),
        words::number(recipients),
    )
}
