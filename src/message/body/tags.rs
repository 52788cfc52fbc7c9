//! Cutting HTML into tags, text and what is neither, as a browser's tokenizer does (HTML Standard,
//! section 13.2.5), with the place of everything: <https://html.spec.whatwg.org/multipage/parsing.html>.
//!
//! It builds no tree and changes nothing. Where it takes markup for something else than the parser
//! does (inside `<svg>`, say), whoever uses it must be none the worse.

use std::ops::Range;

use memchr::{memchr, memmem};

/// Elements whose content holds no tags.
const RAW: &[&str] = &[
    "style", "script", "title", "textarea", "xmp", "iframe", "noembed", "noframes", "noscript",
];

/// Elements without content or end tag.
const VOID: &[&str] = &[
    "area", "base", "basefont", "bgsound", "br", "col", "embed", "frame", "hr", "img", "input",
    "keygen", "link", "meta", "param", "source", "track", "wbr",
];

/// What stands at a place of the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text, with its entities.
    Text,
    /// A start tag; its attributes are in [`Tokens::attributes`].
    Start,
    /// An end tag.
    End,
    /// The content of an element like `<style>`.
    Raw,
    /// A comment, a doctype, or a tag that is never closed.
    Other,
}

/// An attribute's places in the document.
#[derive(Debug, Clone)]
pub(super) struct Attribute {
    pub(super) name: Range<usize>,
    /// Without its quotes; empty where there is none.
    pub(super) value: Range<usize>,
    /// Name, value and quotes.
    pub(super) whole: Range<usize>,
}

/// Goes through a document from token to token.
pub(super) struct Tokens<'a> {
    html: &'a str,
    next: usize,
    /// The element whose raw content comes next.
    raw: Option<Range<usize>>,
    /// Where the last token stands.
    pub(super) span: Range<usize>,
    /// The name in the last tag.
    pub(super) name: Range<usize>,
    /// The attributes of the last tag.
    pub(super) attributes: Vec<Attribute>,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(html: &'a str) -> Self {
        Self {
            html,
            next: 0,
            raw: None,
            span: 0..0,
            name: 0..0,
            attributes: Vec::new(),
        }
    }

    /// The last token as it is written.
    pub(super) fn text(&self) -> &'a str {
        self.html.get(self.span.clone()).unwrap_or_default()
    }

    /// What stands there in the document.
    pub(super) fn at(&self, place: &Range<usize>) -> &'a str {
        self.html.get(place.clone()).unwrap_or_default()
    }

    /// True for the name of the last tag, in any case of letters.
    pub(super) fn is(&self, name: &str) -> bool {
        self.at(&self.name).eq_ignore_ascii_case(name)
    }

    /// True where the last tag is one of an element that never has content.
    pub(super) fn is_void(&self) -> bool {
        VOID.iter().any(|name| self.is(name))
    }

    /// True where no tags stand inside the last tag's element.
    pub(super) fn holds_raw(&self) -> bool {
        RAW.iter().any(|name| self.is(name)) || self.is("plaintext")
    }

    /// The attribute of this name: the first one counts.
    pub(super) fn attribute(&self, name: &str) -> Option<&Attribute> {
        let mut all = self.attributes.iter();
        all.find(|attribute| self.at(&attribute.name).eq_ignore_ascii_case(name))
    }

    /// Where the last tag can take another attribute, and what must stand before it.
    pub(super) fn room(&self) -> (usize, &'static str) {
        let Some(last) = self.attributes.last() else {
            return (self.name.end, " ");
        };
        // What follows an equals sign would become its value.
        let is_open = last.value.is_empty()
            && last.whole.end > last.name.end
            && !self.at(&last.whole).ends_with(['"', '\'']);
        (last.whole.end, if is_open { "\"\" " } else { " " })
    }

    /// Goes to the next token; none at the end.
    pub(super) fn advance(&mut self) -> Option<Kind> {
        let start = self.next;
        if start >= self.html.len() {
            return None;
        }
        if let Some(name) = self.raw.take() {
            let end = self.raw_end(start, &name);
            if end > start {
                return Some(self.token(Kind::Raw, end));
            }
        }
        let bytes = self.html.as_bytes();
        let mut from = start;
        let found = loop {
            match memchr(b'<', &bytes[from..]) {
                Some(ahead) if begins_markup(&bytes[from + ahead..]) => break from + ahead,
                Some(ahead) => from += ahead + 1,
                None => break bytes.len(),
            }
        };
        if found > start {
            return Some(self.token(Kind::Text, found));
        }
        Some(self.markup(start))
    }

    fn token(&mut self, kind: Kind, end: usize) -> Kind {
        self.span = self.next..end;
        self.next = end;
        kind
    }

    fn raw_end(&self, start: usize, name: &Range<usize>) -> usize {
        let (bytes, name) = (self.html.as_bytes(), self.at(name).as_bytes());
        if name.eq_ignore_ascii_case(b"plaintext") {
            return bytes.len();
        }
        let ends = memmem::find_iter(&bytes[start..], b"</").map(|ahead| start + ahead);
        let mut ends = ends.filter(|end| {
            let rest = &bytes[end + 2..];
            rest.get(..name.len())
                .is_some_and(|found| found.eq_ignore_ascii_case(name))
                && rest
                    .get(name.len())
                    .is_some_and(|after| b"\t\n\x0c\r />".contains(after))
        });
        ends.next().unwrap_or(bytes.len())
    }

    fn markup(&mut self, start: usize) -> Kind {
        let bytes = self.html.as_bytes();
        match bytes.get(start + 1) {
            Some(b'!' | b'?') => self.token(Kind::Other, declaration_end(bytes, start)),
            Some(b'/') if bytes.get(start + 2).is_some_and(u8::is_ascii_alphabetic) => {
                self.tag(Kind::End, start + 2)
            }
            Some(b'/') => {
                let end =
                    memchr(b'>', &bytes[start..]).map_or(bytes.len(), |ahead| start + ahead + 1);
                self.token(Kind::Other, end)
            }
            _ => self.tag(Kind::Start, start + 1),
        }
    }

    fn tag(&mut self, kind: Kind, name: usize) -> Kind {
        let bytes = self.html.as_bytes();
        let is_end = |byte: &u8| is_space(*byte) || matches!(byte, b'/' | b'>');
        let length = bytes[name..]
            .iter()
            .position(is_end)
            .unwrap_or(bytes.len() - name);
        self.name = name..name + length;
        self.attributes.clear();
        let Some(end) = read_attributes(bytes, self.name.end, &mut self.attributes) else {
            return self.token(Kind::Other, bytes.len());
        };
        if kind == Kind::Start && self.holds_raw() {
            self.raw = Some(self.name.clone());
        }
        self.token(kind, end)
    }
}

