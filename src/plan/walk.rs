//! One pass over a list: every row proved, packed, and given to whoever keeps it.

use std::collections::HashSet;
use std::sync::atomic::Ordering;

use jiff::Timestamp;

use super::cases::Case;
use super::error::Error;
use super::findings::{Finding, Findings};
use super::inputs::Inputs;
use super::packing::{Caps, Grown, Mode, Packer, Place};
use super::prove::{Proved, Prover, Wave};
use super::ready::{Ready, of_list};
use super::row_findings;
use crate::limits::{Unit, Weight};
use crate::message::Renderer;
use crate::recipients::{Address, Columns, Duplicates, Item, Row, RowProblem};
use crate::store::{Reason, RowCounts};
use crate::template::Known;

/// How far a pass has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Rows so far.
    pub rows: u64,
    /// Bytes of the list so far.
    pub read: u64,
    /// Bytes of the list in all.
    pub size: u64,
}

/// Keeps what a pass yields.
pub(super) trait Sink {
    /// A new message with its first recipient; its id is for [`Sink::recipient`].
    fn message(&mut self, number: u64, proved: &Proved) -> Result<i64, Error>;
    /// A message has become a shared one with this envelope.
    fn share(&mut self, grown: Grown) -> Result<(), Error>;
    /// A recipient of a message.
    fn recipient(&mut self, proved: &Proved, message: i64) -> Result<(), Error>;
    /// A row that becomes no recipient.
    fn left_out(&mut self, row: &Row, address: &str, reason: Reason) -> Result<(), Error>;
    /// A file that messages carry, named for the first time.
    fn attachment(&mut self, path: &str) -> Result<(), std::io::Error>;
    /// A row with errors, all of which are here, however many rows have some.
    fn bad(&mut self, _row: &Row, _findings: &[Finding]) {}
}

/// What a list came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) rows: RowCounts,
    pub(super) messages: u64,
    pub(super) shared_messages: u64,
    pub(super) cases: Vec<Case>,
}

