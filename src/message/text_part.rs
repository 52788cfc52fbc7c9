//! The text part of a mail that has only HTML.

use super::Error;
use crate::template::Rendered;

/// Columns of the derived text.
pub(super) const WIDTH: usize = 76;

/// The text part of what was rendered: its own, or one derived from the HTML.
pub(super) fn of(rendered: &Rendered) -> Result<String, Error> {
    match (&rendered.text, &rendered.html) {
        (Some(text), _) => Ok(text.clone()),
        (None, Some(html)) => derive(html),
        (None, None) => Ok(String::new()),
    }
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
