//! One e-mail address.

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};

use super::address_error::AddressError;
use super::domain::Domain;

/// The most bytes before the `@` (RFC 5321, 4.5.3.1.1).
const MAX_LOCAL: usize = 64;
/// The most bytes in all (RFC 5321, 4.5.3.1.3: a path of 256 less its angle brackets).
const MAX_ADDRESS: usize = 254;

/// An address that can be put into an envelope or a header: well formed (RFC 5321, and RFC 6531 for
/// letters beyond ASCII), without line breaks, control or invisible characters.
///
/// Two addresses are equal when their local parts are and their domains are in ASCII form; whether
/// they are one *person* is told by [`Address::key`].
#[derive(Debug, Clone)]
pub struct Address {
    text: String,
    at: usize,
    /// The domain in ASCII where it is written in other letters.
    ascii_domain: Option<String>,
}

impl Address {
    /// Reads one bare address; white space around it doesn't count.
    ///
    /// The local part is a dot-atom or a quoted string. Address literals (`a@[192.0.2.1]`), comments
    /// and single-label domains other than `localhost` are refused.
    ///
    /// A quoted string keeps its quotes and loses needless backslashes: `"a\ b"` is `"a b"` (RFC 5321, 4.1.2).
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(AddressError::Empty);
        }
        refuse_controls(text)?;
        if let Some(found) = text.chars().find(|&c| is_invisible(c)) {
            return Err(AddressError::Invisible(found));
        }
        let (local, domain) = split(text)?;
        check_local(local)?;
        let local = without_needless_backslashes(local);
        let domain = Domain::parse(domain)?;
        let length = local.len() + 1 + domain.written.len().max(domain.ascii.len());
        if length > MAX_ADDRESS {
            return Err(AddressError::TooLong(length));
        }
        Ok(Self {
            text: format!("{local}@{}", domain.written),
            at: local.len(),
            ascii_domain: (domain.ascii != domain.written).then_some(domain.ascii),
        })
    }

    /// `local@domain` as written but for needless backslashes, the domain in lower case.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The part before the `@`, as written (with its quotes, if any) but for needless backslashes.
    pub fn local(&self) -> &str {
        self.text.get(..self.at).unwrap_or_default()
    }

    /// The domain in ASCII (punycode) and lower case.
    pub fn domain(&self) -> &str {
        let written = || self.text.get(self.at + 1..).unwrap_or_default();
        self.ascii_domain.as_deref().unwrap_or_else(written)
    }

    /// The address in ASCII alone, for a server without SMTPUTF8 (RFC 6531); none when the local
    /// part has other letters, for which there is no such form.
    pub fn to_ascii(&self) -> Option<String> {
        self.is_ascii()
            .then(|| format!("{}@{}", self.local(), self.domain()))
    }

    /// Whether the address can be written in ASCII alone, that is, needs no SMTPUTF8.
    pub fn is_ascii(&self) -> bool {
        self.local().is_ascii()
    }

    /// What makes two addresses the same person: all in lower case, the domain in ASCII, needless
    /// quotes off. By the letter of RFC 5321 local parts differ by case; no provider delivers so.
    pub fn key(&self) -> String {
        let local = self.local();
        let plain = local
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'));
        let local = plain
            .filter(|plain| check_dot_atom(plain).is_ok())
            .unwrap_or(local);
        format!("{}@{}", local.to_lowercase(), self.domain())
    }
}

/// [`Address::key`] of what a person has typed; of what is no address, the text in lower case.
pub fn person_key(text: &str) -> String {
    Address::parse(text).map_or_else(|_| text.trim().to_lowercase(), |address| address.key())
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq for Address {
    fn eq(&self, other: &Self) -> bool {
        self.local() == other.local() && self.domain() == other.domain()
    }
}

impl Eq for Address {}

impl Hash for Address {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.local().hash(state);
        self.domain().hash(state);
    }
}

