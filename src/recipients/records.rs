//! Records: the cells of a line, or of several lines where a quoted cell has line breaks.

use std::io::{Read, Seek};

use csv_core::ReadRecordResult;

use super::error::{Place, ReadError};
use super::problem::ProblemKind;
use super::source::Source;

/// The most bytes in one record; more is a list whose quotes or delimiters went wrong.
const MAX_RECORD: usize = 1024 * 1024;
/// The most cells in one record.
pub(super) const MAX_CELLS: usize = 4096;

/// A record that is not blank.
#[derive(Debug)]
pub(super) struct Record {
    /// Where it begins; row 0 is the header.
    pub(super) place: Place,
    pub(super) cells: Vec<String>,
    /// Which cells stand in quotes in the file, from 0.
    pub(super) quoted: Vec<usize>,
    /// The line in which something other than a delimiter follows a closing quote.
    pub(super) stray_quote: Option<u64>,
    /// What is wrong with single cells of a sheet.
    pub(super) defects: Vec<(usize, ProblemKind)>,
}

/// A parser of CSV (RFC 4180) for one delimiter.
pub(super) fn parser(delimiter: u8) -> csv_core::Reader {
    csv_core::ReaderBuilder::new().delimiter(delimiter).build()
}

/// Reads record by record, in memory that doesn't grow with the list.
#[derive(Debug)]
pub(super) struct Records<R> {
    source: Source<R>,
    core: csv_core::Reader,
    layout: Layout,
    content: Vec<u8>,
    ends: Vec<usize>,
    count: u64,
}

impl<R: Read + Seek> Records<R> {
    pub(super) fn new(source: Source<R>, delimiter: u8) -> Self {
        Self {
            source,
            core: parser(delimiter),
            layout: Layout::new(delimiter),
            content: vec![0; 4096],
            ends: vec![0; 64],
            count: 0,
        }
    }

    /// The next record that holds anything but white space; none at the end of the list.
    pub(super) fn next(&mut self) -> Result<Option<Record>, ReadError> {
        loop {
            if !self.skip_line_ends()? {
                return Ok(None);
            }
            let place = self.place();
            self.layout.begin_record();
            let Some((length, cells)) = self.fill(place)? else {
                return Ok(None);
            };
            if self.layout.state == Cell::Quoted {
                return Err(ReadError::OpenQuote(place));
            }
            let bytes = self.content.get(..length).unwrap_or_default();
            // The source lets only UTF-8 through, and delimiters and quotes are ASCII.
            let text = str::from_utf8(bytes).unwrap_or_default();
            if text.trim().is_empty() {
                continue;
            }
            let cells = cut(text, self.ends.get(..cells).unwrap_or_default());
            self.count += 1;
            let stray_quote = self.layout.stray_quote;
            let quoted = std::mem::take(&mut self.layout.quoted);
            return Ok(Some(Record {
                place,
                cells,
                // What follows a closing quote has become part of its cell.
                quoted: if stray_quote.is_none() {
                    quoted
                } else {
                    Vec::new()
                },
                stray_quote,
                defects: Vec::new(),
            }));
        }
    }

    fn place(&self) -> Place {
        Place {
            line: self.layout.line,
            row: self.count,
        }
    }

    /// Passes over the rest of the last line and empty lines; `false` at the end of the list.
    fn skip_line_ends(&mut self) -> Result<bool, ReadError> {
        loop {
            let window = self.source.window();
            let line_ends = window
                .iter()
                .take_while(|byte| matches!(byte, b'\r' | b'\n'))
                .count();
            let found = line_ends < window.len();
            self.layout
                .pass(window.get(..line_ends).unwrap_or_default());
            self.source.consume(line_ends);
            if found {
                return Ok(true);
            }
            if !self.more()? {
                return Ok(false);
            }
        }
    }

    fn more(&mut self) -> Result<bool, ReadError> {
        let place = self.place();
        self.source
            .more()
            .map_err(|fault| ReadError::at(place, fault))
    }

