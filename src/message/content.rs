//! The bytes of a mail, in pieces: an attachment that all have is not copied for each.

use std::sync::Arc;

/// The bytes of a mail, with CRLF.
#[derive(Debug, Clone, Default)]
pub struct Content(Vec<Piece>);

/// A stretch of a mail. Each begins at the start of a line.
#[derive(Debug, Clone)]
pub enum Piece {
    /// Of this mail alone.
    Own(Vec<u8>),
    /// Of others too.
    Shared(Lines),
}

/// Whole lines of ASCII, each with its CRLF, none of which begins with a dot: they go out over SMTP as they are
/// (RFC 5321 4.5.2).
#[derive(Debug, Clone)]
pub struct Lines(Arc<[u8]>);

impl Lines {
    /// The same bytes again where they are something else.
    pub(super) fn new(bytes: Vec<u8>) -> Result<Self, Vec<u8>> {
        let has_dot = bytes.starts_with(b".") || memchr::memmem::find(&bytes, b"\n.").is_some();
        if has_dot || !bytes.ends_with(b"\r\n") || !bytes.is_ascii() {
            return Err(bytes);
        }
        Ok(Self(bytes.into()))
    }

    /// The bytes, which whoever sends them need not copy.
    pub fn bytes(&self) -> &Arc<[u8]> {
        &self.0
    }
}

impl Piece {
    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Own(bytes) => bytes,
            Self::Shared(lines) => &lines.0,
        }
    }
}

impl Content {
    /// The pieces, in their order.
    pub fn pieces(&self) -> &[Piece] {
        &self.0
    }

    /// How many bytes there are.
    #[expect(clippy::len_without_is_empty, reason = "a mail has headers")]
    pub fn len(&self) -> usize {
        self.0.iter().map(|piece| piece.bytes().len()).sum()
    }

    /// How many bytes this mail takes in memory that it does not share.
    pub fn own_len(&self) -> usize {
        let own = |piece: &Piece| match piece {
            Piece::Own(bytes) => bytes.len(),
            Piece::Shared(_) => 0,
        };
        self.0.iter().map(own).sum()
    }

    /// Whether all of it is ASCII.
    pub fn is_ascii(&self) -> bool {
        let is_ascii = |piece: &Piece| match piece {
            Piece::Own(bytes) => bytes.is_ascii(),
            Piece::Shared(_) => true,
        };
        self.0.iter().all(is_ascii)
    }

    /// All of it in one.
    pub fn into_bytes(self) -> Vec<u8> {
        match <[Piece; 1]>::try_from(self.0) {
            Ok([Piece::Own(bytes)]) => bytes,
            Ok([Piece::Shared(lines)]) => lines.0.to_vec(),
            Err(pieces) => {
                let pieces: Vec<&[u8]> = pieces.iter().map(Piece::bytes).collect();
                pieces.concat()
            }
        }
    }
}

/// A mail that is being written.
#[derive(Debug, Default)]
pub(super) struct Writing {
    done: Vec<Piece>,
    own: Vec<u8>,
}

impl Writing {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self {
            done: Vec::new(),
            own: Vec::with_capacity(bytes),
        }
    }

    /// The bytes so far that are the mail's own, since the last shared ones.
    pub(super) fn own(&mut self) -> &mut Vec<u8> {
        &mut self.own
    }

    pub(super) fn push(&mut self, text: &str) {
        self.own.extend_from_slice(text.as_bytes());
    }

    /// Goes on with what others have too, at the start of a line.
    pub(super) fn share(&mut self, lines: &Lines) {
        let own = std::mem::take(&mut self.own);
        self.done
            .extend([Piece::Own(own), Piece::Shared(lines.clone())]);
    }

    pub(super) fn end(mut self) -> Content {
        if !self.own.is_empty() {
            self.done.push(Piece::Own(self.own));
        }
        Content(self.done)
    }
}
