//! Where a file lies: on which machine, under which path, and which file of its disk it is.

use std::ffi::OsString;
use std::fs::{File, Metadata, OpenOptions};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

/// A place of the store's file. What cannot be known is empty or 0 and never counts as different.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// A digest of the machine's id.
    pub(super) machine: String,
    /// The canonical path.
    pub(super) path: PathBuf,
    /// Which file it is: [`file_number`].
    pub(super) file: i64,
}

impl Place {
    /// The place of the file at `path`.
    pub(super) fn of(path: &Path) -> Self {
        Self {
            machine: machine(),
            // As it is written down: in the store it is text.
            path: canonical(path).to_string_lossy().into_owned().into(),
            file: std::fs::metadata(path).map_or(0, |metadata| file_number(&metadata)),
        }
    }

    /// Both machines are known, and they differ.
    pub(super) fn is_on_another_machine(&self, other: &Self) -> bool {
        !self.machine.is_empty() && !other.machine.is_empty() && self.machine != other.machine
    }
}

/// By whatever way the file is reached, it has one path.
fn canonical(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// The name of a file beside the store: the store's own with something added.
pub(super) fn beside(store: &Path, addition: &str) -> PathBuf {
    let mut name: OsString = canonical(store).into();
    name.push(addition);
    PathBuf::from(name)
}

/// Opens a small file of the program's own, making it (for its owner alone) where there is none. A link that
/// somebody has put in its place is not followed: what it leads to is no file of ours.
pub(super) fn open_private(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    open_own(&mut options, path)
}

/// Opens such a file to look at it, where it is there.
pub(super) fn look_at(path: &Path) -> std::io::Result<File> {
    open_own(OpenOptions::new().read(true), path)
}

fn open_own(options: &mut OpenOptions, path: &Path) -> std::io::Result<File> {
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt;
        // Whoever opens a pipe would wait for its other end.
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        options.custom_flags(flags.bits() as i32);
    }
    let file = options.open(path).map_err(|cause| {
        if path.is_symlink() {
            std::io::Error::other("a link stands in its place, and is not followed: take it away")
        } else {
            cause
        }
    })?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(std::io::Error::other("it is no file"))
    }
}

/// Refuses a link that somebody else has put in the place of a file of ours: in a folder where others may write, it
/// would have us write to what they choose.
pub fn refuse_foreign_link(path: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    if let Ok(facts) = path.symlink_metadata()
        && facts.is_symlink()
    {
        let owner = std::os::unix::fs::MetadataExt::uid(&facts);
        let me = rustix::process::geteuid().as_raw();
        if owner != me && owner != 0 {
            return Err(std::io::Error::other(
                "it is a link that somebody else has made",
            ));
        }
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// The machine's id is meant to be kept private (machine-id(5)): only a digest of it is written down.
fn machine() -> String {
    ["/etc/machine-id", "/var/lib/dbus/machine-id"]
        .iter()
        .filter_map(|path| std::fs::read_to_string(path).ok())
        .find(|id| !id.trim().is_empty())
        .map_or_else(String::new, |id| {
            blake3::hash(id.trim().as_bytes()).to_hex()[..32].to_owned()
        })
}

/// What this machine is called, where the system says so.
pub fn machine_name() -> Option<String> {
    ["/proc/sys/kernel/hostname", "/etc/hostname"]
        .iter()
        .filter_map(|path| std::fs::read_to_string(path).ok())
        .map(|name| name.trim().to_owned())
        .find(|name| !name.is_empty())
}

/// Tells a file from its copies: the inode in the upper half, when it was made in the lower one, each 0
/// where the system does not say. The inode alone is not enough: it is given to the next file as soon as
/// the first one is deleted, which is how a folder is put back from a backup.
pub(super) fn file_number(metadata: &Metadata) -> i64 {
    #[cfg(unix)]
    let inode = std::os::unix::fs::MetadataExt::ino(metadata);
    #[cfg(not(unix))]
    let inode = 0_u64;
    let made = made_at(metadata).map_or(0, |at| at.as_nanosecond().unsigned_abs());
    let inode = fold(u128::from(inode), (1 << 31) - 1);
    (inode << 32 | fold(made, (1 << 32) - 1)) as i64
}

/// A number below `room`, and 0 only for 0.
fn fold(number: u128, room: u128) -> u64 {
    match number {
        0 => 0,
        number => (number % (room - 1)) as u64 + 1,
    }
}

fn made_at(metadata: &Metadata) -> Option<Timestamp> {
    metadata
        .created()
        .ok()
        .and_then(|at| Timestamp::try_from(at).ok())
}

/// Since when there is something in this file, as far as its disk says.
pub(super) fn since(path: &Path) -> Timestamp {
    std::fs::metadata(path)
        .ok()
        .and_then(|metadata| {
            made_at(&metadata).or_else(|| Timestamp::try_from(metadata.modified().ok()?).ok())
        })
        .unwrap_or(Timestamp::UNIX_EPOCH)
}

/// What two numbers of files say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Likeness {
    /// One file.
    Same,
    /// Two files.
    Different,
    /// The system does not say.
    Unknown,
}

/// Whether two numbers mean one file.
pub(super) fn likeness(one: i64, other: i64) -> Likeness {
    let halves = |number: i64| [number >> 32, number & 0xffff_ffff];
    let pairs = halves(one).into_iter().zip(halves(other));
    let mut known = pairs.filter(|(a, b)| *a != 0 && *b != 0).peekable();
    if known.peek().is_none() {
        Likeness::Unknown
    } else if known.all(|(a, b)| a == b) {
        Likeness::Same
    } else {
        Likeness::Different
    }
}
