//! Whether the rows of a person agree in what a mail takes from the first one.

use std::path::Path;

use super::findings::{Finding, Findings, Severity};
use super::inputs::Inputs;
use super::person::Person;
use super::row_findings::{of_row, shown};
use super::sources::error;
use crate::message::{Definition, Renderer};
use crate::recipients::Row;
use crate::template::ROWS;

/// The columns in which a person's rows are to agree, by place and name.
#[derive(Debug)]
pub(super) struct Alike(Vec<(usize, String)>);

impl Alike {
    /// Those that the templates touch outside [`ROWS`]. The address tells who the person is, in whatever
    /// spelling.
    pub(super) fn of(renderer: &Renderer, address: Option<usize>) -> Self {
        let definition = renderer.definition();
        let columns = &definition.columns;
        let templates = renderer.templates();
        let used = definition.known(|known| templates.used_of_first_row(known, &definition.data));
        // A column called so cannot be touched at all.
        let fields = used.iter().filter(|field| *field != ROWS);
        let mut places: Vec<usize> = fields.filter_map(|field| columns.index_of(field)).collect();
        places.sort_unstable();
        places.dedup();
        let named = places.into_iter().filter(|at| Some(*at) != address);
        Self(
            named
                .filter_map(|at| Some((at, columns.names().get(at)?.clone())))
                .collect(),
        )
    }

    /// Says where they do not: once for each column.
    pub(super) fn check(&self, inputs: &Inputs, person: &Person, findings: &mut Findings) {
        for (at, column) in &self.0 {
            let cell = |row: &'_ Row| -> String {
                let cell = row.cells.get(*at).map_or("", String::as_str);
                cell.trim().to_owned()
            };
            let first = cell(&person.row);
            let differs = |row: &&Row| cell(row) != first;
            if let Some(row) = person.further().iter().find(differs) {
                findings.add(differ(inputs, person, row, column, [&first, &cell(row)]));
            }
        }
    }
}

/// The rows hide what else has their name: templates cannot reach it.
pub(super) fn check_names(inputs: &Inputs, definition: &Definition, findings: &mut Findings) {
    let hidden = |file: &Path, what: &str, remedy: &str| Finding {
        severity: Severity::Warning,
        ..error(
            "rows-hidden",
            file,
            format!(
                "{what} is called '{ROWS}', and outside {{{{#each {ROWS}}}}} templates cannot reach it: with duplicates = \"group\" that name stands for the rows of a person"
            ),
            remedy,
        )
    };
    if definition.columns.index_of(ROWS).is_some() {
        let remedy = "give the column another name if the mail is to have it";
        findings.add(hidden(&inputs.list, "a column", remedy));
    }
    if let Some(file) = inputs
        .data
        .as_ref()
        .filter(|_| definition.data.contains_key(ROWS))
    {
        findings.add(hidden(file, "a value", "give the value another name"));
    }
}

fn differ(
    inputs: &Inputs,
    person: &Person,
    row: &Row,
    column: &str,
    [first, here]: [&str; 2],
) -> Finding {
    let (first, here) = (shown(first), shown(here));
    Finding {
        column: Some(column.to_owned()),
        message: format!(
            "{here} stands here and {first} in row {} of the same person ({}); outside {{{{#each {ROWS}}}}} the mail has {first}",
            person.row.number, person.address
        ),
        remedy: format!("make the cells alike, or use the column inside {{{{#each {ROWS}}}}} only"),
        ..of_row(inputs, row, Severity::Warning, "rows-differ")
    }
}
