//! Proving a campaign: every row rendered, every address parsed, every attachment opened, every size
//! known. Rows stream by; what is kept of each is what its caller takes.

use std::collections::{BTreeSet, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use super::content::{Content, Contents};
use super::findings::{Finding, Severity};
use super::inputs::Inputs;
use super::judge::Judge;
use super::person::Person;
use super::row_findings::suppressed_copy;
use super::sources::error;
use crate::message::{
    Error as MessageError, Files, Identity, Measure, Page, Renderer, resolve_attachment,
};
use crate::proof::Seen;
use crate::recipients::{Address, Row};
use crate::template::{Arm, Branch, TracedSet};

/// A Message-ID of the usual length, to measure with.
const MEASURING_ID: &str = "<00000000000000000000000000000000@measuring.invalid>";

/// A person whose message is proved.
#[derive(Debug)]
pub(super) struct Proved {
    pub(super) person: Person,
    pub(super) external: bool,
    pub(super) content: Arc<Content>,
}

/// A person whose mail cannot be sent, and why.
#[derive(Debug)]
pub(super) struct Unsound {
    pub(super) person: Box<Person>,
    pub(super) findings: Vec<Finding>,
}

/// Renders rows and measures their messages.
pub(super) struct Prover<'a> {
    inputs: &'a Inputs,
    renderer: &'a Renderer,
    templates: TracedSet,
    measure: Measure<'a>,
    now: Timestamp,
    judge: &'a Judge<'a>,
    /// Contents that were measured and are within the cap.
    measured: Mutex<HashSet<[u8; 32]>>,
    contents: Contents,
}

/// Reads a campaign's files from its folder, refusing paths that lead out of it.
pub(super) fn files_of(folder: PathBuf) -> Files {
    Arc::new(move |path| {
        let resolved = resolve_attachment(&folder, path)
            .map_err(|cause| std::io::Error::other(cause.to_string()))?;
        std::fs::read(resolved).map(Arc::from)
    })
}

impl<'a> Prover<'a> {
    pub(super) fn new(
        inputs: &'a Inputs,
        renderer: &'a Renderer,
        now: Timestamp,
        judge: &'a Judge<'a>,
    ) -> Self {
        Self {
            inputs,
            templates: renderer.templates().traced(),
            measure: Measure::new(renderer),
            renderer,
            now,
            judge,
            measured: Mutex::new(HashSet::new()),
            contents: Contents::new(renderer, !judge.asks_for_files()),
        }
    }

    /// Proves a wave of people; the results are in their order.
    pub(super) fn prove(&self, wave: Vec<Person>) -> Vec<Result<Proved, Unsound>> {
        let known = self.contents.of(&wave);
        let mut seen = None;
        let prove = |(person, known): (Person, Option<Arc<Content>>)| {
            // Copies, and letters that not every mail can name, are looked at person by person.
            let is_plain = |known: &Arc<Content>| known.copies == 0 && person.address.is_ascii();
            let content = match known.filter(is_plain) {
                Some(known) => known,
                None => match self.content_of(&person, &mut seen) {
                    Ok(content) => content,
                    Err(findings) => {
                        let person = Box::new(person);
                        return Err(Unsound { person, findings });
                    }
                },
            };
            Ok(Proved {
                external: self.renderer.is_external(&person.address),
                content,
                person,
            })
        };
        wave.into_iter().zip(known).map(prove).collect()
    }

    /// Proves a person's mail.
    fn content_of(
        &self,
        person: &Person,
        seen: &mut Option<Seen>,
    ) -> Result<Arc<Content>, Vec<Finding>> {
        let (page, taken, is_sound) = self.page_of(person, seen)?;
        let external = |copy: &&Address| self.renderer.is_external(copy);
        let content = Content {
            digest: page.digest,
            copies: page.copies().count() as u64,
            external_copies: page.copies().filter(external).count() as u64,
            empty_subject: page.rendered.subject.trim().is_empty(),
            attachments: page.attachments().map(str::to_owned).collect(),
            taken,
            number: None,
        };
        if is_sound {
            return Ok(self.contents.remember(person, content));
        }
        Ok(Arc::new(content))
    }

    /// All branches that a row's way can be told by.
    pub(super) fn branches(&self) -> &[Branch] {
        self.templates.branches()
    }

    /// What a person's mail renders to, its way through the branches, and whether nothing is wrong with it.
    fn page_of(
        &self,
        person: &Person,
        seen: &mut Option<Seen>,
    ) -> Result<(Page, BTreeSet<Arm>, bool), Vec<Finding>> {
        let Person { row, address, .. } = person;
        let (page, taken) = self
            .renderer
            .traced_page(&self.templates, &person.cells())
            .map_err(|cause| self.all_of(person, &cause))?;
        let is_sound = self.judge.page(row, &page, seen);
        self.give(person, &page);
        self.check_copies(address, &page)?;
        self.measure(person, address, &page)?;
        self.check_envelope(row, page.copies().count() as u64)?;
        Ok((page, taken, is_sound))
    }

    /// Takes note of the files that each row of a person is given.
    fn give(&self, person: &Person, page: &Page) {
        if !self.judge.asks_for_files() {
            return;
        }
        if person.further().is_empty() {
            self.judge.given(person, &person.row, &page.rendered.attach);
            return;
        }
        let mut seen = HashSet::new();
        let by_row = self.renderer.attachments_by_row(&person.cells());
        for (row, mut paths) in person.rows().zip(by_row) {
            // A file that a person gets for two rows is not shared with anybody.
            for path in &mut paths {
                if !seen.insert(path.trim().to_owned()) {
                    path.clear();
                }
            }
            self.judge.given(person, row, &paths);
        }
    }

