//! A scripted provider.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use oauth2::url::form_urlencoded;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// What was asked.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) path: String,
    pub(super) fields: BTreeMap<String, String>,
}

impl Asked {
    pub(super) fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }
}

pub(super) struct Provider {
    pub(super) port: u16,
    log: Arc<Mutex<Vec<Asked>>>,
}

impl Provider {
    /// Answers each request by status and body; with 0, it hangs up.
    pub(super) async fn start(
        answer: impl FnMut(&Asked) -> (u16, String) + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let log = Arc::new(Mutex::new(Vec::new()));
        let (answer, seen) = (Arc::new(Mutex::new(answer)), Arc::clone(&log));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (answer, seen) = (Arc::clone(&answer), Arc::clone(&seen));
                tokio::spawn(async move {
                    serve(stream, |asked| {
                        seen.lock().unwrap().push(asked.clone());
                        (answer.lock().unwrap())(asked)
                    })
                    .await;
                });
            }
        });
        Self { port, log }
    }

    /// One that gives a token over TLS, as localhost, with the root that vouches for it.
    pub(super) async fn encrypted() -> (Self, Vec<u8>) {
        let (acceptor, root) = certified("localhost");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let log = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&log);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, seen) = (acceptor.clone(), Arc::clone(&seen));
                tokio::spawn(async move {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        let answer = |asked: &Asked| {
                            seen.lock().unwrap().push(asked.clone());
                            (200, granted(1, 3600))
                        };
                        serve(stream, answer).await;
                    }
                });
            }
        });
        (Self { port, log }, root)
    }

    /// One that gives tokens: `access-1`, `access-2`, …, with refresh tokens `refresh-1`, `refresh-2`, … of
    /// which only the latest is good.
    pub(super) async fn rotating() -> Self {
        let mut number = 0;
        Self::start(move |asked| {
            let is_first = asked.field("grant_type") != "refresh_token";
            if !is_first && asked.field("refresh_token") != format!("refresh-{number}") {
                return refusal("invalid_grant", "AADSTS70000: it was used already");
            }
            number += 1;
            (200, granted(number, 3600))
        })
        .await
    }

    /// One that is not there.
    pub(super) fn absent() -> Self {
        Self {
            port: 1,
            log: Arc::default(),
        }
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        self.log.lock().unwrap().clone()
    }

    pub(super) fn count(&self) -> usize {
        self.log.lock().unwrap().len()
    }
}

/// A server's side of TLS, and its root in DER.
fn certified(name: &str) -> (TlsAcceptor, Vec<u8>) {
    let authority_key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = authority.self_signed(&authority_key).unwrap();
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec![name.to_owned()]).unwrap();
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
    (TlsAcceptor::from(Arc::new(config)), root.der().to_vec())
}

/// A token response.
pub(super) fn granted(number: u32, seconds: u32) -> String {
    format!(
        r#"{{"token_type":"Bearer","access_token":"access-{number}","refresh_token":"refresh-{number}","expires_in":{seconds},"ext_expires_in":{seconds}}}"#
    )
}

pub(super) fn refusal(error: &str, description: &str) -> (u16, String) {
    let body = serde_json::json!({
        "error": error,
        "error_description": description,
        "error_codes": [70000],
    });
    (400, body.to_string())
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    mut answer: impl FnMut(&Asked) -> (u16, String),
) {
    let mut bytes = Vec::new();
    let asked = loop {
        if let Some(asked) = parse(&bytes) {
            break asked;
        }
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return;
        }
    };
    let (status, body) = answer(&asked);
    if status == 0 {
        return;
    }
    let more = if (300..400).contains(&status) {
        format!("Location: {body}\r\n")
    } else {
        "Content-Type: application/json; charset=utf-8\r\n".to_owned()
    };
    let head = format!(
        "HTTP/1.1 {status} Said\r\n{more}Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
    let _ = stream.shutdown().await;
}

/// A whole request; none while some of it is missing.
fn parse(bytes: &[u8]) -> Option<Asked> {
    let text = std::str::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n")?;
    let length = head.to_lowercase();
    let length = length
        .lines()
        .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    if body.len() < length.unwrap_or(0) {
        return None;
    }
    let fields = form_urlencoded::parse(body.as_bytes());
    Some(Asked {
        path: head.split(' ').nth(1)?.to_owned(),
        fields: fields.into_owned().collect(),
    })
}
