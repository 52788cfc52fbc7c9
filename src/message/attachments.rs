//! Files that go with a message: found safely, encoded once.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lettre::message::header::{ContentTransferEncoding, ContentType};
use lettre::message::{Attachment, Body};

use super::Error;
use super::content::Lines;
use super::last_look::check_wire;

/// Reads a file of the campaign: from its folder when planning, from the store afterwards.
pub type Files = Arc<dyn Fn(&str) -> std::io::Result<Arc<[u8]>> + Send + Sync>;

/// The most bytes of encoded files that are kept for the next message.
const KEPT: usize = 64 << 20;

/// The most bytes that a file of a mail may have: no provider takes more than 150 MiB in all.
pub const LARGEST: u64 = 256 << 20;

/// Why a file of the campaign cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum NotHad {
    /// It is not there, or may not be read.
    #[error("cannot be read: {0}")]
    Missing(#[from] std::io::Error),
    /// There is no name.
    #[error("has no name")]
    Nameless,
    /// Its path, or a link in it, leads elsewhere.
    #[error("leads out of the campaign's folder")]
    Outside,
    /// It is a folder, or a device or pipe, which may have no end.
    #[error("is not a file")]
    NoFile,
    /// It is larger than anything that is meant.
    #[error("is larger than {} MiB", .0 >> 20)]
    TooLarge(u64),
}

/// Finds a file inside the campaign's folder, which no link leads out of.
///
/// # Errors
/// Why it cannot be had; `most` is how many bytes it may have.
pub fn file_inside(folder: &Path, path: &str, most: u64) -> Result<PathBuf, NotHad> {
    let written = Path::new(path);
    let inside = written
        .components()
        .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if path.trim().is_empty() {
        return Err(NotHad::Nameless);
    }
    if !inside || path.contains('\0') {
        return Err(NotHad::Outside);
    }
    let root = folder.canonicalize()?;
    let found = root.join(written).canonicalize()?;
    if !found.starts_with(&root) {
        return Err(NotHad::Outside);
    }
    let facts = found.metadata()?;
    if !facts.is_file() {
        return Err(NotHad::NoFile);
    }
    if facts.len() > most {
        return Err(NotHad::TooLarge(most));
    }
    Ok(found)
}

/// Finds an attachment inside the campaign's folder.
///
/// # Errors
/// [`Error::Attachment`] for a file that is missing, no file or too large, an absolute path, or one that leads
/// out of the folder, by `..` or by a link.
pub fn resolve_attachment(folder: &Path, path: &str) -> Result<PathBuf, Error> {
    file_inside(folder, path, LARGEST).map_err(|cause| Error::Attachment {
        path: path.to_owned(),
        reason: cause.to_string(),
    })
}

/// What a file is in a mail, and its path.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Role {
    Attached(String),
    /// With its Content-ID.
    Inline(String, String),
}

/// A file as a part of a mail: its headers, and its content in base64 with lines of 76.
pub(super) enum FilePart {
    /// Kept for other mails.
    Kept(Lines),
    /// Made for this one.
    Made(Vec<u8>),
}

impl FilePart {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Kept(lines) => lines.bytes().len(),
            Self::Made(bytes) => bytes.len(),
        }
    }
}

/// Parts that are kept, and how many bytes these are.
#[derive(Default)]
struct Kept {
    bytes: usize,
    parts: HashMap<Role, Lines>,
}

/// Encoded files, kept while there is room: what many messages share is encoded once.
pub(super) struct Encoded {
    files: Files,
    kept: Mutex<Kept>,
}

impl Encoded {
    pub(super) fn new(files: Files) -> Self {
        Self {
            files,
            kept: Mutex::new(Kept::default()),
        }
    }

    pub(super) fn attachment(&self, path: &str) -> Result<FilePart, Error> {
        self.part(Role::Attached(path.to_owned()))
    }

    pub(super) fn inline(&self, cid: &str, path: &str) -> Result<FilePart, Error> {
        self.part(Role::Inline(cid.to_owned(), path.to_owned()))
    }

    fn part(&self, role: Role) -> Result<FilePart, Error> {
        if let Some(known) = self.kept().parts.get(&role) {
            return Ok(FilePart::Kept(known.clone()));
        }
        let bytes = self.make(&role)?;
        let mut kept = self.kept();
        if kept.bytes + bytes.len() > KEPT {
            return Ok(FilePart::Made(bytes));
        }
        let lines = match Lines::new(bytes) {
            Ok(lines) => lines,
            Err(bytes) => return Ok(FilePart::Made(bytes)),
        };
        kept.bytes += lines.bytes().len();
        if let Some(before) = kept.parts.insert(role, lines.clone()) {
            // Somebody else has made it meanwhile.
            kept.bytes -= before.bytes().len();
        }
        Ok(FilePart::Kept(lines))
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn make(&self, role: &Role) -> Result<Vec<u8>, Error> {
        let (path, attachment) = match role {
            Role::Attached(path) => (path, Attachment::new(file_name(path))),
            Role::Inline(cid, path) => {
                let image = Attachment::new_inline_with_name(cid.clone(), file_name(path));
                (path, image)
            }
        };
        let bytes = (self.files)(path).map_err(|cause| Error::Attachment {
            path: path.clone(),
            reason: format!("cannot be read: {cause}"),
        })?;
        let body = Body::new_with_encoding(bytes.to_vec(), ContentTransferEncoding::Base64)
            .map_err(|_| Error::Build(format!("'{path}' cannot be encoded")))?;
        let part = attachment.body(body, media_type(path)?).formatted();
        check_wire(&part)?;
        Ok(part)
    }
}

fn file_name(path: &str) -> String {
    Path::new(path).file_name().map_or_else(
        || path.to_owned(),
        |name| name.to_string_lossy().into_owned(),
    )
}

fn media_type(path: &str) -> Result<ContentType, Error> {
    let guess = mime_guess::from_path(path).first_or_octet_stream();
    ContentType::parse(guess.essence_str()).map_err(|cause| Error::Build(cause.to_string()))
}
