//! Values held out of a text until it has become HTML.
//!
//! In Markdown there is no way of writing a value that is right everywhere: a backslash stays a
//! backslash in HTML and code, an entity stays an entity in code, and `*` or `1.` at the wrong place is
//! markup. So a value goes in as one word of letters and digits that spells it out, which is text
//! wherever it stands, and comes out, escaped, when all markup is read.

/// What such a word begins with. Whoever writes one by hand gets the text that it spells out.
const BEGIN: &str = "xpostroomheldx";
/// What ends it: no hexadecimal digit.
const END: char = 'x';

/// The word for a value.
pub fn hold(value: &str) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut word = String::with_capacity(BEGIN.len() + value.len() * 2 + 1);
    word.push_str(BEGIN);
    for byte in value.bytes() {
        word.push(char::from(DIGITS[usize::from(byte >> 4)]));
        word.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    word.push(END);
    word
}

/// A text cut where values are held in it.
#[derive(Debug, PartialEq, Eq)]
pub enum Cut<'a> {
    /// Text of the template.
    Text(&'a str),
    /// A value, as it is in the list or the data.
    Value(String),
}

/// Cuts a text into what was written and what is held.
pub fn cut(text: &str) -> impl Iterator<Item = Cut<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if let Some((value, behind)) = read(rest) {
            rest = behind;
            return Some(Cut::Value(value));
        }
        // A word that spells nothing is text like any other.
        let begin = |from: usize| rest.get(from..)?.find(BEGIN).map(|at| from + at);
        let mut next = begin(0);
        while let Some(at) = next
            && rest.get(at..).and_then(read).is_none()
        {
            next = begin(at + 1);
        }
        let (written, behind) = rest.split_at(next.unwrap_or(rest.len()));
        rest = behind;
        Some(Cut::Text(written))
    })
}

/// The value that a text begins with, and what comes behind it.
fn read(text: &str) -> Option<(String, &str)> {
    let (digits, behind) = text.strip_prefix(BEGIN)?.split_once(END)?;
    let (pairs, odd) = digits.as_bytes().as_chunks::<2>();
    let bytes = pairs
        .iter()
        .map(|&[high, low]| Some(digit(high)? << 4 | digit(low)?));
    let value = String::from_utf8(bytes.collect::<Option<_>>()?).ok()?;
    odd.is_empty().then_some((value, behind))
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}
