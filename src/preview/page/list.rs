//! The list as the page needs it: every row at hand, found by what stands in its cells, in as little memory
//! as the text itself takes.

use std::io::{Read, Seek};

use serde::Serialize;

use crate::plan::Inputs;
use crate::recipients::{Address, Columns, Duplicates, Item, ListReader, ReadError, Verdict};

/// Between the cells of a row; no cell holds it.
const BETWEEN: char = '\u{1f}';

/// The longest search that is looked for, in characters.
const LONGEST: usize = 200;

/// Columns that hold a whole name, a first name, a last name.
const WHOLE: [&str; 3] = ["name", "full_name", "display_name"];
const FIRST: [&str; 3] = ["first_name", "given_name", "firstname"];
const LAST: [&str; 4] = ["last_name", "surname", "family_name", "lastname"];

/// What a row of the list becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// A mail.
    Mail,
    /// Nothing: an earlier row has its address.
    Duplicate {
        /// That row; 0 where it is not known.
        of: u32,
    },
    /// A part of the mail of the person whose first row that is; 0 where it is not known.
    Grouped {
        /// That row.
        of: u32,
    },
    /// Nothing, for this reason.
    LeftOut(&'static str),
}

impl Fate {
    /// What stands beside the row.
    pub(super) fn word(self) -> Option<&'static str> {
        match self {
            Self::Mail => None,
            Self::Duplicate { .. } => Some("duplicate"),
            Self::Grouped { .. } => Some("grouped"),
            Self::LeftOut(why) => Some(why),
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    row: u32,
    /// Behind its last byte.
    end: usize,
    fate: Fate,
}

/// A row as the page lists it.
#[derive(Debug, Serialize)]
pub(super) struct Line<'a> {
    row: u64,
    address: &'a str,
    name: String,
    fate: Option<&'static str>,
}

/// What a search found.
#[derive(Debug)]
pub(super) struct Hits<'a> {
    /// The first ones.
    pub(super) lines: Vec<Line<'a>>,
    /// All of them.
    pub(super) count: usize,
}

/// All rows of a list.
#[derive(Debug, Default)]
pub(super) struct List {
    columns: Vec<String>,
    /// The columns that make up a person's name.
    naming: Vec<usize>,
    /// For each row its address, then its cells.
    text: String,
    entries: Vec<Entry>,
}

impl List {
    pub(super) fn new(columns: &Columns) -> Self {
        let first_of = |names: &[&str]| names.iter().find_map(|name| columns.index_of(name));
        let naming = match (first_of(&WHOLE), first_of(&FIRST), first_of(&LAST)) {
            (Some(whole), _, _) => vec![whole],
            (None, first, last) => first.into_iter().chain(last).collect(),
        };
        Self {
            columns: columns.names().to_vec(),
            naming,
            ..Self::default()
        }
    }

    /// Reads all rows, as the campaign has them read; gives back what ended it early.
    pub(super) fn read<R: Read + Seek>(
        &mut self,
        rows: ListReader<R>,
        inputs: &Inputs,
    ) -> Option<ReadError> {
        let mut seen = Duplicates::new();
        let filter = inputs.filter.as_ref();
        let filter = filter.and_then(|filter| filter.for_columns(rows.columns()).ok());
        let leaves_out = |cells: &[String]| {
            let filter = filter.as_ref();
            filter.is_some_and(|filter| filter.judge(cells) != Verdict::Taken)
        };
        for item in rows {
            match item {
                Ok(Item::Row(row, address)) => {
                    let fate = if leaves_out(&row.cells) {
                        Fate::LeftOut("filtered")
                    } else {
                        match seen.first_row(&address, row.number) {
                            None => Fate::Mail,
                            Some(of) if inputs.grouped => Fate::Grouped { of: of as u32 },
                            Some(of) => Fate::Duplicate { of: of as u32 },
                        }
                    };
                    self.push(row.number, address.as_str(), &row.cells, fate);
                }
                Ok(Item::Invalid(row, _)) => {
                    let at = row.cells.iter().find(|cell| cell.contains('@'));
                    let address = at.cloned().unwrap_or_default();
                    self.push(row.number, &address, &row.cells, Fate::LeftOut("invalid"));
                }
                Err(cause) => return Some(cause),
            }
        }
        None
    }

