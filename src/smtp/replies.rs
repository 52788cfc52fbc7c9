//! Telling where a reply ends in the bytes that came (RFC 5321 4.2).

use super::SessionErrorKind;
use crate::delivery::Reply;

/// The longest line of a reply that is read, its line end included. RFC 5321 4.5.3.1.5 allows 512.
const MAX_LINE: usize = 2_048;
/// The longest reply that is read, over all its lines.
const MAX_REPLY: usize = 100_000;
/// The most lines of a reply that are read. An answer to EHLO has a dozen or two.
const MAX_LINES: usize = 500;
/// How much of an answer that makes no sense is kept for the user to see.
const EXCERPT: usize = 200;
/// How much of one that does not come to an end.
const GLIMPSE: usize = 60;

/// A reply found at the start of some bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) reply: Reply,
    /// How many bytes it takes up.
    pub(super) length: usize,
    pub(super) lines: usize,
}

/// What stands at the start of the bytes is no reply and never will be; with an excerpt.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// It is something else.
    Garbage(String),
    /// It is longer than what is read of a reply.
    TooLong(String),
}

impl From<Unreadable> for SessionErrorKind {
    fn from(unreadable: Unreadable) -> Self {
        match unreadable {
            Unreadable::Garbage(excerpt) => Self::Protocol(excerpt),
            Unreadable::TooLong(excerpt) => Self::TooLong(excerpt),
        }
    }
}

/// Finds the reply at the start of `bytes`; none while its last line has not come.
pub(super) fn find(bytes: &[u8]) -> Result<Option<Found>, Unreadable> {
    let mut text = String::new();
    let (mut length, mut lines, mut code) = (0, 0, None);
    loop {
        let rest = bytes.get(length..).unwrap_or_default();
        let end = rest.iter().position(|&byte| byte == b'\n');
        let line = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        if !may_begin(line) {
            return Err(garbage(bytes));
        }
        if line.len() >= MAX_LINE || length + line.len() >= MAX_REPLY || lines > MAX_LINES {
            return Err(Unreadable::TooLong(excerpt(
                bytes.get(..GLIMPSE).unwrap_or(bytes),
            )));
        }
        if end.is_none() {
            return Ok(None);
        }
        let Some((this, last, words)) = line.strip_suffix(b"\r").and_then(split) else {
            return Err(garbage(bytes));
        };
        if code.is_some_and(|code| code != this) {
            return Err(garbage(bytes));
        }
        code = Some(this);
        if lines > 0 {
            text.push('\n');
        }
        text.push_str(&String::from_utf8_lossy(words));
        length += line.len() + 1;
        lines += 1;
        if last {
            let reply = Reply::new(this, text);
            return Ok(Some(Found {
                reply,
                length,
                lines,
            }));
        }
    }
}

/// Splits a line into its code, whether it is the last of its reply, and its text.
fn split(line: &[u8]) -> Option<(u16, bool, &[u8])> {
    let (digits, rest) = line.split_at_checked(3)?;
    let code = std::str::from_utf8(digits).ok()?.parse().ok()?;
    match rest.split_first() {
        // RFC 5321 4.2: a code alone on its line is to be accepted.
        None => Some((code, true, &[])),
        Some((b' ', words)) => Some((code, true, words)),
        Some((b'-', words)) => Some((code, false, words)),
        Some(_) => None,
    }
}

/// True while a line may still become one of a reply: a code from 200 to 599, and what follows a code.
fn may_begin(line: &[u8]) -> bool {
    let fits = |(at, byte): (usize, &u8)| fits(at, *byte);
    line.iter().take(4).enumerate().all(fits)
}

/// Whether a byte may stand at this place of a line, counted from 0.
fn fits(at: usize, byte: u8) -> bool {
    match at {
        0 => (b'2'..=b'5').contains(&byte),
        1 | 2 => byte.is_ascii_digit(),
        3 => b" -\r".contains(&byte),
        _ => true,
    }
}

fn garbage(bytes: &[u8]) -> Unreadable {
    Unreadable::Garbage(excerpt(bytes))
}

/// The beginning of what came, for the user to see.
pub(super) fn excerpt(bytes: &[u8]) -> String {
    let start = bytes.get(..EXCERPT).unwrap_or(bytes);
    String::from_utf8_lossy(start).trim_end().to_owned()
}

/// Follows replies byte by byte, so that reading stops where [`find`] would give up: nothing of a flood is
/// kept, and garbage is not waited upon for the end of its line.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// Bytes of the line that has not ended yet.
    line: usize,
    /// That line says that another one follows.
    continues: bool,
    /// Its last byte so far is a carriage return.
    returned: bool,
    /// Lines and bytes of the reply that has not ended yet.
    lines: usize,
    length: usize,
}

impl Watch {
    /// Whether the replies are still fit to be read after this byte.
    pub(super) fn see(&mut self, byte: u8) -> bool {
        self.length += 1;
        if byte == b'\n' {
            return self.end_line();
        }
        self.continues |= self.line == 3 && byte == b'-';
        self.returned = byte == b'\r';
        self.line += 1;
        fits(self.line - 1, byte) && self.line <= MAX_LINE && self.length <= MAX_REPLY
    }

    fn end_line(&mut self) -> bool {
        let whole = self.line > 3 && self.returned;
        self.lines += 1;
        if !self.continues {
            (self.lines, self.length) = (0, 0);
        }
        (self.line, self.continues, self.returned) = (0, false, false);
        whole && self.lines <= MAX_LINES
    }
}
