//! The reject file of `check`: the rows with errors, as they stand, and why.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::disk::{cannot_create, cannot_write};
use super::exit::Exit;
use super::failure::Failure;
use super::made::{begin_private, name_private};
use super::report::defused;
use crate::plan::BadRow;

/// Stands first, so that a row with too few or too many cells stays as it is and the reason in its column.
const REASON: &str = "reason";

/// Writes the file once there is something to write.
pub(super) struct Rejects {
    path: PathBuf,
    rows: u64,
    state: State,
}

enum State {
    Nothing,
    Open(Box<Unfinished>),
    Failed(Failure),
}

/// It gets its name once it is whole: half a file would be taken for all rows.
type Unfinished = csv::Writer<BufWriter<NamedTempFile>>;

impl Rejects {
    /// Refuses a file that is there already.
    pub(super) fn new(path: &Path) -> Result<Self, Failure> {
        if path.symlink_metadata().is_ok() {
            return Err(exists(path));
        }
        // Said at once, and not after a long list was read.
        let folder = path.parent().filter(|folder| *folder != Path::new(""));
        match folder.map(fs::metadata) {
            Some(Err(cause)) => return Err(cannot_create(path, &cause)),
            Some(Ok(there)) if !there.is_dir() => {
                return Err(cannot_create(path, &io::ErrorKind::NotADirectory.into()));
            }
            _ => {}
        }
        Ok(Self {
            path: path.to_owned(),
            rows: 0,
            state: State::Nothing,
        })
    }

    /// Writes a row. What goes wrong comes up at the end.
    pub(super) fn add(&mut self, bad: BadRow<'_>) {
        if matches!(self.state, State::Nothing) {
            self.state = match self.open(bad) {
                Ok(writer) => State::Open(Box::new(writer)),
                Err(failure) => State::Failed(failure),
            };
        }
        let State::Open(writer) = &mut self.state else {
            return;
        };
        match writer.write_record(record(bad)) {
            Ok(()) => self.rows += 1,
            Err(cause) => self.state = State::Failed(self.failed(&cause.into())),
        }
    }

    fn open(&self, bad: BadRow<'_>) -> Result<Unfinished, Failure> {
        let file = begin_private(&self.path).map_err(|cause| cannot_create(&self.path, &cause))?;
        let mut file = BufWriter::new(file);
        // By this mark Excel knows that the file is in UTF-8.
        file.write_all("\u{feff}".as_bytes())
            .map_err(|cause| self.failed(&cause))?;
        let delimiter = bad.reading.delimiter.map(u8::try_from);
        let mut writer = csv::WriterBuilder::new()
            .flexible(true)
            .delimiter(delimiter.and_then(Result::ok).unwrap_or(b','))
            .from_writer(file);
        let names = bad.columns.names().iter();
        let header = names
            .filter(|name| *name != REASON)
            .map(|name| defused(name));
        writer
            .write_record(std::iter::once(REASON.to_owned()).chain(header))
            .map_err(|cause| self.failed(&cause.into()))?;
        Ok(writer)
    }

    /// How many rows were written.
    pub(super) fn finish(self) -> Result<u64, Failure> {
        match self.state {
            State::Nothing => Ok(0),
            State::Failed(failure) => Err(failure),
            State::Open(writer) => {
                let failed = |cause: &io::Error| cannot_write(self.path.display(), cause);
                let whole = writer.into_inner().map_err(|error| failed(error.error()))?;
                let whole = whole.into_inner().map_err(|error| failed(error.error()))?;
                name_private(whole, &self.path).map_err(|cause| match cause.kind() {
                    io::ErrorKind::AlreadyExists => exists(&self.path),
                    _ => cannot_create(&self.path, &cause),
                })?;
                Ok(self.rows)
            }
        }
    }

    fn failed(&self, cause: &io::Error) -> Failure {
        cannot_write(self.path.display(), cause)
    }
}

/// The reasons and the cells. A reason that the list has already, because it was such a file, is replaced.
fn record(bad: BadRow<'_>) -> Vec<String> {
    let reasons: Vec<&str> = bad
        .findings
        .iter()
        .map(|finding| finding.message.as_str())
        .collect();
    let names = bad.columns.names();
    let old = names.iter().position(|name| name == REASON);
    let cells = bad.row.cells.iter().enumerate();
    let cells = cells.filter(|(at, _)| Some(*at) != old);
    std::iter::once(defused(&reasons.join("; ")))
        .chain(cells.map(|(_, cell)| defused(cell)))
        .collect()
}

fn exists(path: &Path) -> Failure {
    Failure::new(
        Exit::CannotCreate,
        format!("{} is there already", path.display()),
        "name another file with --rejects, or move that one away: nothing is overwritten",
    )
}
