//! A text file as a whole, decoded as a list is.

use std::io::{Read, Seek};

use super::error::{Place, ReadError};
use super::source::Source;

/// The text of a file in whatever encoding its mark or its bytes tell, in memory: for lists of a few megabytes.
///
/// # Errors
/// As of a list: what is no text, with its line.
pub(super) fn text_of(input: impl Read + Seek) -> Result<String, ReadError> {
    let at = |line, fault| ReadError::at(Place { line, row: 0 }, fault);
    let mut source = Source::open(input, None).map_err(|fault| at(1, fault))?;
    let mut bytes = Vec::new();
    loop {
        let window = source.window();
        bytes.extend_from_slice(window);
        let length = window.len();
        source.consume(length);
        let line = || 1 + memchr::memchr_iter(b'\n', &bytes).count() as u64;
        if !source.more().map_err(|fault| at(line(), fault))? {
            break;
        }
    }
    // The source lets only UTF-8 through.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
