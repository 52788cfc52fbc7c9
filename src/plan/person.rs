//! Whom a message is for, as the list has them.

use crate::recipients::{Address, Cells, Row};

/// A person of the list.
#[derive(Debug)]
pub(super) struct Person {
    /// Their first row.
    pub(super) row: Row,
    /// Their other rows, where rows are grouped.
    pub(super) further: Option<Vec<Row>>,
    /// As their first row has it.
    pub(super) address: Address,
}

impl Person {
    /// A row that is alone in its message.
    pub(super) fn of(row: Row, address: Address) -> Self {
        Self {
            row,
            further: None,
            address,
        }
    }

    /// What the templates see.
    pub(super) fn cells(&self) -> Cells<'_> {
        match &self.further {
            None => Cells::Row(&self.row.cells),
            Some(_) => Cells::Rows(self.rows().map(|row| row.cells.as_slice()).collect()),
        }
    }

    /// All of their rows, in the list's order.
    pub(super) fn rows(&self) -> impl Iterator<Item = &Row> {
        std::iter::once(&self.row).chain(self.further())
    }

    /// Their rows but for the first.
    pub(super) fn further(&self) -> &[Row] {
        self.further.as_deref().unwrap_or_default()
    }

    /// How many rows they have.
    pub(super) fn count(&self) -> u64 {
        1 + self.further().len() as u64
    }
}
