//! `postroom report`: one line per row of the list, and the page that tells of a campaign as a whole.
//!
//! `rows` writes what scripts and spreadsheets read, `table` what people read in a terminal, `page` the page that is
//! handed on. All of them are written from the same rows of the store. What a server said is told in plain words by
//! [`reason`]; [`summary`] counts.

mod destination;
mod excel;
mod outcome;
mod page;
mod reason;
mod rows;
mod summary;
mod table;

use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::json;

use super::args::Folder;
use super::disk::cannot_write;
use super::exit::Exit;
use super::failure::Failure;
use super::setup::Planned;
use super::{Context, words};
use crate::store::ReportRow;
use destination::Destination;
use excel::Excel;
use outcome::Outcome;
use reason::{Reason, Reasons};
pub(super) use rows::defused;
use summary::Summary;

#[derive(Debug, Args)]
#[command(
    after_help = "The page (html) is one file that needs no network and can be handed on: counts, reasons in \
    plain words, what was sent when, what is refused or in doubt. It opens in any browser, and prints.\n\n\
    Examples:\n  \
    postroom report my-news\n  \
    postroom report my-news --outcome refused,in_doubt\n  \
    postroom report my-news --excel --out my-news.csv\n  \
    postroom report my-news --out my-news.html"
)]
pub(super) struct Report {
    #[command(flatten)]
    campaign: Folder,
    /// How to write it [default: as the name of --out says, or else table]
    #[arg(long, value_enum, value_name = "NAME")]
    format: Option<Format>,
    /// Writes it into this new file, which only you can read
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Replaces the file if it is there
    #[arg(long, requires = "out")]
    force: bool,
    /// Only the rows with these outcomes
    #[arg(long, value_enum, value_name = "NAME", value_delimiter = ',')]
    outcome: Vec<Outcome>,
    /// A CSV file that Excel opens by a double click: marked as UTF-8, its columns divided by what Excel expects
    /// where you are (a semicolon where the decimal sign is a comma), or by what is given: semicolon, comma or tab
    #[arg(
        long,
        value_name = "SEPARATOR",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "auto"
    )]
    excel: Option<Excel>,
}

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For reading, with a summary at its end
    Table,
    /// For a spreadsheet or a script
    Csv,
    /// One array of objects
    Json,
    /// A page for a browser, to be handed on
    Html,
}

pub(super) fn run(context: &Context, args: &Report) -> Result<Exit, Failure> {
    let format = args.format(context.screen.is_json())?;
    let mut planned = Planned::find(&args.campaign.folder, &context.places)?;
    planned.settle(&context.clock)?;
    let mut out = Destination::open(args.out.as_deref(), args.force)?;
    let what = out.name();
    let written = match format {
        Format::Json => rows::json(&planned, &args.outcome, &mut out),
        Format::Csv => rows::csv(&planned, &args.outcome, args.excel, &mut out),
        Format::Table => table::write(context, &planned, &args.outcome, &mut out),
        Format::Html => page::write(context, &planned, &mut out),
    };
    let count = match written {
        // Somebody who reads only the first lines has not been failed.
        Err(Problem::Output(cause)) if cause.kind() == io::ErrorKind::BrokenPipe => {
            return Ok(Exit::Done);
        }
        Err(Problem::Output(cause)) => return Err(cannot_write(&what, &cause)),
        Err(Problem::Failed(failure)) => return Err(failure),
        Ok(count) => count,
    };
    let is_file = out.is_file();
    out.finish()?;
    if is_file {
        tell(context, args, format, count)?;
    } else if count == 0 {
        context.screen.note("no row of the list has that outcome");
    }
    Ok(Exit::Done)
}

/// Says what was written into a file.
fn tell(context: &Context, args: &Report, format: Format, count: u64) -> Result<(), Failure> {
    let file = args.out.as_deref().unwrap_or(Path::new(""));
    let name = format.to_possible_value();
    let name = name.as_ref().map_or("", |value| value.get_name());
    if context.screen.is_json() {
        return context
            .screen
            .json(&json!({ "file": file, "format": name, "rows": count }));
    }
    let rows = words::count(count, "row", "rows");
    let line = format!("{}: {rows} of the list", file.display());
    context.screen.note(&line);
    Ok(())
}

impl Report {
    /// What is asked for, where it makes sense.
    fn format(&self, is_json: bool) -> Result<Format, Failure> {
        let by_name = match (self.format, self.excel, &self.out) {
            (None, None, Some(path)) => destination::format_of(path)?,
            _ => None,
        };
        let chosen = match (self.format, self.excel) {
            (Some(format), _) if is_json && self.out.is_none() && format != Format::Json => {
                Format::Json
            }
            (Some(format), _) => format,
            (None, Some(_)) => Format::Csv,
            (None, None) if is_json && self.out.is_none() => Format::Json,
            (None, None) => by_name.unwrap_or(Format::Table),
        };
        if self.excel.is_some() && chosen != Format::Csv {
            return Err(Failure::new(
                Exit::Usage,
                "--excel is for --format csv only",
                "leave out --format and --json, or --excel",
            ));
        }
        if !self.outcome.is_empty() && chosen == Format::Html {
            return Err(Failure::new(
                Exit::Usage,
                "the page tells of the whole campaign: --outcome is for the other formats",
                "leave out --outcome, or use --format csv",
            ));
        }
        Ok(chosen)
    }
}

/// Why a report was not written.
enum Problem {
    Failed(Failure),
    Output(io::Error),
}

impl From<crate::store::Error> for Problem {
    fn from(error: crate::store::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// Calls `each` with the rows of the list that have one of these outcomes, or with all; returns how many.
fn rows_with(
    planned: &Planned,
    outcomes: &[Outcome],
    mut each: impl FnMut(&ReportRow, Outcome) -> Result<(), Problem>,
) -> Result<u64, Problem> {
    let mut count = 0;
    let report = |row: ReportRow| -> Result<(), Problem> {
        let outcome = Outcome::of(&row)?;
        if outcomes.is_empty() || outcomes.contains(&outcome) {
            count += 1;
            each(&row, outcome)?;
        }
        Ok(())
    };
    planned.store.report(planned.record.id, report)?;
    Ok(count)
}
