//! A server that takes everything and keeps nothing, with a thread for each connection; its answers may take time,
//! and it may speak nothing but TLS.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rcgen::{CertificateParams, KeyPair};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

pub(crate) struct Sink {
    port: u16,
    certificate: Option<String>,
}

impl Sink {
    /// `delay`: from what is asked to the answer, as on a line with this round trip.
    pub(crate) fn start(delay: Duration) -> Self {
        Self::elsewhere(listen(move |stream| serve(stream, delay)))
    }

    /// One that speaks TLS from the first byte.
    pub(crate) fn encrypted() -> Self {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let secret = PrivatePkcs8KeyDer::from(key.serialize_der());
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], secret.into())
            .unwrap();
        let config = Arc::new(config);
        let port = listen(move |stream| {
            let session = ServerConnection::new(Arc::clone(&config)).unwrap();
            serve(StreamOwned::new(session, stream), Duration::ZERO)
        });
        Self {
            port,
            certificate: Some(certificate.pem()),
        }
    }

    /// What listens at this port of the machine without encryption, whoever's it is.
    pub(crate) fn elsewhere(port: u16) -> Self {
        Self {
            port,
            certificate: None,
        }
    }

    /// Whom to trust for it, where it speaks TLS.
    pub(crate) fn certificate(&self) -> Option<&str> {
        self.certificate.as_deref()
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}

const HELLO: &[u8] = b"250-sink\r\n250-PIPELINING\r\n250-SIZE 104857600\r\n250 8BITMIME\r\n";

/// Accepts connections on a port of its own.
fn listen(serve: impl Fn(TcpStream) -> std::io::Result<()> + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let serve = Arc::new(serve);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, serve) = (stream.unwrap(), Arc::clone(&serve));
            stream.set_nodelay(true).unwrap();
            std::thread::spawn(move || {
                // Whoever hangs up has what they want.
                let _gone = serve(stream);
            });
        }
    });
    port
}

fn serve(mut stream: impl Read + Write, delay: Duration) -> std::io::Result<()> {
    stream.write_all(b"220 sink ESMTP\r\n")?;
    let mut buffer = vec![0; 1 << 18];
    let mut pending: Vec<u8> = Vec::new();
    let mut in_content = false;
    loop {
        let count = stream.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        let came = Instant::now();
        pending.extend_from_slice(&buffer[..count]);
        let mut replies: Vec<u8> = Vec::new();
        let mut at = 0;
        while at < pending.len() {
            let rest = &pending[at..];
            if in_content {
                let Some(end) = memchr::memmem::find(rest, b"\r\n.\r\n") else {
                    // The end of it may be cut in two.
                    at += rest.len().saturating_sub(4);
                    break;
                };
                at += end + 5;
                in_content = false;
                replies.extend_from_slice(b"250 2.0.0 taken\r\n");
                continue;
            }
            let Some(end) = memchr::memmem::find(rest, b"\r\n") else {
                break;
            };
            let reply: &[u8] = match rest.get(..4).unwrap_or_default() {
                b"EHLO" | b"ehlo" | b"HELO" => HELLO,
                b"DATA" => b"354 go on\r\n",
                b"QUIT" => b"221 bye\r\n",
                _ => b"250 ok\r\n",
            };
            in_content = rest.starts_with(b"DATA");
            replies.extend_from_slice(reply);
            at += end + 2;
            if in_content {
                // So that an empty content is seen as one.
                at -= 2;
            }
        }
        pending.drain(..at);
        if !replies.is_empty() {
            std::thread::sleep(delay.saturating_sub(came.elapsed()));
            stream.write_all(&replies)?;
            stream.flush()?;
        }
    }
}
