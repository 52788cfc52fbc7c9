//! Mail domains, as written and in ASCII.

use std::collections::BTreeSet;

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};

use super::address::Address;
use super::address_error::DomainError;

/// More bytes than any domain has before the mapping of UTS #46, which may shorten it.
const MAX_WRITTEN: usize = 1024;

/// One domain in both forms, lower-case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Domain {
    /// As written, letters beyond ASCII in the composed form that UTS #46 gives.
    pub(super) written: String,
    /// In ASCII (punycode).
    pub(super) ascii: String,
}

impl Domain {
    /// Checks a domain (RFC 1123 host name, international names by UTS #46). Literals such as
    /// `[192.0.2.1]` and single labels other than `localhost` are refused.
    pub(super) fn parse(text: &str) -> Result<Self, DomainError> {
        check_written(text)?;
        let ascii = Uts46::new()
            .to_ascii(
                text.as_bytes(),
                AsciiDenyList::STD3,
                Hyphens::CheckFirstLast,
                DnsLength::Ignore,
            )
            .map_err(|_| DomainError::International(text.to_owned()))?
            .into_owned();
        check_ascii(text, &ascii)?;
        let written = if text.is_ascii() {
            ascii.clone()
        } else {
            let (unicode, valid) = Uts46::new().to_unicode(
                text.as_bytes(),
                AsciiDenyList::STD3,
                Hyphens::CheckFirstLast,
            );
            valid.map_err(|_| DomainError::International(text.to_owned()))?;
            unicode.into_owned()
        };
        Ok(Self { written, ascii })
    }
}

/// What can be said about the text itself, so that the finding names the very mistake.
fn check_written(text: &str) -> Result<(), DomainError> {
    if text.is_empty() {
        return Err(DomainError::Empty);
    }
    if text.len() > MAX_WRITTEN {
        return Err(DomainError::TooLong(text.len()));
    }
    if text.starts_with('[') {
        return Err(DomainError::Literal(text.to_owned()));
    }
    let strange = |c: &char| c.is_ascii() && !c.is_ascii_alphanumeric() && !matches!(c, '.' | '-');
    if let Some(found) = text.chars().find(strange) {
        let domain = text.to_owned();
        return Err(DomainError::Character { found, domain });
    }
    for label in text.split('.') {
        if label.is_empty() {
            return Err(DomainError::EmptyLabel(text.to_owned()));
        }
        if label.starts_with('-') || label.ends_with('-') {
            return Err(DomainError::Hyphen(text.to_owned()));
        }
    }
    Ok(())
}

/// What only the mapped form shows: other scripts have dots and digits of their own.
fn check_ascii(text: &str, ascii: &str) -> Result<(), DomainError> {
    if ascii.split('.').any(str::is_empty) {
        return Err(DomainError::EmptyLabel(text.to_owned()));
    }
    if ascii.split('.').any(|label| label.len() > 63) {
        return Err(DomainError::LabelTooLong(text.to_owned()));
    }
    if ascii.len() > 253 {
        return Err(DomainError::TooLong(ascii.len()));
    }
    let Some((_, last)) = ascii.rsplit_once('.') else {
        let local = ascii == "localhost";
        return if local {
            Ok(())
        } else {
            Err(DomainError::SingleLabel(text.to_owned()))
        };
    };
    // No top-level domain is all digits (RFC 3696, 2): this is an IP address or a slip.
    if last.bytes().all(|b| b.is_ascii_digit()) {
        return Err(DomainError::Literal(text.to_owned()));
    }
    Ok(())
}

/// A set of domains, such as those that count as internal.
///
/// A domain stands for itself alone: `contoso.com` doesn't cover `news.contoso.com`, because a
/// provider counts a subdomain that it doesn't host as external.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Domains(BTreeSet<String>);

impl Domains {
    /// Reads domains as people write them: any case, international or punycode.
    pub fn parse<S: AsRef<str>>(domains: &[S]) -> Result<Self, DomainError> {
        let ascii = |text: &S| Ok(Domain::parse(text.as_ref().trim())?.ascii);
        domains
            .iter()
            .map(ascii)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// The domain of one address alone.
    pub fn of(address: &Address) -> Self {
        Self(BTreeSet::from([address.domain().to_owned()]))
    }

    /// Whether the address's domain is exactly one of these.
    pub fn contains(&self, address: &Address) -> bool {
        self.0.contains(address.domain())
    }

    /// The domains in ASCII, lower-case and sorted.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}
