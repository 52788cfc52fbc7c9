//! A list of recipients, read row by row.

use std::io::Read;

use serde_json::{Map, Value};

use super::address::Address;
use super::columns::Columns;
use super::detect;
use super::error::{Place, ReadError};
use super::problem::{ProblemKind, RowProblem, excerpt};
use super::records::{Record, Records};
use super::source::Source;

/// What a column of addresses is usually named, the surest first.
const USUAL_NAMES: [&str; 5] = ["email", "e-mail", "email address", "mail", "address"];

/// How a list is to be read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListOptions {
    /// The column of addresses; none: the one with a usual name.
    pub address_column: Option<String>,
    /// The delimiter, an ASCII character; none: a comma, semicolon or tab, as the header has it.
    pub delimiter: Option<u8>,
}

/// One row of data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The data row, from 1; blank lines don't count.
    pub number: u64,
    /// The line in the file in which it begins, from 1.
    pub line: u64,
    /// The cells as they stand in the list.
    pub cells: Vec<String>,
}

impl Row {
    /// The values under every name and alias of the columns.
    pub fn data(&self, columns: &Columns) -> Map<String, Value> {
        columns.data_of(&self.cells)
    }
}

/// What a list yields for each row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A row that can be written to.
    Row(Row, Address),
    /// A row that can't be, and everything that is wrong with it (at least one problem).
    Invalid(Row, Vec<RowProblem>),
}

/// Reads a list: delimited text (RFC 4180) in UTF-8 with a header, in memory that doesn't grow with
/// the list. Iterating yields every row in order and ends after the first error; a list without a
/// single row ends with [`ReadError::NoRows`].
#[derive(Debug)]
pub struct ListReader<R> {
    records: Records<R>,
    columns: Columns,
    delimiter: u8,
    address: usize,
    rows: u64,
    ended: bool,
}

impl<R: Read> ListReader<R> {
    /// Reads the header.
    pub fn open(input: R, options: &ListOptions) -> Result<Self, ReadError> {
        let start = |fault| ReadError::at(Place { line: 1, row: 0 }, fault);
        let wanted = options.address_column.as_deref();
        let mut source = Source::open(input).map_err(start)?;
        let delimiter = match options.delimiter {
            Some(delimiter) if !delimiter.is_ascii() || b"\"\r\n\0".contains(&delimiter) => {
                return Err(ReadError::Delimiter(delimiter));
            }
            Some(delimiter) => delimiter,
            None => detect::delimiter(&mut source, |header| has_address(header, wanted))
                .map_err(start)?,
        };
        let mut records = Records::new(source, delimiter);
        let header = records.next()?.ok_or(ReadError::Empty)?;
        if header.stray_quote.is_some() {
            return Err(ReadError::HeaderQuote(header.place));
        }
        if let Some(found) = header
            .cells
            .iter()
            .find_map(|cell| Address::parse(cell).ok())
        {
            let found = found.to_string();
            return Err(ReadError::NoHeader { found });
        }
        let columns = Columns::new(header.cells)?;
        let address = address_column(&columns, wanted)?;
        Ok(Self {
            records,
            columns,
            delimiter,
            address,
            rows: 0,
            ended: false,
        })
    }

    /// The list's columns.
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// The delimiter, as given or as found in the header.
    pub fn delimiter(&self) -> u8 {
        self.delimiter
    }

    /// The name of the column of addresses.
    pub fn address_column(&self) -> &str {
        self.columns
            .names()
            .get(self.address)
            .map_or("", String::as_str)
    }

    fn read(&mut self) -> Result<Option<Item>, ReadError> {
        let Some(record) = self.records.next()? else {
            return if self.rows == 0 {
                Err(ReadError::NoRows)
            } else {
                Ok(None)
            };
        };
        self.rows = record.place.row;
        Ok(Some(self.item(record)))
    }

