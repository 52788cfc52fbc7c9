//! Whether an account may send what a campaign's From header says.

use super::campaign::Campaign;
use super::error::SenderError;
use super::sender::Sender;
use crate::recipients::{Address, Mailbox};

impl Campaign {
    /// Makes sure that these senders may send it.
    ///
    /// # Errors
    /// [`SenderError::FromOutside`] for its only account; one of several has its own address in the From
    /// header.
    pub fn check_from(&self, senders: &[Sender]) -> Result<(), SenderError> {
        match senders {
            [only] => only.check_from(&self.message.from),
            _ => Ok(()),
        }
    }
}

impl Sender {
    /// Makes sure that the provider will take what has this From header.
    ///
    /// # Errors
    /// The address is another's than the one that signs in, and nothing says that it may send as that one.
    fn check_from(&self, usual: &str) -> Result<(), SenderError> {
        if self.account.from.is_some() || !self.preset.sends_as_itself {
            return Ok(());
        }
        let Some(username) = &self.account.username else {
            return Ok(());
        };
        // Names that are no addresses, and addresses that are only known once a row is there, say nothing.
        let (Ok(own), Ok(from)) = (Address::parse(username), Mailbox::parse(usual)) else {
            return Ok(());
        };
        if from.address.as_str().eq_ignore_ascii_case(own.as_str()) {
            return Ok(());
        }
        Err(SenderError::FromOutside {
            account: self.name.clone(),
            from: from.address.to_string(),
            username: username.clone(),
            provider: self.preset.title.clone(),
        })
    }
}
