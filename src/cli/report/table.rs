//! The report as people read it in a terminal: a line for each row, then what it comes to and why.
//!
//! On a terminal a line is as long as the terminal is wide at most, so that nothing wraps; elsewhere nothing is
//! shortened. Every reason stands in full at the end, with who can do something about it.

use std::io::Write;

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::{Outcome, Problem, Reason, Reasons, Summary, rows_with};
use crate::cli::screen::{Paint, Screen, broken};
use crate::cli::setup::Planned;
use crate::cli::{Context, words};
use crate::store::ReportRow;

/// The widest outcome.
const OUTCOME: usize = 10;
/// A time as [`words::short_time`] has it, at its longest.
const TIME: usize = 17;
/// Between columns.
const GAP: usize = 2;
/// An address is not shortened to less than this.
const NARROWEST: usize = 18;

/// Columns of the table.
struct Widths {
    row: usize,
    email: usize,
    /// What is left for the last column; none where nothing is shortened.
    last: Option<usize>,
}

/// Writes the table and its summary; returns how many rows it has.
pub(super) fn write(
    context: &Context,
    planned: &Planned,
    outcomes: &[Outcome],
    out: &mut super::Destination,
) -> Result<u64, Problem> {
    let screen = &context.screen;
    // A file is no terminal, whatever standard output is.
    let columns = screen.width().filter(|_| !out.is_file());
    let painted = columns.is_some();
    let widths = Widths::of(planned, outcomes, columns)?;
    let reasons = Reasons::of(context, planned)?;
    let mut summary = Summary::default();
    let head = widths.line("row", "outcome", "email", "sent at, or why not");
    writeln!(out, "{}", paint(screen, painted, Paint::Dim, &head))?;
    let count = rows_with(planned, outcomes, |row, outcome| {
        let reason = reasons.explain(row, outcome);
        summary.add(row, outcome, reason.as_ref());
        let last = last(row, outcome, reason.as_ref(), planned);
        let number = row.row.to_string();
        let line = widths.line(&number, outcome.word(), &row.email, &last);
        Ok(writeln!(out, "{line}")?)
    })?;
    sum_up(&summary, screen, columns, out)?;
    out.flush()?;
    Ok(count)
}

/// When it was sent, or why it was not.
fn last(row: &ReportRow, outcome: Outcome, reason: Option<&Reason>, planned: &Planned) -> String {
    match (row.sent_at, reason) {
        (Some(at), _) => words::time(at, &planned.zone),
        (None, Some(reason)) => reason.meaning.clone(),
        (None, None) if outcome.is_recipient() => String::new(),
        (None, None) => outcome.meaning().to_owned(),
    }
}

impl Widths {
    fn of(
        planned: &Planned,
        outcomes: &[Outcome],
        columns: Option<usize>,
    ) -> Result<Self, Problem> {
        let (mut row, mut email) = ("row".len(), "email".len());
        rows_with(planned, outcomes, |one, _| {
            row = row.max(one.row.to_string().len());
            email = email.max(clean(&one.email).width());
            Ok(())
        })?;
        let Some(columns) = columns else {
            let last = None;
            return Ok(Self { row, email, last });
        };
        let left = columns.saturating_sub(row + OUTCOME + 3 * GAP);
        let email = email.min(left.saturating_sub(TIME + 8).max(NARROWEST));
        Ok(Self {
            row,
            email,
            last: Some(left.saturating_sub(email).max(1)),
        })
    }

    fn line(&self, row: &str, outcome: &str, email: &str, last: &str) -> String {
        let email = shortened(&clean(email), self.email);
        let last = clean(last);
        let last = self
            .last
            .map_or(last.clone(), |room| shortened(&last, room));
        let gap = " ".repeat(GAP);
        let fill = " ".repeat(self.email.saturating_sub(email.width()));
        let line = format!(
            "{row:>0$}{gap}{outcome:<OUTCOME$}{gap}{email}{fill}{gap}{last}",
            self.row
        );
        line.trim_end().to_owned()
    }
}

/// All outcomes, and the reasons of what was not sent.
fn sum_up(
    summary: &Summary,
    screen: &Screen,
    columns: Option<usize>,
    out: &mut impl Write,
) -> Result<(), Problem> {
    let painted = columns.is_some();
    let counts = Outcome::ALL.into_iter().filter_map(|outcome| {
        let count = summary.rows(outcome);
        (count > 0).then(|| format!("{} {}", words::number(count), outcome.word()))
    });
    let counts: Vec<String> = counts.collect();
    let rows = words::count(summary.all_rows(), "row", "rows");
    let mut line = rows;
    if !counts.is_empty() {
        line = format!("{line}: {}", counts.join(", "));
    }
    writeln!(out, "\n{}", paint(screen, painted, Paint::Bold, &line))?;
    let fill =
        |text: &str| columns.map_or_else(|| text.to_owned(), |columns| broken(text, columns));
    for outcome in [Outcome::Refused, Outcome::InDoubt, Outcome::Deferred] {
        for (reason, group) in summary.reasons_of(outcome) {
            let count = words::number(group.people);
            let line = format!("  {count} {}: {}", outcome.word(), clean(&reason.meaning));
            writeln!(out, "{}", fill(&line))?;
            for (who, what) in &reason.remedies {
                writeln!(out, "{}", fill(&format!("    → {who}: {}", clean(what))))?;
            }
        }
    }
    Ok(())
}

fn paint(screen: &Screen, painted: bool, style: Paint, text: &str) -> String {
    if painted {
        screen.painted(style, text)
    } else {
        text.to_owned()
    }
}

/// Nothing that a list or a server says moves the cursor or breaks a line.
fn clean(text: &str) -> String {
    text.replace(char::is_control, " ")
}

/// At most so many columns; what was cut ends with an ellipsis.
fn shortened(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut room = columns.saturating_sub(1);
    let mut short = String::new();
    for letter in text.chars() {
        let Some(left) = room.checked_sub(letter.width().unwrap_or(0)) else {
            break;
        };
        room = left;
        short.push(letter);
    }
    short + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_aligned_and_as_wide_as_the_terminal_at_most() {
        let widths = Widths {
            row: 4,
            email: 18,
            last: Some(20),
        };
        let line =
            |email: &str| widths.line("7", "refused", email, "There is no mailbox of that name.");
        for email in [
            "a@b.test",
            "日本語の長い名前です@例え.test",
            "someone.with.a.long.name@contoso.com",
        ] {
            let line = line(email);
            assert_eq!(line.width(), 4 + 2 + 10 + 2 + 18 + 2 + 20, "{line}");
            assert!(line.ends_with('…'), "{line}");
        }
        assert_eq!(shortened("abc", 3), "abc");
        assert_eq!(shortened("日本", 3), "日…");
        assert_eq!(clean("a\u{1b}[2Jb\n"), "a [2Jb ");
    }
}
