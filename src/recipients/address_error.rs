//! What can be wrong with an address, in plain words.

/// Why a text is not an address that can be written to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Nothing but white space.
    #[error("there is no address")]
    Empty,
    /// No `@` at all.
    #[error("an @ is missing")]
    NoAt,
    /// More than one `@`, and not two addresses side by side either.
    #[error("there is more than one @")]
    ManyAts,
    /// Two or more addresses in one place: `a@x.org; b@x.org`.
    #[error("there is more than one address")]
    Several,
    /// `Anna <anna@x.org>` where only the address may stand.
    #[error("there is something beside the address")]
    NotBare,
    /// A space inside.
    #[error("there is a space inside the address")]
    Space,
    /// A line break inside.
    #[error("there is a line break inside")]
    LineBreak,
    /// Another control character inside.
    #[error("there is a control character inside (U+{:04X})", u32::from(*.0))]
    Control(char),
    /// A character that nobody sees, or the mark that a damaged character leaves.
    #[error("there is an invisible or damaged character inside (U+{:04X})", u32::from(*.0))]
    Invisible(char),
    /// Nothing before the `@`.
    #[error("nothing stands before the @")]
    NoLocal,
    /// More than 64 bytes before the `@` (RFC 5321, 4.5.3.1.1).
    #[error("the part before the @ has {0} bytes, and 64 is the most")]
    LocalTooLong(usize),
    /// A dot at the edge of the part before the `@`, or two in a row (RFC 5322, 3.2.3).
    #[error("the part before the @ begins or ends with a dot, or has two in a row")]
    LocalDots,
    /// A character that may not stand before the `@` unless quoted.
    #[error("the character {0} may not stand before the @")]
    LocalCharacter(char),
    /// A quoted part before the `@` that is not closed right before it.
    #[error("the quotes before the @ are not closed")]
    LocalQuotes,
    /// More than 254 bytes in all (RFC 5321, 4.5.3.1.3: a path of 256 less its brackets).
    #[error("the address has {0} bytes, and 254 is the most")]
    TooLong(usize),
    /// The part after the `@`.
    #[error(transparent)]
    Domain(#[from] DomainError),
    /// A `>` that does not end the text, or no `<` before it.
    #[error("the < and > around the address do not match")]
    Brackets,
    /// A display name with quotes that are not closed.
    #[error("the quotes of the name are not closed")]
    NameQuotes,
    /// An `<` or `@` in a display name that is not quoted.
    #[error("the name has the character {0} outside quotes")]
    NameCharacter(char),
}

impl AddressError {
    /// What to do about it, as a sentence without its full stop.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Empty => "fill in the address or remove the row",
            Self::Several => "keep one address here and give every other person a row of their own",
            Self::NotBare => "keep only the address, such as anna@example.org",
            Self::Invisible(_) => {
                "type the address afresh: the character came in with copying or with a wrong encoding"
            }
            Self::Brackets | Self::NameQuotes | Self::NameCharacter(_) => {
                "write it as \"Anna Example\" <anna@example.org>"
            }
            Self::Domain(error) => error.remedy(),
            _ => "correct the address; it should look like anna@example.org",
        }
    }
}

/// Why a text is not a mail domain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DomainError {
    /// Nothing after the `@`.
    #[error("the domain is missing")]
    Empty,
    /// `example..org`, or a dot at an edge.
    #[error("the domain '{0}' begins or ends with a dot, or has two in a row")]
    EmptyLabel(String),
    /// `contoso` alone: no mail server takes it from outside. Only `localhost` may stand alone.
    #[error("the domain '{0}' is not complete: it has no dot")]
    SingleLabel(String),
    /// `[192.0.2.1]`.
    #[error("the domain '{0}' is an IP address")]
    Literal(String),
    /// A character that no domain has, such as `_` or `;` (RFC 1123, 2.1).
    #[error("the character {found} may not stand in the domain '{domain}'")]
    Character {
        /// The character.
        found: char,
        /// The domain as written.
        domain: String,
    },
    /// A part that begins or ends with a hyphen.
    #[error("a part of the domain '{0}' begins or ends with a hyphen")]
    Hyphen(String),
    /// A part of more than 63 bytes (RFC 1035, 2.3.4).
    #[error("a part of the domain '{0}' is longer than 63 bytes")]
    LabelTooLong(String),
    /// More than 253 bytes in all.
    #[error("the domain has {0} bytes, and 253 is the most")]
    TooLong(usize),
    /// Not a valid international domain (UTS #46).
    #[error("'{0}' is not a valid international domain")]
    International(String),
}

impl DomainError {
    /// What to do about it, as a sentence without its full stop.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Literal(_) => "write the mail domain's name instead of the IP address",
            Self::SingleLabel(_) => "write the domain in full, such as contoso.com",
            _ => "correct the domain; it should look like example.org",
        }
    }
}
