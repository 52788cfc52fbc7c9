//! `postroom suppress import`: a whole file, or nothing of it.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use super::telling::{for_whom, summary, told};
use super::{Import, one_line, put};
use crate::cli::disk::cannot_read;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::{Context, setup, words};
use crate::recipients::{ReadError, SuppressionEntry, Suppressions};
use crate::store::NewSuppression;

/// So many lines that cannot be used are named.
const NAMED: usize = 20;

/// Millions of addresses take no more; what does is another file, or has no end.
const MOST: u64 = 256 << 20;

pub(super) fn run(context: &Context, args: &Import) -> Result<Exit, Failure> {
    let bytes = bytes_of(&args.file)?;
    let new = read(&args.file, bytes, &one_line(&args.reason))?;
    let (mut store, _) = setup::store(&context.places)?;
    let name = args.scope.name(&store)?;
    let done = put(context, &mut store, name.as_deref(), &new)?;
    let line = summary(&done, &for_whom(name.as_deref()));
    told(context, &store, name.as_deref(), (&new, &done), &line)
}

fn bytes_of(file: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = File::open(file).and_then(|open| open.take(MOST + 1).read_to_end(&mut bytes));
    read.map_err(|cause| cannot_read(file, &cause))?;
    if bytes.len() as u64 > MOST {
        return Err(Failure::new(
            Exit::Data,
            format!("{} is larger than {} MiB", file.display(), MOST >> 20),
            "name a file of addresses, or import it in parts; nothing was changed",
        ));
    }
    Ok(bytes)
}

fn read(file: &Path, bytes: Vec<u8>, reason: &str) -> Result<Vec<NewSuppression>, Failure> {
    let is_workbook = file
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("xlsx"));
    let found = Suppressions::read(bytes, is_workbook).map_err(|cause| broken(file, &cause))?;
    if found.bad.is_empty() {
        let entries = found.entries.into_iter();
        return Ok(entries.map(|entry| new(entry, reason)).collect());
    }
    let mut bad = found.bad;
    let count = words::count(bad.len() as u64, "line", "lines");
    let more = bad.len().saturating_sub(NAMED);
    bad.truncate(NAMED);
    if more > 0 {
        bad.push(format!("and {} more", words::number(more as u64)));
    }
    Err(Failure::new(
        Exit::Data,
        format!(
            "{count} of {} cannot be used:\n    {}",
            file.display(),
            bad.join("\n    ")
        ),
        "mend or delete them and import the file again; nothing was changed",
    ))
}

/// What is put into the store; `reason` is for those who have none of their own.
fn new(entry: SuppressionEntry, reason: &str) -> NewSuppression {
    let own = entry.reason.map(|own| one_line(&own));
    let own = own.filter(|own| !own.is_empty());
    NewSuppression {
        subject: entry.subject.key(),
        written: entry.written,
        reason: own.unwrap_or_else(|| reason.to_owned()),
    }
}

fn broken(file: &Path, cause: &ReadError) -> Failure {
    Failure::new(
        Exit::Data,
        format!("{}: {cause}", file.display()),
        format!("{}; nothing was changed", cause.remedy()),
    )
}
