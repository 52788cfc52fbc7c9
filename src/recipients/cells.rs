//! What one message is filled in from.

use serde::Serialize;

/// The cells that templates see: those of one row, or of all of a person's rows where rows are
/// grouped (`duplicates = "group"`), in the list's order.
///
/// Serialised as it is frozen with a plan: an array of texts for a row, an array of such arrays for a
/// person's rows, even if there is one only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Cells<'a> {
    /// Of one row.
    Row(&'a [String]),
    /// Of all rows of a person; at least one.
    Rows(Vec<&'a [String]>),
}

impl<'a> Cells<'a> {
    /// The row whose cells are the person's fields.
    pub fn first(&self) -> &'a [String] {
        match self {
            Self::Row(cells) => cells,
            Self::Rows(rows) => rows.first().copied().unwrap_or_default(),
        }
    }
}
