//! A list of recipients, read row by row.

use std::io::{Read, Seek};

use serde_json::{Map, Value};

use super::address::Address;
use super::charset::Charset;
use super::columns::Columns;
use super::detect;
use super::encoding::Encoding;
use super::error::{Place, ReadError};
use super::problem::{ProblemKind, RowProblem, excerpt};
use super::records::{Record, Records};
use super::sheet::{DateStyle, NumberStyle, Sheet, SheetError, cell_name};
use super::source::Source;

/// What a column of addresses is usually named, the surest first.
const USUAL_NAMES: [&str; 5] = ["email", "e-mail", "email address", "mail", "address"];

/// How a list is to be read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListOptions {
    /// The column of addresses; none: the one with a usual name.
    pub address_column: Option<String>,
    /// The delimiter, an ASCII character; none: a comma, semicolon, tab or `|`, as the header has it.
    pub delimiter: Option<u8>,
    /// It is an .xlsx workbook, not text.
    pub workbook: bool,
    /// The encoding of a text; none: as its mark or its bytes have it.
    pub encoding: Option<Charset>,
    /// The sheet of a workbook; none: the first that is shown.
    pub sheet: Option<String>,
    /// How a workbook's numbers are divided; none: like 1,234.56, with a note where it matters.
    pub numbers: Option<NumberStyle>,
    /// How a workbook's dates are written where it leaves that to the computer; none: with strokes or as in
    /// 2026-03-01, with a note where it matters.
    pub dates: Option<DateStyle>,
}

/// How a list is read: what was decided about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The encoding and why; none for a workbook.
    pub encoding: Option<Encoding>,
    /// What stands between the cells; none for a workbook.
    pub delimiter: Option<char>,
    /// How many columns there are; none where the header could not be read.
    pub columns: Option<usize>,
    /// The sheet of a workbook.
    pub sheet: Option<String>,
}

/// A list whose rows cannot be had, and what was decided about it before that was known.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct Refused {
    /// Why.
    #[source]
    pub error: ReadError,
    /// How it was read as far as that came; none where nothing could be told of it.
    pub reading: Option<Box<Reading>>,
    /// What is worth a look about the list as a whole: a wrong guess may be why it is refused.
    pub notes: Vec<Note>,
}

impl<E: Into<ReadError>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self {
            error: error.into(),
            reading: None,
            notes: Vec::new(),
        }
    }
}

/// Something about a list that is worth a look and doesn't keep it from being read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// A word for scripts, the same in every version.
    pub code: &'static str,
    /// The line in the file or the row of the sheet, from 1.
    pub line: Option<u64>,
    /// What it is.
    pub message: String,
    /// What to do about it, as a sentence without its full stop.
    pub remedy: String,
}

/// One row of data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The data row, from 1; blank lines don't count.
    pub number: u64,
    /// The line in the file in which it begins, from 1.
    pub line: u64,
    /// The cells as they stand in the list, without the quotes of a text file.
    pub cells: Vec<String>,
    /// Which of them stand in quotes in a text file, from 0; none where that is not known any more.
    pub quoted: Vec<usize>,
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

/// Reads a list: delimited text (RFC 4180) with a header, in memory that doesn't grow with the list, or
/// a sheet of a workbook, within bounds. Iterating yields every row in order and ends after the first
/// error; a list without a single row ends with [`ReadError::NoRows`].
#[derive(Debug)]
pub struct ListReader<R> {
    lines: Lines<R>,
    columns: Columns,
    reading: Reading,
    notes: Vec<Note>,
    address: usize,
    rows: u64,
    ended: bool,
}

/// Where records come from.
#[derive(Debug)]
enum Lines<R> {
    Text(Box<Records<R>>),
    Sheet(Box<Sheet>),
}

impl<R: Read + Seek> Lines<R> {
    fn next(&mut self) -> Result<Option<Record>, ReadError> {
        match self {
            Self::Text(records) => records.next(),
            Self::Sheet(sheet) => Ok(sheet.next()),
        }
    }
}

