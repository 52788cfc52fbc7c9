//! One pass over a list: every row proved, packed, and given to whoever keeps it.

mod meeting;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Receiver;

use jiff::Timestamp;

use super::alike::Alike;
use super::cases::{Case, Cases};
use super::error::Error;
use super::excerpt::Lines;
use super::findings::{Finding, Findings};
use super::inputs::Inputs;
use super::judge::Judge;
use super::line::{Line, Proven, Wave};
use super::packing::{Caps, Grown, Mode, Packer, Place};
use super::person::Person;
use super::prove::{Proved, Prover, Unsound};
use super::reading;
use super::ready::{Ready, of_list};
use super::row_findings;
use super::watch::Watch;
use crate::limits::{Unit, Weight};
use crate::message::Renderer;
use crate::recipients::{Columns, Item, ReadError, Row, RowFilter};
use crate::store::{Reason, RowCounts};
use meeting::Met;

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

/// After so many waves the files that rows are given are gone through.
const SETTLED: u64 = 2;

/// What is read.
struct Read<'a> {
    columns: &'a Columns,
    /// How many bytes so far, and in all.
    bytes: &'a AtomicU64,
    size: u64,
}

/// Who proves what is read and looks at it. Without a line of provers the rows are only looked at.
struct Passing<'a> {
    line: Option<Line>,
    wave: Wave,
    /// How many waves were proved.
    settled: u64,
    watch: Watch<'a>,
    judge: Option<&'a Judge<'a>>,
    renderer: Option<&'a Renderer>,
}

