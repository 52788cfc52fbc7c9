//! The line of the user's file that a finding is about.

use crate::recipients::{Columns, Row};

/// The most characters that are kept of a line, and how many of them stand before the place.
const WIDEST: usize = 400;
const BEFORE: usize = 120;

/// A line of the user's file, and which part of it a finding is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// The line without its end; of a very long one the part around the place, with `…` where it is cut. What
    /// stands in it is the user's: whoever prints it takes out what could steer a terminal.
    pub text: String,
    /// Where the place begins in `text`, in characters from 0.
    pub start: usize,
    /// How many characters it has; at least one where the line is not empty.
    pub length: usize,
}

impl Excerpt {
    /// A line with a place in it, both in characters from 0.
    pub(super) fn new(line: &str, start: usize, length: usize) -> Self {
        let line = line.trim_end_matches(['\r', '\n']);
        let count = line.chars().count();
        let start = start.min(count.saturating_sub(1));
        let length = length.clamp(usize::from(count > 0), count - start);
        if count <= WIDEST {
            return Self {
                text: line.to_owned(),
                start,
                length,
            };
        }
        let from = start.saturating_sub(BEFORE).min(count - WIDEST);
        let mut text = String::new();
        let cut_before = from > 0;
        if cut_before {
            text.push('…');
        }
        text.extend(line.chars().skip(from).take(WIDEST));
        if from + WIDEST < count {
            text.push('…');
        }
        Self {
            text,
            start: start - from + usize::from(cut_before),
            length: length.min(from + WIDEST - start),
        }
    }
}

/// How the list's rows are written.
#[derive(Debug, Clone)]
pub(super) struct Lines {
    columns: Columns,
    delimiter: char,
    address: String,
}

impl Lines {
    pub(super) fn new(columns: &Columns, delimiter: char, address: &str) -> Self {
        Self {
            columns: columns.clone(),
            delimiter,
            address: address.to_owned(),
        }
    }

    /// A row as it stands in the list, with the cell of `column`; the address's where no column is to blame.
    pub(super) fn of(&self, row: &Row, column: Option<&str>) -> Excerpt {
        let wanted = self
            .columns
            .index_of(column.unwrap_or(&self.address))
            .unwrap_or(0);
        let ragged = row.cells.len() != self.columns.len();
        let (mut line, mut start, mut length) = (String::new(), 0, 0);
        let mut chars = 0;
        for (at, cell) in row.cells.iter().enumerate() {
            if at > 0 {
                line.push(self.delimiter);
                chars += 1;
            }
            let written = self.written(cell, row.quoted.contains(&at));
            let count = written.chars().count();
            if at == wanted {
                (start, length) = (chars, count);
            }
            chars += count;
            line.push_str(&written);
        }
        if ragged && column.is_none() {
            (start, length) = (0, chars);
        }
        Excerpt::new(&line, start, length)
    }

    /// The name of the column with the only cell of a row that is like this.
    pub(super) fn only_with(&self, row: &Row, is_like: impl Fn(&str) -> bool) -> Option<String> {
        let mut cells = row.cells.iter().zip(self.columns.names());
        let (_, first) = cells.by_ref().find(|(cell, _)| is_like(cell))?;
        let others = cells.any(|(cell, _)| is_like(cell));
        (!others).then(|| first.clone())
    }

    /// The name of the column that templates call so.
    pub(super) fn name_of(&self, field: &str) -> Option<String> {
        let at = self.columns.index_of(field)?;
        self.columns.names().get(at).cloned()
    }

    fn written<'c>(&self, cell: &'c str, is_quoted: bool) -> std::borrow::Cow<'c, str> {
        if is_quoted || cell.contains([self.delimiter, '"', '\n', '\r']) {
            let doubled = cell.replace('"', "\"\"").replace(['\n', '\r'], " ");
            return format!("\"{doubled}\"").into();
        }
        cell.into()
    }
}
