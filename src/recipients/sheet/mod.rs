//! A sheet of an Excel workbook, read as its people see it: each cell as its number format shows it.
//!
//! A workbook is a zip file and may be made to burst whoever opens it, so it is measured before it is
//! read, and what is kept of it is bounded.

mod cells;
mod date;
mod error;
mod format;
mod number;
mod package;
mod rows;

pub use error::SheetError;
pub use number::NumberStyle;
pub(super) use rows::{Sheet, cell_name};

/// What a cell of this format shows.
#[cfg(test)]
pub(super) fn shown(code: &str, value: f64) -> String {
    format::Format::parse(code, None)
        .show(value, None, false)
        .text
}
