//! What is wrong with one row.

use super::address_error::AddressError;

/// A row that can't be used; reading goes on after it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("row {row} (line {line}): {kind}")]
pub struct RowProblem {
    /// The data row, from 1.
    pub row: u64,
    /// The line in the file, from 1.
    pub line: u64,
    /// The column, where it is about one.
    pub column: Option<String>,
    /// The cell of a sheet, such as C18.
    pub cell: Option<String>,
    /// What stands there, shortened.
    pub found: String,
    /// What is wrong; displayed, it is the finding's message.
    pub kind: ProblemKind,
}

/// What can be wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProblemKind {
    /// More or fewer cells than the header has.
    #[error("the row has {cells} cells and the header {columns}{}", first_extra(extra.as_deref()))]
    Ragged {
        /// The row's cells.
        cells: usize,
        /// The header's cells.
        columns: usize,
        /// The first cell beyond the header's, if there are more.
        extra: Option<String>,
    },
    /// A cell of a sheet that shows an error, such as #N/A.
    #[error("the cell shows the error {shown}")]
    CellError {
        /// What it shows.
        shown: String,
    },
    /// A cell of a sheet left of the header's first one.
    #[error("cell {cell} stands outside the columns that the header names")]
    Outside {
        /// Its name.
        cell: String,
    },
    /// Text after a closing quote: the cell may have swallowed other rows.
    #[error("text follows a closing quote in line {0}, so cells or rows may have run together")]
    StrayQuote(u64),
    /// A control character in a cell.
    #[error("the cell holds a control character (U+{:04X})", u32::from(*.0))]
    Control(char),
    /// The address can't be used.
    #[error(transparent)]
    Address(#[from] AddressError),
}

impl RowProblem {
    /// A word for scripts, the same in every version.
    pub fn code(&self) -> &'static str {
        match self.kind {
            ProblemKind::Ragged { .. } | ProblemKind::Outside { .. } => "ragged-row",
            ProblemKind::CellError { .. } => "cell-error",
            ProblemKind::StrayQuote(_) => "quotes",
            ProblemKind::Control(_) => "control-character",
            ProblemKind::Address(AddressError::Empty) => "address-missing",
            ProblemKind::Address(_) => "address",
        }
    }

    /// What to do about it, as a sentence without its full stop.
    pub fn remedy(&self) -> &'static str {
        match &self.kind {
            ProblemKind::Ragged { .. } => {
                "give the row as many cells as the header has; a cell that holds the delimiter or a line break needs quotes"
            }
            ProblemKind::CellError { .. } => {
                "mend the formula in the spreadsheet, or type what the cell should say"
            }
            ProblemKind::Outside { .. } => {
                "give its column a name in the header, or empty the cell"
            }
            ProblemKind::StrayQuote(_) => {
                "close every quote, and write a quote inside a quoted cell twice"
            }
            ProblemKind::Control(_) => "type the cell afresh without the character",
            ProblemKind::Address(error) => error.remedy(),
        }
    }
}

fn first_extra(cell: Option<&str>) -> String {
    cell.map_or_else(String::new, |cell| {
        format!("; the first one too many reads '{}'", cell.escape_debug())
    })
}

/// The beginning of what was found, short enough for a line of a finding.
pub(super) fn excerpt(text: &str) -> String {
    match text.char_indices().nth(120) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
