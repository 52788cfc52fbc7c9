//! Content in pieces, and how it goes out.

use std::collections::VecDeque;
use std::io::IoSlice;
use std::sync::Arc;

/// Content to hand over.
#[derive(Debug, Clone)]
pub struct Content<'a>(Vec<Piece<'a>>);

/// A stretch of content. Each begins at the start of a line; what is followed by another one ends with CRLF.
#[derive(Debug, Clone)]
pub enum Piece<'a> {
    /// Lines of any kind.
    Text(&'a [u8]),
    /// Whole lines, each with its CRLF, none of which begins with a dot: they go out from where they are.
    Plain(Arc<[u8]>),
}

impl<'a> From<&'a [u8]> for Content<'a> {
    fn from(content: &'a [u8]) -> Self {
        Self(vec![Piece::Text(content)])
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Content<'a> {
    fn from(content: &'a [u8; N]) -> Self {
        Self::from(content.as_slice())
    }
}

impl<'a> From<&'a Vec<u8>> for Content<'a> {
    fn from(content: &'a Vec<u8>) -> Self {
        Self::from(content.as_slice())
    }
}

impl<'a> FromIterator<Piece<'a>> for Content<'a> {
    fn from_iter<T: IntoIterator<Item = Piece<'a>>>(pieces: T) -> Self {
        Self(pieces.into_iter().collect())
    }
}

impl Content<'_> {
    /// What goes out for it: its leading dots doubled (RFC 5321 4.5.2), its last line ended.
    pub(super) fn stuffed(self) -> Outgoing {
        let mut out = Outgoing::default();
        let mut is_ended = false;
        for piece in self.0 {
            match piece {
                Piece::Text(text) => {
                    is_ended = text.ends_with(b"\r\n");
                    stuff(text, out.text());
                }
                Piece::Plain(lines) => {
                    is_ended = true;
                    out.share(lines);
                }
            }
        }
        if !is_ended {
            out.text().extend_from_slice(b"\r\n");
        }
        out
    }
}

fn stuff(text: &[u8], into: &mut Vec<u8>) {
    into.reserve(text.len() + 1024);
    if text.starts_with(b".") {
        into.push(b'.');
    }
    let mut rest = text;
    while let Some(found) = memchr::memmem::find(rest, b"\r\n.") {
        let (line, after) = rest.split_at(found + 2);
        into.extend_from_slice(line);
        into.push(b'.');
        rest = after;
    }
    into.extend_from_slice(rest);
}

#[derive(Debug)]
enum Block {
    Own(Vec<u8>),
    Shared(Arc<[u8]>),
}

impl Block {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Own(bytes) => bytes,
            Self::Shared(bytes) => bytes,
        }
    }
}

/// Bytes on their way out.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    blocks: VecDeque<Block>,
    /// Behind them.
    last: Vec<u8>,
    /// So much of the first block has gone out, or of the last bytes where there is none.
    begun: usize,
}

/// As many blocks go out in one write.
const AT_ONCE: usize = 8;

impl Outgoing {
    /// How many bytes are left.
    pub(super) fn len(&self) -> usize {
        let blocks: usize = self.blocks.iter().map(|block| block.bytes().len()).sum();
        blocks + self.last.len() - self.begun
    }

    /// Where more of the message's own is put.
    pub(super) fn text(&mut self) -> &mut Vec<u8> {
        &mut self.last
    }

    fn share(&mut self, bytes: Arc<[u8]>) {
        let own = std::mem::take(&mut self.last);
        self.blocks.extend([Block::Own(own), Block::Shared(bytes)]);
    }

    /// What goes out next, for a write of many.
    pub(super) fn slices(&self) -> ([IoSlice<'_>; AT_ONCE], usize) {
        let mut slices = [IoSlice::new(&[]); AT_ONCE];
        let (mut count, mut begun) = (0, self.begun);
        let blocks = self.blocks.iter().map(Block::bytes);
        let left = blocks.chain([self.last.as_slice()]).filter_map(|bytes| {
            let left = bytes.get(std::mem::take(&mut begun)..).unwrap_or_default();
            (!left.is_empty()).then(|| IoSlice::new(left))
        });
        for (slice, left) in slices.iter_mut().zip(left) {
            *slice = left;
            count += 1;
        }
        (slices, count)
    }

    /// So many bytes have gone out.
    pub(super) fn advance(&mut self, count: usize) {
        self.begun += count;
        while let Some(first) = self.blocks.front().map(|block| block.bytes().len())
            && first <= self.begun
        {
            self.begun -= first;
            self.blocks.pop_front();
        }
        if self.len() == 0 {
            *self = Self::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn however_much_goes_out_at_a_time_it_is_the_same(
            blocks in prop::collection::vec((any::<bool>(), "[a-z]{0,6}"), 0..14),
            cuts in prop::collection::vec(1_usize..40, 1..10),
        ) {
            let mut out = Outgoing::default();
            let mut whole = Vec::new();
            for (is_shared, text) in &blocks {
                whole.extend_from_slice(text.as_bytes());
                if *is_shared {
                    out.share(text.as_bytes().into());
                } else {
                    out.text().extend_from_slice(text.as_bytes());
                }
            }
            let mut came = Vec::new();
            let mut cuts = cuts.iter().cycle();
            while out.len() > 0 {
                prop_assert_eq!(came.len() + out.len(), whole.len());
                let (slices, count) = out.slices();
                let next: Vec<u8> = slices[..count].iter().flat_map(|slice| slice.to_vec()).collect();
                let taken = next.len().min(*cuts.next().unwrap());
                came.extend_from_slice(&next[..taken]);
                out.advance(taken);
            }
            prop_assert_eq!(out.slices().1, 0);
            prop_assert_eq!(came, whole);
        }
    }
}
