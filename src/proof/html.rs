//! Cutting rendered HTML into its tags, without a parser.
//!
//! The cuts are those of the tokenizer (<https://html.spec.whatwg.org/multipage/parsing.html>) where it
//! matters here: comments, quoted attribute values, and elements whose content is no markup.

use memchr::{memchr, memchr3, memmem};

/// Elements whose content is text up to their end tag, and not shown as part of the mail.
const RAW: [&str; 5] = ["style", "script", "title", "textarea", "xmp"];

/// One piece of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece<'h> {
    /// A start or end tag with its angle brackets.
    Tag(&'h str),
    /// Text between tags.
    Text(&'h str),
    /// What stands inside a `<style>`, or in a comment, which some programs read (`[if mso]`).
    Hidden(&'h str),
    /// What nobody is shown: titles, scripts, declarations.
    Other,
}

/// Goes through a document piece by piece.
pub(super) struct Pieces<'h> {
    html: &'h str,
    at: usize,
    /// The element whose raw content comes next.
    raw: Option<&'static str>,
}

impl<'h> Pieces<'h> {
    pub(super) fn new(html: &'h str) -> Self {
        Self {
            html,
            at: 0,
            raw: None,
        }
    }

    /// Where the next piece begins, in bytes.
    pub(super) fn offset(&self) -> usize {
        self.at
    }

    /// Whether what comes next is no markup.
    pub(super) fn is_raw(&self) -> bool {
        self.raw.is_some()
    }

    /// Goes on at another piece, in bytes.
    pub(super) fn skip_to(&mut self, offset: usize) {
        self.at = offset;
    }

    fn take(&mut self, length: usize) -> &'h str {
        let start = self.at;
        self.at = (start + length).min(self.html.len());
        self.html.get(start..self.at).unwrap_or_default()
    }

    fn raw(&mut self, name: &'static str, rest: &'h str) -> Piece<'h> {
        let content = self.take(end_of_raw(rest, name));
        match name {
            "style" => Piece::Hidden(content),
            _ => Piece::Other,
        }
    }
}

impl<'h> Iterator for Pieces<'h> {
    type Item = Piece<'h>;

    fn next(&mut self) -> Option<Piece<'h>> {
        let rest = self.html.get(self.at..).filter(|rest| !rest.is_empty())?;
        if let Some(name) = self.raw.take() {
            return Some(self.raw(name, rest));
        }
        let bytes = rest.as_bytes();
        if bytes.first() != Some(&b'<') {
            let length = memchr(b'<', bytes).unwrap_or(bytes.len());
            return Some(Piece::Text(self.take(length)));
        }
        Some(match bytes.get(1) {
            Some(b'!') if rest.starts_with("<!--") => Piece::Hidden(self.take(comment(bytes))),
            Some(b'!' | b'?') => {
                self.take(memchr(b'>', bytes).map_or(bytes.len(), |end| end + 1));
                Piece::Other
            }
            Some(b'/' | b'a'..=b'z' | b'A'..=b'Z') => {
                let tag = self.take(tag_length(bytes));
                self.raw = RAW.into_iter().find(|raw| name(tag) == Some(*raw));
                Piece::Tag(tag)
            }
            _ => {
                let more = memchr(b'<', &bytes[1..]).map_or(bytes.len(), |next| next + 1);
                Piece::Text(self.take(more))
            }
        })
    }
}

fn comment(bytes: &[u8]) -> usize {
    // `<!-->` and `<!--->` are whole comments.
    let body = bytes.get(2..).unwrap_or_default();
    memmem::find(body, b"-->").map_or(bytes.len(), |end| end + 5)
}

/// How long the tag is that begins here. A `>` in a quoted value does not end it.
fn tag_length(bytes: &[u8]) -> usize {
    let mut at = 1;
    while let Some(found) = bytes
        .get(at..)
        .and_then(|rest| memchr3(b'>', b'"', b'\'', rest))
    {
        at += found;
        if bytes[at] == b'>' {
            return at + 1;
        }
        let before = bytes[..at].iter().rfind(|byte| !byte.is_ascii_whitespace());
        let opens = before == Some(&b'=');
        let closing = opens.then(|| memchr(bytes[at], &bytes[at + 1..])).flatten();
        at += 1 + closing.map_or(0, |ahead| ahead + 1);
    }
    bytes.len()
}

/// The name of a start tag, where it is one of those with raw content.
fn name(tag: &str) -> Option<&'static str> {
    let inside = tag.strip_prefix('<')?;
    let length = inside.bytes().take_while(u8::is_ascii_alphanumeric).count();
    let name = inside.get(..length)?;
    RAW.into_iter().find(|raw| name.eq_ignore_ascii_case(raw))
}

/// Whether a tag ends where it does whatever is behind it: no quote is open in it.
pub(super) fn is_whole(tag: &str) -> bool {
    tag_length(format!("{tag}\"'>").as_bytes()) == tag.len()
}

fn end_of_raw(rest: &str, name: &str) -> usize {
    let ends = memmem::find_iter(rest.as_bytes(), b"</");
    let mut ends = ends.filter(|at| {
        let after = rest.get(at + 2..at + 2 + name.len());
        after.is_some_and(|after| after.eq_ignore_ascii_case(name))
    });
    ends.next().unwrap_or(rest.len())
}

/// A rendered HTML part, cut up.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Looked<'h> {
    /// Its start and end tags, in their order.
    pub tags: Vec<&'h str>,
    /// Style sheets and comments: for [`super::judge_hidden`].
    pub hidden: Vec<&'h str>,
    /// Whether there is anything to read.
    pub has_text: bool,
}

/// Cuts a rendered HTML part into what is judged piece by piece.
pub fn look(html: &str) -> Looked<'_> {
    let mut looked = Looked::default();
    Pieces::new(html).for_each(|piece| looked.add(piece));
    looked
}

impl<'h> Looked<'h> {
    pub(super) fn add(&mut self, piece: Piece<'h>) {
        match piece {
            Piece::Tag(tag) => self.tags.push(tag),
            Piece::Text(text) => self.has_text = self.has_text || is_readable(text),
            Piece::Hidden(content) => self.hidden.push(content),
            Piece::Other => {}
        }
    }
}

/// Whether a text shows anything: blanks, and the references that stand for blanks, do not.
pub(super) fn is_readable(text: &str) -> bool {
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(|c: char| {
            c.is_whitespace()
                || matches!(
                    c,
                    '\u{200b}'..='\u{200d}' | '\u{feff}' | '\u{34f}' | '\u{ad}'
                )
        });
        if rest.is_empty() {
            return false;
        }
        let blank = ["&nbsp;", "&#160;", "&zwnj;", "&#8204;", "&#847;", "&shy;"]
            .into_iter()
            .find(|blank| rest.starts_with(blank));
        match blank {
            Some(blank) => rest = &rest[blank.len()..],
            None => return true,
        }
    }
}
