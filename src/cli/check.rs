//! `postroom check`: all findings at once.

use std::path::Path;

use serde_json::{Value, json};

use super::Context;
use super::args::Check;
use super::bar::Bar;
use super::exit::Exit;
use super::failure::Failure;
use super::rejects::Rejects;
use super::screen::{Paint, Screen};
use super::setup::Setup;
use super::{findings, words};
use crate::config::{ConfigError, Problem};
use crate::plan::{self, Case, Checked, Severity};
use crate::recipients::Reading;
use crate::store::RowCounts;

pub(super) fn run(context: &Context, args: &Check) -> Result<Exit, Failure> {
    let setup = match crate::config::Campaign::load(&args.campaign.folder) {
        Err(ConfigError::Invalid(problems)) if context.screen.is_json() => {
            let findings: Vec<Value> = problems.iter().map(problem_json).collect();
            context.screen.json(
                &json!({ "findings": findings, "recipients": rows_json(&RowCounts::default()) }),
            )?;
            return Ok(Exit::Config);
        }
        _ => Setup::read(&args.campaign.folder, &context.places)?,
    };
    let mut rejects = args.rejects.as_deref().map(Rejects::new).transpose()?;
    let bar = Bar::reading(&context.screen);
    let checked = plan::check(
        &setup.inputs,
        context.clock.now(),
        &mut |progress| bar.read(progress),
        &mut |bad| {
            if let Some(rejects) = &mut rejects {
                rejects.add(bad);
            }
        },
    );
    bar.clear();
    let checked = checked?;
    let rejected = rejects.map(Rejects::finish).transpose()?;
    let file = setup.inputs.list.display().to_string();
    if context.screen.is_json() {
        let findings: Vec<Value> = checked.findings.iter().map(findings::json_of).collect();
        context.screen.json(&json!({
            "campaign": setup.campaign.name,
            "findings": findings,
            "recipients": rows_json(&checked.rows),
            "messages": checked.messages,
            "cases": cases_json(&checked.cases),
            "list": checked.list.as_ref().map(|reading| list_json(&file, reading)),
            "rejects": rejected,
        }))?;
    } else {
        show(&context.screen, &checked, &file)?;
    }
    if let (Some(rows), Some(path)) = (rejected, &args.rejects) {
        context.screen.note(&rejects_line(rows, path));
    }
    Ok(exit_of(&checked))
}

/// `row 1 shows`, `rows 1, 17 and 905 show`.
pub(super) fn rows_of(cases: &[Case]) -> String {
    let mut rows: Vec<u64> = cases.iter().map(|case| case.row).collect();
    rows.sort_unstable();
    let rows: Vec<String> = rows.into_iter().map(words::number).collect();
    match rows.split_last() {
        Some((last, [])) => format!("row {last} shows"),
        Some((last, others)) => format!("rows {} and {last} show", others.join(", ")),
        None => String::new(),
    }
}

/// The rows that between them show every case, as JSON.
pub(super) fn cases_json(cases: &[Case]) -> Vec<Value> {
    let cases = cases.iter();
    cases
        .map(|case| json!({ "row": case.row, "shows": case.shows }))
        .collect()
}

/// What a check's findings end with: a missing input, a defect, or nothing.
pub(super) fn exit_of(checked: &Checked) -> Exit {
    let mut errors = checked
        .findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .peekable();
    if errors.peek().is_none() {
        Exit::Done
    } else if errors.all(|finding| finding.code == "missing-file") {
        Exit::NoInput
    } else {
        Exit::Data
    }
}

fn show(screen: &Screen, checked: &Checked, file: &str) -> Result<(), Failure> {
    findings::show(screen, &checked.findings)?;
    let count = |severity| {
        let all = checked.findings.iter();
        all.filter(|finding| finding.severity == severity).count() as u64
    };
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    if !checked.findings.is_empty() {
        screen.result("")?;
    }
    if let Some(reading) = &checked.list {
        screen.result(&list_line(file, reading))?;
    }
    screen.result(&rows_line(&checked.rows))?;
    if checked.is_sound() {
        let messages = words::count(checked.messages, "message", "messages");
        let shared = match checked.shared_messages {
            0 => String::new(),
            shared => format!(", {} of them shared", words::number(shared)),
        };
        screen.result(&format!(
            "{messages}{shared}; every row was rendered, every address and attachment is sound"
        ))?;
    }
    if !checked.cases.is_empty() {
        screen.note(&format!(
            "{} every case; `postroom preview` begins there",
            rows_of(&checked.cases)
        ));
    }
    let verdict = match (errors, warnings) {
        (0, 0) if checked.findings.is_empty() => "no findings: ready to plan".to_owned(),
        (0, 0) => "nothing to mend: ready to plan".to_owned(),
        (0, _) => format!(
            "{}: ready to plan",
            words::count(warnings, "warning", "warnings")
        ),
        (_, 0) => words::count(errors, "error", "errors"),
        _ => format!(
            "{} and {}",
            words::count(errors, "error", "errors"),
            words::count(warnings, "warning", "warnings")
        ),
    };
    screen.result(&screen.painted(Paint::Bold, &verdict))
}

