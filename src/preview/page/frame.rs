//! A mail's HTML for the frame: its own pictures in it, nothing from elsewhere, in the scheme that is wanted.
//!
//! What keeps it from doing harm is the sandbox and the policy that it is served under (see `guard`); this
//! only makes it look right inside them.

use std::collections::HashSet;

use html5ever::tokenizer::{Doctype, Tag, TagKind};

use super::css;
use super::pieces::{CHANGED, Piece, mark, pieces};

/// What the frame shows.
#[derive(Debug)]
pub(super) struct Framed {
    pub(super) html: String,
    /// How many pictures and style sheets would be fetched from elsewhere.
    pub(super) remote: usize,
    /// What it does in the dark.
    pub(super) dark: Dark,
}

/// What a mail does where the dark scheme is preferred.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dark {
    /// It has rules of its own.
    Rules,
    /// It asks to stay light.
    StaysLight,
    /// It says nothing.
    Silent,
}

impl Dark {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Rules => "rules",
            Self::StaysLight => "stays-light",
            Self::Silent => "silent",
        }
    }
}

/// Makes a mail's HTML ready for the frame. `picture` gives an inline part as a data URI; `before` is the HTML
/// that was shown before, and what differs from it is marked as [`CHANGED`].
pub(super) fn framed(
    html: &str,
    dark: bool,
    before: Option<&str>,
    picture: &dyn Fn(&str) -> Option<String>,
) -> Framed {
    let mut read = pieces(html);
    if let Some(before) = before {
        mark(&mut read, &pieces(before));
    }
    let said = read.iter().find_map(said_of_scheme);
    let mut writer = Writer {
        dark,
        scheme: said.as_deref().map_or(css::name(dark).to_owned(), |said| {
            css::chosen(said, dark).map_or_else(|| said.to_owned(), str::to_owned)
        }),
        picture,
        remote: HashSet::new(),
        rules: false,
        out: String::with_capacity(html.len() + 256),
        begun: false,
    };
    for piece in read {
        writer.piece(piece);
    }
    let stays = said.is_some_and(|said| !said.contains("dark"));
    Framed {
        dark: match (writer.rules, stays) {
            (true, _) => Dark::Rules,
            (false, true) => Dark::StaysLight,
            (false, false) => Dark::Silent,
        },
        remote: writer.remote.len(),
        html: writer.out,
    }
}

/// What a mail says in `<meta name="color-scheme">`.
fn said_of_scheme(piece: &Piece) -> Option<String> {
    match piece {
        Piece::Tag(tag) if is_scheme(tag) => Some(value(tag, "content")?.to_lowercase()),
        _ => None,
    }
}

fn is_scheme(tag: &Tag) -> bool {
    let named = value(tag, "name").is_some_and(|name| name.eq_ignore_ascii_case("color-scheme"));
    &*tag.name == "meta" && named
}

struct Writer<'a> {
    dark: bool,
    picture: &'a dyn Fn(&str) -> Option<String>,
    remote: HashSet<String>,
    rules: bool,
    /// The schemes that the frame may have.
    scheme: String,
    out: String,
    begun: bool,
}

