//! Whom nobody writes to: people by their addresses, and whole domains.

use std::collections::HashSet;

use super::address::Address;
use super::address_error::{AddressError, DomainError};
use super::domain::Domain;

/// A person, or everybody of a domain.
///
/// A domain stands for itself alone: `@partner.example` is nobody at `mail.partner.example`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// Whoever has this address, however it is written.
    Person(Address),
    /// Everybody of this domain, in ASCII.
    Domain(String),
}

/// Why a text names neither a person nor a domain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubjectError {
    /// It has an `@` with something before it, and is no address.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// It is no domain.
    #[error(transparent)]
    Domain(#[from] DomainError),
}

impl SubjectError {
    /// What to do about it, as a sentence without its full stop.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Address(error) => error.remedy(),
            Self::Domain(_) => {
                "write an address such as ann@example.com, or a domain such as @example.com"
            }
        }
    }
}

impl Subject {
    /// Reads an address, or a domain with or without an `@` before it; white space around it doesn't count.
    pub fn parse(text: &str) -> Result<Self, SubjectError> {
        let text = text.trim();
        let domain = match text.strip_prefix('@') {
            Some(domain) => domain,
            None if text.contains('@') || text.is_empty() => {
                return Ok(Self::Person(Address::parse(text)?));
            }
            None => text,
        };
        Ok(Self::Domain(Domain::parse(domain)?.ascii))
    }

    /// What it is found by: a person's [`Address::key`], or `@` and the domain in ASCII.
    pub fn key(&self) -> String {
        match self {
            Self::Person(address) => address.key(),
            Self::Domain(domain) => format!("@{domain}"),
        }
    }
}

/// Everybody whom a campaign must not write to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SuppressedPeople(HashSet<String>);

impl SuppressedPeople {
    /// These, by [`Subject::key`].
    pub fn of(keys: impl IntoIterator<Item = String>) -> Self {
        Self(keys.into_iter().collect())
    }

    /// Whether nothing may be written to this address.
    pub fn covers(&self, address: &Address) -> bool {
        !self.0.is_empty()
            && (self.0.contains(&address.key())
                || self.0.contains(&format!("@{}", address.domain())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> String {
        Subject::parse(text).unwrap().key()
    }

    #[test]
    fn people_and_domains_are_told_apart_and_found_however_they_are_written() {
        assert_eq!(key(" Ann@Contoso.COM "), "ann@contoso.com");
        assert_eq!(key("\"ann\"@contoso.com"), "ann@contoso.com");
        assert_eq!(key("@Partner.example"), "@partner.example");
        assert_eq!(key("partner.example"), "@partner.example");
        assert_eq!(key("@bücher.example"), "@xn--bcher-kva.example");
        for none in [
            "",
            "ann",
            "@",
            "ann@",
            "a b@contoso.com",
            "@partner..example",
        ] {
            assert!(Subject::parse(none).is_err(), "{none}");
        }
    }

    #[test]
    fn a_domain_covers_its_people_and_nobody_else() {
        let keys = ["@bücher.example", "Ann@Contoso.com"].map(key);
        let people = SuppressedPeople::of(keys);
        let covers = |text: &str| people.covers(&Address::parse(text).unwrap());
        assert!(covers("ann@contoso.COM"));
        assert!(covers("x@xn--bcher-kva.example"));
        assert!(covers("\"a@b\"@bücher.example"));
        assert!(!covers("bob@contoso.com"));
        assert!(!covers("x@mail.xn--bcher-kva.example"));
        assert!(!SuppressedPeople::default().covers(&Address::parse("ann@contoso.com").unwrap()));
    }
}
