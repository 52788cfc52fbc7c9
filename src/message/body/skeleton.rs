//! A document without what differs from row to row, and the places in it where something can be changed.

use std::ops::Range;

use super::survey;
use super::tags::{Kind, Tokens};

/// Attributes that say where something leads or what it is called; no rule depends on their value
/// unless it has brackets.
const FREE: &[&str] = &["href", "src", "alt", "title"];

/// What is left of a document without its texts.
pub(super) struct Skeleton {
    /// Its tags, and all that is neither tag nor text.
    pub(super) html: String,
    /// Where each start tag takes a style, and where each raw text stands, in the order of the document.
    places: Vec<Place>,
}

/// What is put in the place of what stands there, behind this.
type Place = (Range<usize>, &'static str);

/// What is changed in a document.
pub(super) enum Change {
    /// The `style` of a start tag.
    Style(String),
    /// The content of a raw text.
    Sheet(String),
}

/// Start tags and raw texts are numbered from the start of the document: they are what can be changed.
pub(super) fn is_numbered(kind: Kind) -> bool {
    matches!(kind, Kind::Start | Kind::Raw)
}

impl Skeleton {
    /// The skeleton of a document, without its links where `free`.
    pub(super) fn of(html: &str, free: bool) -> Self {
        let mut out = String::with_capacity(html.len());
        let mut places = Vec::with_capacity(html.len() / 32);
        let mut tokens = Tokens::new(html);
        while let Some(kind) = tokens.advance() {
            match kind {
                Kind::Text if survey::is_solid(tokens.text()) => out.push('x'),
                Kind::Start if free => without_links(&tokens, &mut out),
                _ => out.push_str(tokens.text()),
            }
            if is_numbered(kind) {
                places.push(place(&tokens, kind));
            }
        }
        Self { html: out, places }
    }

    /// The document of this skeleton with these changes, which are in its order.
    pub(super) fn changed(&self, html: &str, changes: &[(usize, Change)]) -> String {
        let mut out = String::with_capacity(html.len() + html.len() / 2);
        let mut copied = 0;
        for (number, change) in changes {
            let Some((place, blank)) = self.places.get(*number) else {
                continue;
            };
            out.push_str(html.get(copied..place.start).unwrap_or_default());
            out.push_str(blank);
            match change {
                Change::Sheet(css) => out.push_str(css),
                Change::Style(style) => out.extend(["style=\"", style, "\""]),
            }
            copied = place.end;
        }
        out.push_str(html.get(copied..).unwrap_or_default());
        out
    }
}

fn place(token: &Tokens<'_>, kind: Kind) -> Place {
    if kind == Kind::Raw {
        return (token.span.clone(), "");
    }
    if let Some(own) = token.attribute("style") {
        return (own.whole.clone(), "");
    }
    let (room, blank) = token.room();
    (room..room, blank)
}

fn without_links(tag: &Tokens<'_>, out: &mut String) {
    let mut copied = tag.span.start;
    for attribute in &tag.attributes {
        let name = tag.at(&attribute.name);
        if !attribute.value.is_empty() && FREE.iter().any(|free| name.eq_ignore_ascii_case(free)) {
            out.push_str(tag.at(&(copied..attribute.value.start)));
            out.push('x');
            copied = attribute.value.end;
        }
    }
    out.push_str(tag.at(&(copied..tag.span.end)));
}
