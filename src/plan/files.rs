//! The files that rows are given: one that two people get, one that nobody gets, one with nothing in it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use hashbrown::HashMap;

use super::excerpt::Lines;
use super::findings::{Finding, Findings, Severity};
use super::inputs::Inputs;
use crate::message::resolve_attachment;
use crate::recipients::Row;
use crate::template::Source;

/// How many names a finding lists.
const LISTED: usize = 10;

/// Files with one owner for each one that is shared, at the least: else sharing is meant, as with a file for
/// each office.
const OWNED: usize = 2;

/// Who gets one file.
#[derive(Debug)]
struct Owners {
    rows: usize,
    first: u64,
    /// The second row that has it.
    second: Option<Row>,
}

/// Which files the rows are given, by attachment template.
#[derive(Debug)]
pub(super) struct Given {
    /// The templates that name a file for each row, by their place among all.
    personal: Vec<usize>,
    owners: Vec<HashMap<String, Owners>>,
    /// Rows of the waves that are being proved, each with the first row of its person.
    pending: Vec<(u64, Row, Vec<String>)>,
    /// Cells of rows that get no mail because they are wrong: their files are not unused.
    left_out: BTreeSet<String>,
}

impl Given {
    pub(super) fn new(attach: &[Source]) -> Self {
        let personal: Vec<usize> = (attach.iter().enumerate())
            .filter(|(_, source)| source.text.contains("{{"))
            .map(|(at, _)| at)
            .collect();
        Self {
            owners: personal.iter().map(|_| HashMap::new()).collect(),
            personal,
            pending: Vec::new(),
            left_out: BTreeSet::new(),
        }
    }

    /// Whether any file is a row's own.
    pub(super) fn is_wanted(&self) -> bool {
        !self.personal.is_empty()
    }

    /// Takes note of the paths of a row, one for each template; `first` is the first row of the person.
    pub(super) fn add(&mut self, first: u64, row: &Row, paths: &[String]) {
        let paths = self.personal.iter().filter_map(|at| paths.get(*at));
        self.pending.push((
            first,
            row.clone(),
            paths.map(|path| path.trim().to_owned()).collect(),
        ));
    }

    /// Goes through the rows that were added of people up to the one with this first row: they came in any order,
    /// and are gone through in theirs.
    pub(super) fn settle(&mut self, last: u64) {
        let added = std::mem::take(&mut self.pending).into_iter();
        let (mut due, later): (Vec<_>, Vec<_>) = added.partition(|(first, ..)| *first <= last);
        self.pending = later;
        due.sort_by_key(|(_, row, _)| row.number);
        for (_, row, paths) in due {
            for (owners, path) in self.owners.iter_mut().zip(paths) {
                if path.is_empty() {
                    continue;
                }
                let known = owners.entry(path).or_insert(Owners {
                    rows: 0,
                    first: row.number,
                    second: None,
                });
                known.rows += 1;
                if known.rows == 2 {
                    known.second = Some(row.clone());
                }
            }
        }
    }

    /// Takes note of a row that is wrong.
    pub(super) fn leave_out(&mut self, row: &Row) {
        const ENOUGH: usize = 10_000;
        if self.is_wanted() && self.left_out.len() < ENOUGH {
            let cells = row.cells.iter().map(|cell| cell.trim());
            let telling = cells.filter(|cell| cell.len() > 1);
            self.left_out.extend(telling.map(str::to_owned));
        }
    }

    /// Says what was found.
    pub(super) fn finish(
        &mut self,
        inputs: &Inputs,
        lines: &Lines,
        column: Option<&str>,
        findings: &mut Findings,
    ) {
        self.settle(u64::MAX);
        for owners in &self.owners {
            shared(owners, inputs, lines, column, findings);
        }
        let used: BTreeSet<PathBuf> = self
            .owners
            .iter()
            .flat_map(HashMap::keys)
            .map(|path| normal(Path::new(path)))
            .collect();
        // The files of people whom a filter leaves out are used by nobody, and rightly.
        if inputs.filter.is_none() {
            self.unused(&used, inputs, findings);
        }
        empty(&used, inputs, findings);
    }

