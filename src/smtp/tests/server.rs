//! A scripted server, and the certificates it shows.

use std::fmt::Write as _;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use super::super::{Credentials, Deadlines, Endpoint, Envelope, Secret, Tls};

/// The server's end of a connection.
pub(crate) struct Peer<S> {
    pub(crate) stream: S,
    pending: Vec<u8>,
    /// Everything that came, verbatim.
    pub(crate) raw: Vec<u8>,
    /// Commands that came.
    pub(crate) lines: Vec<String>,
    /// Contents that came whole, without the doubled dots.
    pub(crate) contents: Vec<Vec<u8>>,
    /// How often it had to wait for the client.
    pub(crate) waits: usize,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Peer<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self {
            stream,
            pending: Vec::new(),
            raw: Vec::new(),
            lines: Vec::new(),
            contents: Vec::new(),
            waits: 0,
        }
    }

    /// Writes; an error only means that the client has gone.
    pub(crate) async fn say(&mut self, text: &str) {
        let _ = self.stream.write_all(text.as_bytes()).await;
        let _ = self.stream.flush().await;
    }

    /// Waits for more bytes; false at the end.
    async fn more(&mut self) -> bool {
        let mut buffer = vec![0; 65_536];
        let count = self.stream.read(&mut buffer).await.unwrap_or(0);
        self.waits += 1;
        self.pending.extend_from_slice(&buffer[..count]);
        self.raw.extend_from_slice(&buffer[..count]);
        count > 0
    }

    fn next_line(&mut self) -> Option<String> {
        let end = self.pending.windows(2).position(|w| w == b"\r\n")?;
        let line: Vec<u8> = self.pending.drain(..end + 2).collect();
        Some(String::from_utf8(line[..end].to_vec()).unwrap())
    }

    /// The next command; none at the end.
    pub(crate) async fn line(&mut self) -> Option<String> {
        loop {
            if let Some(line) = self.next_line() {
                self.lines.push(line.clone());
                return Some(line);
            }
            if !self.more().await {
                return None;
            }
        }
    }

    /// Reads content up to its final dot (RFC 5321 4.5.2, the receiving half); false at the end.
    pub(crate) async fn content(&mut self) -> bool {
        let mut content = Vec::new();
        loop {
            while let Some(end) = self.pending.windows(2).position(|w| w == b"\r\n") {
                let line: Vec<u8> = self.pending.drain(..end + 2).collect();
                if line == b".\r\n" {
                    self.contents.push(content);
                    return true;
                }
                content.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
            }
            if !self.more().await {
                return false;
            }
        }
    }

    /// Greets and answers EHLO with these extensions.
    pub(crate) async fn hello(&mut self, extensions: &[&str]) {
        self.say("220 there\r\n").await;
        self.answer_hello(extensions).await;
    }

    /// Answers EHLO with these extensions.
    pub(crate) async fn answer_hello(&mut self, extensions: &[&str]) {
        self.line().await;
        let mut reply = String::from("250-there.example greets you\r\n");
        for extension in extensions {
            write!(reply, "250-{extension}\r\n").unwrap();
        }
        self.say(&(reply + "250 HELP\r\n")).await;
    }

    /// Answers commands by `answer` until the client goes; commands that came in one write are
    /// answered in one. An empty answer hangs up.
    pub(crate) async fn serve(&mut self, mut answer: impl FnMut(&str) -> String) {
        loop {
            let Some(mut line) = self.line().await else {
                return;
            };
            let mut replies = String::new();
            loop {
                let reply = answer(&line);
                if reply.is_empty() {
                    return self.say(&replies).await;
                }
                write!(replies, "{reply}\r\n").unwrap();
                if reply.starts_with("354") {
                    self.say(&std::mem::take(&mut replies)).await;
                    if !self.content().await {
                        return;
                    }
                    let reply = answer(".");
                    if reply.is_empty() {
                        return;
                    }
                    replies = format!("{reply}\r\n");
                }
                match self.next_line() {
                    Some(next) => {
                        self.lines.push(next.clone());
                        line = next;
                    }
                    None => break,
                }
            }
            self.say(&replies).await;
        }
    }
}

/// Answers as a server does that takes everything.
pub(crate) fn agreeable(line: &str) -> String {
    match line {
        "DATA" => "354 go on".into(),
        "QUIT" => "221 bye".into(),
        "." => "250 2.0.0 taken".into(),
        _ => "250 2.1.0 ok".into(),
    }
}

/// Runs `script` as a server for one connection; gives its port and, at the end, the peer.
pub(crate) async fn serve_once<F, Fut>(script: F) -> (u16, JoinHandle<Peer<TcpStream>>)
where
    F: FnOnce(Peer<TcpStream>) -> Fut + Send + 'static,
    Fut: Future<Output = Peer<TcpStream>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let task = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        script(Peer::new(stream)).await
    });
    (port, task)
}

pub(crate) fn endpoint(port: u16, tls: Tls) -> Endpoint {
    Endpoint {
        host: "localhost".into(),
        port,
        tls,
        extra_roots: Vec::new(),
        trust_system_roots: false,
        hello_name: "here.example".into(),
    }
}

/// A loopback endpoint without TLS. By number, so that no look-up puts an IPv6 address first.
pub(crate) fn plain(port: u16) -> Endpoint {
    Endpoint {
        host: "127.0.0.1".into(),
        ..endpoint(port, Tls::None)
    }
}

pub(crate) fn envelope(count: usize) -> Envelope {
    Envelope {
        from: "me@here.example".into(),
        recipients: (0..count).map(|n| format!("r{n}@there.example")).collect(),
        size: 1234,
        smtputf8: false,
    }
}

pub(crate) const PASSWORD: &str = "correct horse battery";

pub(crate) fn credentials() -> Credentials {
    Credentials {
        username: "tim".into(),
        secret: Secret::Password(PASSWORD.into()),
    }
}

/// Deadlines so short that a test need not wait.
pub(crate) fn impatient() -> Deadlines {
    let soon = Duration::from_millis(80);
    Deadlines {
        connect: soon,
        command: soon,
        data: soon,
        final_dot: soon,
    }
}

/// An authority of our own and a server that shows a certificate of it. Two for the same name have
/// authorities of the same name too, with other keys.
pub(crate) struct Certified {
    pub(crate) root: Vec<u8>,
    pub(crate) root_pem: String,
    pub(crate) acceptor: TlsAcceptor,
}

pub(crate) fn certified(name: &str, until_year: i32) -> Certified {
    let authority_key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    let authority_name = format!("Authority of {name}");
    authority
        .distinguished_name
        .push(DnType::CommonName, authority_name);
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = authority.self_signed(&authority_key).unwrap();
    let issuer = Issuer::new(authority, authority_key);

    let key = KeyPair::generate().unwrap();
    let mut leaf = CertificateParams::new(vec![name.to_owned()]).unwrap();
    leaf.not_after = rcgen::date_time_ymd(until_year, 1, 1);
    let leaf = leaf.signed_by(&key, &issuer).unwrap();
    let config = ServerConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![leaf.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    Certified {
        root: root.der().to_vec(),
        root_pem: root.pem(),
        acceptor: TlsAcceptor::from(std::sync::Arc::new(config)),
    }
}
