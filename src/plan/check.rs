//! Checking: everything that planning does, without a store.

use jiff::Timestamp;

use super::cases::Case;
use super::error::Error;
use super::findings::{Finding, Findings, Severity};
use super::inputs::Inputs;
use super::packing::Grown;
use super::person::Person;
use super::places;
use super::prove::Proved;
use super::ready::{self, AsFar};
use super::walk::{Progress, Sink, Tally, Walk};
use crate::recipients::{Columns, Reading, Row};
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
    /// How the list was read, as far as it could be; none when nothing can be told of it.
    pub list: Option<Reading>,
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

    pub(super) fn new(
        inputs: &Inputs,
        mut findings: Findings,
        tally: Tally,
        list: Option<Reading>,
    ) -> Self {
        places::settle(inputs, findings.kept());
        Self {
            findings: findings.into_sorted(),
            rows: tally.rows,
            messages: tally.messages,
            shared_messages: tally.shared_messages,
            list,
            cases: tally.cases,
        }
    }

    /// Of a list whose rows could not be had.
    pub(super) fn without_rows(inputs: &Inputs, findings: Findings, as_far: AsFar) -> Self {
        let list = as_far.map(|reading| *reading);
        Self::new(inputs, findings, Tally::default(), list)
    }
}

/// A row of the list with errors.
#[derive(Debug, Clone, Copy)]
pub struct BadRow<'a> {
    /// The list's columns.
    pub columns: &'a Columns,
    /// How the list is read.
    pub reading: &'a Reading,
    /// The row as it stands.
    pub row: &'a Row,
    /// Everything that is wrong with it; at least one finding.
    pub findings: &'a [Finding],
}

/// Reads everything, renders every row, and keeps nothing. `now` only stands in for the Date of a
/// measured message. `bad` gets every row with errors, however many findings are listed; rows that
/// can't be rendered come up to a thousand rows after their neighbours.
pub fn check(
    inputs: &Inputs,
    now: Timestamp,
    progress: &mut dyn FnMut(Progress),
    bad: &mut dyn FnMut(BadRow<'_>),
) -> Result<Checked, Error> {
    let mut findings = Findings::default();
    let mut ready = match ready::read(inputs, &mut findings) {
        Ok(ready) => ready,
        Err(as_far) => return Ok(Checked::without_rows(inputs, findings, as_far)),
    };
    let mut sink = Looking {
        columns: ready.list.columns().clone(),
        reading: ready.list.reading().clone(),
        bad,
    };
    let tally = Walk::new(inputs, &mut findings, &mut sink).run(&mut ready, now, progress)?;
    Ok(Checked::new(inputs, findings, tally, Some(sink.reading)))
}

/// Keeps nothing.
struct Looking<'a> {
    columns: Columns,
    reading: Reading,
    bad: &'a mut dyn FnMut(BadRow<'_>),
}

impl Sink for Looking<'_> {
    fn message(&mut self, number: u64, _: &Proved) -> Result<i64, Error> {
        Ok(number as i64)
    }

    fn share(&mut self, _: Grown) -> Result<(), Error> {
        Ok(())
    }

    fn recipient(&mut self, _: &Proved, _: i64) -> Result<(), Error> {
        Ok(())
    }

    fn suppressed(&mut self, _: &Person) -> Result<(), Error> {
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

    fn bad(&mut self, row: &Row, findings: &[Finding]) {
        (self.bad)(BadRow {
            columns: &self.columns,
            reading: &self.reading,
            row,
            findings,
        });
    }
}
