//! Where a report goes: standard output, or a file that is there only once it is whole.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::Format;
use crate::cli::disk::{cannot_create, cannot_write};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::made::folder_of;

/// Standard output, or a file that is being written.
pub(super) enum Destination {
    Output(BufWriter<io::StdoutLock<'static>>),
    File {
        path: PathBuf,
        force: bool,
        /// Beside the file that it will be. It holds addresses: only its owner can read it.
        unfinished: Box<BufWriter<NamedTempFile>>,
    },
}

impl Destination {
    /// Standard output without a file or with `-`. A file that is there already is left alone unless it is to be
    /// replaced.
    pub(super) fn open(path: Option<&Path>, force: bool) -> Result<Self, Failure> {
        let Some(path) = path.filter(|path| *path != Path::new("-")) else {
            return Ok(Self::Output(BufWriter::new(io::stdout().lock())));
        };
        match path.symlink_metadata() {
            Ok(there) if !there.is_file() => return Err(no_file(path)),
            Ok(_) if !force => return Err(exists(path)),
            _ => {}
        }
        let unfinished = tempfile::Builder::new()
            .prefix(".postroom-report-")
            .tempfile_in(folder_of(path))
            .map_err(|cause| cannot_create(path, &cause))?;
        Ok(Self::File {
            path: path.to_owned(),
            force,
            unfinished: Box::new(BufWriter::new(unfinished)),
        })
    }

    pub(super) fn is_file(&self) -> bool {
        matches!(self, Self::File { .. })
    }

    /// What to call it where it cannot be written.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Output(_) => "the report".to_owned(),
            Self::File { path, .. } => path.display().to_string(),
        }
    }

    /// Gives a file its name.
    pub(super) fn finish(self) -> Result<(), Failure> {
        match self {
            Self::Output(mut out) => match out.flush() {
                Err(cause) if cause.kind() != io::ErrorKind::BrokenPipe => {
                    Err(cannot_write("the report", &cause))
                }
                _ => Ok(()),
            },
            Self::File {
                path,
                force,
                unfinished,
            } => {
                let name = path.display().to_string();
                let whole = unfinished
                    .into_inner()
                    .map_err(|error| cannot_write(&name, error.error()))?;
                let named = if force {
                    whole.persist(&path)
                } else {
                    whole.persist_noclobber(&path)
                };
                match named {
                    Ok(_) => Ok(()),
                    Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
                        Err(exists(&path))
                    }
                    Err(error) => Err(cannot_create(&path, &error.error)),
                }
            }
        }
    }
}

impl Write for Destination {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Output(out) => out.write(bytes),
            Self::File { unfinished, .. } => unfinished.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Output(out) => out.flush(),
            Self::File { unfinished, .. } => unfinished.flush(),
        }
    }
}

/// The format that a file's name says, where it says one.
///
/// # Errors
/// Wrong usage where it says one that no report is written in.
pub(super) fn format_of(path: &Path) -> Result<Option<Format>, Failure> {
    let Some(extension) = path.extension().map(|text| text.to_string_lossy()) else {
        return Ok(None);
    };
    match extension.to_ascii_lowercase().as_str() {
        "csv" => Ok(Some(Format::Csv)),
        "json" => Ok(Some(Format::Json)),
        "html" | "htm" => Ok(Some(Format::Html)),
        "txt" => Ok(Some(Format::Table)),
        _ => Err(Failure::new(
            Exit::Usage,
            format!("a report is not written as .{extension}"),
            "name a file that ends with .html (a page to hand on), .csv (a spreadsheet; add --excel for Excel), .json or \
             .txt; or say with --format what is to stand in that file",
        )),
    }
}

fn exists(path: &Path) -> Failure {
    Failure::new(
        Exit::CannotCreate,
        format!("{} is there already", path.display()),
        "name another file with --out, or add --force to replace that one",
    )
}

fn no_file(path: &Path) -> Failure {
    Failure::new(
        Exit::CannotCreate,
        format!("{} is there already and is no file", path.display()),
        "name a new file with --out",
    )
}