    fn unused(&self, used: &BTreeSet<PathBuf>, inputs: &Inputs, findings: &mut Findings) {
        let mut kinds: BTreeMap<&Path, BTreeSet<String>> = BTreeMap::new();
        for path in used {
            if let Some(folder) = path.parent() {
                kinds.entry(folder).or_default().insert(ending(path));
            }
        }
        let written: BTreeSet<PathBuf> = inputs
            .attach
            .iter()
            .map(|path| normal(Path::new(path)))
            .collect();
        for (folder, endings) in kinds {
            let Ok(entries) = std::fs::read_dir(inputs.folder.join(folder)) else {
                continue;
            };
            let mut idle: Vec<String> = entries
                .flatten()
                .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))
                .map(|entry| PathBuf::from(entry.file_name()))
                .filter(|name| endings.contains(&ending(name)) && !is_hidden(name))
                .filter(|name| {
                    let path = folder.join(name);
                    !used.contains(&path)
                        && !written.contains(&path)
                        && !is_named(inputs, &path)
                        && !self.is_left_out(name)
                })
                .map(|name| name.to_string_lossy().into_owned())
                .collect();
            idle.sort();
            if !idle.is_empty() {
                findings.add(of_file(
                    "file-unused",
                    if folder.as_os_str().is_empty() { Path::new(".") } else { folder },
                    format!(
                        "{} here for nobody: {}",
                        if idle.len() == 1 { "a file lies".to_owned() } else { format!("{} files lie", idle.len()) },
                        listed(&idle)
                    ),
                    "look whether a row is missing in the list or names another file; else take the file away",
                ));
            }
        }
    }

    fn is_left_out(&self, name: &Path) -> bool {
        let stem = name.file_stem().unwrap_or_default().to_string_lossy();
        self.left_out
            .iter()
            .any(|cell| stem.contains(cell.as_str()))
    }
}

/// A file that two people get though nearly everybody has their own.
fn shared(
    owners: &HashMap<String, Owners>,
    inputs: &Inputs,
    lines: &Lines,
    column: Option<&str>,
    findings: &mut Findings,
) {
    let mut several: Vec<_> = owners.iter().filter(|(_, one)| one.rows > 1).collect();
    let owned = owners.len() - several.len();
    if several.is_empty() || owned < 3 || owned < several.len() * OWNED {
        return;
    }
    several.sort_by_key(|(path, one)| (one.first, path.as_str()));
    for (path, one) in several {
        let Some(second) = &one.second else {
            continue;
        };
        let more = match one.rows {
            2 => String::new(),
            rows => format!(", and {} more rows", rows - 2),
        };
        findings.add(Finding {
            row: Some(second.number),
            line: Some(second.line),
            column: column.map(str::to_owned),
            excerpt: Some(lines.of(second, column)),
            ..of_file(
                "file-shared",
                &inputs.list,
                format!(
                    "the file '{}' goes to row {} already{more}; everybody else has one of their own",
                    path.escape_debug(),
                    one.first
                ),
                "correct the cell that names the file, if it is not meant for both",
            )
        });
    }
}

/// Files without any content.
fn empty(used: &BTreeSet<PathBuf>, inputs: &Inputs, findings: &mut Findings) {
    let written = inputs.attach.iter().filter(|path| !path.contains("{{"));
    let written = written.map(|path| normal(Path::new(path)));
    let images = inputs.inline.iter().map(|(_, path)| normal(path));
    let all: BTreeSet<PathBuf> = used.iter().cloned().chain(written).chain(images).collect();
    for path in all {
        let found = resolve_attachment(&inputs.folder, &path.to_string_lossy());
        let length = found.ok().and_then(|found| std::fs::metadata(found).ok());
        if length.is_some_and(|facts| facts.len() == 0) {
            findings.add(of_file(
                "file-empty",
                &path,
                "the file has nothing in it".to_owned(),
                "save it again, or copy it here again",
            ));
        }
    }
}

fn of_file(code: &'static str, file: &Path, message: String, remedy: &str) -> Finding {
    Finding {
        severity: Severity::Warning,
        ..super::sources::error(code, file, message, remedy)
    }
}

fn normal(path: &Path) -> PathBuf {
    let parts = path.components();
    parts
        .filter(|part| !matches!(part, std::path::Component::CurDir))
        .collect()
}

fn ending(path: &Path) -> String {
    let ending = path.extension().unwrap_or_default();
    ending.to_string_lossy().to_lowercase()
}

fn is_hidden(name: &Path) -> bool {
    let name = name.to_string_lossy();
    // What editors and office programs leave behind is hidden, too.
    name.starts_with(['.', '~', '_']) || name.ends_with('~')
}

/// The campaign's own files may lie beside attachments.
fn is_named(inputs: &Inputs, path: &Path) -> bool {
    let own = [&inputs.html, &inputs.text, &inputs.data];
    own.into_iter().flatten().any(|own| own == path)
        || inputs.list == path
        || path == Path::new(super::sources::CAMPAIGN)
        || inputs.inline.iter().any(|(_, image)| image == path)
}

/// The first names, and how many more there are.
pub(super) fn listed(names: &[String]) -> String {
    let shown: Vec<&str> = names.iter().take(LISTED).map(String::as_str).collect();
    match names.len().saturating_sub(LISTED) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
