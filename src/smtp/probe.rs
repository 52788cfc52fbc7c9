//! Asking what the server would say to a sender or a recipient, without a message.

use std::fmt::Write as _;

use super::exchange::positive;
use super::{Envelope, Session, SessionError};
use crate::delivery::{Phase, Reply};

impl Session {
    /// Names a sender (MAIL FROM). End with [`reset`](Session::reset): no message comes of it.
    ///
    /// # Errors
    /// [`SessionError`] when the server refuses it, or the address cannot be named to it.
    pub async fn try_sender(&mut self, address: &str) -> Result<Reply, SessionError> {
        let envelope = Envelope {
            from: address.to_owned(),
            recipients: Vec::new(),
            size: 0,
            smtputf8: false,
        };
        if let Some(problem) = self.sender_problem(&envelope) {
            return Err(SessionError::new(Phase::MailFrom, problem));
        }
        let mut text = String::new();
        self.write_mail(&mut text, &envelope);
        self.ask_for_probe(Phase::MailFrom, &text).await
    }

    /// Names a recipient (RCPT TO), after a sender that was taken.
    ///
    /// # Errors
    /// As [`try_sender`](Session::try_sender).
    pub async fn try_recipient(&mut self, address: &str) -> Result<Reply, SessionError> {
        if let Some(problem) = self.address_problem(address) {
            return Err(SessionError::new(Phase::RcptTo, problem));
        }
        let mut text = String::new();
        // Writing into a String cannot fail.
        let _ = write!(text, "RCPT TO:<{address}>\r\n");
        self.ask_for_probe(Phase::RcptTo, &text).await
    }

    async fn ask_for_probe(&mut self, phase: Phase, text: &str) -> Result<Reply, SessionError> {
        let limit = self.deadlines.command;
        let reply = self.command(phase, limit, text).await?;
        positive(phase, reply)
    }
}
