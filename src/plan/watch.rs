//! What the rows have in common: columns that nobody uses, cells that are empty, cells that say no, domains
//! that look mistyped, people outside.

mod said;

use std::collections::BTreeMap;

use hashbrown::{HashMap, HashSet};

use super::excerpt::{Excerpt, Lines};
use super::findings::Finding;
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

/// A column that is put into the mail.
#[derive(Debug, Default)]
struct Shown {
    /// Of each row of a person, not only of the first.
    of_each_row: bool,
    empty: Rows,
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
    shown: BTreeMap<usize, Shown>,
    /// Columns that are asked whether they are there, of each row of a person or of the first.
    asked: BTreeMap<(usize, bool), Asked>,
    domains: HashMap<String, Rows>,
    people: u64,
    /// All rows of the people.
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
        let (mut shown, mut asked) = (BTreeMap::<_, Shown>::new(), BTreeMap::new());
        for one in &uses.fields {
            let Some(at) = column(&one.field) else {
                continue;
            };
            match one.how {
                How::Shown { guarded: false, .. } => {
                    shown.entry(at).or_default().of_each_row |= one.of_each_row;
                }
                How::Tested => drop(asked.insert((at, one.of_each_row), Asked::default())),
                _ => {}
            }
        }
        Self {
            inputs,
            lines,
            columns: columns.clone(),
            address,
            shown,
            asked,
            uses,
            domains: HashMap::new(),
            people: 0,
            rows: 0,
            outside: 0,
        }
    }

    /// Looks at somebody who is to get a mail. `wrong`: why they cannot get it; what is empty there and to blame
    /// is not said again.
    pub(super) fn person(
        &mut self,
        person: &Person,
        renderer: Option<&Renderer>,
        wrong: &[Finding],
    ) {
        self.domain(person, renderer);
        // Of people with several rows it is the first one that a mail shows outside `rows`.
        self.row(&person.row, true, wrong);
        for row in person.further() {
            self.row(row, false, wrong);
        }
    }

    fn domain(&mut self, person: &Person, renderer: Option<&Renderer>) {
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

    fn row(&mut self, row: &Row, is_first: bool, wrong: &[Finding]) {
        self.rows += 1;
        let names = self.columns.names();
        let name = |at: usize| names.get(at).map(String::as_str);
        let cell = |at: usize| row.cells.get(at).map_or("", |cell| cell.trim());
        let is_said = |at: usize| {
            let of_cell =
                |one: &Finding| one.row == Some(row.number) && one.column.as_deref() == name(at);
            name(at).is_some() && wrong.iter().any(of_cell)
        };
        for (at, shown) in &mut self.shown {
            if is_said(*at) {
                continue;
            }
            if (is_first || shown.of_each_row) && cell(*at).is_empty() {
                shown.empty.add(row, || self.lines.of(row, name(*at)));
            }
        }
        for ((at, of_each_row), asked) in &mut self.asked {
            if !is_first && !of_each_row {
                continue;
            }
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
