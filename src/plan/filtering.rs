//! What a filter (`where`) has to do with a list's rows.

use super::findings::{Finding, Findings, Severity};
use super::inputs::Inputs;
use super::row_findings::{of_row, shown};
use super::sources::{CAMPAIGN, error};
use crate::recipients::{Columns, ProblemKind, Row, RowFilter, RowProblem, UnknownColumn, Wanted};

/// The campaign's filter for these columns; none where there is none, or a finding says why it is of no use.
pub(super) fn filter_of(
    inputs: &Inputs,
    columns: &Columns,
    findings: &mut Findings,
) -> Option<RowFilter> {
    match inputs.filter.as_ref()?.for_columns(columns) {
        Ok(filter) => Some(filter),
        Err(unknown) => {
            for column in &unknown {
                findings.add(unknown_column(column));
            }
            None
        }
    }
}

/// True when it is known which cell belongs to which column: what is wrong is wrong in one of them.
pub(super) fn has_its_cells(problems: &[RowProblem]) -> bool {
    let is_misshapen = |problem: &RowProblem| {
        matches!(
            problem.kind,
            ProblemKind::Ragged { .. } | ProblemKind::Outside { .. } | ProblemKind::StrayQuote(_)
        )
    };
    !problems.iter().any(is_misshapen)
}

fn unknown_column(unknown: &UnknownColumn) -> Finding {
    let UnknownColumn { name, at, nearest } = unknown;
    let message = format!(
        "the filter (where, character {at}) names the column '{name}', which the list does not have"
    );
    let remedy = match nearest {
        Some(nearest) if nearest.contains(|c: char| !c.is_alphanumeric() && c != '_') => {
            format!("did you mean [{nearest}]?")
        }
        Some(nearest) => format!("did you mean '{nearest}'?"),
        None => "write a column's name as it is in the list's first line".to_owned(),
    };
    error("unknown-field", CAMPAIGN.as_ref(), message, &remedy)
}

/// What is said of cells that a filter cannot compare.
pub(super) const UNCLEAR: [&str; 2] = ["filter-not-a-number", "filter-not-a-date"];

/// Nobody is left. `warned`: there are warnings about the filter.
pub(super) fn excludes_all(listed: u64, warned: bool) -> Finding {
    let message = match listed {
        1 => "the filter (where) leaves out the list's only row".to_owned(),
        _ => format!("the filter (where) leaves out all {listed} rows of the list"),
    };
    let remedy = if warned {
        "compare 'where' under [recipients] with what stands in the list, and look at the warnings about it"
    } else {
        "compare 'where' under [recipients] with what stands in the list"
    };
    error("filter-excludes-all", CAMPAIGN.as_ref(), message, remedy)
}

/// The filter compares a cell that cannot be compared.
pub(super) fn unclear(
    inputs: &Inputs,
    row: &Row,
    columns: &Columns,
    column: usize,
    wanted: Wanted,
) -> Finding {
    let name = columns.names().get(column).map_or("", String::as_str);
    let cell = row.cells.get(column).map_or("", String::as_str).trim();
    let [not_a_number, not_a_date] = UNCLEAR;
    let (code, kind, example) = match wanted {
        Wanted::Number => (not_a_number, "number", "1234 or 12.5"),
        Wanted::Date => (not_a_date, "date", "2026-12-31"),
    };
    let (found, remedy) = match cell {
        "" => (
            "is empty".to_owned(),
            format!(
                "write a {kind} as in {example} into the cell, or add [{name}] is not empty to the filter if such rows are not meant"
            ),
        ),
        cell => (
            format!("holds {}", shown(cell)),
            format!("write a {kind} as in {example} into the cell, and nothing else"),
        ),
    };
    Finding {
        column: Some(name.to_owned()),
        message: format!(
            "the filter compares this cell as a {kind}, and it {found}: the row is left out"
        ),
        remedy,
        ..of_row(inputs, row, Severity::Warning, code)
    }
}
