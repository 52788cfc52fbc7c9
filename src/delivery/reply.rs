//! A server's reply, kept as it came.

use std::fmt;

/// An enhanced status code such as `5.1.10` (RFC 3463).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EnhancedCode {
    /// 2 success, 4 persistent transient failure, 5 permanent failure.
    pub class: u16,
    /// What the status is about.
    pub subject: u16,
    /// The detail within the subject.
    pub detail: u16,
}

impl EnhancedCode {
    /// Reads a code at the start of a reply's text; none when there is none.
    pub fn at_start_of(text: &str) -> Option<Self> {
        let word = text.split_whitespace().next()?;
        let mut parts = word.split('.');
        let mut number = || {
            let part = parts.next()?;
            let digits = (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
            if digits { part.parse().ok() } else { None }
        };
        let (class, subject, detail) = (number()?, number()?, number()?);
        let known = matches!(class, 2 | 4 | 5) && parts.next().is_none();
        known.then_some(Self {
            class,
            subject,
            detail,
        })
    }
}

impl fmt::Display for EnhancedCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

/// A reply of an SMTP server (RFC 5321 4.2), its text verbatim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The three-digit code.
    pub code: u16,
    /// The text after the code; the lines of a longer reply joined by `\n`.
    pub text: String,
}

impl Reply {
    /// A reply from its code and text.
    pub fn new(code: u16, text: impl Into<String>) -> Self {
        Self {
            code,
            text: text.into(),
        }
    }

    /// The enhanced status code that the text starts with (RFC 2034), if any.
    pub fn enhanced(&self) -> Option<EnhancedCode> {
        EnhancedCode::at_start_of(&self.text)
    }

    /// 2xx or 3xx.
    pub fn is_positive(&self) -> bool {
        (200..400).contains(&self.code)
    }

    /// 4xx: the same command may succeed later.
    pub fn is_transient(&self) -> bool {
        (400..500).contains(&self.code)
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.text.replace('\n', " "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_enhanced_code_is_read_only_at_the_start() {
        let code = |text| Reply::new(550, text).enhanced().map(|c| c.to_string());
        assert_eq!(code("5.1.10 RecipientNotFound"), Some("5.1.10".into()));
        assert_eq!(code("no such user 5.1.1"), None);
        assert_eq!(code("5.1 short"), None);
        assert_eq!(code("9.1.1 odd"), None);
        assert_eq!(code("5.1.1.1 long"), None);
        assert_eq!(code("5.+1.1 sign"), None);
        assert_eq!(code(""), None);
    }
}
