//! From a host's name to a stream that SMTP can be spoken on: look-up, TCP, STARTTLS, TLS.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::client::TlsStream;

use super::replies::{self, Garbage};
use super::{Capabilities, Deadlines, Endpoint, SessionError, SessionErrorKind, Tls, tls};
use crate::clock::Clock;
use crate::delivery::{Phase, Reply};

/// Looks the host up and connects to the first of its addresses that answers.
pub(super) async fn reach(
    clock: &Clock,
    endpoint: &Endpoint,
    limit: Duration,
) -> Result<TcpStream, SessionError> {
    let addresses = resolve(clock, endpoint, limit).await?;
    let mut last = None;
    for address in addresses {
        let error = match clock.within(limit, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => match stream.set_nodelay(true) {
                Ok(()) => return Ok(stream),
                Err(error) => unreachable_at(address, &error),
            },
            Ok(Err(error)) => unreachable_at(address, &error),
            Err(elapsed) => SessionErrorKind::Timeout(elapsed.0),
        };
        last = Some(error);
    }
    let kind = last.unwrap_or_else(|| unresolved(endpoint, "it has no address"));
    Err(SessionError::new(Phase::Connect, kind))
}

async fn resolve(
    clock: &Clock,
    endpoint: &Endpoint,
    limit: Duration,
) -> Result<Vec<SocketAddr>, SessionError> {
    let fail = |kind: SessionErrorKind| SessionError::new(Phase::Connect, kind);
    let found = clock
        .within(limit, lookup_host((endpoint.host.as_str(), endpoint.port)))
        .await
        .map_err(|elapsed| fail(SessionErrorKind::Timeout(elapsed.0)))?
        .map_err(|error| fail(unresolved(endpoint, &error.to_string())))?;
    let mut addresses: Vec<_> = found.collect();
    if endpoint.tls == Tls::None && !addresses.is_empty() {
        addresses.retain(|address| address.ip().is_loopback());
        if addresses.is_empty() {
            return Err(fail(SessionErrorKind::PlainRefused));
        }
    }
    Ok(addresses)
}

fn unresolved(endpoint: &Endpoint, reason: &str) -> SessionErrorKind {
    SessionErrorKind::Resolve {
        host: endpoint.host.clone(),
        reason: reason.to_owned(),
    }
}

fn unreachable_at(address: SocketAddr, error: &std::io::Error) -> SessionErrorKind {
    SessionErrorKind::Connect {
        address: address.to_string(),
        reason: error.kind().to_string(),
    }
}

/// Shakes hands under the deadline for connecting.
pub(super) async fn encrypt(
    clock: &Clock,
    endpoint: &Endpoint,
    stream: TcpStream,
    limit: Duration,
) -> Result<TlsStream<TcpStream>, SessionError> {
    clock
        .within(limit, tls::handshake(endpoint, stream))
        .await
        .map_err(|elapsed| SessionErrorKind::Timeout(elapsed.0))
        .and_then(|shaken| shaken)
        .map_err(|kind| SessionError::new(Phase::Tls, kind))
}

/// The plain dialogue up to the reply to STARTTLS (RFC 3207); gives the stream back and the greeting.
pub(super) async fn start_tls(
    clock: &Clock,
    stream: TcpStream,
    hello: &str,
    deadlines: &Deadlines,
) -> Result<(TcpStream, Reply), SessionError> {
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
    stream: TcpStream,
    heard: Vec<u8>,
    limit: Duration,
}

impl Plain<'_> {
    /// Writes a command and returns its reply, which must be a 2xx.
    async fn exchange(&mut self, phase: Phase, command: &str) -> Result<Reply, SessionError> {
        let fail = |kind| SessionError::new(phase, kind);
        let clock = self.clock;
        let reply = clock
            .within(self.limit, self.ask(command))
            .await
            .map_err(|elapsed| fail(SessionErrorKind::Timeout(elapsed.0)))?
            .map_err(fail)?;
        match reply.code {
            200..=299 => Ok(reply),
            400..=599 => Err(fail(SessionErrorKind::Refused(reply))),
            _ => Err(fail(SessionErrorKind::Protocol(reply.to_string()))),
        }
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
                Err(Garbage(excerpt)) => return Err(SessionErrorKind::Protocol(excerpt)),
                Ok(None) => {}
            }
            match self.stream.read_buf(&mut self.heard).await {
                Ok(0) | Err(_) => return Err(SessionErrorKind::Closed),
                Ok(_) => {}
            }
        }
    }
}
