//! Why something was not sent, and who can do something about it.

use std::fmt::Write as _;

use super::markup::{foreign, prose, table, text};
use crate::cli::report::summary::Group;
use crate::cli::report::{Outcome, Reason, Summary};
use crate::cli::words;

/// So many reasons are told; servers that say something else to everybody would make it endless.
const TOLD: usize = 50;

/// The reasons by outcome, the most frequent first.
pub(super) fn section(summary: &Summary) -> String {
    // Writing into a String cannot fail, here and below.
    let mut tables = String::new();
    for outcome in [Outcome::Refused, Outcome::InDoubt, Outcome::Deferred] {
        let all = summary.reasons_of(outcome);
        if all.is_empty() {
            continue;
        }
        let rows: Vec<_> = all
            .iter()
            .take(TOLD)
            .map(|(reason, group)| row(reason, group))
            .collect();
        let caption = match outcome {
            Outcome::Refused => "Why recipients were refused",
            Outcome::InDoubt => "Why it is not known whether it arrived",
            _ => "Why messages were put off",
        };
        tables += &table(
            caption,
            &["Recipients", "What happened", "What can be done"],
            &rows,
        );
        if all.len() > TOLD {
            let more = words::count((all.len() - TOLD) as u64, "more reason", "more reasons");
            let _ = writeln!(
                tables,
                "<p class=\"more\">and {more}, each of fewer recipients.</p>"
            );
        }
    }
    if tables.is_empty() {
        return tables;
    }
    format!(
        "<section class=\"reasons\" aria-labelledby=\"why\">\n<h2 id=\"why\">Why</h2>\n{tables}</section>\n"
    )
}

fn row(reason: &Reason, group: &Group) -> Vec<String> {
    let mut what = prose(&reason.meaning);
    if !group.example.is_empty() && !says(&reason.meaning, &group.example) {
        let _ = write!(
            what,
            "<span class=\"said\">{}</span>",
            foreign(&group.example)
        );
    }
    let mut remedies = String::new();
    for (who, todo) in &reason.remedies {
        let _ = write!(
            remedies,
            "<li><strong>{}</strong>: {}</li>",
            text(who),
            prose(todo)
        );
    }
    if !remedies.is_empty() {
        remedies = format!("<ul>{remedies}</ul>");
    }
    if !reason.waiting.is_empty() {
        let _ = write!(remedies, "<p>Waiting: {}</p>", prose(&reason.waiting));
    }
    vec![words::number(group.people), what, remedies]
}

/// The meaning is the words themselves, as a sentence, where they are our own.
fn says(meaning: &str, words: &str) -> bool {
    meaning.to_lowercase().contains(&words.to_lowercase())
}