impl Writer<'_> {
    fn piece(&mut self, piece: Piece) {
        match piece {
            Piece::Doctype(doctype) => self.doctype(&doctype),
            Piece::Comment(text) => self.put(&["<!--", &text, "-->"]),
            Piece::Tag(tag) => {
                self.begin();
                self.tag(&tag);
            }
            Piece::Text(text) => {
                if !text.trim().is_empty() {
                    self.begin();
                }
                self.escaped(&text);
            }
            Piece::Raw(text) => {
                let text = self.style(&text);
                self.put(&[&text]);
            }
        }
    }

    fn put(&mut self, parts: &[&str]) {
        for part in parts {
            self.out.push_str(part);
        }
    }

    /// What stands before everything else: the wanted scheme, where the mail does not say another, no
    /// link that leads the frame away, and an outline where a picture is left out.
    fn begin(&mut self) {
        if std::mem::replace(&mut self.begun, true) {
            return;
        }
        self.put(&["<meta charset=\"utf-8\"><meta name=\"color-scheme\""]);
        let scheme = std::mem::take(&mut self.scheme);
        self.attribute("content", &scheme);
        self.put(&[
            "><base target=\"_blank\"><style>[data-left-out]{outline:1px dashed #888;outline-offset:-1px}#",
            CHANGED,
            "{scroll-margin-top:25vh}</style>",
        ]);
    }

    fn doctype(&mut self, doctype: &Doctype) {
        let name = doctype.name.as_deref().unwrap_or("html");
        self.put(&["<!DOCTYPE ", name]);
        match (&doctype.public_id, &doctype.system_id) {
            (Some(public), Some(system)) => {
                self.put(&[" PUBLIC \"", public, "\" \"", system, "\""]);
            }
            (Some(public), None) => self.put(&[" PUBLIC \"", public, "\""]),
            (None, Some(system)) => self.put(&[" SYSTEM \"", system, "\""]),
            (None, None) => {}
        }
        self.put(&[">"]);
    }

    fn tag(&mut self, tag: &Tag) {
        if tag.kind == TagKind::EndTag {
            self.put(&["</", &tag.name, ">"]);
            return;
        }
        if !self.keeps(tag) {
            return;
        }
        self.put(&["<", &tag.name]);
        let is_image = matches!(
            &*tag.name,
            "img" | "input" | "video" | "audio" | "source" | "image"
        );
        for attribute in &tag.attrs {
            let name = &*attribute.name.local;
            let value = match name {
                "src" | "background" | "poster" => self.address(&attribute.value),
                "href" | "xlink:href" if is_image => self.address(&attribute.value),
                "srcset" => {
                    self.candidates(&attribute.value);
                    None
                }
                "style" => Some(self.style(&attribute.value)),
                "media" => Some(css::in_scheme(&attribute.value, self.dark)),
                _ => Some(attribute.value.to_string()),
            };
            match value {
                Some(value) => self.attribute(name, &value),
                None => self.attribute("data-left-out", name),
            }
        }
        self.put(&[if tag.self_closing { "/>" } else { ">" }]);
    }

    /// Leaves out what only fetches or steers, and what is said already.
    fn keeps(&mut self, tag: &Tag) -> bool {
        match &*tag.name {
            "link" => {
                if let Some(address) = value(tag, "href").filter(|_| is_sheet(tag)) {
                    self.remote.insert(address.to_owned());
                }
                false
            }
            "base" => false,
            "meta" => !is_scheme(tag) && value(tag, "http-equiv").is_none(),
            _ => true,
        }
    }

    fn attribute(&mut self, name: &str, value: &str) {
        self.put(&[" ", name, "=\""]);
        for c in value.chars() {
            match c {
                '&' => self.out.push_str("&amp;"),
                '"' => self.out.push_str("&quot;"),
                c => self.out.push(c),
            }
        }
        self.out.push('"');
    }

    fn escaped(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '&' => self.out.push_str("&amp;"),
                '<' => self.out.push_str("&lt;"),
                '>' => self.out.push_str("&gt;"),
                c => self.out.push(c),
            }
        }
    }

    fn style(&mut self, text: &str) -> String {
        self.rules |= css::has_dark_rules(text);
        let text = css::in_scheme(text, self.dark);
        // What cannot be shown is fetched from nowhere.
        css::with_urls(&text, |address| {
            let shown = self.address(address).unwrap_or_default();
            (shown != address).then_some(shown)
        })
    }

    /// Where a picture comes from: the mail itself, or nowhere.
    fn address(&mut self, address: &str) -> Option<String> {
        let address = address.trim();
        let has = |scheme: &str| {
            let start = address.get(..scheme.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(scheme))
        };
        if has("cid:") {
            return (self.picture)(&percent_decoded(&address[4..]));
        }
        if has("data:") || address.starts_with('#') {
            return Some(address.to_owned());
        }
        if has("http:") || has("https:") || address.starts_with("//") {
            self.remote.insert(address.to_owned());
        }
        None
    }

    /// The pictures of a `srcset`: of several that show the same the first is counted.
    fn candidates(&mut self, set: &str) {
        let first = set.split(',').next().unwrap_or_default();
        let address = first
            .split_whitespace()
            .next()
            .unwrap_or_default()
            .to_owned();
        self.address(&address);
    }
}

fn value<'a>(tag: &'a Tag, name: &str) -> Option<&'a str> {
    let mut attributes = tag.attrs.iter();
    attributes.find_map(|attribute| (&*attribute.name.local == name).then_some(&*attribute.value))
}

fn is_sheet(tag: &Tag) -> bool {
    value(tag, "rel").is_some_and(|rel| rel.to_lowercase().contains("stylesheet"))
}

/// A Content-ID in a link is percent-encoded (RFC 2392).
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = (*first == b'%').then(|| after.get(..2)).flatten();
        let code = code.and_then(|code| std::str::from_utf8(code).ok());
        if let Some(byte) = code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            bytes.push(byte);
            rest = after.get(2..).unwrap_or_default();
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
