//! What comes out of a set for one recipient.

use std::io;

use handlebars::Output;
use serde_json::{Map, Value};

/// The most that one rendered part may hold, in bytes: past it the template multiplies something.
pub const MAX_PART_BYTES: usize = 10 << 20;

/// A set rendered for one recipient: text only, nothing parsed yet.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Rendered {
    /// The subject.
    pub subject: String,
    /// The HTML body.
    pub html: Option<String>,
    /// The plain-text body.
    pub text: Option<String>,
    /// The campaign's own headers, in their order.
    pub headers: Vec<(String, String)>,
    /// The To header, where the campaign sets it.
    pub to: Option<String>,
    /// The Reply-To header.
    pub reply_to: Option<String>,
    /// Copies, one text per template.
    pub cc: Vec<String>,
    /// Blind copies, one text per template.
    pub bcc: Vec<String>,
    /// Paths of attachments.
    pub attach: Vec<String>,
}

impl Rendered {
    /// A digest (BLAKE3) of all parts. Each is hashed with its length, and lists with theirs, so that
    /// text cannot move from one part to another unnoticed.
    pub fn digest(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        text(&mut hasher, &self.subject);
        for part in [&self.html, &self.text, &self.to, &self.reply_to] {
            length(&mut hasher, usize::from(part.is_some()));
            text(&mut hasher, part.as_deref().unwrap_or_default());
        }
        length(&mut hasher, self.headers.len());
        for (name, value) in &self.headers {
            text(&mut hasher, name);
            text(&mut hasher, value);
        }
        for list in [&self.cc, &self.bcc, &self.attach] {
            length(&mut hasher, list.len());
            for part in list {
                text(&mut hasher, part);
            }
        }
        *hasher.finalize().as_bytes()
    }
}

fn length(hasher: &mut blake3::Hasher, count: usize) {
    hasher.update(&(count as u64).to_le_bytes());
}

fn text(hasher: &mut blake3::Hasher, part: &str) {
    length(hasher, part.len());
    hasher.update(part.as_bytes());
}

/// The values that a recipient's templates see: those of the whole campaign, overlaid with the row's own.
/// Copies `data` once; `row` is moved.
pub fn merge(data: &Map<String, Value>, row: Map<String, Value>) -> Map<String, Value> {
    if data.is_empty() {
        return row;
    }
    let mut merged = data.clone();
    merged.extend(row);
    merged
}

/// Collects a part's text and stops at [`MAX_PART_BYTES`].
pub(super) struct Bounded(pub(super) String);

impl Output for Bounded {
    fn write(&mut self, segment: &str) -> Result<(), io::Error> {
        if self.0.len() + segment.len() > MAX_PART_BYTES {
            return Err(io::Error::other("part too large"));
        }
        self.0.push_str(segment);
        Ok(())
    }
}
