//! The dialogue in clear up to the reply to STARTTLS (RFC 3207); nothing secret is said in it.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::exchange::silence;
use super::replies;
use super::{Capabilities, Deadlines, SessionError, SessionErrorKind, Transport};
use crate::clock::Clock;
use crate::delivery::{Phase, Reply};

/// The plain dialogue up to the reply to STARTTLS (RFC 3207); gives the stream back and the greeting.
pub(super) async fn start_tls(
    clock: &Clock,
    stream: Box<dyn Transport>,
    hello: &str,
    deadlines: &Deadlines,
) -> Result<(Box<dyn Transport>, Reply), SessionError> {
    let mut plain = Plain {
        clock,
        stream,
        heard: Vec::new(),
        limit: deadlines.command,
    };
    let greeting = plain.exchange(Phase::Banner, "").await?;
    let reply = plain
        .exchange(Phase::Hello, &format!("EHLO {hello}\r\n"))
        .await?;
    if !Capabilities::from_reply(&reply).start_tls {
        return Err(SessionError::new(Phase::Tls, SessionErrorKind::NoStartTls));
    }
    plain.exchange(Phase::Tls, "STARTTLS\r\n").await?;
    if !plain.heard.is_empty() {
        return Err(SessionError::new(Phase::Tls, SessionErrorKind::Injection));
    }
    Ok((plain.stream, greeting))
}

/// A bare SMTP dialogue before encryption.
struct Plain<'a> {
    clock: &'a Clock,
    stream: Box<dyn Transport>,
    heard: Vec<u8>,
    limit: Duration,
}

impl Plain<'_> {
    /// Writes a command and returns its reply, which must be a 2xx.
    async fn exchange(&mut self, phase: Phase, command: &str) -> Result<Reply, SessionError> {
        let fail = |kind| SessionError::new(phase, kind);
        let clock = self.clock;
        let asked = clock.within(self.limit, self.ask(command)).await;
        let reply = match asked {
            Ok(answer) => answer.map_err(fail)?,
            Err(elapsed) => return Err(fail(silence(self.unfinished(), Some(elapsed)))),
        };
        match reply.code {
            200..=299 => Ok(reply),
            400..=599 => Err(fail(SessionErrorKind::Refused(reply))),
            _ => Err(fail(SessionErrorKind::Protocol(reply.to_string()))),
        }
    }

    /// The beginning of a reply that has not ended, if something of one has come.
    fn unfinished(&self) -> Option<String> {
        (!self.heard.is_empty()).then(|| replies::excerpt(&self.heard))
    }

    async fn ask(&mut self, command: &str) -> Result<Reply, SessionErrorKind> {
        // When the write fails, the server may still have said why; the read tells.
        let _ = self.stream.write_all(command.as_bytes()).await;
        loop {
            match replies::find(&self.heard) {
                Ok(Some(found)) => {
                    self.heard.drain(..found.length);
                    return Ok(found.reply);
                }
                Err(unreadable) => return Err(unreadable.into()),
                Ok(None) => {}
            }
            match self.stream.read_buf(&mut self.heard).await {
                Ok(0) | Err(_) => return Err(silence(self.unfinished(), None)),
                Ok(_) => {}
            }
        }
    }
}