pub(super) struct Walk<'a> {
    inputs: &'a Inputs,
    findings: &'a mut Findings,
    sink: &'a mut dyn Sink,
    packer: Packer,
    rows: RowCounts,
    attached: HashSet<String>,
    /// The first content of a campaign that must have only one, with its row.
    only: Option<([u8; 32], Row)>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        inputs: &'a Inputs,
        findings: &'a mut Findings,
        sink: &'a mut dyn Sink,
    ) -> Self {
        let caps = Caps {
            recipients: inputs.cap(Unit::Recipients),
            external: inputs.cap(Unit::ExternalRecipients),
        };
        Self {
            packer: Packer::new(inputs.mode, caps),
            inputs,
            findings,
            sink,
            rows: RowCounts::default(),
            attached: HashSet::new(),
            only: None,
        }
    }

    /// Reads the list to its end. Without a renderer the rows are only read and counted, so that what
    /// is wrong with them is known together with what is wrong with the templates.
    pub(super) fn run(
        mut self,
        ready: &mut Ready,
        now: Timestamp,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Tally, Error> {
        let columns = ready.list.columns().clone();
        let address_column = ready.list.address_column().to_owned();
        let renderer = ready.renderer.take();
        let prover = renderer
            .as_ref()
            .map(|renderer| Prover::new(self.inputs, renderer, now));
        let mut wave = Wave::default();
        let mut seen = Duplicates::new();
        for item in ready.list.by_ref() {
            self.rows.listed += 1;
            let full = match item {
                Ok(Item::Row(row, address)) => match seen.first_row(&address, row.number) {
                    Some(first) => {
                        self.duplicate(&row, &address, first, &address_column)?;
                        None
                    }
                    None => wave.add(row, address),
                },
                Ok(Item::Invalid(row, problems)) => {
                    self.invalid(&row, &problems, &columns, &address_column)?;
                    None
                }
                Err(cause) => {
                    self.rows.listed -= 1;
                    for finding in of_list(self.inputs, &cause) {
                        self.findings.add(finding);
                    }
                    break;
                }
            };
            if let Some(full) = full {
                self.take(prover.as_ref(), renderer.as_ref(), full)?;
                progress(Progress {
                    rows: self.rows.listed,
                    read: ready.read.load(Ordering::Relaxed).min(ready.size),
                    size: ready.size,
                });
            }
        }
        self.take(prover.as_ref(), renderer.as_ref(), wave.rest())?;
        for grown in self.packer.unfinished() {
            self.sink.share(grown)?;
        }
        Ok(Tally {
            rows: self.rows,
            messages: self.packer.messages(),
            shared_messages: self.packer.shared_messages(),
            cases: Vec::new(),
        })
    }

    fn duplicate(
        &mut self,
        row: &Row,
        address: &Address,
        first: u64,
        column: &str,
    ) -> Result<(), Error> {
        self.rows.duplicate += 1;
        self.findings.add(row_findings::duplicate(
            self.inputs,
            row,
            address,
            first,
            column,
        ));
        self.sink.left_out(row, address.as_str(), Reason::Duplicate)
    }

    fn invalid(
        &mut self,
        row: &Row,
        problems: &[RowProblem],
        columns: &Columns,
        address_column: &str,
    ) -> Result<(), Error> {
        self.rows.invalid += 1;
        let found = problems.iter();
        let found: Vec<Finding> = found
            .map(|problem| row_findings::defect(self.inputs, problem))
            .collect();
        self.sink.bad(row, &found);
        for finding in found {
            self.findings.add(finding);
        }
        let cell = columns
            .index_of(address_column)
            .and_then(|at| row.cells.get(at));
        self.sink
            .left_out(row, cell.map_or("", String::as_str), Reason::Invalid)
    }

    /// Proves a wave and packs what is sound of it.
    fn take(
        &mut self,
        prover: Option<&Prover<'_>>,
        renderer: Option<&Renderer>,
        wave: Vec<(Row, Address)>,
    ) -> Result<(), Error> {
        let (Some(prover), Some(renderer)) = (prover, renderer) else {
            self.rows.planned += wave.len() as u64;
            return Ok(());
        };
        let expected = wave.len();
        let results = prover.prove(wave);
        if results.len() != expected {
            return Err(Error::Incomplete);
        }
        for result in results {
            match result {
                Ok(row) => self.pack(&row, renderer)?,
                Err(unsound) => {
                    self.rows.invalid += 1;
                    self.sink.bad(&unsound.row, &unsound.findings);
                    for finding in unsound.findings {
                        self.findings.add(finding);
                    }
                }
            }
        }
        Ok(())
    }

    fn pack(&mut self, proved: &Proved, renderer: &Renderer) -> Result<(), Error> {
        self.rows.planned += 1;
        self.note_subject(proved);
        if self.inputs.mode == Mode::Shared {
            self.hold_to_one_content(proved, renderer);
        }
        for path in &proved.attachments {
            if self.attached.insert(path.clone())
                && let Err(cause) = self.sink.attachment(path)
            {
                let message = format!("the attachment '{path}' cannot be read: {cause}");
                let remedy = "make sure that the file is there and that you may read it";
                self.findings.add(super::sources::error(
                    "bad-attachment",
                    path.as_ref(),
                    message,
                    remedy,
                ));
            }
        }
        let message = match self.packer.place(&proved.digest, proved.external) {
            Place::Joins(message) => {
                self.packer.joined(&proved.digest, proved.external);
                message
            }
            Place::New(number) => {
                let message = self.sink.message(number, proved)?;
                let copies = Weight {
                    recipients: proved.copies,
                    external: proved.external_copies,
                };
                if let Some(full) =
                    self.packer
                        .opened(&proved.digest, message, proved.external, copies)
                {
                    self.sink.share(full)?;
                }
                message
            }
        };
        self.sink.recipient(proved, message)
    }

    fn note_subject(&mut self, proved: &Proved) {
        if proved.empty_subject {
            self.findings
                .add(row_findings::empty_subject(self.inputs, &proved.row));
        }
    }

    /// `mode = "shared"`: one content for all. Names the fields by which two rows differ.
    fn hold_to_one_content(&mut self, proved: &Proved, renderer: &Renderer) {
        let (digest, first) = self
            .only
            .get_or_insert_with(|| (proved.digest, proved.row.clone()));
        if *digest == proved.digest {
            return;
        }
        let definition = renderer.definition();
        let fields = definition.columns.fields().map(str::to_owned).collect();
        let known = Known {
            fields: &fields,
            grouped: false,
        };
        let cell = |row: &Row, at: usize| row.cells.get(at).cloned().unwrap_or_default();
        let differing: Vec<String> = renderer
            .templates()
            .used_columns(known, &definition.data)
            .into_iter()
            .filter(|field| {
                let at = definition.columns.index_of(field);
                at.is_some_and(|at| cell(first, at) != cell(&proved.row, at))
            })
            .collect();
        let finding = row_findings::content_differs(self.inputs, &proved.row, first, &differing);
        self.findings.add(finding);
    }
}
