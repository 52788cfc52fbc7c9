//! Received messages on disk: a Maildir, and a log that another process can trust.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use super::Error;
use super::books::Received;

/// A line of `received.jsonl`.
#[derive(Serialize)]
struct Entry<'a> {
    at: String,
    from: &'a str,
    recipients: &'a [String],
    message_id: Option<&'a str>,
    file: &'a Path,
    size: u64,
}

/// An open Maildir with its log.
#[derive(Debug)]
pub(super) struct MailStore {
    folder: PathBuf,
    log: Mutex<File>,
    /// Makes names unique among servers that share a folder, also under a simulated clock.
    token: u64,
    count: AtomicU64,
}

impl MailStore {
    /// Makes the folders `tmp`, `new` and `cur` and opens `received.jsonl` in the folder above.
    pub(super) fn open(folder: &Path) -> Result<Self, Error> {
        let failed = |path: &Path, source| Error::Maildir {
            path: path.to_owned(),
            source,
        };
        for name in ["tmp", "new", "cur"] {
            let path = folder.join(name);
            make_private(&path).map_err(|error| failed(&path, error))?;
        }
        let log = folder.parent().unwrap_or(folder).join("received.jsonl");
        let file = private().append(true).create(true).open(&log);
        let mut token = [0; 8];
        getrandom::fill(&mut token).map_err(|error| failed(folder, io::Error::other(error)))?;
        Ok(Self {
            folder: folder.to_owned(),
            log: Mutex::new(file.map_err(|error| failed(&log, error))?),
            token: u64::from_le_bytes(token),
            count: AtomicU64::new(0),
        })
    }

    /// Writes `content` byte for byte, then its line in the log; sets the file in `received`. Both are
    /// with the operating system when it returns, not necessarily on the disk.
    pub(super) fn keep(&self, content: &[u8], received: &mut Received) -> io::Result<()> {
        let nth = self.count.fetch_add(1, Ordering::Relaxed);
        let seconds = received.at.as_second();
        let name = format!("{seconds}.R{:016x}Q{nth}.postroom", self.token);
        let unfinished = self.folder.join("tmp").join(&name);
        let path = self.folder.join("new").join(&name);
        let mut file = private().write(true).create_new(true).open(&unfinished)?;
        let written = file.write_all(content);
        drop(file);
        if let Err(error) = written.and_then(|()| fs::rename(&unfinished, &path)) {
            // Nobody looks in `tmp`; the room on the disk is what matters.
            let _ = fs::remove_file(&unfinished);
            return Err(error);
        }
        self.note(received, &path)?;
        received.file = Some(path);
        Ok(())
    }

    fn note(&self, received: &Received, file: &Path) -> io::Result<()> {
        let entry = Entry {
            at: received.at.to_string(),
            from: &received.envelope_from,
            recipients: &received.recipients,
            message_id: received.message_id.as_deref(),
            file,
            size: received.size,
        };
        let mut line = serde_json::to_vec(&entry)?;
        line.push(b'\n');
        // One write to a file opened for appending, so that lines of two processes don't mix.
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.write_all(&line)?;
        log.flush()
    }
}

/// A folder for its owner only, where there is none.
fn make_private(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Files for their owner only: they hold other people's addresses.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
