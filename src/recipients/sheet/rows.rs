//! The rows of a sheet, kept as what their cells show.

use std::io::{Read, Seek};

use calamine::{Reader as _, SheetType, SheetVisible, Xlsx, XlsxError};

use super::cells::Reader;
use super::error::SheetError;
use super::merged::{Merged, spread};
use super::{Settings, hidden, package};
use crate::recipients::error::{Place, ReadError};
use crate::recipients::guard::guarded;
use crate::recipients::list::{ListOptions, Note};
use crate::recipients::near::Nearest;
use crate::recipients::problem::ProblemKind;
use crate::recipients::records::{MAX_CELLS, Record, cut};

/// The most rows that a sheet can have.
const MAX_ROWS: u32 = 1 << 20;
/// The most bytes of text that are kept, and the most cells.
const MAX_TEXT: usize = 256 << 20;
const MAX_KEPT: usize = 20_000_000;

/// A sheet, read to its end.
#[derive(Debug)]
pub(crate) struct Sheet {
    pub(crate) name: String,
    pub(crate) notes: Vec<Note>,
    rows: std::vec::IntoIter<Kept>,
    count: u64,
    /// The header's first cell, from 0, and how many there are.
    pub(crate) first: usize,
    width: usize,
}

/// A row that is not blank.
#[derive(Debug)]
pub(super) struct Kept {
    /// From 0.
    pub(super) number: u32,
    pub(super) text: String,
    /// Where each cell ends, from column A on.
    pub(super) ends: Vec<usize>,
    pub(super) defects: Vec<(usize, ProblemKind)>,
}

impl Sheet {
    /// Reads the sheet of this name, or the first one.
    pub(crate) fn open<R: Read + Seek>(
        input: &mut R,
        options: &ListOptions,
    ) -> Result<Self, ReadError> {
        let mut start = [0; 4];
        let mut filled = 0;
        input.rewind()?;
        while let Some(free) = start.get_mut(filled..).filter(|free| !free.is_empty()) {
            match input.read(free)? {
                0 => break,
                count => filled += count,
            }
        }
        match start {
            [b'P', b'K', 3, 4] => {}
            [0xD0, 0xCF, 0x11, 0xE0] => return Err(ReadError::Compound),
            _ => return Err(SheetError::NoWorkbook.into()),
        }
        package::measure(input)?;
        // What is written into a workbook by hand can make the reader's arithmetic overflow.
        let read = guarded(|| Self::read(input, options));
        let damaged = || SheetError::Damaged("its cells have no sensible places".to_owned());
        let mut sheet = read.unwrap_or_else(|| Err(damaged()))?;
        let hidden = hidden::rows(input, &sheet.name);
        let data = sheet.rows.as_slice().iter().skip(1).map(|row| row.number);
        sheet.notes.extend(hidden::note(&hidden, data));
        Ok(sheet)
    }

    fn read<R: Read + Seek>(input: &mut R, options: &ListOptions) -> Result<Self, SheetError> {
        let mut workbook = Xlsx::new(input).map_err(damaged)?;
        let name = choose(&workbook, options.sheet.as_deref())?;
        let areas = workbook
            .merge_cells_by_sheet_name(&name)
            .unwrap_or_default();
        let settings = Settings {
            numbers: options.numbers,
            dates: options.dates,
            from_1904: workbook.has_1904_epoch(),
        };
        let mut cells = workbook.worksheet_cells_reader(&name).map_err(damaged)?;
        let mut reader = Reader::new(cells.styles(), settings);
        let mut merged = Merged::new(areas.clone());
        let mut rows = Rows::default();
        while let Some((cell, style)) = cells.next_cell_with_style_id().map_err(damaged)? {
            let place = cell.get_position();
            if !merged.hides(place) {
                let shown = reader.shown(place, cell.get_value(), style);
                rows.add(place, shown.map_err(|error| error.0))?;
            }
        }
        let mut room = MAX_TEXT.saturating_sub(rows.text);
        let mut rows = rows.finish();
        let note = spread(&mut rows, &areas, &mut room);
        reader.notes.extend(note?);
        let header = rows.first().ok_or(SheetError::NoSheet)?;
        let cells = cut(&header.text, &header.ends);
        let first = cells.iter().position(|cell| !cell.trim().is_empty());
        let first = first.unwrap_or(0);
        Ok(Self {
            name,
            notes: reader.notes,
            first,
            width: header.ends.len() - first,
            rows: rows.into_iter(),
            count: 0,
        })
    }

