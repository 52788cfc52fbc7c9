//! What is wrong, or may be, as the page shows it.

use serde::Serialize;

use crate::plan::Finding;

/// A finding, or why a campaign or a row cannot be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// `error`, `warning` or `note`.
    pub severity: &'static str,
    /// A stable name.
    pub code: String,
    /// The file, as the user wrote it; empty where it is about none.
    pub file: String,
    /// The data row of the list, from 1.
    pub row: Option<u64>,
    /// The line in the file, from 1.
    pub line: Option<u64>,
    /// The column's name in a list; the column's number, from 1, elsewhere.
    pub column: Option<String>,
    /// What was found.
    pub message: String,
    /// What to do.
    pub remedy: String,
}

impl Note {
    /// An error about no place in particular.
    pub fn error(code: &str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            severity: "error",
            code: code.to_owned(),
            file: String::new(),
            row: None,
            line: None,
            column: None,
            message: message.into(),
            remedy: remedy.into(),
        }
    }

    pub(super) fn is_error(&self) -> bool {
        self.severity == "error"
    }
}

impl From<&Finding> for Note {
    fn from(finding: &Finding) -> Self {
        Self {
            severity: finding.severity.as_str(),
            code: finding.code.to_owned(),
            file: finding.file.display().to_string(),
            row: finding.row,
            line: finding.line,
            column: finding.column.clone(),
            message: finding.message.clone(),
            remedy: finding.remedy.clone(),
        }
    }
}
