//! One exchange: commands out, one reply in, and what it means when none comes.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use lettre::transport::smtp::Error as LettreError;
use lettre::transport::smtp::response::Response;

use super::telling;
use super::wire::Record;
use super::{Session, SessionError, SessionErrorKind};
use crate::clock::{Clock, Elapsed};
use crate::delivery::{Phase, Reply};

/// How long to listen for what the server may have said before it hung up on us.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// The reply with which a server announces that it closes the connection (RFC 5321 3.8).
pub(super) const CLOSING: u16 = 421;

impl Session {
    /// Writes `text`, one or several commands, and returns the reply to the first.
    pub(super) async fn command(
        &mut self,
        phase: Phase,
        limit: Duration,
        text: impl Into<String>,
    ) -> Result<Reply, SessionError> {
        self.check_in_step(phase)?;
        if self.content_due {
            return Err(SessionError::new(phase, SessionErrorKind::OutOfTurn));
        }
        let Some(connection) = self.connection.as_mut().filter(|_| !self.broken) else {
            return Err(SessionError::new(phase, SessionErrorKind::Closed));
        };
        self.record.queue_commands(text.into());
        let outcome = self.clock.within(limit, connection.command("")).await;
        self.settle(phase, outcome).await
    }

    /// Waits for a further reply to what was written.
    pub(super) async fn next_reply(
        &mut self,
        phase: Phase,
        limit: Duration,
    ) -> Result<Reply, SessionError> {
        let Some(connection) = self.connection.as_mut().filter(|_| !self.broken) else {
            return Err(SessionError::new(phase, SessionErrorKind::Closed));
        };
        let outcome = self.clock.within(limit, connection.read_response()).await;
        self.settle(phase, outcome).await
    }

    /// A reply that nobody asked for would be taken for the answer to the next command, and every
    /// verdict after it would be the wrong one.
    pub(super) fn check_in_step(&mut self, phase: Phase) -> Result<(), SessionError> {
        if self.record.has_unsent() {
            self.broken = true;
            let early = "replies to commands that had not gone out".to_owned();
            return Err(SessionError::new(phase, SessionErrorKind::Protocol(early)));
        }
        if !self.record.has_leftover() {
            return Ok(());
        }
        self.broken = true;
        let reply = answer(&self.record, phase, None)?;
        Err(SessionError::new(
            phase,
            match reply.code {
                CLOSING => SessionErrorKind::Refused(reply),
                _ => SessionErrorKind::Protocol(reply.to_string()),
            },
        ))
    }

    /// Turns what lettre made of an exchange into the reply as it came, or into why there is none.
    pub(super) async fn settle(
        &mut self,
        phase: Phase,
        outcome: Result<Result<Response, LettreError>, Elapsed>,
    ) -> Result<Reply, SessionError> {
        if let Ok(Err(error)) = &outcome {
            let network = error.status().is_none() && !error.is_response();
            if network && !self.record.holds_more_than(0) {
                self.hear_last_words().await;
            }
        }
        let one_line = match self.record.take_reply() {
            Ok(Some(found)) => Some((found.reply, found.lines == 1)),
            Ok(None) => None,
            Err(unreadable) => {
                self.broken = true;
                let error = SessionError::new(phase, unreadable);
                telling::failure(&error);
                return Err(error);
            }
        };
        let Some((reply, one_line)) = one_line else {
            self.broken = true;
            let error = SessionError::new(phase, silence(self.record.unfinished(), outcome.err()));
            telling::failure(&error);
            return Err(error);
        };
        // lettre refuses some replies that are fine (a code alone on its line). It has read that one
        // line and no more, so the dialogue is still in step.
        let in_step = match &outcome {
            Ok(Ok(_)) => true,
            Ok(Err(error)) => error.status().is_some() || (error.is_response() && one_line),
            Err(_) => false,
        };
        self.broken |= !in_step || reply.code == CLOSING;
        telling::reply(phase, &reply);
        Ok(reply)
    }

    /// Reads once more after a failed write: a server that hangs up often says why just before.
    async fn hear_last_words(&mut self) {
        self.broken = true;
        if let Some(connection) = self.connection.as_mut() {
            let _ = self
                .clock
                .within(LAST_WORDS, connection.read_response())
                .await;
        }
    }
}

/// Drives `work` until it ends, or until `reached` says that its next stage has begun (none then).
pub(super) async fn stage<F: Future>(
    clock: &Clock,
    limit: Duration,
    mut work: Pin<&mut F>,
    reached: impl Fn() -> bool,
) -> Result<Option<F::Output>, Elapsed> {
    let driven = poll_fn(|cx| match work.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if reached() => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    });
    clock.within(limit, driven).await
}

/// The next reply on record, or why there is none.
pub(super) fn answer(
    record: &Record,
    phase: Phase,
    elapsed: Option<Elapsed>,
) -> Result<Reply, SessionError> {
    let kind = match record.take_reply() {
        Ok(Some(found)) => {
            telling::reply(phase, &found.reply);
            return Ok(found.reply);
        }
        Ok(None) => silence(record.unfinished(), elapsed),
        Err(unreadable) => unreadable.into(),
    };
    Err(SessionError::new(phase, kind))
}

/// Why there is no reply, or only the beginning of one.
pub(super) fn silence(begun: Option<String>, elapsed: Option<Elapsed>) -> SessionErrorKind {
    match (begun, elapsed.map(|elapsed| elapsed.0)) {
        (Some(heard), None) => SessionErrorKind::CutOff(heard),
        (Some(heard), Some(waited)) => SessionErrorKind::Stalled { heard, waited },
        (None, None) => SessionErrorKind::Closed,
        (None, Some(waited)) => SessionErrorKind::Timeout(waited),
    }
}

/// Lets a 2xx pass; a 4xx or 5xx is a refusal, anything else makes no sense here.
pub(super) fn positive(phase: Phase, reply: Reply) -> Result<Reply, SessionError> {
    let kind = match reply.code {
        200..=299 => return Ok(reply),
        400..=599 => SessionErrorKind::Refused(reply),
        _ => SessionErrorKind::Protocol(reply.to_string()),
    };
    Err(SessionError::new(phase, kind))
}