    pub(super) fn push(&mut self, row: u64, address: &str, cells: &[String], fate: Fate) {
        self.text.push_str(address);
        for cell in cells {
            self.text.push(BETWEEN);
            if cell.contains(BETWEEN) {
                self.text.push_str(&cell.replace(BETWEEN, "\u{fffd}"));
            } else {
                self.text.push_str(cell);
            }
        }
        self.entries.push(Entry {
            row: row as u32,
            end: self.text.len(),
            fate,
        });
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    fn text_at(&self, at: usize) -> &str {
        let ended = |at: usize| self.entries.get(at).map_or(0, |entry| entry.end);
        let from = at.checked_sub(1).map_or(0, ended);
        self.text.get(from..ended(at)).unwrap_or_default()
    }

    fn line(&self, at: usize) -> Option<Line<'_>> {
        let entry = self.entries.get(at)?;
        let mut cells = self.text_at(at).split(BETWEEN);
        let address = cells.next().unwrap_or_default();
        let cells: Vec<&str> = cells.collect();
        let words = self.naming.iter().filter_map(|column| cells.get(*column));
        let words: Vec<&str> = words.map(|word| word.trim()).collect();
        Some(Line {
            row: entry.row.into(),
            address,
            name: words.join(" ").trim().to_owned(),
            fate: entry.fate.word(),
        })
    }

    /// Some rows from this place on.
    pub(super) fn lines(&self, from: usize, count: usize) -> Vec<Line<'_>> {
        let to = from.saturating_add(count).min(self.len());
        (from..to).filter_map(|at| self.line(at)).collect()
    }

    /// The rows that hold every word, whatever the case: the first `limit`, and how many there are.
    pub(super) fn search(&self, wanted: &str, limit: usize) -> Hits<'_> {
        let wanted: String = wanted
            .chars()
            .take(LONGEST)
            .collect::<String>()
            .to_lowercase();
        let words: Vec<&str> = wanted.split_whitespace().collect();
        let is_ascii = wanted.is_ascii();
        let mut hits = Hits {
            lines: Vec::new(),
            count: 0,
        };
        for at in 0..self.len() {
            let text = self.text_at(at);
            let holds = if is_ascii {
                words.iter().all(|word| holds_ascii(text, word))
            } else {
                let text = text.to_lowercase();
                words.iter().all(|word| text.contains(word))
            };
            if holds {
                hits.count += 1;
                if hits.lines.len() < limit {
                    hits.lines.extend(self.line(at));
                }
            }
        }
        hits
    }

    fn place(&self, row: u64) -> Option<usize> {
        let place = self
            .entries
            .binary_search_by_key(&row, |entry| entry.row.into());
        place.ok()
    }

    /// A row's place in the list, its line, its cells by column, and what it becomes.
    pub(super) fn row(&self, row: u64) -> Option<Found<'_>> {
        let place = self.place(row)?;
        let mut cells = self.text_at(place).split(BETWEEN);
        cells.next();
        Some(Found {
            place,
            line: self.line(place)?,
            cells: cells.collect(),
            fate: self.entries.get(place)?.fate,
        })
    }

    /// The cells of all rows that are in the mail of this row's person, in the list's order.
    pub(super) fn rows_of_person(&self, row: u64) -> Vec<Vec<&str>> {
        let first = match self.row(row).map(|found| found.fate) {
            Some(Fate::Grouped { of }) => of.into(),
            _ => row,
        };
        let is_theirs = |entry: &Entry| match entry.fate {
            Fate::Grouped { of } => u64::from(of) == first,
            _ => u64::from(entry.row) == first,
        };
        let entries = self.entries.iter().enumerate();
        let places = entries.filter(|(_, entry)| is_theirs(entry));
        places
            .map(|(at, _)| self.text_at(at).split(BETWEEN).skip(1).collect())
            .collect()
    }

    /// The row that gets the mail for this address; case is ignored, as in comparing addresses.
    pub(super) fn row_of(&self, address: &str) -> Option<u64> {
        let address = address.trim();
        let wanted = Address::parse(address).map_or(address.to_lowercase(), |address| {
            address.as_str().to_lowercase()
        });
        (0..self.len()).find_map(|at| {
            let entry = self.entries.get(at)?;
            let own = self.text_at(at).split(BETWEEN).next().unwrap_or_default();
            let is_it = entry.fate == Fate::Mail && own.to_lowercase() == wanted;
            is_it.then_some(entry.row.into())
        })
    }

    /// The columns' names.
    pub(super) fn columns(&self) -> &[String] {
        &self.columns
    }
}

/// A row that was looked up.
#[derive(Debug)]
pub(super) struct Found<'a> {
    pub(super) place: usize,
    pub(super) line: Line<'a>,
    pub(super) cells: Vec<&'a str>,
    pub(super) fate: Fate,
}

impl Line<'_> {
    /// Whom the row is about, in a sentence.
    pub(super) fn person(&self) -> &str {
        if self.name.is_empty() {
            self.address
        } else {
            &self.name
        }
    }

    pub(super) fn address(&self) -> &str {
        self.address
    }
}

/// Whether a text holds a word of lower-case ASCII, whatever the case.
fn holds_ascii(text: &str, word: &str) -> bool {
    let (text, word) = (text.as_bytes(), word.as_bytes());
    let Some(first) = word.first() else {
        return true;
    };
    let upper = first.to_ascii_uppercase();
    memchr::memchr2_iter(*first, upper, text).any(|at| {
        text.get(at..at + word.len())
            .is_some_and(|here| here.eq_ignore_ascii_case(word))
    })
}