    /// Nobody who is on the suppression list gets a copy, or is named in To.
    fn check_copies(&self, recipient: &Address, page: &Page) -> Result<(), Vec<Finding>> {
        let to = self.renderer.addressee(page, recipient, false).address;
        let named = std::iter::once(("to", &to)).chain(page.named_copies());
        let found = named.filter(|(_, address)| self.inputs.suppressed.covers(address));
        let found: Vec<Finding> = found
            .map(|(part, address)| suppressed_copy(part, address))
            .collect();
        if found.is_empty() { Ok(()) } else { Err(found) }
    }

    /// Proves each content once: whatever cannot be built or is too large is known now.
    fn measure(&self, person: &Person, address: &Address, page: &Page) -> Result<(), Vec<Finding>> {
        let row = &person.row;
        let known = {
            let measured = self.measured.lock().unwrap_or_else(PoisonError::into_inner);
            measured.contains(&page.digest)
        };
        if known {
            return Ok(());
        }
        let identity = Identity {
            message_id: MEASURING_ID,
            date: self.now,
            shared: false,
        };
        let unbuildable = |cause| self.all_files_of(person, page, &cause);
        let at_most = self
            .measure
            .at_most(page, address, &identity)
            .map_err(unbuildable)?;
        // Only what may be near the cap is worth its exact size.
        let cap = self.inputs.max_message_size();
        if let Some(cap) = cap.filter(|cap| at_most > cap / 10 * 8) {
            let content = self
                .renderer
                .compose(page, address, &identity)
                .map_err(unbuildable)?;
            self.judge.size(row, content.len());
            if content.len() as u64 > cap {
                return Err(vec![self.too_large(row, content.len() as u64, cap)]);
            }
        }
        let mut measured = self.measured.lock().unwrap_or_else(PoisonError::into_inner);
        // Personal contents come once each: remembering them would only fill the memory.
        if measured.len() < 4096 {
            measured.insert(page.digest);
        }
        Ok(())
    }

    fn too_large(&self, row: &Row, bytes: u64, cap: u64) -> Finding {
        let message = format!(
            "the message has {bytes} bytes after encoding; the provider takes at most {cap}"
        );
        let remedy = "use smaller or fewer attachments, or put them on a page and link to it";
        self.of_row(row, error("too-large", &self.inputs.list, message, remedy))
    }

    fn check_envelope(&self, row: &Row, copies: u64) -> Result<(), Vec<Finding>> {
        let cap = self.inputs.max_recipients_per_message();
        if copies < cap {
            return Ok(());
        }
        let message = format!(
            "with {copies} copies (cc, bcc) a message has more than the {cap} recipients allowed"
        );
        let remedy = "take addresses out of cc and bcc";
        let found = error("too-many-copies", &self.inputs.list, message, remedy);
        Err(vec![self.of_row(row, found)])
    }

    /// A row that cannot be rendered, with all that is wrong with it.
    fn all_of(&self, person: &Person, cause: &MessageError) -> Vec<Finding> {
        let row = &person.row;
        for row in person.rows() {
            self.judge.leave_out(row);
        }
        let all = self.renderer.problems(&person.cells());
        if all.is_empty() {
            return vec![self.finding(row, cause)];
        }
        all.iter().map(|cause| self.finding(row, cause)).collect()
    }

    /// A row that cannot be composed; where a file is to blame, with all of its files that are.
    fn all_files_of(&self, person: &Person, page: &Page, cause: &MessageError) -> Vec<Finding> {
        let mut found = Vec::new();
        if matches!(cause, MessageError::Attachment { .. }) {
            let lost = |path| Some((path, resolve_attachment(&self.inputs.folder, path).err()?));
            for (path, cause) in page.attachments().filter_map(lost) {
                found.push(self.finding(self.row_with(person, path), &cause));
            }
        }
        if found.is_empty() {
            found.push(self.finding(&person.row, cause));
        }
        found
    }

    /// The first row of a person that names this file.
    fn row_with<'p>(&self, person: &'p Person, path: &str) -> &'p Row {
        if person.further().is_empty() {
            return &person.row;
        }
        let by_row = self.renderer.attachments_by_row(&person.cells());
        let names = |paths: &Vec<String>| paths.iter().any(|one| one.trim() == path);
        let mut rows = person.rows().zip(&by_row);
        let row = rows.find(|(_, paths)| names(paths));
        row.map_or(&person.row, |(row, _)| row)
    }

    fn of_row(&self, row: &Row, finding: Finding) -> Finding {
        Finding {
            row: Some(row.number),
            line: Some(row.line),
            excerpt: Some(self.judge.lines().of(row, finding.column.as_deref())),
            ..finding
        }
    }

    /// The column that a row's defect comes from, where it can be only one.
    fn to_blame(&self, cause: &MessageError) -> Option<String> {
        match cause {
            MessageError::Render(error) => {
                self.judge.column_at(&error.part, error.line, error.column)
            }
            MessageError::Attachment { .. } => self.judge.column_of("attach"),
            MessageError::Address { part, .. } => self.judge.column_of(part),
            MessageError::Header { name, .. } if name == "Subject" => {
                self.judge.column_of("subject")
            }
            _ => None,
        }
    }

    fn finding(&self, row: &Row, cause: &MessageError) -> Finding {
        if let MessageError::Body { part, reason, .. } = cause {
            // It is the template's, whichever row shows it.
            return error(cause.code(), part.as_ref(), reason.clone(), &cause.remedy());
        }
        self.of_row(
            row,
            Finding {
                severity: Severity::Error,
                code: cause.code(),
                file: self.inputs.list.clone(),
                row: None,
                line: None,
                column: self.to_blame(cause),
                message: cause.to_string(),
                remedy: cause.remedy(),

                excerpt: None,
            },
        )
    }
}