    /// The next row that holds anything, as wide as the header at least.
    pub(crate) fn next(&mut self) -> Option<Record> {
        let row = self.rows.next()?;
        let mut cells = cut(&row.text, &row.ends);
        let blank = |cell: &String| cell.trim().is_empty();
        let end = self.first + self.width;
        // What stands left of the header is outside as well as what stands right of it.
        let outside = cells.iter().take(self.first).position(|cell| !blank(cell));
        let mut defects = row.defects;
        if let Some(at) = outside {
            let cell = cell_name(row.number, at as u32);
            defects.insert(0, (at, ProblemKind::Outside { cell }));
        }
        while cells.len() > end && cells.last().is_some_and(blank) {
            cells.pop();
        }
        cells.resize(cells.len().max(end), String::new());
        cells.drain(..self.first);
        for (at, _) in &mut defects {
            *at = at.saturating_sub(self.first);
        }
        let place = Place {
            line: u64::from(row.number) + 1,
            row: self.count,
        };
        self.count += 1;
        Some(Record {
            place,
            cells,
            quoted: Vec::new(),
            stray_quote: None,
            defects,
        })
    }
}

fn damaged(cause: XlsxError) -> SheetError {
    match cause {
        XlsxError::Password => SheetError::Damaged("it has a password".to_owned()),
        XlsxError::WorksheetNotFound(_) | XlsxError::NotAWorksheet(_) => SheetError::NoSheet,
        cause => SheetError::Damaged(cause.to_string()),
    }
}

/// The name of the sheet to read: the one asked for, or the first that is shown.
fn choose<R: Read + Seek>(workbook: &Xlsx<R>, wanted: Option<&str>) -> Result<String, SheetError> {
    let sheets = workbook.sheets_metadata();
    let cells = sheets
        .iter()
        .filter(|sheet| sheet.typ == SheetType::WorkSheet);
    let names: Vec<&str> = cells.clone().map(|sheet| sheet.name.as_str()).collect();
    let Some(wanted) = wanted else {
        let mut shown = cells.filter(|sheet| sheet.visible == SheetVisible::Visible);
        return shown
            .next()
            .map(|sheet| sheet.name.clone())
            .ok_or(SheetError::NoSheet);
    };
    let same = |name: &&&str| name.trim().to_lowercase() == wanted.trim().to_lowercase();
    if let Some(name) = names.iter().find(same) {
        return Ok((*name).to_owned());
    }
    let clean = |name: &str| name.chars().filter(|c| !c.is_control()).collect::<String>();
    let listed: Vec<String> = names.iter().take(12).map(|name| clean(name)).collect();
    Err(SheetError::NoSuchSheet {
        wanted: wanted.to_owned(),
        nearest: Nearest::name(wanted)
            .among(names)
            .found()
            .map(|name| clean(&name)),
        listed: listed.join(", "),
    })
}

/// Rows while they are read, within bounds.
#[derive(Default)]
struct Rows {
    kept: Vec<Kept>,
    text: usize,
    cells: usize,
}

impl Rows {
    fn add(&mut self, place: (u32, u32), shown: Result<String, String>) -> Result<(), SheetError> {
        let (row, column) = place;
        if shown.as_ref().is_ok_and(String::is_empty) {
            return Ok(());
        }
        if row >= MAX_ROWS {
            return Err(SheetError::TooLarge("1,048,576 rows"));
        }
        let column = column as usize;
        if column >= MAX_CELLS {
            return Err(SheetError::TooLarge("4,096 columns"));
        }
        match self.kept.last().map(|last| last.number) {
            Some(last) if last == row => {}
            Some(last) if last > row => {
                return Err(SheetError::Damaged("its rows are out of order".to_owned()));
            }
            _ => self.kept.push(Kept {
                number: row,
                text: String::new(),
                ends: Vec::new(),
                defects: Vec::new(),
            }),
        }
        let Some(kept) = self.kept.last_mut() else {
            return Ok(());
        };
        if kept.ends.len() > column {
            return Err(SheetError::Damaged("its cells are out of order".to_owned()));
        }
        self.cells += column + 1 - kept.ends.len();
        kept.ends.resize(column, kept.text.len());
        let text = match shown {
            Ok(text) => text,
            Err(error) => {
                let kind = ProblemKind::CellError {
                    shown: error.clone(),
                };
                kept.defects.push((column, kind));
                error
            }
        };
        self.text += text.len();
        kept.text.push_str(&text);
        kept.ends.push(kept.text.len());
        if self.text > MAX_TEXT {
            return Err(SheetError::TooLarge("256 MiB of text"));
        }
        if self.cells > MAX_KEPT {
            return Err(SheetError::TooLarge("20 million cells"));
        }
        Ok(())
    }

    /// The rows that hold more than white space.
    fn finish(mut self) -> Vec<Kept> {
        self.kept.retain(|row| !row.text.trim().is_empty());
        self.kept
    }
}

/// The name of a cell by row and column from 0: C18.
pub(crate) fn cell_name(row: u32, column: u32) -> String {
    let mut letters = String::new();
    let mut left = u64::from(column) + 1;
    while left > 0 {
        letters.insert(0, char::from(b'A' + ((left - 1) % 26) as u8));
        left = (left - 1) / 26;
    }
    format!("{letters}{}", u64::from(row) + 1)
}
