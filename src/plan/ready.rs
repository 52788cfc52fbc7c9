//! A campaign's folder, read: everything but the rows.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::alike;
use super::findings::{Finding, Findings, Severity};
use super::inputs::Inputs;
use super::mending::{Uses, compile};
use super::places;
use super::sources::{literal_attachments, not_had, read_definition};
use crate::message::{Definition, LARGEST, Renderer, file_inside};
use crate::recipients::{Columns, ListOptions, ListReader, Note, ReadError, Reading};

/// The list, and the mails' renderer where the templates allow one.
pub struct Ready {
    /// The rows, still to be read.
    pub list: ListReader<Counted>,
    /// Everything but the rows that decides the mails' bytes.
    pub definition: Definition,
    /// Renders what is sound: where there are findings, it is good for proving only. None when nothing can be rendered.
    pub renderer: Option<Renderer>,
    pub(super) uses: Uses,
    pub(super) read: Arc<AtomicU64>,
    pub(super) size: u64,
}

impl std::fmt::Debug for Ready {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ready")
            .field("renderer", &self.renderer)
            .finish_non_exhaustive()
    }
}

/// Counts what has been read, for the progress bar.
#[derive(Debug)]
pub struct Counted {
    file: BufReader<File>,
    read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

impl Seek for Counted {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        let place = self.file.seek(to)?;
        self.read.store(place, Ordering::Relaxed);
        Ok(place)
    }
}

/// Reads a campaign's folder. None when not even the list's header can be read; the findings say why.
pub fn open(inputs: &Inputs) -> (Option<Ready>, Vec<Finding>) {
    let mut findings = Findings::default();
    let ready = read(inputs, &mut findings).ok();
    places::settle(inputs, findings.kept());
    (ready, findings.into_sorted())
}

/// How a list was read that could not be read further than its header; none where not even that is known.
pub(super) type AsFar = Option<Box<Reading>>;

/// Reads a campaign's folder up to the list's rows. What is wrong goes to `findings`; the error is only how far
/// the list could be read.
pub(super) fn read(inputs: &Inputs, findings: &mut Findings) -> Result<Ready, AsFar> {
    let opened = open_rows(inputs, findings);
    let (list, counter, size) = match opened {
        Ok(opened) => opened,
        Err(as_far) => {
            without_list(inputs, findings);
            return Err(as_far);
        }
    };
    for note in list.notes() {
        findings.add(of_note(inputs, note));
    }
    let definition = read_definition(inputs, list.columns(), findings);
    if definition.grouped {
        alike::check_names(inputs, &definition, findings);
    }
    check_attachments(inputs, findings);
    let (renderer, uses) = compile(inputs, &definition, true, findings);
    Ok(Ready {
        list,
        definition,
        renderer,
        uses,
        read: counter,
        size,
    })
}

type Rows = (ListReader<Counted>, Arc<AtomicU64>, u64);

fn open_rows(inputs: &Inputs, findings: &mut Findings) -> Result<Rows, AsFar> {
    let (file, size) = open_list(inputs, findings).ok_or(None)?;
    let counter = Arc::new(AtomicU64::new(0));
    let input = Counted {
        file: BufReader::with_capacity(1 << 16, file),
        read: Arc::clone(&counter),
    };
    let options = ListOptions {
        address_column: inputs.address_column.clone(),
        delimiter: is_named(&inputs.list, "tsv").then_some(b'\t'),
        workbook: is_named(&inputs.list, "xlsx"),
        ..inputs.reading.clone()
    };
    match ListReader::open(input, &options) {
        Ok(list) => Ok((list, counter, size)),
        Err(refused) => {
            let notes = refused.notes.iter().map(|note| of_note(inputs, note));
            for finding in of_list(inputs, &refused.error).into_iter().chain(notes) {
                findings.add(finding);
            }
            Err(refused.reading)
        }
    }
}

/// The list cannot be read: what is wrong beside it is said all the same.
fn without_list(inputs: &Inputs, findings: &mut Findings) {
    let name = inputs.address_column.clone();
    let Ok(columns) = Columns::new([name.unwrap_or_else(|| "email".to_owned())]) else {
        return;
    };
    let definition = read_definition(inputs, &columns, findings);
    check_attachments(inputs, findings);
    compile(inputs, &definition, false, findings);
}

fn is_named(path: &Path, ending: &str) -> bool {
    path.extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case(ending))
}

fn open_list(inputs: &Inputs, findings: &mut Findings) -> Option<(File, u64)> {
    let opened =
        file_inside(&inputs.folder, &inputs.list.to_string_lossy(), u64::MAX).and_then(|found| {
            let file = File::open(found)?;
            let size = file.metadata()?.len();
            Ok((file, size))
        });
    opened
        .map_err(|cause| {
            let key = "'file' under [recipients]";
            findings.add(not_had(&inputs.list, "list", key, &cause));
        })
        .ok()
}

/// What is wrong with the list as a whole: several things only in its header.
pub(super) fn of_list(inputs: &Inputs, cause: &ReadError) -> Vec<Finding> {
    let place = cause.place();
    let finding = Finding {
        severity: Severity::Error,
        code: cause.code(),
        file: inputs.list.clone(),
        row: place.map(|place| place.row).filter(|row| *row > 0),
        line: place.map(|place| place.line),
        column: None,
        message: cause.to_string(),
        remedy: cause.remedy(),
        excerpt: None,
    };
    let ReadError::Columns(errors, _) = cause else {
        return vec![finding];
    };
    let each = errors.each().iter().map(|error| Finding {
        column: error.column(),
        message: error.to_string(),
        remedy: error.remedy().to_owned(),
        ..finding.clone()
    });
    each.collect()
}

/// What is worth a look about the list as a whole.
fn of_note(inputs: &Inputs, note: &Note) -> Finding {
    Finding {
        severity: Severity::Warning,
        code: note.code,
        file: inputs.list.clone(),
        row: None,
        line: note.line,
        column: None,
        message: note.message.clone(),
        remedy: note.remedy.clone(),
        excerpt: None,
    }
}

/// Attachments that everybody gets are looked for once, not once for each row.
fn check_attachments(inputs: &Inputs, findings: &mut Findings) {
    for path in literal_attachments(inputs) {
        if let Err(cause) = file_inside(&inputs.folder, path, LARGEST) {
            let (path, key) = (Path::new(path), "'attach' under [message]");
            findings.add(not_had(path, "attachment", key, &cause));
        }
    }
    for (_, path) in &inputs.inline {
        if let Err(cause) = file_inside(&inputs.folder, &path.to_string_lossy(), LARGEST) {
            findings.add(not_had(path, "image", "'inline' under [message]", &cause));
        }
    }
}
