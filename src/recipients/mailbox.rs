//! An address with the name of its owner.

use super::address::{Address, quoted_length, refuse_controls};
use super::address_error::AddressError;

/// A name and an address, as in `Contoso Comms <comms@contoso.com>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// The display name without quotes and escapes; never empty, and free of line breaks.
    pub name: Option<String>,
    /// The address.
    pub address: Address,
}

impl std::fmt::Display for Mailbox {
    /// As a person reads it, such as `Ann Lee <ann@contoso.com>`; not the wire's form.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name} <{}>", self.address),
            None => write!(f, "{}", self.address),
        }
    }
}

impl Mailbox {
    /// Reads `Name <address>`, `"Name, quoted" <address>`, `<address>` or a bare address.
    ///
    /// More lenient with names than RFC 5322, since they are often filled in from a list: an unquoted
    /// name may hold anything but `<`, `>` and `@`, so that `Smith, Jr. <a@x.org>` is one mailbox and
    /// a list of two is still told apart. Comments have no meaning: `(HR)` is part of the name.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        refuse_controls(text)?;
        let Some(inner) = text.strip_suffix('>') else {
            let address = Address::parse(text).map_err(brackets)?;
            return Ok(Self {
                name: None,
                address,
            });
        };
        let (name, address) = inner.rsplit_once('<').ok_or(AddressError::Brackets)?;
        let name = name_of(name.trim())?;
        let address = Address::parse(address)?;
        let name = (!name.is_empty()).then_some(name);
        Ok(Self { name, address })
    }
}

fn brackets(error: AddressError) -> AddressError {
    if error == AddressError::NotBare {
        AddressError::Brackets
    } else {
        error
    }
}

fn name_of(name: &str) -> Result<String, AddressError> {
    if name.starts_with('"') {
        match quoted_length(name) {
            None => return Err(AddressError::NameQuotes),
            Some(end) if end == name.len() => return Ok(unquoted(name)),
            Some(_) => {}
        }
    }
    match name.chars().find(|c| matches!(c, '<' | '>' | '@')) {
        Some('@') if name.contains([',', ';']) => Err(AddressError::Several),
        Some(found) => Err(AddressError::NameCharacter(found)),
        None => Ok(name.split_whitespace().collect::<Vec<_>>().join(" ")),
    }
}

/// The content of a quoted string (RFC 5322, 3.2.4), trimmed.
fn unquoted(quoted: &str) -> String {
    let inner = quoted.get(1..quoted.len() - 1).unwrap_or_default();
    let mut content = String::with_capacity(inner.len());
    let mut escaped = false;
    for c in inner.chars() {
        if c == '\\' && !escaped {
            escaped = true;
        } else {
            content.push(c);
            escaped = false;
        }
    }
    content.trim().to_owned()
}