impl<R: Read + Seek> ListReader<R> {
    /// Decides how to read it, from all of it, and reads the header.
    ///
    /// # Errors
    /// Why its rows cannot be had, with how it was read as far as that came.
    pub fn open(mut input: R, options: &ListOptions) -> Result<Self, Refused> {
        let (lines, mut reading, notes) = if options.workbook {
            let sheet = Sheet::open(&mut input, options)?;
            let reading = Reading {
                encoding: None,
                delimiter: None,
                columns: None,
                sheet: Some(sheet.name.clone()),
            };
            let notes = sheet.notes.clone();
            (Lines::Sheet(Box::new(sheet)), reading, notes)
        } else {
            Self::text(input, options)?
        };
        match Self::with_header(lines, &mut reading, options) {
            Ok((lines, columns, address)) => Ok(Self {
                lines,
                columns,
                reading,
                notes,
                address,
                rows: 0,
                ended: false,
            }),
            Err(error) => Err(refused(error, reading, notes)),
        }
    }

    /// Decides how a text is read.
    fn text(input: R, options: &ListOptions) -> Result<(Lines<R>, Reading, Vec<Note>), Refused> {
        if options.sheet.is_some() {
            return Err(SheetError::TextHasNone.into());
        }
        let start = |fault| ReadError::at(Place { line: 1, row: 0 }, fault);
        let mut source = Source::open(input, options.encoding).map_err(start)?;
        let notes = guess_note(&source).into_iter().collect();
        let mut reading = Reading {
            encoding: Some(source.encoding()),
            delimiter: None,
            columns: None,
            sheet: None,
        };
        let delimiter = match delimiter(&mut source, options) {
            Ok(delimiter) => delimiter,
            Err(error) => return Err(refused(error, reading, notes)),
        };
        reading.delimiter = Some(char::from(delimiter));
        let records = Records::new(source, delimiter);
        Ok((Lines::Text(Box::new(records)), reading, notes))
    }

    /// Reads the header: the columns, and which of them has the addresses.
    fn with_header(
        mut lines: Lines<R>,
        reading: &mut Reading,
        options: &ListOptions,
    ) -> Result<(Lines<R>, Columns, usize), ReadError> {
        let header = lines.next()?.ok_or(ReadError::Empty)?;
        if header.stray_quote.is_some() {
            return Err(ReadError::HeaderQuote(header.place));
        }
        reading.columns = Some(header.cells.len());
        if let Some(found) = header
            .cells
            .iter()
            .find_map(|cell| Address::parse(cell).ok())
        {
            let found = found.to_string();
            return Err(ReadError::NoHeader { found });
        }
        let place = header.place;
        let columns =
            Columns::new(header.cells).map_err(|error| ReadError::Columns(error, place))?;
        let address = address_column(&columns, options.address_column.as_deref())?;
        Ok((lines, columns, address))
    }

    /// What was decided about the list.
    pub fn reading(&self) -> &Reading {
        &self.reading
    }

    /// What is worth a look about the list as a whole.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// The list's columns.
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// The delimiter, as given or as found in the header; a comma for a workbook.
    pub fn delimiter(&self) -> u8 {
        let delimiter = self.reading.delimiter.map(u8::try_from);
        delimiter.and_then(Result::ok).unwrap_or(b',')
    }

    /// The name of the column of addresses.
    pub fn address_column(&self) -> &str {
        self.columns
            .names()
            .get(self.address)
            .map_or("", String::as_str)
    }

