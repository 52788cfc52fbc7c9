//! Texts as parts of a mail, and the text of a mail that has only HTML.

use std::borrow::Cow;

use email_encoding::body::base64;

use super::{Error, quoted};
use crate::template::Rendered;

/// Columns of the derived text.
pub(super) const WIDTH: usize = 76;

/// The text part of what was rendered: its own, or one derived from the HTML.
pub(super) fn of(rendered: &Rendered) -> Result<Cow<'_, str>, Error> {
    match (&rendered.text, &rendered.html) {
        (Some(text), _) => Ok(Cow::Borrowed(text)),
        (None, Some(html)) => derive(html).map(Cow::Owned),
        (None, None) => Ok(Cow::Borrowed("")),
    }
}

/// Writes a text with its headers, as quoted-printable, or as base64 where that is shorter (most of it is not
/// ASCII).
pub(super) fn write(into: &mut Vec<u8>, text: &str, media_type: &str) {
    let foreign = text.bytes().filter(|byte| !byte.is_ascii()).count();
    let in_base64 = foreign * 5 > text.len();
    let encoding = if in_base64 {
        "base64"
    } else {
        "quoted-printable"
    };
    for piece in [
        "Content-Type: ",
        media_type,
        "; charset=utf-8\r\nContent-Transfer-Encoding: ",
        encoding,
        "\r\n\r\n",
    ] {
        into.extend_from_slice(piece.as_bytes());
    }
    if in_base64 {
        let text = with_crlf(text);
        let mut encoded = String::with_capacity(base64::encoded_len(text.len()));
        // Writing into a String cannot fail.
        let _written = base64::encode(text.as_bytes(), &mut encoded);
        into.extend_from_slice(encoded.as_bytes());
    } else {
        quoted::encode(text, into);
    }
    into.extend_from_slice(b"\r\n");
}

/// The text with every line end as CRLF.
fn with_crlf(text: &str) -> String {
    let mut ended = String::with_capacity(text.len() + text.len() / 32);
    for line in text.split_inclusive('\n') {
        match line.strip_suffix('\n') {
            Some(line) => {
                ended.push_str(line.strip_suffix('\r').unwrap_or(line));
                ended.push_str("\r\n");
            }
            None => ended.push_str(line),
        }
    }
    ended
}

/// Derives a plain text from HTML: links as footnotes, tables as lines. The same HTML gives the same
/// text.
fn derive(html: &str) -> Result<String, Error> {
    html2text::config::plain()
        .no_table_borders()
        .link_footnotes(true)
        .allow_width_overflow()
        .string_from_read(html.as_bytes(), WIDTH)
        .map(|text| tidy(&text))
        .map_err(|cause| Error::Build(format!("no text could be derived from the HTML: {cause}")))
}

/// Takes off spaces at line ends and runs of empty lines, which layout tables leave behind.
fn tidy(text: &str) -> String {
    let mut tidied = String::with_capacity(text.len());
    let mut empty = 0;
    for line in text.lines().map(str::trim_end) {
        if line.is_empty() {
            empty += 1;
            continue;
        }
        if empty > 0 && !tidied.is_empty() {
            tidied.push('\n');
        }
        empty = 0;
        tidied.push_str(line);
        tidied.push('\n');
    }
    tidied
}
