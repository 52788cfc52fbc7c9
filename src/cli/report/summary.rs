//! What the rows of a report come to: by outcome, by reason, by minute and by batch.
//!
//! It is counted from the very rows that are listed, in the one look at the store that lists them, so that it adds up
//! also while another process sends.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::reason::{Reason, Reasons};
use super::{Outcome, Problem, rows_with};
use crate::cli::setup::Planned;
use crate::store::ReportRow;

/// So many rows of each kind are listed on a page: it is to open on a telephone too.
pub(super) const LISTED: usize = 1_000;

/// What the rows come to.
#[derive(Debug, Default)]
pub(super) struct Summary {
    /// Rows of the list by outcome; further rows of a person fare as the first does.
    pub(super) rows: BTreeMap<Outcome, u64>,
    /// The same of people alone, and of rows that became nobody.
    pub(super) people: BTreeMap<Outcome, u64>,
    /// Further rows of people whose rows are grouped.
    pub(super) joined: u64,
    /// Why, of those that are refused, put off or in doubt.
    pub(super) reasons: BTreeMap<(Outcome, Reason), Group>,
    /// How many people were sent to in each minute of UTC, by its number since 1970.
    pub(super) minutes: BTreeMap<i64, u64>,
    /// How far each batch is.
    pub(super) batches: BTreeMap<u64, Done>,
    /// Rows that are listed one by one, in their order, at most [`LISTED`] of each outcome.
    pub(super) listed: BTreeMap<Outcome, Vec<Listed>>,
}

/// Those with one reason.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) people: u64,
    /// What the server said to the first of them.
    pub(super) example: String,
}

/// What became of a batch's people.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) sent: u64,
    pub(super) in_doubt: u64,
    /// Refused, cancelled or not to be written to.
    pub(super) not_sent: u64,
    /// Still to come.
    pub(super) left: u64,
    pub(super) first: Option<Timestamp>,
    pub(super) last: Option<Timestamp>,
}

/// A row that is listed.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) row: ReportRow,
    pub(super) reason: Option<Reason>,
}

impl Summary {
    /// Of all rows of the list.
    pub(super) fn of(planned: &Planned, reasons: &Reasons) -> Result<Self, Problem> {
        let mut summary = Self::default();
        rows_with(planned, &[], |row, outcome| {
            let reason = reasons.explain(row, outcome);
            summary.add(row, outcome, reason.as_ref());
            summary.list(row, outcome, reason);
            Ok(())
        })?;
        Ok(summary)
    }

    /// Counts a row.
    pub(super) fn add(&mut self, row: &ReportRow, outcome: Outcome, reason: Option<&Reason>) {
        *self.rows.entry(outcome).or_default() += 1;
        if row.first.is_some() {
            self.joined += 1;
            return;
        }
        *self.people.entry(outcome).or_default() += 1;
        if let Some(reason) = reason.filter(|_| outcome != Outcome::Pending) {
            let key = (outcome, reason.clone());
            let group = self.reasons.entry(key).or_default();
            group.people += 1;
            if group.example.is_empty() {
                group.example = row.reply.clone().unwrap_or_default();
            }
        }
        if let Some(at) = row.sent_at {
            *self
                .minutes
                .entry(at.as_second().div_euclid(60))
                .or_default() += 1;
        }
        if let Some(batch) = row.batch {
            self.batches
                .entry(batch)
                .or_default()
                .add(outcome, row.sent_at);
        }
    }

    fn list(&mut self, row: &ReportRow, outcome: Outcome, reason: Option<Reason>) {
        if matches!(outcome, Outcome::Sent | Outcome::Pending) {
            return;
        }
        let listed = self.listed.entry(outcome).or_default();
        if listed.len() < LISTED {
            listed.push(Listed {
                row: row.clone(),
                reason,
            });
        }
    }

    /// Rows of the list with this outcome.
    pub(super) fn rows(&self, outcome: Outcome) -> u64 {
        self.rows.get(&outcome).copied().unwrap_or(0)
    }

    /// People with this outcome.
    pub(super) fn people(&self, outcome: Outcome) -> u64 {
        self.people.get(&outcome).copied().unwrap_or(0)
    }

    /// All who are recipients.
    pub(super) fn all_people(&self) -> u64 {
        let recipients = self
            .people
            .iter()
            .filter(|(outcome, _)| outcome.is_recipient());
        recipients.map(|(_, count)| count).sum()
    }

    /// All rows of the list.
    pub(super) fn all_rows(&self) -> u64 {
        self.rows.values().sum()
    }

    /// The reasons of those with this outcome, the most frequent first.
    pub(super) fn reasons_of(&self, outcome: Outcome) -> Vec<(&Reason, &Group)> {
        let all = self.reasons.iter().filter(|((of, _), _)| *of == outcome);
        let mut all: Vec<_> = all.map(|((_, reason), group)| (reason, group)).collect();
        all.sort_by_key(|(_, group)| std::cmp::Reverse(group.people));
        all
    }
}

impl Done {
    fn add(&mut self, outcome: Outcome, at: Option<Timestamp>) {
        match outcome {
            Outcome::Sent => self.sent += 1,
            Outcome::InDoubt => self.in_doubt += 1,
            Outcome::Pending | Outcome::Deferred => self.left += 1,
            _ => self.not_sent += 1,
        }
        if let Some(at) = at {
            self.first = Some(self.first.map_or(at, |first| first.min(at)));
            self.last = Some(self.last.map_or(at, |last| last.max(at)));
        }
    }
}