    fn read(&mut self) -> Result<Option<Item>, ReadError> {
        let Some(record) = self.lines.next()? else {
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
            quoted: record.quoted,
        };
        if let Some(problem) = self.misshapen(&row, record.stray_quote) {
            return Item::Invalid(row, vec![problem]);
        }
        let mut problems: Vec<_> = self.control_characters(&row).collect();
        let cell = |at: usize| row.cells.get(at).map_or("", String::as_str);
        let mut address_fails = false;
        for (at, kind) in record.defects {
            address_fails |= at == self.address;
            problems.push(self.problem(&row, Some(at), cell(at), kind));
        }
        match Address::parse(cell(self.address)) {
            Ok(address) if problems.is_empty() => return Item::Row(row, address),
            Ok(_) => {}
            Err(_) if address_fails => {}
            Err(error) => {
                let found = cell(self.address);
                problems.push(self.problem(&row, Some(self.address), found, error.into()));
            }
        }
        Item::Invalid(row, problems)
    }

    /// What makes it doubtful which cell belongs to which column.
    fn misshapen(&self, row: &Row, stray_quote: Option<u64>) -> Option<RowProblem> {
        let (cells, columns) = (row.cells.len(), self.columns.len());
        let (kind, at) = match stray_quote {
            Some(line) => (ProblemKind::StrayQuote(line), None),
            None if cells != columns => {
                let extra = row.cells.get(columns).map(|cell| excerpt(cell));
                let kind = ProblemKind::Ragged {
                    cells,
                    columns,
                    extra,
                };
                (kind, Some(cells.min(columns)))
            }
            None => return None,
        };
        let delimiter = char::from(self.delimiter()).to_string();
        Some(self.problem(row, at, &row.cells.join(&delimiter), kind))
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
            cell: self.cell_of(row, column),
            found: excerpt(found),
            kind,
        }
    }
}

impl<R> ListReader<R> {
    /// The cell of a sheet, such as C18.
    fn cell_of(&self, row: &Row, column: Option<usize>) -> Option<String> {
        let Lines::Sheet(sheet) = &self.lines else {
            return None;
        };
        let line = u32::try_from(row.line.checked_sub(1)?).ok()?;
        Some(cell_name(line, (sheet.first + column?) as u32))
    }
}

impl<R: Read + Seek> Iterator for ListReader<R> {
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

fn refused(error: ReadError, reading: Reading, notes: Vec<Note>) -> Refused {
    Refused {
        error,
        reading: Some(Box::new(reading)),
        notes,
    }
}

/// A control character that no cell needs: all but tab and line break.
fn control_character(cell: &str) -> Option<char> {
    cell.chars()
        .find(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r'))
}

/// The delimiter asked for, the one that a first line `sep=;` names, or the one that the header shows.
fn delimiter<R: Read + Seek>(
    source: &mut Source<R>,
    options: &ListOptions,
) -> Result<u8, ReadError> {
    let start = |fault| ReadError::at(Place { line: 1, row: 0 }, fault);
    let named = detect::named(source).map_err(start)?;
    let wanted = options.address_column.as_deref();
    match options.delimiter.or(named) {
        Some(delimiter) if !delimiter.is_ascii() || b"\"\r\n\0".contains(&delimiter) => {
            Err(ReadError::Delimiter(delimiter))
        }
        Some(delimiter) => Ok(delimiter),
        None => detect::delimiter(source, |header| has_address(header, wanted)).map_err(start),
    }
}

/// An encoding that neither the list nor the user names is shown by how a cell reads in it.
fn guess_note<R: Read + Seek>(source: &Source<R>) -> Option<Note> {
    let guess = source.guess()?;
    let Encoding { name, because } = source.encoding();
    Some(Note {
        code: "list-encoding-guessed",
        line: Some(guess.line),
        message: format!(
            "the list is read as {name}, because {because}: this line reads '{}'",
            guess.sample
        ),
        remedy: format!(
            "if it reads rightly, set encoding = \"{name}\" under [recipients] to silence this; if not, save the list as 'CSV UTF-8 (comma delimited)'"
        ),
    })
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
        nearest: columns.nearest(wanted.unwrap_or("email")),
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
