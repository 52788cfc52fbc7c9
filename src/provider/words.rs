//! A reply's words, as the entries of a table look at them.

use crate::delivery::{EnhancedCode, Reply};

/// What of a reply is looked at.
pub(super) struct Words {
    pub(super) code: Option<u16>,
    pub(super) enhanced: Option<EnhancedCode>,
    lower: String,
}

impl Words {
    pub(super) fn new(code: Option<u16>, enhanced: Option<EnhancedCode>, text: &str) -> Self {
        let lower = text.to_lowercase().replace('\n', " ");
        Self {
            code,
            enhanced,
            lower,
        }
    }

    /// Whether there is a code of any kind.
    pub(super) fn has_code(&self) -> bool {
        self.code.is_some() || self.enhanced.is_some()
    }

    /// Whether this phrase is among them. A number at its end is the whole number.
    pub(super) fn say(&self, phrase: &str) -> bool {
        let is_number = phrase.ends_with(|c: char| c.is_ascii_digit());
        self.lower.match_indices(phrase).any(|(at, found)| {
            let next = self.lower[at + found.len()..].chars().next();
            !is_number || !next.is_some_and(|c| c.is_ascii_digit())
        })
    }
}

impl From<&Reply> for Words {
    fn from(reply: &Reply) -> Self {
        Self::new(Some(reply.code), reply.enhanced(), &reply.text)
    }
}