/// Findings of a campaign that could not be planned or previewed: on standard error.
pub(super) fn refuse(screen: &Screen, checked: &Checked) -> Result<Exit, Failure> {
    if screen.is_json() {
        let findings: Vec<Value> = checked.findings.iter().map(findings::json_of).collect();
        screen.json(&json!({ "findings": findings, "recipients": rows_json(&checked.rows) }))?;
    } else {
        findings::show(screen, &checked.findings)?;
        screen.result("")?;
    }
    let exit = exit_of(checked);
    let failure = Failure::new(
        exit,
        "the campaign has errors: nothing was planned, stored or sent",
        "mend what is listed above and run the command again; `postroom check` shows the same list",
    );
    if !screen.is_json() {
        screen.failure(&failure);
    }
    Ok(exit)
}

/// Warnings of a campaign that is fine otherwise.
pub(super) fn note_warnings(screen: &Screen, checked: &Checked) {
    let warnings = checked.findings.iter();
    for finding in warnings.filter(|finding| finding.severity == Severity::Warning) {
        screen.note(&format!("note: {finding}"));
    }
}

/// How the list was read, in one line.
fn list_line(file: &str, reading: &Reading) -> String {
    let columns = |count| words::count(count as u64, "column", "columns");
    match (&reading.encoding, &reading.sheet, reading.columns) {
        (Some(encoding), _, _) => {
            let delimiter = reading.delimiter.map(|delimiter| match delimiter {
                '\t' => "a tab".to_owned(),
                delimiter => format!("`{delimiter}`"),
            });
            let cells = match (delimiter, reading.columns) {
                (Some(between), None) => format!("; {between} between the cells"),
                (Some(between), Some(count @ 2..)) => {
                    format!("; {between} between {}", columns(count))
                }
                (_, Some(count)) => format!("; {}", columns(count)),
                (None, None) => String::new(),
            };
            format!(
                "{file}: {}, because {}{cells}",
                encoding.name, encoding.because
            )
        }
        (None, Some(sheet), count) => {
            let sheet = sheet.replace(char::is_control, " ");
            let with = count.map(|count| format!(" with {}", columns(count)));
            format!("{file}: the sheet '{sheet}'{}", with.unwrap_or_default())
        }
        (None, None, count) => format!("{file}: {}", columns(count.unwrap_or_default())),
    }
}

/// `list` as `check` has it.
fn list_json(file: &str, reading: &Reading) -> Value {
    json!({
        "file": file,
        "encoding": reading.encoding.as_ref().map(|encoding| encoding.name),
        "because": reading.encoding.as_ref().map(|encoding| &encoding.because),
        "delimiter": reading.delimiter,
        "columns": reading.columns,
        "sheet": reading.sheet,
    })
}

fn rejects_line(rows: u64, path: &Path) -> String {
    let path = path.display();
    if rows == 0 {
        return format!("no row has errors: {path} was not written");
    }
    let rows = words::count(rows, "row", "rows");
    format!(
        "{rows} with errors and their reasons are in {path}: mend them there and use it as a list"
    )
}

/// The list in one line: what its rows become.
pub(super) fn rows_line(rows: &RowCounts) -> String {
    let mut line = format!(
        "{}: {}",
        words::count(rows.listed, "row", "rows"),
        words::count(rows.planned, "recipient", "recipients")
    );
    let others = [
        (rows.grouped, "row grouped", "rows grouped"),
        (rows.duplicate, "duplicate", "duplicates"),
        (rows.invalid, "invalid", "invalid"),
        (rows.suppressed, "suppressed", "suppressed"),
        (rows.cancelled, "cancelled", "cancelled"),
        (rows.filtered, "filtered", "filtered"),
    ];
    for (count, one, many) in others {
        if count > 0 {
            line.push_str(", ");
            line.push_str(&words::count(count, one, many));
        }
    }
    line
}

/// `recipients` as `check` and `plan` have it.
pub(super) fn rows_json(rows: &RowCounts) -> Value {
    json!({
        "listed": rows.listed,
        "planned": rows.planned,
        "grouped": rows.grouped,
        "duplicate": rows.duplicate,
        "invalid": rows.invalid,
        "suppressed": rows.suppressed,
        "cancelled": rows.cancelled,
        "filtered": rows.filtered,
    })
}

fn problem_json(problem: &Problem) -> Value {
    json!({
        "severity": "error",
        "code": "configuration",
        "file": problem.file,
        "row": null,
        "line": problem.line,
        "column": problem.column,
        "message": problem.message,
        "remedy": problem.remedy,
        "excerpt": null,
    })
}
