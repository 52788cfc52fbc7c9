//! Composing: parts and headers in their places, as bytes.
//!
//! What is equal for all mails of a campaign is encoded once; a mail is written from there in one go.

use std::borrow::Cow;

use jiff::Timestamp;

use super::attachments::{Encoded, FilePart, Files};
use super::content::{Content, Piece, Writing};
use super::error::Error;
use super::head::Head;
use super::last_look::check_wire;
use super::levels::Levels;
use super::text_part;
use super::unsubscribe::Unsubscribe;
use crate::recipients::{Address, Mailbox};
use crate::template::Rendered;

/// A part that is smaller is copied: to write it by itself would cost more.
const SMALL: usize = 16 << 10;

/// What is the same in all messages of a campaign.
pub(super) struct Frame {
    pub(super) from: Mailbox,
    pub(super) inline: Vec<(String, String)>,
    pub(super) encoded: Encoded,
    head: Head,
    levels: Levels,
}

/// What is a message's own beside its content.
pub(super) struct Addressing<'a> {
    pub(super) to: Mailbox,
    pub(super) cc: &'a [Mailbox],
    pub(super) reply_to: Option<&'a Mailbox>,
    pub(super) message_id: &'a str,
    pub(super) date: Timestamp,
    /// Several share it, as blind copies.
    pub(super) shared: bool,
    /// It is a copy for somebody who looks at it: of what.
    pub(super) test_of: Option<&'a str>,
}

/// What stands below the headers.
struct Parts<'a> {
    text: Cow<'a, str>,
    html: Option<&'a str>,
    images: Vec<FilePart>,
    attached: Vec<FilePart>,
}

/// An address as it goes on the wire: with an ASCII domain, so that only a local part can need
/// SMTPUTF8.
pub(super) fn wire(address: &Address) -> String {
    [address.local(), "@", address.domain()].concat()
}

impl Frame {
    pub(super) fn new(
        from: Mailbox,
        inline: Vec<(String, String)>,
        list_unsubscribe: Option<String>,
        unsubscribe: Option<Unsubscribe>,
        header_names: &[String],
        files: Files,
    ) -> Result<Self, Error> {
        Ok(Self {
            head: Head::new(&from, list_unsubscribe, unsubscribe, header_names)?,
            from,
            inline,
            encoded: Encoded::new(files),
            levels: Levels::new()?,
        })
    }

    /// So many of the campaign's own headers are addresses to unsubscribe by.
    pub(super) fn addresses(&self) -> usize {
        self.head.addresses()
    }

    /// The bytes of a message; the same for the same input.
    pub(super) fn compose(
        &self,
        rendered: &Rendered,
        addressing: &Addressing<'_>,
    ) -> Result<Content, Error> {
        let parts = self.parts(rendered)?;
        self.finish(rendered, addressing, &parts)
    }

    /// How long a message is with empty bodies, and without images and attachments.
    pub(super) fn measure(
        &self,
        rendered: &Rendered,
        addressing: &Addressing<'_>,
    ) -> Result<usize, Error> {
        let empty = Parts {
            text: Cow::Borrowed(""),
            html: rendered.html.as_ref().map(|_| ""),
            images: Vec::new(),
            attached: Vec::new(),
        };
        Ok(self.finish(rendered, addressing, &empty)?.len())
    }

    fn parts<'r>(&self, rendered: &'r Rendered) -> Result<Parts<'r>, Error> {
        let html = rendered.html.as_deref();
        let shown = if html.is_some() { &*self.inline } else { &[] };
        let attached = rendered.attach.iter().map(|path| path.trim());
        Ok(Parts {
            text: text_part::of(rendered)?,
            html,
            images: (shown.iter())
                .map(|(cid, path)| self.encoded.inline(cid, path))
                .collect::<Result<_, _>>()?,
            attached: (attached.filter(|path| !path.is_empty()))
                .map(|path| self.encoded.attachment(path))
                .collect::<Result<_, _>>()?,
        })
    }

    fn finish(
        &self,
        rendered: &Rendered,
        addressing: &Addressing<'_>,
        parts: &Parts<'_>,
    ) -> Result<Content, Error> {
        let bodies = parts.text.len() + parts.html.map_or(0, str::len);
        let mut writing = Writing::with_capacity(bodies + bodies / 4 + 2048);
        self.head.write(&mut writing, rendered, addressing)?;
        self.write(&mut writing, parts, addressing.message_id);
        let content = writing.end();
        for piece in content.pieces() {
            // Files are looked at when they are encoded.
            if let Piece::Own(bytes) = piece {
                check_wire(bytes)?;
            }
        }
        Ok(content)
    }

    /// Bodies in images in attachments, as many levels as there are.
    fn write(&self, writing: &mut Writing, parts: &Parts<'_>, message_id: &str) {
        let Levels {
            mixed,
            related,
            alternative,
        } = &self.levels;
        let mixed = mixed.open(!parts.attached.is_empty(), writing, message_id);
        let related = related.open(!parts.images.is_empty(), writing, message_id);
        let alternative = alternative.open(parts.html.is_some(), writing, message_id);
        text_part::write(writing.own(), &parts.text, "text/plain");
        if let Some(html) = parts.html {
            alternative.next(writing);
            text_part::write(writing.own(), html, "text/html");
        }
        alternative.close(writing);
        for image in &parts.images {
            related.next(writing);
            put(writing, image);
        }
        related.close(writing);
        for attachment in &parts.attached {
            mixed.next(writing);
            put(writing, attachment);
        }
        mixed.close(writing);
    }
}

fn put(writing: &mut Writing, file: &FilePart) {
    match file {
        FilePart::Kept(lines) if lines.bytes().len() >= SMALL => writing.share(lines),
        FilePart::Kept(lines) => writing.own().extend_from_slice(lines.bytes()),
        FilePart::Made(bytes) => writing.own().extend_from_slice(bytes),
    }
}

#[cfg(test)]
mod tests;
