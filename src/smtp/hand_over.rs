//! Handing over the content: from the first byte to the verdict after the final dot.

use std::pin::pin;

use super::exchange::stage;
use super::{Content, Envelope, Session, SessionError, SessionErrorKind};
use crate::delivery::{Phase, Reply};

/// How handing over ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HandOver {
    /// The server's verdict on the message: 2xx took it, 4xx or 5xx did not.
    Answered(Reply),
    /// No verdict came, and the final dot may have gone out: whether the server has the message is
    /// in doubt.
    Lost(SessionError),
    /// It ended before the first byte of the final dot was written: the server has no message.
    BrokenInBody(SessionError),
}

impl Session {
    /// Writes the content and the final dot, and waits for the verdict. Only after
    /// [`OfferState::Ready`](super::OfferState::Ready).
    ///
    /// Content that ends with CRLF arrives byte for byte; other content gets the CRLF that it lacks
    /// (RFC 5321 4.1.1.4). Lines must end with CRLF. Every block that is written has the deadline
    /// `data`, so that a slow line is not taken for a dead one; the verdict has `final_dot`.
    pub async fn hand_over(&mut self, content: impl Into<Content<'_>>) -> HandOver {
        self.hand_over_with(content.into(), String::new()).await
    }

    /// The same, and the next envelope is asked about in the same write (RFC 2920 3.1 lets content begin a
    /// group): the answers are what [`Session::offer`] of that envelope gives, and nothing else may be asked before.
    /// Where the server does not pipeline, where the envelope is too large for one write, and where its answers have
    /// come late before, nothing is asked.
    pub async fn hand_over_and_ask(
        &mut self,
        content: impl Into<Content<'_>>,
        next: &Envelope,
    ) -> HandOver {
        let text = self.in_one_write(next).filter(|_| self.asking.pays());
        let text = text.unwrap_or_default();
        self.hand_over_with(content.into(), text).await
    }

    async fn hand_over_with(&mut self, content: Content<'_>, next: String) -> HandOver {
        if let Err(error) = self.check_in_step(Phase::Body) {
            return self.broken_in_body(error);
        }
        let due = std::mem::take(&mut self.content_due) && !self.broken;
        let Some(connection) = self.connection.as_mut().filter(|_| due) else {
            return HandOver::BrokenInBody(SessionError::new(
                Phase::Body,
                SessionErrorKind::OutOfTurn,
            ));
        };
        let mut outgoing = content.stuffed();
        let record = self.record.clone();
        let body_end = record.written() + outgoing.len() as u64;
        outgoing.text().extend_from_slice(b".\r\n");
        outgoing.text().extend_from_slice(next.as_bytes());
        self.asked = !next.is_empty();
        record.queue(outgoing);
        let outcome = {
            // What is queued goes out first; there is no command of its own.
            let mut work = pin!(connection.command(""));
            loop {
                let before = record.written();
                let limit = self.deadlines.data;
                let moved = || record.written() > before;
                match stage(&self.clock, limit, work.as_mut(), moved).await {
                    Ok(Some(done)) => break Ok(done),
                    Ok(None) if record.written() <= body_end => {}
                    Ok(None) => break self.clock.within(self.deadlines.final_dot, work).await,
                    Err(elapsed) => break Err(elapsed),
                }
            }
        };
        if record.written() > body_end {
            let answer = self.settle(Phase::FinalDot, outcome).await;
            self.verdict(answer)
        } else {
            let answer = self.settle(Phase::Body, outcome).await;
            let refused = |reply| SessionError::new(Phase::Body, SessionErrorKind::Refused(reply));
            self.broken_in_body(answer.map_or_else(|error| error, refused))
        }
    }

    fn broken_in_body(&mut self, error: SessionError) -> HandOver {
        self.abandon();
        HandOver::BrokenInBody(error)
    }

    fn verdict(&mut self, answer: Result<Reply, SessionError>) -> HandOver {
        match answer {
            // A 3xx is no verdict: replies and commands are out of step.
            Ok(reply) if reply.code < 300 || reply.code >= 400 => HandOver::Answered(reply),
            Ok(reply) => {
                self.broken = true;
                let kind = SessionErrorKind::Protocol(reply.to_string());
                HandOver::Lost(SessionError::new(Phase::FinalDot, kind))
            }
            Err(error) => HandOver::Lost(error),
        }
    }
}