/// Keeps what a pass yields.
pub(super) trait Sink {
    /// The person has a record already that this pass leaves as it is: they are proved and not packed.
    fn is_settled(&mut self, _person: &Person) -> Result<bool, Error> {
        Ok(false)
    }
    /// A new message with its first recipient; its id is for [`Sink::recipient`].
    fn message(&mut self, number: u64, proved: &Proved) -> Result<i64, Error>;
    /// A message has become a shared one with this envelope.
    fn share(&mut self, grown: Grown) -> Result<(), Error>;
    /// A recipient of a message.
    fn recipient(&mut self, proved: &Proved, message: i64) -> Result<(), Error>;
    /// A person to whom nothing is written: a recipient without a message.
    fn suppressed(&mut self, person: &Person) -> Result<(), Error>;
    /// A further row of a person, whose `first` row became a recipient.
    fn joined(&mut self, row: &Row, address: &str, first: u64) -> Result<(), Error>;
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
    cases: Option<Cases>,
    /// The first content of a campaign that must have only one, with its rows.
    only: Option<([u8; 32], Vec<Row>)>,
    filter: Option<RowFilter>,
    address_column: String,
    address_at: Option<usize>,
    lines: Option<Lines>,
    /// What is wrong with templates, by where and what: the first row that shows it, and how many do.
    of_templates: BTreeMap<(PathBuf, String), (Finding, u64, u64)>,
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
            cases: None,
            only: None,
            filter: None,
            address_column: String::new(),
            address_at: None,
            lines: None,
            of_templates: BTreeMap::new(),
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
        self.look_at(&columns, ready.list.address_column());
        let renderer = ready.renderer.take();
        let delimiter = char::from(ready.list.delimiter());
        let address_column = self.address_column.clone();
        let lines = Lines::new(&columns, delimiter, &address_column);
        self.lines = Some(lines.clone());
        let uses = std::mem::take(&mut ready.uses);
        let watch = Watch::new(self.inputs, uses, &columns, &address_column, lines.clone());
        let renderer = renderer.as_ref();
        let judge = renderer.map(|renderer| Judge::new(self.inputs, renderer, lines));
        let prover = (renderer.zip(judge.as_ref()))
            .map(|(renderer, judge)| Prover::new(self.inputs, renderer, now, judge));
        if let (Some(prover), Some(renderer)) = (&prover, renderer) {
            let shown = used_columns(renderer);
            self.cases = Some(Cases::new(prover.branches(), &columns, &shown));
        }
        let read = Read {
            columns: &columns,
            bytes: &ready.read,
            size: ready.size,
        };
        std::thread::scope(|scope| {
            let rows = reading::start(scope, &mut ready.list);
            let mut passing = Passing {
                line: prover.as_ref().map(|prover| Line::start(scope, prover)),
                wave: Wave::default(),
                settled: 0,
                watch,
                judge: judge.as_ref(),
                renderer,
            };
            self.go_through(&rows, &read, &mut passing, progress)?;
            if let (Some(judge), Some(renderer)) = (&judge, renderer) {
                judge.finish(self.findings);
                passing.watch.finish(renderer, self.findings);
            }
            Ok::<_, Error>(())
        })?;
        for grown in self.packer.unfinished() {
            self.sink.share(grown)?;
        }
        Ok(Tally {
            rows: self.rows,
            messages: self.packer.messages(),
            shared_messages: self.packer.shared_messages(),
            cases: self.cases.map(Cases::finish).unwrap_or_default(),
        })
    }

    /// Goes through all rows that are read, and then through the people of a list whose rows are grouped.
    fn go_through(
        &mut self,
        rows: &Receiver<Vec<Result<Item, ReadError>>>,
        read: &Read<'_>,
        passing: &mut Passing<'_>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(), Error> {
        let mut met = Met::new(self.inputs.grouped);
        for item in rows.iter().flatten() {
            self.rows.listed += 1;
            let person = match item {
                Ok(item) if self.leaves_out(&item, read.columns)? => None,
                Ok(Item::Row(row, address)) => self.meet(&mut met, row, address)?,
                Ok(Item::Invalid(row, problems)) => {
                    if let Some(judge) = passing.judge {
                        judge.leave_out(&row);
                    }
                    self.invalid(&row, &problems)?;
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
            if let Some(full) = person.and_then(|person| passing.wave.add(person)) {
                self.take(passing, full)?;
                progress(Progress {
                    rows: self.rows.listed,
                    read: read.bytes.load(Ordering::Relaxed).min(read.size),
                    size: read.size,
                });
            }
        }
        self.note_if_nobody_is_left();
        let alike = passing
            .renderer
            .map(|renderer| Alike::of(renderer, self.address_at));
        let gathered = met.gathered();
        let people = gathered.people() as u64;
        for (done, person) in (1..=people).zip(gathered.into_people()) {
            let person = self.unless_suppressed(person)?;
            if let (Some(alike), Some(person)) = (&alike, &person) {
                alike.check(self.inputs, person, self.findings);
            }
            if let Some(full) = person.and_then(|person| passing.wave.add(person)) {
                self.take(passing, full)?;
                progress(self.proved_of_gathered(done, people, read.size));
            }
        }
        let rest = std::mem::take(&mut passing.wave).rest();
        self.take(passing, rest)?;
        while let Some(proven) = passing.line.as_mut().map(Line::next).transpose()?.flatten() {
            self.settle(passing, proven)?;
        }
        self.note_at_the_end();
        Ok(())
    }

    /// Gives a wave to those who prove it, and takes in what has come of an earlier one.
    fn take(&mut self, passing: &mut Passing<'_>, wave: Vec<Person>) -> Result<(), Error> {
        let Some(line) = &mut passing.line else {
            for person in &wave {
                self.rows.planned += 1;
                self.rows.grouped += person.further().len() as u64;
                passing.watch.person(person, passing.renderer, &[]);
            }
            return Ok(());
        };
        match line.add(wave)? {
            Some(proven) => self.settle(passing, proven),
            None => Ok(()),
        }
    }

    /// Packs what is sound of a wave.
    fn settle(&mut self, passing: &mut Passing<'_>, proven: Proven) -> Result<(), Error> {
        let mut last = 0;
        for result in proven {
            match result {
                Ok(sound) => {
                    last = sound.person.row.number;
                    passing.watch.person(&sound.person, passing.renderer, &[]);
                    self.pack(&sound, passing.renderer)?;
                }
                Err(unsound) => {
                    last = unsound.person.row.number;
                    self.note_unsound(passing, unsound);
                }
            }
        }
        passing.settled += 1;
        if let Some(judge) = passing
            .judge
            .filter(|_| passing.settled.is_multiple_of(SETTLED))
        {
            judge.settle(last);
        }
        Ok(())
    }

    /// Somebody whose mail cannot be sent.
    fn note_unsound(&mut self, passing: &mut Passing<'_>, unsound: Unsound) {
        let Unsound { person, findings } = unsound;
        let Passing {
            watch, renderer, ..
        } = passing;
        watch.person(&person, *renderer, &findings);
        self.rows.invalid += person.count();
        // A row is not to be mended for the template's sake.
        if findings.iter().any(|found| found.row.is_some()) {
            for row in person.rows() {
                self.sink.bad(row, &findings);
            }
        }
        for finding in findings {
            if finding.row.is_some() {
                self.findings.add(finding);
            } else {
                self.of_template(person.row.number, finding);
            }
        }
    }

    /// Takes note of what is wrong with a template, which many rows may show.
    fn of_template(&mut self, row: u64, finding: Finding) {
        let key = (finding.file.clone(), finding.message.clone());
        let (_, _, rows) = self.of_templates.entry(key).or_insert((finding, row, 0));
        *rows += 1;
    }

    /// Says what is known only of the whole list: that nobody is left, and what is wrong with templates, each
    /// thing once.
    fn note_at_the_end(&mut self) {
        self.note_if_all_are_suppressed();
        let mut noted = std::mem::take(&mut self.of_templates);
        // What stands in for a broken tag may break more.
        noted.retain(|(file, _), _| !self.findings.is_about(file));
        for (finding, first, rows) in noted.into_values() {
            let others = match rows {
                0 | 1 => String::new(),
                2 => " and another one".to_owned(),
                more => format!(" and {} more", more - 1),
            };
            self.findings.add(Finding {
                message: format!("{} (in row {first}{others})", finding.message),
                ..finding
            });
        }
    }

    fn pack(&mut self, proved: &Proved, renderer: Option<&Renderer>) -> Result<(), Error> {
        self.rows.planned += 1;
        self.rows.grouped += proved.person.further().len() as u64;
        self.note_subject(proved);
        if let Some(renderer) = renderer.filter(|_| self.inputs.mode == Mode::Shared) {
            self.hold_to_one_content(proved, renderer);
        }
        let Person { row: first, .. } = &proved.person;
        for row in proved.person.further() {
            let address = self.address_of(row);
            self.sink.joined(row, address, first.number)?;
        }
        if self.sink.is_settled(&proved.person)? {
            return Ok(());
        }
        if let Some(cases) = &mut self.cases {
            cases.note(&proved.person, &proved.content);
        }
        self.attach(proved);
        self.seat(proved)
    }

    fn attach(&mut self, proved: &Proved) {
        for path in &proved.content.attachments {
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
    }

    /// Puts a person into a message.
    fn seat(&mut self, proved: &Proved) -> Result<(), Error> {
        let content = &proved.content;
        let message = match self.packer.place(&content.digest, proved.external) {
            Place::Joins(message) => {
                self.packer.joined(&content.digest, proved.external);
                message
            }
            Place::New(number) => {
                let message = self.sink.message(number, proved)?;
                let copies = Weight {
                    recipients: content.copies,
                    external: content.external_copies,
                };
                if let Some(full) =
                    self.packer
                        .opened(&content.digest, message, proved.external, copies)
                {
                    self.sink.share(full)?;
                }
                message
            }
        };
        self.sink.recipient(proved, message)
    }

    fn note_subject(&mut self, proved: &Proved) {
        if proved.content.empty_subject {
            let row = &proved.person.row;
            self.add(row, row_findings::empty_subject(self.inputs, row));
        }
    }

    /// `mode = "shared"`: one content for all. Names the fields by which two people differ.
    fn hold_to_one_content(&mut self, proved: &Proved, renderer: &Renderer) {
        let person = &proved.person;
        let (digest, first) = self
            .only
            .get_or_insert_with(|| (proved.content.digest, person.rows().cloned().collect()));
        if *digest == proved.content.digest {
            return;
        }
        let columns = &renderer.definition().columns;
        let cell = |row: &Row, at: usize| row.cells.get(at).cloned().unwrap_or_default();
        let differing: Vec<String> = used_columns(renderer)
            .into_iter()
            .filter(|field| {
                let at = columns.index_of(field);
                at.is_some_and(|at| {
                    let theirs = person.rows().map(|row| cell(row, at));
                    !theirs.eq(first.iter().map(|row| cell(row, at)))
                })
            })
            .collect();
        let first = first.first().unwrap_or(&person.row);
        let finding = row_findings::content_differs(self.inputs, &person.row, first, &differing);
        self.add(&person.row, finding);
    }

    /// Adds what was found about a row, with its line.
    fn add(&mut self, row: &Row, finding: Finding) {
        let lines = self.lines.as_ref();
        let excerpt = lines.map(|lines| lines.of(row, finding.column.as_deref()));
        self.findings.add(Finding { excerpt, ..finding });
    }
}

/// The fields of the list that templates can touch.
fn used_columns(renderer: &Renderer) -> BTreeSet<String> {
    let definition = renderer.definition();
    let templates = renderer.templates();
    definition.known(|known| templates.used_columns(known, &definition.data))
}
