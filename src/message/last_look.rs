//! The last look at what is to leave.

use super::Error;

/// RFC 5322 2.1.1: without the CRLF.
const MAX_LINE: usize = 998;

/// Refuses what a server could refuse or change (RFC 5321 4.5.3.1.6, RFC 5322 2.1.1). Only an address that needs
/// SMTPUTF8 may bring in something that is not ASCII.
pub(super) fn check_wire(bytes: &[u8]) -> Result<(), Error> {
    if is_sound(bytes) {
        return Ok(());
    }
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

/// Nothing is wrong, seen at a glance.
fn is_sound(bytes: &[u8]) -> bool {
    let (mut start, mut lines) = (0, 0);
    for end in memchr::memchr_iter(b'\n', bytes) {
        let is_ended = end > start && bytes.get(end - 1) == Some(&b'\r');
        if !is_ended || end - 1 - start > MAX_LINE {
            return false;
        }
        (start, lines) = (end + 1, lines + 1);
    }
    start == bytes.len()
        && memchr::memchr_iter(b'\r', bytes).count() == lines
        && memchr::memchr(0, bytes).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_could_refuse_or_change_does_not_leave() {
        let longest = format!("{}\r\n", "x".repeat(MAX_LINE));
        for sound in ["", "\r\n", "a\r\n\r\nb\r\n", "\u{e9}\r\n", &longest] {
            assert!(check_wire(sound.as_bytes()).is_ok(), "{sound:?}");
        }
        let too_long = format!("x{longest}");
        for unsound in [
            "a\nb\r\n", "a", "a\rb\r\n", "a\0\r\n", "\r\r\n", &too_long, "a\r\nb",
        ] {
            assert!(check_wire(unsound.as_bytes()).is_err(), "{unsound:?}");
        }
    }
}