    /// Parses one record into `content` and `ends`; their lengths.
    fn fill(&mut self, place: Place) -> Result<Option<(usize, usize)>, ReadError> {
        let (mut length, mut cells) = (0, 0);
        let mut at_end = false;
        loop {
            if self.source.window().is_empty() && !at_end {
                at_end = !self.more()?;
            }
            let window = self.source.window();
            let content = self.content.get_mut(length..).unwrap_or_default();
            let ends = self.ends.get_mut(cells..).unwrap_or_default();
            let (result, read, written, ended) = self.core.read_record(window, content, ends);
            self.layout.pass(window.get(..read).unwrap_or_default());
            self.source.consume(read);
            length += written;
            cells += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if length <= MAX_RECORD => {
                    self.content.resize((length * 2).min(MAX_RECORD + 1), 0);
                }
                ReadRecordResult::OutputEndsFull if cells <= MAX_CELLS => {
                    self.ends.resize((cells * 2).min(MAX_CELLS + 1), 0);
                }
                ReadRecordResult::OutputFull => return Err(ReadError::RecordTooLong(place)),
                ReadRecordResult::OutputEndsFull => return Err(ReadError::TooManyCells(place)),
                ReadRecordResult::Record if length > MAX_RECORD => {
                    return Err(ReadError::RecordTooLong(place));
                }
                ReadRecordResult::Record if cells > MAX_CELLS => {
                    return Err(ReadError::TooManyCells(place));
                }
                ReadRecordResult::Record => return Ok(Some((length, cells))),
                ReadRecordResult::End => return Ok(None),
            }
        }
    }
}

/// The cells of a record's content, given where each ends.
pub(super) fn cut(text: &str, ends: &[usize]) -> Vec<String> {
    let starts = std::iter::once(0).chain(ends.iter().copied());
    let cell = |(start, &end)| text.get(start..end).unwrap_or_default().to_owned();
    starts.zip(ends).map(cell).collect()
}

/// Follows lines and quotes beside the parser, which forgives what may have swallowed a row: a quote
/// that is never closed, and text after a closing quote (`"Smith` in one row, `"Jones` in the next).
#[derive(Debug)]
struct Layout {
    delimiter: u8,
    line: u64,
    after_return: bool,
    state: Cell,
    /// The cell of the record that is passed over.
    cell: usize,
    /// Those of its cells that began with a quote.
    quoted: Vec<usize>,
    stray_quote: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cell {
    Start,
    Plain,
    Quoted,
    /// After a quote inside a quoted cell: it closes the cell or is the first of two.
    Quote,
}

impl Layout {
    fn new(delimiter: u8) -> Self {
        Self {
            delimiter,
            line: 1,
            after_return: false,
            state: Cell::Start,
            cell: 0,
            quoted: Vec::new(),
            stray_quote: None,
        }
    }

    fn begin_record(&mut self) {
        self.state = Cell::Start;
        self.cell = 0;
        self.quoted.clear();
        self.stray_quote = None;
    }

    fn pass(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            let second_half = byte == b'\n' && self.after_return;
            if matches!(byte, b'\r' | b'\n') && !second_half {
                self.line += 1;
            }
            self.after_return = byte == b'\r';
            self.state = self.after(byte);
        }
    }

    fn after(&mut self, byte: u8) -> Cell {
        match (self.state, byte) {
            (Cell::Quoted, b'"') => Cell::Quote,
            (Cell::Start, b'"') => {
                self.quoted.push(self.cell);
                Cell::Quoted
            }
            (Cell::Quoted, _) | (Cell::Quote, b'"') => Cell::Quoted,
            (_, b'\r' | b'\n') => Cell::Start,
            (_, byte) if byte == self.delimiter => {
                self.cell += 1;
                Cell::Start
            }
            (Cell::Quote, _) => {
                self.stray_quote.get_or_insert(self.line);
                Cell::Plain
            }
            (Cell::Start | Cell::Plain, _) => Cell::Plain,
        }
    }
}
