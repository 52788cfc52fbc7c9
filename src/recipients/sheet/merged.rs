//! Merged cells. A sheet shows what is in one over all of its rows, so each row has it, in the cell's first column.

use std::collections::BTreeMap;

use calamine::Dimensions;

use super::error::SheetError;
use super::rows::{Kept, cell_name};
use crate::recipients::list::Note;
use crate::recipients::problem::{ProblemKind, excerpt};
use crate::recipients::records::cut;

/// Cells that a merged one covers: what a file has in them is not shown.
pub(super) struct Merged {
    /// By their first row, the last one first.
    later: Vec<Dimensions>,
    now: Vec<Dimensions>,
}

impl Merged {
    pub(super) fn new(mut all: Vec<Dimensions>) -> Self {
        all.sort_by_key(|merged| std::cmp::Reverse(merged.start.0));
        Self {
            later: all,
            now: Vec::new(),
        }
    }

    /// Cells come row by row.
    pub(super) fn hides(&mut self, (row, column): (u32, u32)) -> bool {
        while let Some(next) = self.later.pop_if(|next| next.start.0 <= row) {
            self.now.push(next);
        }
        self.now.retain(|merged| merged.end.0 >= row);
        self.now.iter().any(|merged| {
            let inside = (merged.start.1..=merged.end.1).contains(&column);
            inside && (row, column) != merged.start
        })
    }
}

/// What a merged cell shows, or why it shows nothing.
type Shown = (String, Option<ProblemKind>);

/// Gives each row what the merged cells over it show. The header's own stay where they are. `room`: how many bytes
/// of text there is place for.
///
/// # Errors
/// When there is not enough room.
pub(super) fn spread(
    rows: &mut [Kept],
    merged: &[Dimensions],
    room: &mut usize,
) -> Result<Option<Note>, SheetError> {
    let header = rows.first().map(|row| row.number);
    let mut fills: BTreeMap<usize, Vec<(usize, Shown)>> = BTreeMap::new();
    let mut spread = Vec::new();
    for area in merged {
        let ((first, column), (last, _)) = (area.start, area.end);
        if last <= first || Some(first) == header {
            continue;
        }
        let Some((at, shown)) = shown_at(rows, first, column as usize) else {
            continue;
        };
        let below = rows.iter().enumerate().skip(at + 1);
        let below = below.take_while(|(_, row)| row.number <= last);
        let mut is_spread = false;
        for (at, _) in below {
            *room = room
                .checked_sub(shown.0.len())
                .ok_or(SheetError::TooLarge("256 MiB of text"))?;
            fills
                .entry(at)
                .or_default()
                .push((column as usize, shown.clone()));
            is_spread = true;
        }
        if is_spread {
            spread.push((area, shown.0));
        }
    }
    for (at, fills) in fills {
        if let Some(row) = rows.get_mut(at) {
            fill(row, fills);
        }
    }
    Ok(note(&spread))
}

/// The place of a row among those kept, and what a cell of it shows; none where that is nothing.
fn shown_at(rows: &[Kept], number: u32, column: usize) -> Option<(usize, Shown)> {
    let at = rows.binary_search_by_key(&number, |row| row.number).ok()?;
    let row = rows.get(at)?;
    let text = cut(&row.text, &row.ends).into_iter().nth(column)?;
    let defect = row.defects.iter().find(|(place, _)| *place == column);
    (!text.is_empty()).then(|| (at, (text, defect.map(|(_, kind)| kind.clone()))))
}

fn fill(row: &mut Kept, fills: Vec<(usize, Shown)>) {
    let mut cells = cut(&row.text, &row.ends);
    for (column, (text, defect)) in fills {
        if cells.len() <= column {
            cells.resize(column + 1, String::new());
        }
        if let Some(cell) = cells.get_mut(column) {
            *cell = text;
        }
        row.defects.extend(defect.map(|kind| (column, kind)));
    }
    row.defects.sort_by_key(|(column, _)| *column);
    row.text.clear();
    row.ends.clear();
    for cell in cells {
        row.text.push_str(&cell);
        row.ends.push(row.text.len());
    }
}

fn note(spread: &[(&Dimensions, String)]) -> Option<Note> {
    let (area, text) = spread.first()?;
    let ((first, column), (last, _)) = (area.start, area.end);
    let others = match spread.len() {
        1 => String::new(),
        2 => "; so is another cell".to_owned(),
        more => format!("; so are {} more cells", more - 1),
    };
    Some(Note {
        code: "sheet-merged",
        line: Some(u64::from(first) + 1),
        message: format!(
            "cell {} is merged down to row {} of the sheet, and each row beside it says '{}'{others}",
            cell_name(first, column),
            u64::from(last) + 1,
            excerpt(text)
        ),
        remedy: "see that it is meant for each of these rows; to silence this, take the merged cells apart in the spreadsheet and fill each one"
            .to_owned(),
    })
}
