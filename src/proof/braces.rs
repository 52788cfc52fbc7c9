//! Braces that were meant for the merge and arrived in the mail.

use memchr::memmem;

use super::html::{Piece, Pieces};

/// A `{{` or `}}` that is left in a rendered part, with some of the text around it; in HTML only where it
/// is shown or stands in a tag, for style sheets have braces of their own.
pub fn leftover(rendered: &str, is_html: bool) -> Option<String> {
    let at = find(rendered)?;
    if !is_html {
        return Some(around(rendered, at));
    }
    Pieces::new(rendered).find_map(|piece| match piece {
        Piece::Tag(text) | Piece::Text(text) => find(text).map(|at| around(text, at)),
        Piece::Hidden(_) | Piece::Other => None,
    })
}

fn find(text: &str) -> Option<usize> {
    let opening = memmem::find(text.as_bytes(), b"{{");
    opening.or_else(|| memmem::find(text.as_bytes(), b"}}"))
}

/// The braces and what stands between them, or a little of what is beside them.
fn around(text: &str, at: usize) -> String {
    let start = if text[at..].starts_with("{{") {
        at
    } else {
        text.floor_char_boundary(at.saturating_sub(20))
    };
    let end = text[at..]
        .find("}}")
        .map_or(at + 24, |ahead| at + ahead + 2)
        .min(at + 60);
    super::shown(&text[start..text.floor_char_boundary(end)])
}
