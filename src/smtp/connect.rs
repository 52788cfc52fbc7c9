//! From a host's name to a stream that SMTP can be spoken on: look-up, TCP, STARTTLS, TLS.

use std::net::SocketAddr;
use std::time::Duration;

use tokio_rustls::client::TlsStream;

use super::encryption::Encryption;
use super::session::hello_id;
use super::start_tls::start_tls;
use super::{
    Deadlines, Endpoint, Network, Session, SessionError, SessionErrorKind, Tls, Transport, telling,
    tls,
};
use crate::clock::Clock;
use crate::delivery::Phase;

/// A server whose name was looked up: the first of the stages of a connection, each of which leads to the next.
///
/// [`Session::connect`] goes through them in one; `doctor` stops at each to say what it found.
#[derive(Debug)]
pub struct Resolved {
    network: Network,
    clock: Clock,
    endpoint: Endpoint,
    deadlines: Deadlines,
    addresses: Vec<SocketAddr>,
}

/// A server that has taken a TCP connection.
#[derive(Debug)]
pub struct Reached {
    resolved: Resolved,
    address: SocketAddr,
    stream: Box<dyn Transport>,
}

/// A connection that nobody listens in to: encrypted, or within this machine.
#[derive(Debug)]
pub struct Secured {
    resolved: Resolved,
    stream: Stream,
    /// The greeting's code, where it came before TLS.
    greeted: Option<u16>,
}

#[derive(Debug)]
enum Stream {
    Plain(Box<dyn Transport>),
    Tls(Box<TlsStream<Box<dyn Transport>>>),
}

impl Resolved {
    /// Looks up the endpoint's name.
    ///
    /// # Errors
    /// [`SessionError`] where it has no address, and where an address is not this machine's though TLS is
    /// switched off.
    pub async fn look_up(
        clock: &Clock,
        endpoint: &Endpoint,
        deadlines: &Deadlines,
    ) -> Result<Self, SessionError> {
        Self::look_up_in(&Network::system(), clock, endpoint, deadlines).await
    }

    /// The same in another network than the machine's.
    ///
    /// # Errors
    /// As [`Self::look_up`].
    pub async fn look_up_in(
        network: &Network,
        clock: &Clock,
        endpoint: &Endpoint,
        deadlines: &Deadlines,
    ) -> Result<Self, SessionError> {
        Ok(Self {
            addresses: resolve(network, clock, endpoint, deadlines.connect).await?,
            network: network.clone(),
            clock: clock.clone(),
            endpoint: endpoint.clone(),
            deadlines: *deadlines,
        })
    }

    /// Its addresses, in the order in which they are tried.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Connects to the first of the addresses that answers.
    ///
    /// # Errors
    /// [`SessionError`] with what became of the last one.
    pub async fn reach(self) -> Result<Reached, SessionError> {
        let mut last = None;
        let limit = self.deadlines.connect;
        for &address in &self.addresses {
            let connected = self.network.connect(address);
            let error = match self.clock.within(limit, connected).await {
                Ok(Ok(stream)) => {
                    tracing::info!(%address, "connected");
                    return Ok(Reached {
                        resolved: self,
                        address,
                        stream,
                    });
                }
                Ok(Err(error)) => unreachable_at(address, &error),
                Err(elapsed) => SessionErrorKind::Timeout(elapsed.0),
            };
            tracing::info!(%address, because = ?error.to_string(), "not connected");
            last = Some(error);
        }
        let kind = last.unwrap_or_else(|| unresolved(&self.endpoint, "it has no address"));
        Err(SessionError::new(Phase::Connect, kind))
    }
}

impl Reached {
    /// The address that answered.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Encrypts the connection as the endpoint says; nothing secret was said before.
    ///
    /// # Errors
    /// [`SessionError`] at whatever comes before TLS, and where it cannot be had or trusted.
    pub async fn secure(self) -> Result<Secured, SessionError> {
        let Self {
            resolved, stream, ..
        } = self;
        let (clock, endpoint, deadlines) =
            (&resolved.clock, &resolved.endpoint, &resolved.deadlines);
        let limit = deadlines.connect;
        let (stream, greeted) = match endpoint.tls {
            Tls::None => (Stream::Plain(stream), None),
            Tls::Implicit => {
                let stream = encrypt(clock, endpoint, stream, limit).await?;
                (Stream::Tls(Box::new(stream)), None)
            }
            Tls::StartTls => {
                let name = hello_id(&endpoint.hello_name).to_string();
                let (stream, greeting) = start_tls(clock, stream, &name, deadlines).await?;
                let stream = encrypt(clock, endpoint, stream, limit).await?;
                (Stream::Tls(Box::new(stream)), Some(greeting.code))
            }
        };
        Ok(Secured {
            resolved,
            stream,
            greeted,
        })
    }
}

impl Secured {
    /// How it is encrypted; none within this machine where TLS is switched off.
    pub fn encryption(&self) -> Option<Encryption> {
        match &self.stream {
            Stream::Plain(_) => None,
            Stream::Tls(stream) => Some(Encryption::of(stream.get_ref().1)),
        }
    }

    /// Says EHLO and hears what the server offers. Nobody is signed in yet.
    ///
    /// # Errors
    /// [`SessionError`] with the phase that it came to.
    pub async fn hello(self) -> Result<Session, SessionError> {
        let Resolved {
            clock,
            endpoint,
            deadlines,
            ..
        } = &self.resolved;
        let hello = hello_id(&endpoint.hello_name);
        let replay = self
            .greeted
            .map(|code| format!("{code} -\r\n").into_bytes());
        let replay = replay.unwrap_or_default();
        match self.stream {
            Stream::Plain(stream) => Session::greet(clock, stream, replay, &hello, deadlines).await,
            Stream::Tls(stream) => Session::greet(clock, *stream, replay, &hello, deadlines).await,
        }
    }
}

async fn resolve(
    network: &Network,
    clock: &Clock,
    endpoint: &Endpoint,
    limit: Duration,
) -> Result<Vec<SocketAddr>, SessionError> {
    let fail = |kind: SessionErrorKind| SessionError::new(Phase::Connect, kind);
    let found = clock
        .within(limit, network.look_up(&endpoint.host, endpoint.port))
        .await
        .map_err(|elapsed| fail(SessionErrorKind::Timeout(elapsed.0)))?;
    let mut addresses = found.map_err(|error| fail(unresolved(endpoint, &error.to_string())))?;
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
async fn encrypt(
    clock: &Clock,
    endpoint: &Endpoint,
    stream: Box<dyn Transport>,
    limit: Duration,
) -> Result<TlsStream<Box<dyn Transport>>, SessionError> {
    let shaken = clock
        .within(limit, tls::handshake(endpoint, stream))
        .await
        .map_err(|elapsed| SessionErrorKind::Timeout(elapsed.0))
        .and_then(|shaken| shaken)
        .map_err(|kind| SessionError::new(Phase::Tls, kind));
    match &shaken {
        Ok(stream) => {
            let Encryption {
                version, cipher, ..
            } = Encryption::of(stream.get_ref().1);
            tracing::info!(version, cipher, "encrypted");
        }
        Err(error) => telling::failure(error),
    }
    shaken
}
