//! A terminal of a test's own, for what is asked on one.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::server::signal;

/// A program at a terminal.
pub(crate) struct Terminal {
    child: Child,
    screen: File,
    shown: String,
}

impl Terminal {
    /// Starts a program with all its streams at a terminal that can do nothing but print.
    pub(crate) fn start(command: Command) -> Self {
        Self::start_as("dumb", command)
    }

    /// The same at a terminal of this kind.
    pub(crate) fn start_as(kind: &str, mut command: Command) -> Self {
        let screen = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&screen).unwrap();
        unlockpt(&screen).unwrap();
        let path = ptsname(&screen, Vec::new()).unwrap();
        let open = || {
            let path = path.to_str().unwrap();
            File::options().read(true).write(true).open(path).unwrap()
        };
        let child = command
            .env("TERM", kind)
            .stdin(open())
            .stdout(open())
            .stderr(open())
            .spawn()
            .unwrap();
        Self {
            child,
            screen: File::from(screen),
            shown: String::new(),
        }
    }

    /// Reads until this is shown; what was shown since the last time.
    pub(crate) fn until(&mut self, words: &str) -> String {
        let mut buffer = [0; 4096];
        while !flat(&self.shown).contains(words) {
            let read = self.screen.read(&mut buffer).unwrap_or(0);
            assert!(read > 0, "it ended without '{words}': {}", self.shown);
            self.shown
                .push_str(&String::from_utf8_lossy(&buffer[..read]));
        }
        flat(&std::mem::take(&mut self.shown))
    }

    /// Types a line.
    pub(crate) fn types(&mut self, line: &str) {
        writeln!(self.screen, "{line}").unwrap();
    }

    /// Ctrl-C.
    pub(crate) fn interrupt(&self) {
        signal(&self.child, "INT");
    }

    /// Reads to the end; the exit code and what was shown since the last time.
    pub(crate) fn end(mut self) -> (i32, String) {
        let mut buffer = [0; 4096];
        // A terminal that nobody has open any more is an error to read from (EIO).
        while let Ok(read @ 1..) = self.screen.read(&mut buffer) {
            self.shown
                .push_str(&String::from_utf8_lossy(&buffer[..read]));
        }
        let code = self.child.wait().unwrap().code().unwrap_or(-1);
        (code, flat(&self.shown))
    }
}

/// Lines are broken where the terminal ends.
fn flat(shown: &str) -> String {
    shown.split_whitespace().collect::<Vec<_>>().join(" ")
}
