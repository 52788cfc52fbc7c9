//! A campaign's folder, read: everything but the rows.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::findings::{Finding, Findings, Severity};
use super::inputs::Inputs;
use super::prove::files_of;
use super::sources::{error, literal_attachments, read_definition};
use crate::message::{self, Definition, Renderer, resolve_attachment};
use crate::recipients::{ListOptions, ListReader, Note, ReadError};
use crate::template::{Known, ProblemKind};

/// The list, and the mails' renderer where the templates allow one.
pub struct Ready {
    /// The rows, still to be read.
    pub list: ListReader<Counted>,
    /// Everything but the rows that decides the mails' bytes.
    pub definition: Definition,
    /// None when a template or file has a defect.
    pub renderer: Option<Renderer>,
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
    let ready = read(inputs, &mut findings);
    (ready, findings.into_sorted())
}

pub(super) fn read(inputs: &Inputs, findings: &mut Findings) -> Option<Ready> {
    let (file, size) = open_list(inputs, findings)?;
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
    let list = match ListReader::open(input, &options) {
        Ok(list) => list,
        Err(cause) => {
            for finding in of_list(inputs, &cause) {
                findings.add(finding);
            }
            return None;
        }
    };
    for note in list.notes() {
        findings.add(of_note(inputs, note));
    }
    let definition = read_definition(inputs, list.columns(), findings);
    check_attachments(inputs, findings);
    let renderer = compile(inputs, &definition, findings);
    Some(Ready {
        list,
        definition,
        renderer,
        read: counter,
        size,
    })
}

fn is_named(path: &Path, ending: &str) -> bool {
    path.extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case(ending))
}

fn open_list(inputs: &Inputs, findings: &mut Findings) -> Option<(File, u64)> {
    let path = inputs.folder.join(&inputs.list);
    let opened = File::open(path).and_then(|file| {
        let facts = file.metadata()?;
        if facts.is_dir() {
            return Err(std::io::Error::other("it is a folder"));
        }
        Ok((file, facts.len()))
    });
    opened
        .map_err(|cause| {
            let message = format!("the list cannot be read: {cause}");
            let remedy =
                "put the list there, or correct 'file' under [recipients] in campaign.toml";
            findings.add(error("missing-file", &inputs.list, message, remedy));
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
    }
}

/// Attachments that everybody gets are looked for once, not once for each row.
fn check_attachments(inputs: &Inputs, findings: &mut Findings) {
    for path in literal_attachments(inputs) {
        if let Err(cause) = resolve_attachment(&inputs.folder, path) {
            let remedy = "put the file there, or correct 'attach' under [message] in campaign.toml";
            findings.add(error(
                "missing-file",
                Path::new(path),
                cause.to_string(),
                remedy,
            ));
        }
    }
    for (_, path) in &inputs.inline {
        if let Err(cause) = resolve_attachment(&inputs.folder, &path.to_string_lossy()) {
            let remedy =
                "put the image there, or correct 'inline' under [message] in campaign.toml";
            findings.add(error("missing-file", path, cause.to_string(), remedy));
        }
    }
}

/// Compiles the templates and looks at every field that they can touch. None when rendering is of no
/// use yet.
fn compile(inputs: &Inputs, definition: &Definition, findings: &mut Findings) -> Option<Renderer> {
    let broken = findings.has_errors();
    let renderer = match Renderer::new(definition.clone(), files_of(inputs.folder.clone())) {
        Ok(renderer) => renderer,
        Err(message::Error::Templates(errors)) => {
            for cause in errors {
                findings.add(Finding {
                    line: Some(cause.line as u64),
                    column: Some(cause.column.to_string()),
                    ..error(
                        "template-syntax",
                        &file_of(&cause.part),
                        cause.message,
                        &cause.remedy,
                    )
                });
            }
            return None;
        }
        Err(cause) => {
            let file = Path::new(super::sources::CAMPAIGN);
            findings.add(error(
                cause.code(),
                file,
                cause.to_string(),
                &cause.remedy(),
            ));
            return None;
        }
    };
    let fields = definition.columns.fields().map(str::to_owned).collect();
    let known = Known {
        fields: &fields,
        grouped: false,
    };
    let problems = renderer.templates().check(known, &definition.data);
    for problem in &problems {
        let code = match problem.kind {
            ProblemKind::UnknownField => "unknown-field",
            ProblemKind::UnknownHelper => "unknown-helper",
            ProblemKind::UnknownPartial => "unknown-partial",
            ProblemKind::Usage => "template-usage",
        };
        findings.add(Finding {
            line: problem.line.map(|line| line as u64),
            column: problem.column.map(|column| column.to_string()),
            ..error(
                code,
                &file_of(&problem.part),
                problem.message.clone(),
                &problem.remedy,
            )
        });
    }
    (!broken && problems.is_empty()).then_some(renderer)
}

/// The file that a source stands in: what is written in campaign.toml is named after its key, a
/// partial after itself.
fn file_of(part: &str) -> std::path::PathBuf {
    if part.contains(['.', '/']) {
        part.into()
    } else {
        Path::new(super::sources::PARTIALS).join(format!("{part}.hbs"))
    }
}
