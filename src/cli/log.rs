//! The log of what the program does, for whoever has to find out why something went as it did (`--log FILE`).
//!
//! Every room tells by `tracing` what it does; here is decided who listens. The file is its owner's alone, and what is
//! there already stays. No secret and no content of a mail is ever told. Addresses are told at debug level only: each
//! line of a quieter log goes through [`without_addresses`], whoever has written it.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;

use super::args::Global;
use super::disk::{cannot_create, cannot_write};
use super::exit::Exit;
use super::failure::Failure;
use super::screen::Screen;
use crate::store::refuse_foreign_link;

/// How much is told, over what `-v` says.
const LEVEL: &str = "POSTROOM_LOG";

/// Begins to write the log, if one is wanted.
pub(super) fn start(global: &Global) -> Result<Log, Failure> {
    let lost = Log::default();
    let Some(path) = &global.log else {
        return Ok(lost);
    };
    let level = level(global.verbose)?;
    let lines = Lines {
        file: Mutex::new(open(path)?),
        hides_addresses: level < LevelFilter::DEBUG,
        lost: lost.clone(),
    };
    let layer = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        // They would be written onto a send's progress.
        .log_internal_errors(false)
        .with_writer(lines);
    // Libraries that we use may tell what they send.
    let own = Targets::new().with_target("postroom", level);
    let listener = tracing_subscriber::registry().with(layer).with(own);
    // It fails only where somebody listens already, and this is called once.
    let _ = tracing::subscriber::set_global_default(listener);
    Ok(lost)
}

fn level(is_verbose: bool) -> Result<LevelFilter, Failure> {
    let wanted = std::env::var(LEVEL).unwrap_or_default();
    if wanted.is_empty() {
        return Ok(if is_verbose {
            LevelFilter::DEBUG
        } else {
            LevelFilter::INFO
        });
    }
    let named = [
        ("off", LevelFilter::OFF),
        ("error", LevelFilter::ERROR),
        ("warn", LevelFilter::WARN),
        ("info", LevelFilter::INFO),
        ("debug", LevelFilter::DEBUG),
        ("trace", LevelFilter::TRACE),
    ];
    let found = named
        .iter()
        .find(|(name, _)| wanted.eq_ignore_ascii_case(name));
    found.map(|(_, level)| *level).ok_or_else(|| {
        Failure::new(
            Exit::Usage,
            format!("{LEVEL} is '{wanted}', which is no level"),
            "use error, warn, info, debug, trace or off",
        )
    })
}

fn open(path: &Path) -> Result<File, Failure> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    refuse_foreign_link(path)
        .and_then(|()| options.open(path))
        .map_err(|cause| cannot_create(path, &cause))
}

/// The file, of which each line is written at once: several processes may share it.
struct Lines {
    file: Mutex<File>,
    hides_addresses: bool,
    lost: Log,
}

/// What became of the log: the first line that could not be written, and why. A full disk is no reason to disturb a
/// send, but whoever reads the log later must know that something is missing in it.
#[derive(Debug, Clone, Default)]
pub(super) struct Log(Arc<OnceLock<io::Error>>);

impl Log {
    /// Says what is missing, if something is.
    pub(super) fn close(&self, path: &Path, screen: &Screen) {
        if let Some(cause) = self.0.get() {
            let failure = cannot_write(format!("the log {}", path.display()), cause);
            screen.warning(&format!("{}: it is not whole", failure.message));
        }
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Self::Writer {
        Line(self)
    }
}

/// A line on its way to the file.
struct Line<'a>(&'a Lines);

impl Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Lines {
            file,
            hides_addresses,
            lost,
        } = self.0;
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        let written = if *hides_addresses {
            file.write_all(without_addresses(&String::from_utf8_lossy(bytes)).as_bytes())
        } else {
            file.write_all(bytes)
        };
        if let Err(cause) = written {
            let _told = lost.0.set(cause);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The line with `[address]` in place of everything that is one.
fn without_addresses(line: &str) -> String {
    let is_apart = |c: char| c.is_whitespace() || c.is_control() || "<>\"'`(),;:=".contains(c);
    let mut shown = String::with_capacity(line.len());
    for piece in line.split_inclusive(is_apart) {
        let word = piece.trim_end_matches(is_apart);
        if word.contains('@') {
            shown.push_str("[address]");
            shown.push_str(&piece[word.len()..]);
        } else {
            shown.push_str(piece);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_hidden_wherever_they_stand() {
        let line = "reply=\"550 5.1.1 <ann.o'hara+x@contoso.com>: unknown\" to='bob@x.test', jörg@bücher.example\n";
        let shown = without_addresses(line);
        for word in [
            "ann", "hara+x", "bob", "contoso", "x.test", "jörg", "bücher", "@",
        ] {
            let is_there = shown.contains(word);
            // What an apostrophe cuts off is no address.
            assert!(!is_there || word == "ann", "{word}: {shown}");
        }
        assert!(shown.ends_with(", [address]\n"), "{shown}");
        assert_eq!(without_addresses("nothing = here\n"), "nothing = here\n");
    }
}
