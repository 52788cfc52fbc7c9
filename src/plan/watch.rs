//! What the rows have in common: columns that nobody uses, cells that are empty, cells that say no, domains
//! that look mistyped, people outside.

mod said;

use std::collections::BTreeMap;

use hashbrown::{HashMap, HashSet};

use super::excerpt::{Excerpt, Lines};
use super::inputs::Inputs;
use super::mending::Uses;
use super::person::Person;
use crate::message::Renderer;
use crate::proof::{Answer, answer};
use crate::recipients::{Columns, Row};
use crate::template::How;

/// How many rows are named.
const NAMED: usize = 10;

/// Rows with something in common.
#[derive(Debug, Default)]
struct Rows {
    count: u64,
    first: Vec<u64>,
    line: u64,
    excerpt: Option<Excerpt>,
}

impl Rows {
    fn add(&mut self, row: &Row, excerpt: impl FnOnce() -> Excerpt) {
        self.count += 1;
        if self.first.is_empty() {
            self.line = row.line;
            self.excerpt = Some(excerpt());
        }
        if self.first.len() < NAMED {
            self.first.push(row.number);
        }
    }

    /// `row 3`, `rows 3, 8 and 12`, `rows 3, 8, … and 212 more`.
    fn named(&self) -> String {
        // The rows of grouped people do not come in the list's order.
        let mut first = self.first.clone();
        first.sort_unstable();
        let rows: Vec<String> = first.iter().map(u64::to_string).collect();
        let more = self.count - rows.len() as u64;
        match (rows.as_slice(), more) {
            ([one], 0) => format!("row {one}"),
            ([before @ .., last], 0) => format!("rows {} and {last}", before.join(", ")),
            (_, more) => format!("rows {} and {more} more", rows.join(", ")),
        }
    }
}

/// A column that is asked whether it is there.
#[derive(Debug, Default)]
struct Asked {
    no: Rows,
    maybe_no: Rows,
    word: String,
    maybe_word: String,
    /// Cells that are no answers.
    others: HashSet<String>,
}

/// Other values than answers that a column of yes and no may have, such as `unknown`.
const FEW_OTHERS: usize = 2;

/// Watches the rows go by, in their order.
pub(super) struct Watch<'a> {
    inputs: &'a Inputs,
    uses: Uses,
    lines: Lines,
    columns: Columns,
    address: usize,
    /// Columns that are shown somewhere without a guard.
    shown: BTreeMap<usize, Rows>,
    asked: BTreeMap<usize, Asked>,
    domains: HashMap<String, Rows>,
    people: u64,
    rows: u64,
    outside: u64,
}

impl<'a> Watch<'a> {
    pub(super) fn new(
        inputs: &'a Inputs,
        uses: Uses,
        columns: &Columns,
        address_column: &str,
        lines: Lines,
    ) -> Self {
        let address = columns.index_of(address_column).unwrap_or(0);
        let column = |field: &str| columns.index_of(field).filter(|at| *at != address);
        let of = |wanted: fn(How) -> bool| -> Vec<usize> {
            let uses = uses.fields.iter().filter(|one| wanted(one.how));
            uses.filter_map(|one| column(&one.field)).collect()
        };
        let shown = of(|how| matches!(how, How::Shown { guarded: false, .. }));
        let asked = of(|how| how == How::Tested);
        Self {
            inputs,
            lines,
            columns: columns.clone(),
            address,
            shown: shown.into_iter().map(|at| (at, Rows::default())).collect(),
            asked: asked.into_iter().map(|at| (at, Asked::default())).collect(),
            uses,
            domains: HashMap::new(),
            people: 0,
            rows: 0,
            outside: 0,
        }
    }

    /// Looks at people who are to get a mail.
    pub(super) fn people(&mut self, wave: &[Person], renderer: Option<&Renderer>) {
        for person in wave {
            self.person(person, renderer);
            // Of people with several rows it is the first one that a mail shows outside `rows`; what it shows
            // inside is not told apart here, and a false alarm is worse than none.
            self.row(&person.row);
        }
    }

    fn person(&mut self, person: &Person, renderer: Option<&Renderer>) {
        let Person { row, address, .. } = person;
        self.people += 1;
        if renderer.is_some_and(|renderer| renderer.is_external(address)) {
            self.outside += 1;
        }
        let domain = address.domain();
        if !self.domains.contains_key(domain) {
            self.domains.insert(domain.to_owned(), Rows::default());
        }
        if let Some(rows) = self.domains.get_mut(domain) {
            rows.add(row, || self.lines.of(row, None));
        }
    }

    fn row(&mut self, row: &Row) {
        self.rows += 1;
        let names = self.columns.names();
        let name = |at: usize| names.get(at).map(String::as_str);
        let cell = |at: usize| row.cells.get(at).map_or("", |cell| cell.trim());
        for (at, empty) in &mut self.shown {
            if cell(*at).is_empty() {
                empty.add(row, || self.lines.of(row, name(*at)));
            }
        }
        for (at, asked) in &mut self.asked {
            let cell = cell(*at);
            let excerpt = || self.lines.of(row, name(*at));
            match answer(cell) {
                Answer::No => {
                    asked.no.add(row, excerpt);
                    asked.word.clear();
                    asked.word.push_str(cell);
                }
                Answer::MaybeNo => {
                    asked.maybe_no.add(row, excerpt);
                    asked.maybe_word.clear();
                    asked.maybe_word.push_str(cell);
                }
                Answer::Other if !cell.is_empty() && asked.others.len() <= FEW_OTHERS => {
                    asked.others.insert(cell.to_lowercase());
                }
                Answer::Yes | Answer::Other => {}
            }
        }
    }
}
