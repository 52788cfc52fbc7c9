//! What is asked of a document before it is handed to a parser: has it styles, is it too deep, is it odd.

use memchr::{memchr, memmem};

use super::tags::{Kind, Tokens};

/// Whether a document has a `<style>`, and whether one of them could look at attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Styles {
    None,
    Plain,
    WithBrackets,
}

/// Looks for `<style>` blocks without reading the rest: comments count too, which does no harm.
pub(super) fn styles(html: &str) -> Styles {
    let bytes = html.as_bytes();
    let mut found = Styles::None;
    for at in memchr::memchr_iter(b'<', bytes) {
        let rest = &bytes[at..];
        if rest
            .get(1..6)
            .is_some_and(|name| name.eq_ignore_ascii_case(b"style"))
        {
            found = Styles::Plain;
            let mut ends = memmem::find_iter(rest, b"</");
            let is_end = |end: &usize| {
                rest.get(end + 2..end + 7)
                    .is_some_and(|n| n.eq_ignore_ascii_case(b"style"))
            };
            let end = ends.find(is_end).unwrap_or(rest.len());
            if memchr(b'[', &rest[..end]).is_some() {
                return Styles::WithBrackets;
            }
        }
    }
    found
}

/// Whether an element like `<title>` stands inside a drawing or a formula, where it can hold tags.
pub(super) fn has_foreign_raw(html: &str) -> bool {
    let mut open = 0_usize;
    let mut tokens = Tokens::new(html);
    while let Some(kind) = tokens.advance() {
        let is_foreign = tokens.is("svg") || tokens.is("math");
        match kind {
            Kind::Start if is_foreign => open += 1,
            Kind::End if is_foreign => open = open.saturating_sub(1),
            Kind::Start if open > 0 && tokens.holds_raw() => return true,
            _ => {}
        }
    }
    false
}

/// The deepest that elements can be nested in this document, or more: how far those that are not closed
/// by another of their kind outnumber their end tags.
pub(super) fn depth_at_most(html: &str) -> usize {
    /// Closed by the next of their kind, or by the end of what they stand in.
    const CLOSE_THEMSELVES: &[&str] = &[
        "p", "li", "dd", "dt", "tr", "td", "th", "thead", "tbody", "tfoot", "option", "optgroup",
        "colgroup", "html", "head", "body",
    ];
    let mut open: std::collections::HashMap<String, usize> = std::collections::HashMap::new();
    let (mut depth, mut deepest) = (0_usize, 0_usize);
    let mut tokens = Tokens::new(html);
    while let Some(kind) = tokens.advance() {
        if !matches!(kind, Kind::Start | Kind::End)
            || tokens.is_void()
            || CLOSE_THEMSELVES.iter().any(|n| tokens.is(n))
        {
            continue;
        }
        let count = open
            .entry(tokens.at(&tokens.name).to_ascii_lowercase())
            .or_default();
        if kind == Kind::Start {
            (*count, depth) = (*count + 1, depth + 1);
        } else if *count > 0 {
            (*count, depth) = (*count - 1, depth - 1);
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// Whether text is certainly more than white space once its entities are read.
pub(super) fn is_solid(text: &str) -> bool {
    const VISIBLE: &[&str] = &[
        "&amp;", "&lt;", "&gt;", "&quot;", "&#x27;", "&#x60;", "&#x3D;",
    ];
    let text = text.trim_start_matches([' ', '\t', '\n', '\x0c', '\r']);
    match text.as_bytes().first() {
        None | Some(0) => false,
        Some(b'&') => VISIBLE.iter().any(|entity| text.starts_with(entity)),
        Some(_) => memchr(0, text.as_bytes()).is_none(),
    }
}
