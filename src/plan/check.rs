//! Checking: everything that planning does, without a store.

use jiff::Timestamp;

use super::cases::Case;
use super::error::Error;
use super::findings::{Finding, Findings, Severity};
use super::inputs::Inputs;
use super::packing::Grown;
use super::places;
use super::prove::Proved;
use super::ready;
use super::walk::{Progress, Sink, Tally, Walk};
use crate::recipients::Row;
use crate::store::{Reason, RowCounts};

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Errors first, then by file and row.
    pub findings: Vec<Finding>,
    /// What the list's rows would become; a row that cannot be rendered counts as invalid.
    pub rows: RowCounts,
    /// How many messages that makes.
    pub messages: u64,
    /// How many of them have more than one recipient.
    pub shared_messages: u64,
    /// The rows that between them show every case, the most telling first.
    pub cases: Vec<Case>,
}

impl Checked {
    /// True when nothing blocks a plan.
    pub fn is_sound(&self) -> bool {
        self.findings
            .iter()
            .all(|finding| finding.severity != Severity::Error)
    }

    pub(super) fn new(inputs: &Inputs, mut findings: Findings, tally: Tally) -> Self {
        places::settle(inputs, findings.kept());
        Self {
            findings: findings.into_sorted(),
            rows: tally.rows,
            messages: tally.messages,
            shared_messages: tally.shared_messages,
            cases: tally.cases,
        }
    }
}

/// Reads everything, renders every row, and keeps nothing. `now` only stands in for the Date of a
/// measured message.
pub fn check(
    inputs: &Inputs,
    now: Timestamp,
    progress: &mut dyn FnMut(Progress),
) -> Result<Checked, Error> {
    let mut findings = Findings::default();
    let mut tally = Tally::default();
    if let Some(mut ready) = ready::read(inputs, &mut findings) {
        let mut sink = Nothing;
        tally = Walk::new(inputs, &mut findings, &mut sink).run(&mut ready, now, progress)?;
    }
    Ok(Checked::new(inputs, findings, tally))
}

/// Keeps nothing.
struct Nothing;

impl Sink for Nothing {
    fn message(&mut self, number: u64, _: &Proved) -> Result<i64, Error> {
        Ok(number as i64)
    }

    fn share(&mut self, _: Grown) -> Result<(), Error> {
        Ok(())
    }

    fn recipient(&mut self, _: &Proved, _: i64) -> Result<(), Error> {
        Ok(())
    }

    fn joined(&mut self, _: &Row, _: &str, _: u64) -> Result<(), Error> {
        Ok(())
    }

    fn left_out(&mut self, _: &Row, _: &str, _: Reason) -> Result<(), Error> {
        Ok(())
    }

    fn attachment(&mut self, _: &str) -> Result<(), std::io::Error> {
        Ok(())
    }
}
