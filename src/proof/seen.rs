//! Looking at many renderings of one template: what stands in a page as it stood in one that was looked at before
//! need not be looked at again.
//!
//! Both are gone through side by side, piece by piece. A piece that begins where the other's does and has the same
//! bytes ends where it does, since what ends it is its own last byte, or the `<` behind a text.

use super::html::{Looked, Piece, Pieces, is_readable, is_whole};

/// A page that was looked at, cut up.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    html: String,
    pieces: Vec<Known>,
}

/// How a piece can be known again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// By its bytes.
    Whole,
    /// By its bytes and what is behind it; whether anything can be read in it.
    Text(bool),
    /// Not at all: what is behind it decides where it ends, or it decides what is behind it.
    Unsure,
}

#[derive(Debug, Clone, Copy)]
struct Known {
    start: usize,
    end: usize,
    kind: Kind,
}

/// So many pieces ahead the two are held together again where one has more than the other.
const AHEAD: usize = 6;

impl Seen {
    /// Cuts up a page.
    pub fn new(html: &str) -> Self {
        let mut pieces = Vec::new();
        let mut cut = Pieces::new(html);
        let (mut start, mut is_raw) = (0, false);
        while let Some(piece) = cut.next() {
            let kind = match piece {
                _ if is_raw || cut.is_raw() || cut.offset() == html.len() => Kind::Unsure,
                Piece::Text(text) => Kind::Text(is_readable(text)),
                Piece::Tag(tag) if !is_whole(tag) => Kind::Unsure,
                _ => Kind::Whole,
            };
            is_raw = cut.is_raw();
            let end = cut.offset();
            pieces.push(Known { start, end, kind });
            start = end;
        }
        Self {
            html: html.to_owned(),
            pieces,
        }
    }

    /// Cuts up another rendering as [`super::look`] does, without the tags and comments that stand here too.
    pub fn look<'h>(&self, html: &'h str) -> Looked<'h> {
        let mut looked = Looked::default();
        let mut cut = Pieces::new(html);
        let mut next = 0;
        loop {
            if !cut.is_raw()
                && let Some((at, known)) = self.known(html, cut.offset(), next)
            {
                next = at + 1;
                looked.has_text |= known.kind == Kind::Text(true);
                cut.skip_to(cut.offset() + known.end - known.start);
                continue;
            }
            let Some(piece) = cut.next() else {
                return looked;
            };
            next += 1;
            looked.add(piece);
        }
    }

    /// The piece, from the `next` one on, that the page has here; and its place.
    fn known(&self, html: &str, offset: usize, next: usize) -> Option<(usize, Known)> {
        let from = next.saturating_sub(1);
        let near = self.pieces.get(from..)?.iter().take(AHEAD).enumerate();
        // What is expected first, then those around it.
        let expected = self.pieces.get(next).map(|known| (next, known));
        let near = near.map(|(at, known)| (from + at, known));
        let mut known = expected.into_iter().chain(near);
        let found = known.find(|(_, known)| self.is_at(known, html, offset))?;
        Some((found.0, *found.1))
    }

    fn is_at(&self, known: &Known, html: &str, offset: usize) -> bool {
        let Some(bytes) = self.html.as_bytes().get(known.start..known.end) else {
            return false;
        };
        let page = html.as_bytes();
        let end = offset + bytes.len();
        if page.get(offset..end) != Some(bytes) || bytes.is_empty() {
            return false;
        }
        match known.kind {
            Kind::Unsure => false,
            Kind::Whole => true,
            Kind::Text(_) => page.get(end).is_none_or(|behind| *behind == b'<'),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::look;
    use super::*;

    fn piece() -> impl Strategy<Value = &'static str> {
        prop::sample::select(vec![
            "<p>",
            "</p>",
            "<br",
            ">",
            " a=\"x>y\"",
            "'",
            "<!-- c -->",
            "<!--",
            "-->",
            "<!doctype html>",
            "<style>",
            "p{}",
            "</style>",
            "<",
            "Ann",
            " ",
            "&nbsp;",
            "<title>",
            "</title>",
            "<a href=1>",
            "Ö",
            "</",
        ])
    }

    proptest! {
        #[test]
        fn what_is_not_looked_at_again_stood_in_the_other_page(
            one in prop::collection::vec(piece(), 0..30),
            cut in 0_usize..30,
            other in prop::collection::vec(piece(), 0..6),
        ) {
            let before = one.concat();
            let cut = cut.min(one.len());
            let page = [&one[..cut], &other, &one[cut..]].concat().concat();
            let (whole, first) = (look(&page), look(&before));
            let again = Seen::new(&before).look(&page);
            prop_assert_eq!(again.has_text, whole.has_text);
            for (all, left, known) in [
                (&whole.tags, &again.tags, &first.tags),
                (&whole.hidden, &again.hidden, &first.hidden),
            ] {
                // In their order, and the others are known.
                let mut left = left.iter().peekable();
                for piece in all {
                    if left.peek() == Some(&piece) {
                        left.next();
                    } else {
                        prop_assert!(known.contains(piece), "{piece:?} of {page:?}");
                    }
                }
                prop_assert!(left.next().is_none());
            }
        }
    }

    #[test]
    fn of_a_page_that_differs_in_a_name_nothing_is_left_to_look_at() {
        let page = |name: &str| {
            format!("<p class=a>Dear {name}</p>\n<p>News <a href=\"https://x.org\">here</a></p>")
        };
        let other = page("Bob and all");
        let looked = Seen::new(&page("Ann")).look(&other);
        assert_eq!((looked.tags, looked.has_text), (vec!["</p>"], true));
    }
}
