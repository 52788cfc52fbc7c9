//! The session itself: made, asked, reset and ended.

use std::fmt;
use std::pin::pin;
use std::time::Duration;

use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::extension::ClientId;

use super::asking::Asking;
use super::connect::Resolved;
use super::exchange::{answer, positive, stage};
use super::wire::{Record, Wire};
use super::{
    Capabilities, Credentials, Deadlines, Endpoint, Network, SessionError, SessionErrorKind,
    Transport,
};
use crate::clock::Clock;
use crate::delivery::Phase;

/// How long a farewell may take.
const FAREWELL: Duration = Duration::from_secs(5);

/// One connection to a server, past the greeting, TLS and sign-in.
///
/// None of its futures may be dropped before it ends: each bounds itself by the deadlines.
pub struct Session {
    pub(super) clock: Clock,
    pub(super) deadlines: Deadlines,
    pub(super) capabilities: Capabilities,
    pub(super) record: Record,
    /// None once abandoned.
    pub(super) connection: Option<AsyncSmtpConnection>,
    /// The dialogue is out of step or over; nothing more may be asked.
    pub(super) broken: bool,
    /// A 354 came, so that the next bytes are taken as content.
    pub(super) content_due: bool,
    /// An envelope was asked about along with the last content; its answers are still to come.
    pub(super) asked: bool,
    /// Whether that pays.
    pub(super) asking: Asking,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("capabilities", &self.capabilities)
            .field("broken", &self.broken)
            .field("content_due", &self.content_due)
            .finish_non_exhaustive()
    }
}

impl Session {
    /// Connects to the endpoint, encrypts, says hello, and signs in if there are credentials.
    ///
    /// # Errors
    /// [`SessionError`] with the phase that it came to. No credentials are sent but over TLS with a
    /// verified certificate, or within this machine.
    pub async fn connect(
        clock: &Clock,
        endpoint: &Endpoint,
        credentials: Option<&Credentials>,
        deadlines: &Deadlines,
    ) -> Result<Self, SessionError> {
        let network = Network::system();
        Self::connect_in(&network, clock, endpoint, credentials, deadlines).await
    }

    /// The same in another network than the machine's.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub async fn connect_in(
        network: &Network,
        clock: &Clock,
        endpoint: &Endpoint,
        credentials: Option<&Credentials>,
        deadlines: &Deadlines,
    ) -> Result<Self, SessionError> {
        let resolved = Resolved::look_up_in(network, clock, endpoint, deadlines).await?;
        let secured = resolved.reach().await?.secure().await?;
        let mut session = secured.hello().await?;
        session.begin(credentials).await?;
        Ok(session)
    }

    /// Runs a session over a stream that is already there, from the server's greeting on.
    ///
    /// The caller vouches that nobody listens in: the stream is encrypted, or stays in memory.
    ///
    /// # Errors
    /// [`SessionError`] with the phase that it came to.
    pub async fn over<S: Transport + 'static>(
        clock: &Clock,
        stream: S,
        hello_name: &str,
        credentials: Option<&Credentials>,
        deadlines: &Deadlines,
    ) -> Result<Self, SessionError> {
        let hello = hello_id(hello_name);
        let mut session = Self::greet(clock, stream, Vec::new(), &hello, deadlines).await?;
        session.begin(credentials).await?;
        Ok(session)
    }

    /// Reads the greeting, from `heard` where it came before TLS, and says EHLO.
    pub(super) async fn greet<S: Transport + 'static>(
        clock: &Clock,
        stream: S,
        heard: Vec<u8>,
        hello: &ClientId,
        deadlines: &Deadlines,
    ) -> Result<Self, SessionError> {
        let record = Record::default();
        let wire = Box::new(Wire::new(stream, heard, record.clone()));
        let mut work = pin!(AsyncSmtpConnection::connect_with_transport(wire, hello));
        let limit = deadlines.command;
        let mut done = stage(clock, limit, work.as_mut(), || record.holds_more_than(0)).await;
        let elapsed = done.as_ref().err().copied();
        positive(Phase::Banner, answer(&record, Phase::Banner, elapsed)?)?;
        if matches!(done, Ok(None)) {
            // After a refused EHLO lettre goes on to say QUIT; the refusal itself is enough.
            done = stage(clock, limit, work.as_mut(), || record.holds_more_than(0)).await;
        }
        let elapsed = done.as_ref().err().copied();
        let reply = positive(Phase::Hello, answer(&record, Phase::Hello, elapsed)?)?;
        let Ok(Some(Ok(connection))) = done else {
            let kind = SessionErrorKind::Protocol(reply.to_string());
            return Err(SessionError::new(Phase::Hello, kind));
        };
        Ok(Self {
            clock: clock.clone(),
            deadlines: *deadlines,
            capabilities: Capabilities::from_reply(&reply),
            record,
            connection: Some(connection),
            broken: false,
            content_due: false,
            asked: false,
            asking: Asking::default(),
        })
    }

    async fn begin(&mut self, credentials: Option<&Credentials>) -> Result<(), SessionError> {
        match credentials {
            Some(credentials) => self.sign_in(credentials).await,
            None => Ok(()),
        }
    }

    /// What the server offers.
    pub fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// True while another message can be offered, or content that is due handed over.
    pub fn is_usable(&self) -> bool {
        self.connection.is_some() && !self.broken && (self.asked || !self.record.has_leftover())
    }

    /// True when an envelope was asked about along with the last content: it is to be offered next.
    pub fn has_asked(&self) -> bool {
        self.asked
    }

    /// Forgets the message under way (RSET).
    ///
    /// # Errors
    /// [`SessionError`] when the server did not agree; the session is of no more use then. Not to be
    /// called while content is due: only [`Session::abandon`] takes a DATA back.
    pub async fn reset(&mut self) -> Result<(), SessionError> {
        let limit = self.deadlines.command;
        let reply = self.command(Phase::Reset, limit, "RSET\r\n").await?;
        let outcome = positive(Phase::Reset, reply).map(|_| ());
        self.broken |= outcome.is_err();
        outcome
    }

    /// Drops the connection at once. After a 354 this is the only way not to send the message: a
    /// server throws away content that never got its final dot.
    pub fn abandon(&mut self) {
        self.connection = None;
        self.content_due = false;
        self.asked = false;
        self.broken = true;
    }

    /// Says farewell (QUIT), waiting 5 s at most for an answer, and closes the connection. When
    /// content is due nothing is said, for it would be taken as content.
    pub async fn quit(mut self) {
        if self.is_usable() && !self.content_due && !self.asked {
            // What the server answers changes nothing any more.
            let _ = self.command(Phase::Reset, FAREWELL, "QUIT\r\n").await;
        }
        self.abandon();
    }
}

/// The name for EHLO. One with other characters could smuggle in a command, and an address literal
/// is always allowed (RFC 5321 4.1.4).
pub(super) fn hello_id(name: &str) -> ClientId {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    if !name.is_empty() && name.bytes().all(legal) {
        ClientId::Domain(name.to_owned())
    } else {
        ClientId::default()
    }
}
