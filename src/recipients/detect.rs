//! Which delimiter a list has, judged from its header alone.

use std::io::{Read, Seek};

use csv_core::ReadRecordResult;

use super::records::{MAX_CELLS, cut, parser};
use super::source::{Fault, Source};

/// The delimiters that are looked for, the likelier first.
const CANDIDATES: [u8; 4] = *b",;\t|";
/// A header longer than this is judged by its beginning.
const MAX_HEADER: usize = 1024 * 1024;

/// The delimiter that a first line `sep=;` names, as Excel writes and reads it; the line is passed over
/// up to its end.
pub(super) fn named<R: Read + Seek>(source: &mut Source<R>) -> Result<Option<u8>, Fault> {
    while source.window().len() < 6 {
        match source.more() {
            Ok(true) => {}
            Err(Fault::Io(error)) => return Err(Fault::Io(error)),
            // What is wrong with the bytes comes up again where lines are counted.
            _ => return Ok(None),
        }
    }
    let Some((b"sep=", [delimiter, b'\r' | b'\n', ..])) = source.window().split_at_checked(4)
    else {
        return Ok(None);
    };
    let delimiter = *delimiter;
    source.consume(5);
    Ok(Some(delimiter))
}

/// The one candidate that divides the header (outside quotes). If several do, the one under which
/// `has_address` finds an address column; else the one that divides it most often. A header that
/// none divides is one column, and the answer is the comma.
pub(super) fn delimiter<R: Read + Seek>(
    source: &mut Source<R>,
    has_address: impl Fn(&[String]) -> bool,
) -> Result<u8, Fault> {
    let mut headers = Vec::new();
    for candidate in CANDIDATES {
        let header = header(source, candidate)?;
        if header.len() > 1 {
            headers.push((candidate, has_address(&header), header.len()));
        }
    }
    // `max_by_key` takes the last of equals.
    let best = headers
        .iter()
        .rev()
        .max_by_key(|(_, has_address, cells)| (*has_address, *cells));
    Ok(best.map_or(b',', |&(candidate, ..)| candidate))
}

/// The first record, read with this delimiter; nothing is consumed.
fn header<R: Read + Seek>(source: &mut Source<R>, delimiter: u8) -> Result<Vec<String>, Fault> {
    loop {
        let complete = complete_record(source.window(), delimiter, false);
        if let Some(header) = complete {
            return Ok(header);
        }
        let enough = source.window().len() >= MAX_HEADER;
        // What is wrong with the bytes comes up again where lines are counted.
        let more = !enough
            && match source.more() {
                Err(Fault::Io(error)) => return Err(Fault::Io(error)),
                more => more.unwrap_or(false),
            };
        if !more {
            return Ok(complete_record(source.window(), delimiter, true).unwrap_or_default());
        }
    }
}

fn complete_record(bytes: &[u8], delimiter: u8, all: bool) -> Option<Vec<String>> {
    let mut parser = parser(delimiter);
    let (mut content, mut ends) = (vec![0; bytes.len() + 1], vec![0; MAX_CELLS + 1]);
    let (result, _, length, cells) = parser.read_record(bytes, &mut content, &mut ends);
    let text =
        |length| str::from_utf8(content.get(..length).unwrap_or_default()).unwrap_or_default();
    match result {
        ReadRecordResult::InputEmpty if !all => None,
        ReadRecordResult::InputEmpty => {
            if let Some(last) = ends.get_mut(cells) {
                *last = length;
            }
            Some(cut(text(length), ends.get(..=cells).unwrap_or_default()))
        }
        _ => Some(cut(text(length), ends.get(..cells).unwrap_or_default())),
    }
}