/// Whether a `<` is more than text.
fn begins_markup(rest: &[u8]) -> bool {
    match rest.get(1) {
        Some(b'!' | b'?') => true,
        Some(b'/') => rest.len() > 2,
        Some(byte) => byte.is_ascii_alphabetic(),
        None => false,
    }
}

fn declaration_end(bytes: &[u8], start: usize) -> usize {
    let rest = &bytes[start..];
    let length = if rest.starts_with(b"<!--") {
        if rest[4..].starts_with(b">") {
            Some(5)
        } else if rest[4..].starts_with(b"->") {
            Some(6)
        } else {
            let usual = memmem::find(&rest[4..], b"-->").map(|at| at + 7);
            let odd = memmem::find(&rest[4..usual.unwrap_or(rest.len())], b"--!>").map(|at| at + 8);
            odd.or(usual)
        }
    } else {
        memchr(b'>', rest).map(|at| at + 1)
    };
    length.map_or(bytes.len(), |length| start + length)
}

/// Reads attributes from behind a tag's name on; the end is behind the `>`, and there is none where the
/// tag is never closed.
fn read_attributes(bytes: &[u8], mut at: usize, into: &mut Vec<Attribute>) -> Option<usize> {
    loop {
        at = skip(bytes, at, |byte| is_space(byte) || byte == b'/');
        if *bytes.get(at)? == b'>' {
            return Some(at + 1);
        }
        let name = at;
        // A first '=' belongs to the name.
        at = skip(bytes, at + 1, |byte| {
            !is_space(byte) && !matches!(byte, b'/' | b'>' | b'=')
        });
        let mut attribute = Attribute {
            name: name..at,
            value: at..at,
            whole: name..at,
        };
        let equals = skip(bytes, at, is_space);
        if bytes.get(equals) == Some(&b'=') {
            let value = skip(bytes, equals + 1, is_space);
            at = match *bytes.get(value)? {
                quote @ (b'"' | b'\'') => {
                    let end = value + 1 + memchr(quote, &bytes[value + 1..])?;
                    attribute.value = value + 1..end;
                    end + 1
                }
                b'>' => value,
                _ => {
                    let end = skip(bytes, value, |byte| !is_space(byte) && byte != b'>');
                    attribute.value = value..end;
                    end
                }
            };
            attribute.whole.end = at;
        }
        into.push(attribute);
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\x0c' | b'\r' | b' ')
}

fn skip(bytes: &[u8], from: usize, which: impl Fn(u8) -> bool) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    from + rest
        .iter()
        .position(|&byte| !which(byte))
        .unwrap_or(rest.len())
}