/// Refuses line breaks and control characters.
pub(super) fn refuse_controls(text: &str) -> Result<(), AddressError> {
    let line_break = |c| matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}');
    match text.chars().find(|&c| c.is_control() || line_break(c)) {
        None => Ok(()),
        Some(c) if line_break(c) => Err(AddressError::LineBreak),
        Some(c) => Err(AddressError::Control(c)),
    }
}

/// Format characters without a look of their own, and the replacement character. Joiners (U+200C,
/// U+200D) are left to the check of domains, where some scripts need them.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
        | '\u{180E}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFD}'
        | '\u{E0000}'..='\u{E007F}')
}

/// The text before and after the `@` that separates them.
fn split(text: &str) -> Result<(&str, &str), AddressError> {
    let at = if text.starts_with('"') {
        let end = quoted_length(text).ok_or(AddressError::LocalQuotes)?;
        if text.as_bytes().get(end) != Some(&b'@') {
            return Err(if text.contains('<') {
                AddressError::NotBare
            } else {
                AddressError::LocalQuotes
            });
        }
        end
    } else {
        text.find('@').ok_or(AddressError::NoAt)?
    };
    let (local, domain) = (
        text.get(..at).unwrap_or_default(),
        text.get(at + 1..).unwrap_or_default(),
    );
    let quoted = local.starts_with('"');
    if domain.contains('@') {
        let side_by_side =
            domain.contains([',', ';', '/', '|', '<']) || domain.contains(char::is_whitespace);
        return Err(if side_by_side {
            AddressError::Several
        } else {
            AddressError::ManyAts
        });
    }
    if domain.contains(['<', '>']) || (!quoted && local.contains(['<', '>'])) {
        return Err(AddressError::NotBare);
    }
    if domain.contains(char::is_whitespace) || (!quoted && local.contains(char::is_whitespace)) {
        return Err(AddressError::Space);
    }
    Ok((local, domain))
}

/// A local part in which a backslash stands only where it must: before a quote or a backslash in a quoted string.
fn without_needless_backslashes(local: &str) -> Cow<'_, str> {
    if !local.contains('\\') {
        return Cow::Borrowed(local);
    }
    let mut plain = String::with_capacity(local.len());
    let mut letters = local.chars();
    while let Some(letter) = letters.next() {
        let meant = if letter == '\\' { letters.next() } else { None };
        match meant {
            Some(meant @ ('"' | '\\')) => plain.extend(['\\', meant]),
            Some(meant) => plain.push(meant),
            None => plain.push(letter),
        }
    }
    Cow::Owned(plain)
}

/// How many bytes the quoted string at the start takes, with both quotes; none if it isn't closed.
pub(super) fn quoted_length(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

fn check_local(local: &str) -> Result<(), AddressError> {
    if local.is_empty() || local == "\"\"" {
        return Err(AddressError::NoLocal);
    }
    if local.len() > MAX_LOCAL {
        return Err(AddressError::LocalTooLong(local.len()));
    }
    if let Some(joiner) = local.chars().find(|c| matches!(c, '\u{200C}' | '\u{200D}')) {
        return Err(AddressError::Invisible(joiner));
    }
    if !local.starts_with('"') {
        return check_dot_atom(local);
    }
    let odd_space = |c: char| c != ' ' && c.is_whitespace();
    if local.contains(odd_space) {
        Err(AddressError::Space)
    } else {
        Ok(())
    }
}

/// A dot-atom (RFC 5322, 3.2.3), with letters beyond ASCII (RFC 6531, 3.3).
fn check_dot_atom(local: &str) -> Result<(), AddressError> {
    let atext =
        |c: char| !c.is_ascii() || c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
    if let Some(found) = local.chars().find(|&c| c != '.' && !atext(c)) {
        return Err(AddressError::LocalCharacter(found));
    }
    if local.split('.').any(str::is_empty) {
        return Err(AddressError::LocalDots);
    }
    Ok(())
}
