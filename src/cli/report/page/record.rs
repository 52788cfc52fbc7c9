//! What was planned against what is done, and what was done with the campaign, by whom.

use std::fmt::Write as _;

use super::Facts;
use super::markup::{foreign, prose, table};
use crate::cli::words;
use crate::store::{Deed, Happening};

/// The batches: planned against done.
pub(super) fn batches(facts: &Facts<'_>) -> String {
    if facts.batches.is_empty() {
        return String::new();
    }
    let several = facts.planned.record.accounts.len() > 1;
    let mut columns = vec![
        "Day",
        "Planned",
        "Sent",
        "In doubt",
        "Not sent",
        "To come",
        "First sent",
        "Last sent",
    ];
    if several {
        columns.insert(1, "Account");
    }
    let rows = facts.batches.iter().map(|batch| {
        let done = facts.summary.batches.get(&batch.number);
        let count = |count: Option<u64>| words::number(count.unwrap_or(0));
        let time = |at| words::short_time(at, facts.zone);
        let mut row = vec![
            words::day(&batch.date),
            words::number(batch.recipients),
            count(done.map(|done| done.sent)),
            count(done.map(|done| done.in_doubt)),
            count(done.map(|done| done.not_sent)),
            count(done.map(|done| done.left)),
            done.and_then(|done| done.first)
                .map(time)
                .unwrap_or_default(),
            done.and_then(|done| done.last)
                .map(time)
                .unwrap_or_default(),
        ];
        if several {
            row.insert(1, foreign(&batch.account));
        }
        row
    });
    let rows: Vec<_> = rows.collect();
    let table = table(
        "Recipients by the day for which they were planned",
        &columns,
        &rows,
    );
    format!(
        "<section class=\"numbers\" aria-labelledby=\"days\">\n<h2 id=\"days\">Planned and done</h2>\n{table}</section>\n"
    )
}

/// So many happenings are told, the last ones.
const TOLD: usize = 500;

/// What was done with it.
pub(super) fn section(facts: &Facts<'_>) -> String {
    if facts.history.is_empty() {
        return String::new();
    }
    let from = facts.history.len().saturating_sub(TOLD);
    let rows = facts.history.iter().skip(from).map(|happening| {
        vec![
            words::time(happening.at, facts.zone),
            happened(happening, facts),
            foreign(happening.by.as_deref().unwrap_or_default()),
        ]
    });
    let rows: Vec<_> = rows.collect();
    let earlier = if from > 0 {
        let earlier = words::count(from as u64, "earlier entry is", "earlier entries are");
        format!("<p class=\"more\">{earlier} left out.</p>\n")
    } else {
        String::new()
    };
    let table = table(
        "What was done, in its order",
        &["When", "What", "By whom"],
        &rows,
    );
    format!(
        "<section aria-labelledby=\"record\">\n<h2 id=\"record\">Record</h2>\n{earlier}{table}</section>\n"
    )
}

/// A happening in words.
fn happened(happening: &Happening, facts: &Facts<'_>) -> String {
    let mut text = match happening.deed {
        Deed::Planned => "Planned",
        Deed::Started => "Sending started",
        Deed::Waiting => "Waiting",
        Deed::Ended => "Sending ended",
        Deed::Halted => "Halted",
        Deed::Resumed => "Resumed",
        Deed::Updated => "Updated from the edited folder",
        Deed::Retried => "Refused ones queued again",
        Deed::Cancelled => "Pending ones dropped",
        Deed::Resolved => "Doubts settled",
        Deed::Suppressed => "Withdrawn, as they are not to be written to",
        Deed::Forgotten => "A person was erased",
    }
    .to_owned();
    // Writing into a String cannot fail, here and below.
    if let Some(until) = happening.until {
        let _ = write!(text, " until {}", words::time(until, facts.zone));
    }
    if let Some(recipients) = happening.recipients {
        let _ = write!(
            text,
            " ({})",
            words::count(recipients, "recipient", "recipients")
        );
    }
    if !happening.detail.is_empty() {
        let _ = write!(text, ": {}", happening.detail);
    }
    prose(&text)
}
