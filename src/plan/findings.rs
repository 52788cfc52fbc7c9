//! What is wrong, or may be, with a campaign: all of it at once, with the place and the remedy.

use std::fmt;
use std::path::{Path, PathBuf};

use super::excerpt::Excerpt;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Blocks the plan.
    Error,
    /// Worth a look.
    Warning,
    /// Good to know; an ordinary campaign may have some.
    Note,
}

impl Severity {
    /// The name used in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// Something found in a list, a template or a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// A stable name for scripts, such as `unknown-field`.
    pub code: &'static str,
    /// The file, as the user wrote it.
    pub file: PathBuf,
    /// The data row of the list, from 1.
    pub row: Option<u64>,
    /// The line in the file, from 1.
    pub line: Option<u64>,
    /// The column's name in a list; the column's number, from 1, in a template.
    pub column: Option<String>,
    /// What was found, in plain words.
    pub message: String,
    /// What to do.
    pub remedy: String,
    /// The line that it is about.
    pub excerpt: Option<Excerpt>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        match (self.row, self.line) {
            // The header is line 1; only line breaks inside cells move the rows further down.
            (Some(row), Some(line)) if line != row + 1 => write!(f, ", row {row} (line {line})")?,
            (Some(row), _) => write!(f, ", row {row}")?,
            (None, Some(line)) => write!(f, ", line {line}")?,
            (None, None) => {}
        }
        if let Some(column) = &self.column {
            write!(f, ", column {column}")?;
        }
        write!(f, ": {}", self.message)
    }
}

/// The most findings that are kept of one code; the rest are counted.
const KEPT: usize = 100;

/// Collects findings without letting a list of a million bad rows fill the memory.
#[derive(Debug, Default)]
pub(super) struct Findings {
    kept: Vec<Finding>,
    counts: std::collections::BTreeMap<&'static str, usize>,
}

impl Findings {
    pub(super) fn add(&mut self, finding: Finding) {
        let count = self.counts.entry(finding.code).or_insert(0);
        *count += 1;
        if *count <= KEPT {
            self.kept.push(finding);
        }
    }

    /// Whether an error about this file was found.
    pub(super) fn is_about(&self, file: &Path) -> bool {
        self.kept
            .iter()
            .any(|finding| finding.severity == Severity::Error && finding.file == file)
    }

    /// Whether anything of these codes was found.
    pub(super) fn has_any_of(&self, codes: &[&str]) -> bool {
        codes.iter().any(|code| self.counts.contains_key(code))
    }

    pub(super) fn has_errors(&self) -> bool {
        self.kept
            .iter()
            .any(|finding| finding.severity == Severity::Error)
    }

    /// All of them: errors first, then by file and row.
    pub(super) fn into_sorted(mut self) -> Vec<Finding> {
        let place = |finding: &Finding| {
            let column = finding.column.as_deref().unwrap_or_default();
            (finding.row, finding.line, column.parse::<u64>().ok())
        };
        self.kept.sort_by(|a, b| {
            (a.severity, &a.file, place(a), a.code).cmp(&(b.severity, &b.file, place(b), b.code))
        });
        for (code, count) in self.counts {
            let last = self.kept.iter().rposition(|finding| finding.code == code);
            if let (Some(last), Some(more @ 1..)) = (last, count.checked_sub(KEPT)) {
                let finding = folded(&self.kept[last], more);
                self.kept.insert(last + 1, finding);
            }
        }
        self.kept
    }

    /// All that was kept, to be completed.
    pub(super) fn kept(&mut self) -> &mut Vec<Finding> {
        &mut self.kept
    }
}

/// Stands for those that are not kept.
fn folded(last: &Finding, more: usize) -> Finding {
    let what = if last.row.is_some() { "rows" } else { "places" };
    Finding {
        row: None,
        line: None,
        column: None,
        message: format!("… and {more} more {what} like these ({})", last.code),
        remedy: "mend these first, then check again".to_owned(),
        excerpt: None,
        ..last.clone()
    }
}
