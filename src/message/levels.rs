//! Parts in parts (RFC 2046 5.1): what stands around them.

use lettre::message::{MultiPart, MultiPartKind};

use super::Error;
use super::content::Writing;

/// As long as every boundary is.
const PLACEHOLDER: &str = "00000000000000000000000000000000";

/// The levels that a mail may have, from the outside in.
pub(super) struct Levels {
    pub(super) mixed: Level,
    pub(super) related: Level,
    pub(super) alternative: Level,
}

/// A part of parts, as lettre writes its headers.
pub(super) struct Level {
    name: &'static str,
    before_boundary: String,
    after_boundary: String,
}

/// A level that is being written, or is not there.
pub(super) struct Open(Option<String>);

impl Levels {
    pub(super) fn new() -> Result<Self, Error> {
        Ok(Self {
            mixed: Level::new("mixed", MultiPartKind::Mixed)?,
            related: Level::new("related", MultiPartKind::Related)?,
            alternative: Level::new("alternative", MultiPartKind::Alternative)?,
        })
    }
}

impl Level {
    fn new(name: &'static str, kind: MultiPartKind) -> Result<Self, Error> {
        let part = MultiPart::builder().kind(kind).boundary(PLACEHOLDER);
        let headers = part.build().headers().to_string();
        let (before, after) = headers
            .split_once(PLACEHOLDER)
            .ok_or_else(|| Error::Build("a part has no boundary".to_owned()))?;
        Ok(Self {
            name,
            before_boundary: before.to_owned(),
            after_boundary: format!("{after}\r\n"),
        })
    }

    /// Writes its headers and what stands before its first part, where it is there. The boundary comes from the
    /// Message-ID, so the same message has the same bytes.
    pub(super) fn open(&self, is_there: bool, into: &mut Writing, message_id: &str) -> Open {
        if !is_there {
            return Open(None);
        }
        let digest = blake3::hash([self.name, message_id].concat().as_bytes());
        let digest = digest.to_hex();
        let boundary = digest.get(..PLACEHOLDER.len()).unwrap_or(PLACEHOLDER);
        into.push(&self.before_boundary);
        into.push(boundary);
        into.push(&self.after_boundary);
        let open = Open(Some(boundary.to_owned()));
        open.next(into);
        open
    }
}

impl Open {
    /// Writes what stands before a part.
    pub(super) fn next(&self, into: &mut Writing) {
        self.delimit(into, "\r\n");
    }

    /// Writes what stands behind the last part.
    pub(super) fn close(&self, into: &mut Writing) {
        self.delimit(into, "--\r\n");
    }

    fn delimit(&self, into: &mut Writing, end: &str) {
        if let Some(boundary) = &self.0 {
            into.push("--");
            into.push(boundary);
            into.push(end);
        }
    }
}
