//! The last look at what is to leave.

use super::Error;

/// RFC 5322 2.1.1: without the CRLF.
const MAX_LINE: usize = 998;

/// Refuses what a server could refuse or change (RFC 5321 4.5.3.1.6, RFC 5322 2.1.1). Only an address that needs
/// SMTPUTF8 may bring in something that is not ASCII.
pub(super) fn check_wire(bytes: &[u8]) -> Result<(), Error> {
    let mut start = 0;
    for end in memchr::memchr_iter(b'\n', bytes).chain([bytes.len()]) {
        let line = bytes.get(start..end).unwrap_or_default();
        start = end + 1;
        let line = match line.strip_suffix(b"\r") {
            Some(line) => line,
            None if line.is_empty() => line,
            None => return Err(Error::Build("a line does not end in CRLF".to_owned())),
        };
        if line.len() > MAX_LINE {
            return Err(Error::Build(format!(
                "a line has more than {MAX_LINE} octets"
            )));
        }
        if memchr::memchr2(0, b'\r', line).is_some() {
            return Err(Error::Build("a line holds a control character".to_owned()));
        }
    }
    Ok(())
}
