//! The stand-in server seen from outside: over sockets, with a bare client and with lettre's.

mod dialogue;
mod faults;
mod garbage;
mod limits;
mod real_client;
mod sign_in;
mod storage;

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{Options, Sandbox, TlsMode};
use crate::clock::Clock;
use crate::limits::{Rule, Unit};

/// No TLS and no sign-in, for tests about something else.
fn open() -> Options {
    Options {
        tls: TlsMode::None,
        require_auth: false,
        keep_records: true,
        ..Options::default()
    }
}

async fn start(options: Options) -> Sandbox {
    Sandbox::start(options, Clock::system()).await.unwrap()
}

fn rule(max: u64, seconds: u64, unit: Unit) -> Rule {
    let per = Duration::from_secs(seconds);
    Rule { max, per, unit }
}

/// A client that says what it is told to.
struct Client<S = TcpStream>(BufReader<S>);

impl Client {
    /// Connects and reads the greeting.
    async fn new(sandbox: &Sandbox) -> Self {
        let mut client = Self::silent(sandbox).await;
        assert!(client.reply().await.starts_with("220 "));
        client
    }

    /// Connects and reads nothing.
    async fn silent(sandbox: &Sandbox) -> Self {
        Self(BufReader::new(
            TcpStream::connect(sandbox.address()).await.unwrap(),
        ))
    }

    /// Connects and says EHLO.
    async fn greeted(sandbox: &Sandbox) -> Self {
        let mut client = Self::new(sandbox).await;
        assert!(client.ask("EHLO here").await.starts_with("250"));
        client
    }

    /// The handshake alone, after a STARTTLS that was agreed to or on an implicit port.
    async fn handshake(self, sandbox: &Sandbox) -> Client<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        let pem = sandbox.certificate_pem().as_bytes();
        roots
            .add(CertificateDer::from_pem_slice(pem).unwrap())
            .unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let connector = TlsConnector::from(Arc::new(config));
        let name = ServerName::try_from("localhost").unwrap();
        let stream = connector.connect(name, self.0.into_inner()).await.unwrap();
        Client(BufReader::new(stream))
    }

    /// Connects, and steps up to TLS after EHLO.
    async fn secure(sandbox: &Sandbox) -> Client<TlsStream<TcpStream>> {
        let mut client = Self::greeted(sandbox).await;
        assert_eq!(client.ask("STARTTLS").await, "220 2.0.0 SMTP server ready");
        client.handshake(sandbox).await
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    async fn send(&mut self, raw: &str) {
        self.0.write_all(raw.as_bytes()).await.unwrap();
        self.0.flush().await.unwrap();
    }

    /// A reply, its lines joined by `\n`; empty when the server has hung up.
    async fn reply(&mut self) -> String {
        let mut reply = String::new();
        loop {
            let mut line = String::new();
            if !matches!(self.0.read_line(&mut line).await, Ok(1..)) {
                return reply;
            }
            let last = line.as_bytes().get(3) != Some(&b'-');
            reply.push_str(&line);
            if last {
                // Nothing but the line end goes: an empty challenge is `334` and a blank (RFC 4954 4).
                return reply.trim_end_matches(['\r', '\n']).replace("\r\n", "\n");
            }
        }
    }

    async fn ask(&mut self, line: &str) -> String {
        self.send(&format!("{line}\r\n")).await;
        self.reply().await
    }

    /// Offers a message; the reply to its final dot, or to the command that it failed at.
    async fn offer(&mut self, recipients: &[&str], content: &str) -> String {
        let reply = self.ask("MAIL FROM:<sender@example.test>").await;
        if !reply.starts_with("250") {
            return reply;
        }
        for to in recipients {
            self.ask(&format!("RCPT TO:<{to}>")).await;
        }
        let reply = self.ask("DATA").await;
        if !reply.starts_with("354") {
            return reply;
        }
        self.ask(&format!("{content}\r\n.")).await
    }
}
