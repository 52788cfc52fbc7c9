//! Message-IDs (RFC 5322, 3.6.4).

use super::error::Error;

/// A new Message-ID with 128 random bits in the sender's domain, with its angle brackets (RFC 5322 3.6.4).
pub fn new_message_id(domain: &str) -> Result<String, Error> {
    NewIds::new(domain, 1).next_id()
}

/// New Message-IDs for many messages: asking the system for chance takes longer than what is asked for.
#[derive(Debug)]
pub struct NewIds {
    domain: String,
    /// How many are asked for at once.
    at_once: usize,
    random: Vec<u8>,
}

impl NewIds {
    /// In the sender's domain.
    pub fn new(domain: &str, at_once: usize) -> Self {
        Self {
            domain: domain.to_owned(),
            at_once: at_once.max(1),
            random: Vec::new(),
        }
    }

    /// The next one, with its angle brackets.
    pub fn next_id(&mut self) -> Result<String, Error> {
        if self.random.is_empty() {
            self.random.resize(16 * self.at_once, 0);
            getrandom::fill(&mut self.random).map_err(|cause| Error::Build(cause.to_string()))?;
        }
        let mut random = [0_u8; 16];
        let left = self.random.len().saturating_sub(random.len());
        random.copy_from_slice(&self.random[left..]);
        self.random.truncate(left);
        let Self { domain, .. } = self;
        Ok(format!("<{:032x}@{domain}>", u128::from_be_bytes(random)))
    }
}
