//! Message content as it comes over the wire, back to what the client meant (RFC 5321 4.5.2).

/// Where in a line the next byte belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    LineStart,
    /// After a dot that starts a line.
    Dot,
    /// After a dot that starts a line and a carriage return.
    DotReturn,
    Text,
    /// After a carriage return.
    Return,
}

/// Takes content chunk by chunk, takes the stuffed dots out and finds the end. Never keeps more than
/// `limit` bytes.
#[derive(Debug)]
pub(super) struct Content {
    place: Place,
    limit: u64,
    length: u64,
    bytes: Vec<u8>,
    bare_line_feed: bool,
}

impl Content {
    pub(super) fn new(limit: u64) -> Self {
        Self {
            place: Place::LineStart,
            limit,
            length: 0,
            bytes: Vec::new(),
            bare_line_feed: false,
        }
    }

    /// Takes from `input`; how many bytes it took and whether the final dot was among them.
    pub(super) fn feed(&mut self, input: &[u8]) -> (usize, bool) {
        let mut at = 0;
        while let Some(&byte) = input.get(at) {
            let (place, taken) = match (self.place, byte) {
                (Place::LineStart, b'.') => (Place::Dot, 1),
                (Place::Dot, b'\r') => (Place::DotReturn, 1),
                (Place::DotReturn, b'\n') => return (at + 1, true),
                (Place::DotReturn, _) => {
                    self.keep(b"\r");
                    (Place::Return, 0)
                }
                (Place::Return, b'\n') => {
                    self.keep(b"\n");
                    (Place::LineStart, 1)
                }
                (Place::LineStart | Place::Dot | Place::Return, _) => (Place::Text, 0),
                (Place::Text, _) => self.text(&input[at..]),
            };
            self.place = place;
            at += taken;
        }
        (at, false)
    }

    /// Keeps a run of text up to and with the next carriage return or bare line feed.
    fn text(&mut self, input: &[u8]) -> (Place, usize) {
        let end = input.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
        let Some(end) = end else {
            self.keep(input);
            return (Place::Text, input.len());
        };
        self.keep(&input[..=end]);
        if input[end] == b'\r' {
            return (Place::Return, end + 1);
        }
        self.bare_line_feed = true;
        (Place::Text, end + 1)
    }

    fn keep(&mut self, run: &[u8]) {
        self.length += run.len() as u64;
        if self.is_too_long() {
            self.bytes = Vec::new();
        } else {
            self.bytes.extend_from_slice(run);
        }
    }

    /// More came than may be kept; then nothing is.
    pub(super) fn is_too_long(&self) -> bool {
        self.length > self.limit
    }

    /// So much more came that it is no use to wait for the end.
    pub(super) fn is_endless(&self) -> bool {
        self.length > self.limit.saturating_mul(2).saturating_add(1024 * 1024)
    }

    /// A line feed came without its carriage return.
    pub(super) fn has_bare_line_feed(&self) -> bool {
        self.bare_line_feed
    }

    /// What was kept.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::Content;
    use proptest::prelude::*;

    /// As a client writes it: dots doubled at the start of lines, and the final dot.
    fn stuffed(message: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut start = true;
        for (at, byte) in message.iter().enumerate() {
            if start && *byte == b'.' {
                out.push(b'.');
            }
            out.push(*byte);
            start = message[..=at].ends_with(b"\r\n");
        }
        out.extend_from_slice(b".\r\n");
        out
    }

    proptest! {
        #[test]
        fn what_was_stuffed_comes_back_however_it_is_cut(
            lines in prop::collection::vec("[.a\r\n]{0,6}", 0..8),
            cuts in prop::collection::vec(1usize..5, 1..80),
        ) {
            let mut message = lines.join("\r\n").into_bytes();
            message.extend_from_slice(b"\r\n");
            let mut wire = stuffed(&message);
            wire.extend_from_slice(b"QUIT\r\n");
            let mut content = Content::new(1000);
            let mut at = 0;
            let mut cuts = cuts.iter().cycle();
            loop {
                let end = (at + cuts.next().unwrap()).min(wire.len());
                let (taken, done) = content.feed(&wire[at..end]);
                at += taken;
                if done {
                    break;
                }
                prop_assert_eq!(at, end);
            }
            prop_assert_eq!(&wire[at..], b"QUIT\r\n");
            prop_assert_eq!(content.into_bytes(), message);
        }
    }

    #[test]
    fn more_than_the_limit_is_not_kept() {
        let mut content = Content::new(10);
        assert_eq!(content.feed(b"0123456789012\r\n.\r\nRSET"), (18, true));
        assert!(content.is_too_long() && !content.is_endless());
        assert!(content.into_bytes().is_empty());
    }

    #[test]
    fn only_a_dot_between_full_line_ends_ends_it() {
        let mut content = Content::new(100);
        assert_eq!(content.feed(b"a\n.\nb\r\n.\nc\r\n"), (12, false));
        assert!(content.has_bare_line_feed());
    }
}
