//! Telling where a reply ends in the bytes that came (RFC 5321 4.2).

use crate::delivery::Reply;

/// The longest line of a reply that is read, its line end included. RFC 5321 4.5.3.1.5 allows 512.
pub(super) const MAX_LINE: usize = 2_048;
/// The longest reply that is read, over all its lines.
pub(super) const MAX_REPLY: usize = 100_000;
/// How much of an answer that makes no sense is kept for the user to see.
const EXCERPT: usize = 200;

/// A reply found at the start of some bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) reply: Reply,
    /// How many bytes it takes up.
    pub(super) length: usize,
    pub(super) lines: usize,
}

/// What stands at the start of the bytes is no reply and never will be; an excerpt.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Garbage(pub(super) String);

/// Finds the reply at the start of `bytes`; none while its last line has not come.
pub(super) fn find(bytes: &[u8]) -> Result<Option<Found>, Garbage> {
    let mut text = String::new();
    let (mut length, mut lines, mut code) = (0, 0, None);
    loop {
        let rest = bytes.get(length..).unwrap_or_default();
        let end = rest.iter().position(|&byte| byte == b'\n');
        let line = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        if line.len() >= MAX_LINE || length + line.len() >= MAX_REPLY {
            return Err(garbage(bytes));
        }
        if end.is_none() {
            return if may_begin(line) {
                Ok(None)
            } else {
                Err(garbage(bytes))
            };
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
    if !may_begin(digits) {
        return None;
    }
    let code = std::str::from_utf8(digits).ok()?.parse().ok()?;
    match rest.split_first() {
        // RFC 5321 4.2: a code alone on its line is to be accepted.
        None => Some((code, true, &[])),
        Some((b' ', words)) => Some((code, true, words)),
        Some((b'-', words)) => Some((code, false, words)),
        Some(_) => None,
    }
}

/// True while an unfinished line may still become one of a reply: a code from 200 to 599.
fn may_begin(line: &[u8]) -> bool {
    line.iter().take(3).enumerate().all(|(at, byte)| match at {
        0 => (b'2'..=b'5').contains(byte),
        _ => byte.is_ascii_digit(),
    })
}

fn garbage(bytes: &[u8]) -> Garbage {
    let start = bytes.get(..EXCERPT).unwrap_or(bytes);
    Garbage(String::from_utf8_lossy(start).trim_end().to_owned())
}
