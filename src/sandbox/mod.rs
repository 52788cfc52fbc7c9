//! The stand-in server: an SMTP server on loopback that plays a provider, with its limits and moods.
//!
//! It is what rehearsals send to, what `postroom sandbox` runs for other programs' tests, and what
//! our own tests are held against. It keeps its own count of every window: it must not use
//! [`limits::Limiter`](crate::limits::Limiter), nor let any mail leave the machine. Called by `cli`
//! alone.
//!
//! A [`Sandbox`] listens on a port; a [`Portless`] one is brought its streams.
//!
//! A message is stamped with the clock's time when its final dot is taken, so under a simulated clock
//! server and sender agree on what time it is.

mod auth;
mod books;
mod command;
mod content;
mod faults;
mod listener;
mod mailstore;
mod meddling;
mod nonsense;
mod options;
mod quota;
mod refuse;
mod session;
mod spelling;
#[cfg(test)]
mod tests;
mod tls;
mod tokens;
mod transaction;
mod wire;
mod words;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use books::{Breach, Received, Snapshot};
pub use faults::{Act, Fault, Faults, Flood, Phase, Then, When};
pub use options::{
    NO_SUCH_RECIPIENT, Options, Profile, RefuseAt, RefuseRule, SignIn, TlsMode, Use,
};
pub use spelling::Misspelt;
pub use tokens::Tokens;
pub use wire::Stream;

use crate::clock::Clock;
use books::Books;
use faults::Strikes;
use mailstore::MailStore;
use quota::Quota;
use session::{Shared, serve};
use tls::Identity;

/// Why the server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It would be reachable from other machines.
    #[error("{0} is not a loopback address")]
    NotLoopback(SocketAddr),
    /// The port is taken or may not be used.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The folder for received messages can't be used.
    #[error("cannot use '{}' for received messages: {source}", path.display())]
    Maildir {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A refusal with a code that is none.
    #[error("{0} is not a code that refuses")]
    NotARefusal(u16),
    /// A fault at every or at the 0th time.
    #[error("a fault at time 0, or until a time before its first, never happens")]
    NeverHappens,
    /// The certificate could not be made.
    #[error("cannot make a certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// TLS could not be set up.
    #[error("cannot set up TLS: {0}")]
    Tls(#[from] tokio_rustls::rustls::Error),
}

impl Error {
    /// What to do about it, as a sentence.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::NotLoopback(_) => {
                "Listen on 127.0.0.1 or ::1: the sandbox is for this machine only."
            }
            Self::Listen { .. } => "Choose another port, or port 0 for any free one.",
            Self::Maildir { .. } => {
                "Choose a folder that you may write to, on a disk with room left."
            }
            Self::NotARefusal(_) => "Refuse with a code from 400 to 599.",
            Self::NeverHappens => "Count times from 1, and up.",
            Self::Certificate(_) | Self::Tls(_) => {
                "Please report this: it is a defect of Postroom."
            }
        }
    }
}

/// A running stand-in server. Dropping it ends every session at once.
pub struct Sandbox {
    address: SocketAddr,
    server: Portless,
    listening: JoinHandle<()>,
}

/// A stand-in server that listens nowhere: streams are brought to it.
pub struct Portless {
    shared: Arc<Shared>,
    stopping: watch::Sender<bool>,
}

impl Portless {
    /// Makes a server; where it would listen is of no account.
    pub fn new(options: Options, clock: Clock) -> Result<Self, Error> {
        let options = options.checked()?;
        let identity = Identity::make()?;
        let store = options
            .maildir
            .as_deref()
            .map(MailStore::open)
            .transpose()?;
        let quota = Quota::new(options.rules.clone(), options.strict, options.used.clone());
        let shared = Arc::new(Shared {
            books: Books::new(quota, options.keep_records),
            strikes: Strikes::new(&options.faults),
            options,
            clock,
            identity,
            store,
            hanging: watch::Sender::new(0),
        });
        Ok(Self {
            shared,
            stopping: watch::Sender::new(false),
        })
    }

    /// Serves one client over this stream, until either side ends it; whoever drops the future breaks it off.
    pub fn serve(&self, stream: Box<dyn Stream>) -> impl Future<Output = ()> + Send + use<> {
        serve(stream, Arc::clone(&self.shared), self.stopping.subscribe())
    }

    /// What it has seen so far.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            faults: self.shared.strikes.struck(),
            ..self.shared.books.snapshot()
        }
    }
}

impl Sandbox {
    /// Starts a server; it runs on the current Tokio runtime, which needs its I/O and time drivers.
    pub async fn start(options: Options, clock: Clock) -> Result<Self, Error> {
        let listen = options.listen;
        let server = Portless::new(options, clock)?;
        let failed = |source| Error::Listen {
            address: listen,
            source,
        };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let told = server.stopping.subscribe();
        let listening = tokio::spawn(listener::listen(listener, Arc::clone(&server.shared), told));
        Ok(Self {
            address,
            server,
            listening,
        })
    }

    /// Where it listens, with the port that was taken.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The certificate that a client has to trust, for `localhost`, `127.0.0.1` and `::1`. A new one
    /// at each start.
    pub fn certificate_pem(&self) -> &str {
        &self.server.shared.identity.pem
    }

    /// What it has seen so far.
    pub fn snapshot(&self) -> Snapshot {
        self.server.snapshot()
    }

    /// How many connections are open at this moment.
    pub fn open_connections(&self) -> usize {
        self.server.shared.books.open()
    }

    /// How often [`Act::Hang`] has struck so far, and when it does again.
    pub fn hanging(&self) -> watch::Receiver<u64> {
        self.server.shared.hanging.subscribe()
    }

    /// Stops it: idle clients hear a 421, content in transfer has two seconds to get its verdict, and
    /// when this returns nothing is open any more.
    pub async fn stop(mut self) -> Snapshot {
        self.server.stopping.send_replace(true);
        // It has ended either way; a panic in it would have been in a session's own task.
        let _ = (&mut self.listening).await;
        self.snapshot()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.listening.abort();
    }
}
