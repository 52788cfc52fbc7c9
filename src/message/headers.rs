//! Headers: what a campaign may set, and that no value can hold a line break, whatever the list says.

use email_encoding::headers::{rfc2047, writer::EmailWriter};
use lettre::message::header::{HeaderName, HeaderValue, Headers};

use super::Error;

/// Headers that the builder or the way of the mail owns.
const OWNED: &[&str] = &[
    "from",
    "sender",
    "to",
    "cc",
    "bcc",
    "reply-to",
    "subject",
    "date",
    "message-id",
    "mime-version",
    "auto-submitted",
    "x-auto-response-suppress",
    "list-unsubscribe",
    "list-unsubscribe-post",
    "received",
    "return-path",
    "dkim-signature",
    "delivered-to",
    "x-postroom-test",
];

/// The longest value in bytes: servers cut off or refuse what is longer, and nobody writes it.
const LONGEST: usize = 32 << 10;

/// The longest word of a value in bytes, where it is not encoded: a line is only ever folded at a blank, and a line of a mail has 998 at the
/// most (RFC 5322 2.1.1), the header's name included.
const LONGEST_WORD: usize = 900;

/// Refuses a value that would break out of its header (RFC 5322 2.2), or out of its lines.
pub(super) fn check_value(name: &str, value: &str) -> Result<(), Error> {
    let refused = |reason: String| {
        let name = name.to_owned();
        Err(Error::Header { name, reason })
    };
    if value.len() > LONGEST {
        return refused(format!("would be longer than {} KiB", LONGEST >> 10));
    }
    let mut words = value.split([' ', '\t']);
    if words.any(|word| word.is_ascii() && word.len() > LONGEST_WORD) {
        return refused(format!(
            "would hold more than {LONGEST_WORD} characters without a blank"
        ));
    }
    match value.chars().find(|c| c.is_control() && *c != '\t') {
        None => Ok(()),
        Some(c) => {
            let reason = if matches!(c, '\n' | '\r') {
                "would hold a line break".to_owned()
            } else {
                format!("would hold the control character U+{:04X}", c as u32)
            };
            refused(reason)
        }
    }
}

/// Whether a value is what hardly any is not: a few printable characters of ASCII, which go into a header as they
/// are, whichever they are.
pub(super) fn is_plain(value: &str) -> bool {
    let printable = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
    value.len() <= 200 && value.bytes().all(printable) && !value.contains("=?")
}

/// A header name that a campaign may set (RFC 5322 3.6.8).
pub(super) fn check_name(name: &str) -> Result<HeaderName, Error> {
    let refused = |reason: &str| Error::Header {
        name: format!("'{name}'"),
        reason: reason.to_owned(),
    };
    let lower = name.to_ascii_lowercase();
    if OWNED.contains(&lower.as_str()) || lower.starts_with("content-") {
        return Err(refused(
            "is set by the program itself and cannot be given under 'headers'",
        ));
    }
    let legal = !name.is_empty()
        && name.len() <= 76
        && name.bytes().all(|b| b.is_ascii_graphic() && b != b':');
    if !legal {
        return Err(refused("is not a header name: use letters, digits and '-'"));
    }
    HeaderName::new_from_ascii(name.to_owned()).map_err(|_| refused("is not a header name"))
}

/// Sets a header, encoding what is not ASCII (RFC 2047).
pub(super) fn set(headers: &mut Headers, name: HeaderName, value: &str) -> Result<(), Error> {
    check_value(name.as_ref(), value)?;
    let header = if needs_one_piece(value) {
        let encoded = in_one_piece(name.as_ref(), value)?;
        HeaderValue::dangerous_new_pre_encoded(name, value.to_owned(), encoded)
    } else {
        HeaderValue::new(name, value.to_owned())
    };
    headers.insert_raw(header);
    Ok(())
}

/// Word by word, blanks between two encoded words are lost, as a reader takes them for the fold of a long
/// value (RFC 2047 6.2); and ASCII that looks like an encoded word would be read as one.
fn needs_one_piece(value: &str) -> bool {
    let is_blank = |c: char| matches!(c, ' ' | '\t');
    let mut after_blank = true;
    let run_of_blanks = value.chars().any(|c| {
        let both = after_blank && is_blank(c);
        after_blank = is_blank(c);
        both
    });
    let blanks_count = run_of_blanks || value.ends_with(is_blank);
    (!value.is_ascii() && blanks_count) || value.contains("=?")
}

/// The value as encoded words, its blanks inside them.
fn in_one_piece(name: &str, value: &str) -> Result<String, Error> {
    let mut encoded = String::new();
    let mut writer = EmailWriter::new(&mut encoded, name.len() + ": ".len(), 0, false);
    let written = rfc2047::encode(value, &mut writer);
    drop(writer);
    written.map_err(|cause| Error::Build(cause.to_string()))?;
    Ok(encoded)
}

/// Sets a header of the program's own.
pub(super) fn set_own(headers: &mut Headers, name: &'static str, value: &str) -> Result<(), Error> {
    set(headers, HeaderName::new_from_ascii_str(name), value)
}