    fn item(&self, record: Record) -> Item {
        let Place { line, row: number } = record.place;
        let row = Row {
            number,
            line,
            cells: record.cells,
        };
        if let Some(problem) = self.misshapen(&row, record.stray_quote) {
            return Item::Invalid(row, vec![problem]);
        }
        let mut problems: Vec<_> = self.control_characters(&row).collect();
        let cell = row.cells.get(self.address).map_or("", String::as_str);
        match Address::parse(cell) {
            Ok(address) if problems.is_empty() => return Item::Row(row, address),
            Ok(_) => {}
            Err(error) => problems.push(self.problem(&row, Some(self.address), cell, error.into())),
        }
        Item::Invalid(row, problems)
    }

    /// What makes it doubtful which cell belongs to which column.
    fn misshapen(&self, row: &Row, stray_quote: Option<u64>) -> Option<RowProblem> {
        let (cells, columns) = (row.cells.len(), self.columns.len());
        let kind = match stray_quote {
            Some(line) => ProblemKind::StrayQuote(line),
            None if cells != columns => ProblemKind::Ragged { cells, columns },
            None => return None,
        };
        let delimiter = char::from(self.delimiter).to_string();
        Some(self.problem(row, None, &row.cells.join(&delimiter), kind))
    }

    /// Control characters outside the address, which is judged as a whole.
    fn control_characters(&self, row: &Row) -> impl Iterator<Item = RowProblem> {
        let others = row
            .cells
            .iter()
            .enumerate()
            .filter(|(at, _)| *at != self.address);
        others.filter_map(|(at, cell)| {
            let kind = ProblemKind::Control(control_character(cell)?);
            Some(self.problem(row, Some(at), cell, kind))
        })
    }

    fn problem(
        &self,
        row: &Row,
        column: Option<usize>,
        found: &str,
        kind: ProblemKind,
    ) -> RowProblem {
        RowProblem {
            row: row.number,
            line: row.line,
            column: column.and_then(|at| self.columns.names().get(at).cloned()),
            found: excerpt(found),
            kind,
        }
    }
}

impl<R: Read> Iterator for ListReader<R> {
    type Item = Result<Item, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let item = self.read().transpose();
        self.ended = !matches!(item, Some(Ok(_)));
        item
    }
}

/// A control character that no cell needs: all but tab and line break.
fn control_character(cell: &str) -> Option<char> {
    cell.chars()
        .find(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r'))
}

fn has_address(header: &[String], wanted: Option<&str>) -> bool {
    let columns = Columns::new(header.iter().cloned());
    columns.is_ok_and(|columns| address_column(&columns, wanted).is_ok())
}

fn address_column(columns: &Columns, wanted: Option<&str>) -> Result<usize, ReadError> {
    let found = if let Some(wanted) = wanted.map(str::trim) {
        columns
            .index_of(wanted)
            .map_or_else(|| named(columns, wanted), |at| Ok(Some(at)))?
    } else {
        let mut usual = USUAL_NAMES.iter().map(|name| named(columns, name));
        usual.find_map(Result::transpose).transpose()?
    };
    found.ok_or_else(|| ReadError::NoAddressColumn {
        wanted: wanted.map(str::to_owned),
        nearest: columns
            .nearest(wanted.unwrap_or("email"))
            .map(str::to_owned),
        listed: columns.listed(),
    })
}

/// The one column of this name, whatever the case.
fn named(columns: &Columns, name: &str) -> Result<Option<usize>, ReadError> {
    let name = name.to_lowercase();
    let mut alike = columns
        .names()
        .iter()
        .enumerate()
        .filter(|(_, column)| column.to_lowercase() == name);
    match (alike.next(), alike.next()) {
        (Some((_, first)), Some((_, second))) => Err(ReadError::AmbiguousAddressColumn {
            first: first.clone(),
            second: second.clone(),
        }),
        (first, _) => Ok(first.map(|(at, _)| at)),
    }
}
