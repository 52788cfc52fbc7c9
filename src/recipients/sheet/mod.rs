//! A sheet of an Excel workbook, read as its people see it: each cell as its number format shows it.
//!
//! Merged cells count for each of their rows, as they look. Rows that the spreadsheet hides are read like the
//! others, and that is said: neither mailing to them nor leaving them out may happen silently.
//!
//! A workbook is a zip file and may be made to burst whoever opens it, so it is measured before it is
//! read, and what is kept of it is bounded.

mod cells;
mod date;
mod error;
mod format;
mod hidden;
mod language;
mod merged;
mod number;
mod package;
mod rows;

pub use date::DateStyle;
pub use error::SheetError;
pub use number::NumberStyle;
pub(super) use rows::{Sheet, cell_name};

/// What a workbook leaves to the settings of each computer, as far as the user says it, and where its days begin.
#[derive(Debug, Clone, Copy, Default)]
struct Settings {
    numbers: Option<NumberStyle>,
    dates: Option<DateStyle>,
    from_1904: bool,
}

/// What a cell of this format shows.
#[cfg(test)]
pub(super) fn shown(code: &str, value: f64) -> String {
    format::Format::parse(code, None)
        .show(value, Settings::default())
        .text
}
