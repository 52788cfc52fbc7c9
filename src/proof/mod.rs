//! What a rendered mail or an address of a list may have wrong, though it can be sent.
//!
//! HTML is judged as mail programs see it: [`look`] cuts a rendered part into tags without parsing the whole
//! document, which is quick enough for every row, and [`judge`] parses one tag and says what is wrong with
//! it. [`Origins`] finds where in a template a rendered tag was written. [`near`] knows addresses that are
//! one slip away from another.
//!
//! Pure: texts in, flaws out. Must not read files, know rows or templates' language beyond its braces, nor
//! decide what is printed. Called by `plan`, which turns flaws into findings with their place.

mod braces;
mod html;
mod links;
pub mod near;
mod origin;
mod seen;
mod tag;
#[cfg(test)]
mod tests;
mod yes_no;

pub use braces::leftover;
pub use html::{Looked, look};
pub use origin::{Origin, Origins};
pub use seen::Seen;
pub use tag::{Judged, judge, judge_hidden, unknown_image};
pub use yes_no::{Answer, answer};

/// Something that is wrong with a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// Nobody can want this; otherwise it is worth a look.
    pub is_error: bool,
    /// A stable name for scripts, such as `image-alt`.
    pub code: &'static str,
    /// What is wrong, in plain words.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

impl Flaw {
    fn warning(code: &'static str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            is_error: false,
            code,
            message: message.into(),
            remedy: remedy.into(),
        }
    }

    fn error(code: &'static str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            is_error: true,
            ..Self::warning(code, message, remedy)
        }
    }
}

/// A value for a message: short, and without anything that could steer a terminal.
fn shown(value: &str) -> String {
    const LONGEST: usize = 80;
    let mut text: String = value.trim().chars().take(LONGEST).collect();
    if value.trim().chars().nth(LONGEST).is_some() {
        text.push('…');
    }
    text.escape_debug().to_string()
}
