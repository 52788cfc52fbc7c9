//! `where`: which rows of a list a campaign is for.
//!
//! A small language of comparisons with `and`, `or`, `not` and parentheses:
//!
//! ```text
//! office == 'Berlin' and [start date] >= '2026-01-01' and not (team in ('Sales', 'Press') or note is empty)
//! ```
//!
//! A column stands on the left, by its name or alias as templates write it (in brackets where it has blanks
//! or signs), a value in quotes or a number on the right. Text is compared without regard to letter case and
//! to blanks around it. Before and after (`<`, `>=` …) is told by number, by date or by text, whichever the
//! value is; a cell that is none there makes the row *unclear*, and an unclear row is told and left out.
//!
//! [`Filter`] is what is written, [`RowFilter`] the same for the columns of one list.

mod comparison;
mod numbers;
mod parser;
mod words;

use super::columns::Columns;
use comparison::Test;
pub use comparison::Wanted;
use numbers::Number;

/// The longest filter, in characters.
const MAX_LENGTH: usize = 10_000;
/// How deep parentheses and `not` may stand in each other.
const MAX_DEPTH: usize = 64;

/// A filter as it is written, its columns not looked up yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    text: String,
    root: Node<Column>,
}

/// A column as a filter names it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Column {
    name: String,
    /// The character at which it is written, from 1.
    at: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Node<C> {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    Cell(C, Test),
}

/// Why a text is no filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at character {at}: {message}")]
pub struct FilterError {
    /// The character of the filter, from 1.
    pub at: usize,
    /// What stands there and what was expected.
    pub message: String,
    /// What to write, as a sentence without its full stop.
    pub remedy: String,
}

/// A column that a filter names and the list does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownColumn {
    /// As it is written.
    pub name: String,
    /// The character of the filter at which it stands, from 1.
    pub at: usize,
    /// The most similar column.
    pub nearest: Option<String>,
}

/// A filter for the rows of one list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowFilter {
    root: Node<usize>,
}

/// What a filter says of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The row is meant.
    Taken,
    /// It is not.
    LeftOut,
    /// It hangs on a cell that cannot be compared.
    Unclear {
        /// The column, from 0.
        column: usize,
        /// What the cell was to be.
        wanted: Wanted,
    },
}

impl Filter {
    /// Reads a filter.
    ///
    /// # Errors
    /// The first place at which it is none.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        if text.chars().count() > MAX_LENGTH {
            return Err(FilterError {
                at: MAX_LENGTH,
                message: format!("the filter is longer than {MAX_LENGTH} characters"),
                remedy: "add a column to the list that says who is meant, and compare that one"
                    .to_owned(),
            });
        }
        Ok(Self {
            text: text.to_owned(),
            root: parser::parse(text)?,
        })
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Looks its columns up.
    ///
    /// # Errors
    /// Every column that the list does not have.
    pub fn for_columns(&self, columns: &Columns) -> Result<RowFilter, Vec<UnknownColumn>> {
        let mut unknown = Vec::new();
        let root = self.root.with_columns(columns, &mut unknown);
        if unknown.is_empty() {
            Ok(RowFilter { root })
        } else {
            Err(unknown)
        }
    }
}

impl RowFilter {
    /// Whether a row with these cells is meant; a missing cell is an empty one.
    pub fn judge(&self, cells: &[String]) -> Verdict {
        self.root.judge(cells)
    }
}

impl Node<Column> {
    fn with_columns(&self, columns: &Columns, unknown: &mut Vec<UnknownColumn>) -> Node<usize> {
        let mut all = |nodes: &[Self]| -> Vec<Node<usize>> {
            nodes
                .iter()
                .map(|node| node.with_columns(columns, unknown))
                .collect()
        };
        match self {
            Self::All(nodes) => Node::All(all(nodes)),
            Self::Any(nodes) => Node::Any(all(nodes)),
            Self::Not(node) => Node::Not(Box::new(node.with_columns(columns, unknown))),
            Self::Cell(column, test) => {
                let found = columns.index_of(&column.name);
                if found.is_none() {
                    unknown.push(UnknownColumn {
                        name: column.name.clone(),
                        at: column.at,
                        nearest: columns.nearest(&column.name),
                    });
                }
                Node::Cell(found.unwrap_or_default(), test.clone())
            }
        }
    }
}

impl Node<usize> {
    /// An unclear part decides nothing: `a or b` is true where `b` is, whatever becomes of `a`.
    fn judge(&self, cells: &[String]) -> Verdict {
        match self {
            Self::All(nodes) => first_of(nodes, cells, Verdict::LeftOut, Verdict::Taken),
            Self::Any(nodes) => first_of(nodes, cells, Verdict::Taken, Verdict::LeftOut),
            Self::Not(node) => match node.judge(cells) {
                Verdict::Taken => Verdict::LeftOut,
                Verdict::LeftOut => Verdict::Taken,
                unclear @ Verdict::Unclear { .. } => unclear,
            },
            Self::Cell(column, test) => {
                match test.holds(cells.get(*column).map_or("", String::as_str)) {
                    Ok(true) => Verdict::Taken,
                    Ok(false) => Verdict::LeftOut,
                    Err(wanted) => Verdict::Unclear {
                        column: *column,
                        wanted,
                    },
                }
            }
        }
    }
}

/// `decisive` where any of them is, else the first unclear one, else `otherwise`.
fn first_of(
    nodes: &[Node<usize>],
    cells: &[String],
    decisive: Verdict,
    otherwise: Verdict,
) -> Verdict {
    let mut verdict = otherwise;
    for node in nodes {
        let found = node.judge(cells);
        if found == decisive {
            return decisive;
        }
        if matches!(found, Verdict::Unclear { .. }) && !matches!(verdict, Verdict::Unclear { .. }) {
            verdict = found;
        }
    }
    verdict
}
