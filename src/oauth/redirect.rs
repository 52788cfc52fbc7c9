//! The loopback port that the browser comes back to with a code (RFC 8252 7.3).
//!
//! Anything on the machine may knock: other pages, an icon, a port scan. Whoever does not bring the state
//! that was given along with the address is answered shortly and forgotten, and the wait goes on.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use oauth2::url::Url;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use crate::clock::Clock;

/// How long one visitor may take; others are served meanwhile.
const VISIT: Duration = Duration::from_secs(10);

/// The longest request that is read: a code and a state are a few hundred bytes, Microsoft's codes two thousand.
const MAX_HEAD: usize = 32 * 1024;

/// How many visitors are served at once.
const VISITORS: usize = 64;

/// How often a port is looked for that is free on both addresses.
const TRIES: usize = 8;

/// A port that is open on `127.0.0.1`, and on `::1` where the machine has that: `localhost` may be either.
#[derive(Debug)]
pub(super) struct Redirect {
    four: TcpListener,
    six: Option<TcpListener>,
    port: u16,
}

/// What the provider sent along.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// A code to be exchanged.
    Code(String),
    /// A refusal (RFC 6749 4.1.2.1).
    Error {
        /// Its name.
        error: String,
        /// Its words.
        description: Option<String>,
    },
}

impl Redirect {
    /// Opens a port.
    pub(super) async fn open() -> io::Result<Self> {
        let mut tried = 0;
        loop {
            let four = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            let port = four.local_addr()?.port();
            let six = match TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await {
                Ok(six) => Some(six),
                // Somebody else would get the code there.
                Err(error) if error.kind() == io::ErrorKind::AddrInUse && tried < TRIES => {
                    tried += 1;
                    continue;
                }
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Err(error),
                Err(_) => None,
            };
            return Ok(Self { four, six, port });
        }
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Serves visitors until one brings `state`.
    pub(super) async fn answer(self, state: &str, clock: &Clock) -> Answer {
        let (found, mut answers) = mpsc::channel(1);
        let places = Arc::new(Semaphore::new(VISITORS));
        let mut visitors = JoinSet::new();
        loop {
            let visitor = tokio::select! {
                Some(answer) = answers.recv() => return answer,
                visitor = self.visitor() => visitor,
            };
            // One too many is hung up on.
            if let (Ok(stream), Ok(place)) = (visitor, Arc::clone(&places).try_acquire_owned()) {
                let (state, clock, found) = (state.to_owned(), clock.clone(), found.clone());
                visitors.spawn(async move {
                    let visit = visit(stream, &state, &found);
                    // Whoever takes longer is not the browser.
                    let _ = clock.within(VISIT, visit).await;
                    drop(place);
                });
            }
            while visitors.try_join_next().is_some() {}
        }
    }

    async fn visitor(&self) -> io::Result<TcpStream> {
        let six = async {
            match &self.six {
                Some(six) => six.accept().await,
                None => std::future::pending().await,
            }
        };
        let (stream, _) = tokio::select! {
            visitor = self.four.accept() => visitor?,
            visitor = six => visitor?,
        };
        Ok(stream)
    }
}

/// Serves one request. The page is out before the answer counts, so that the browser shows it.
async fn visit(mut stream: TcpStream, state: &str, found: &mpsc::Sender<Answer>) -> io::Result<()> {
    let Some(target) = target(&mut stream).await? else {
        return respond(&mut stream, "400 Bad Request", "This is not for you.").await;
    };
    let Some(answer) = answer(&target, state) else {
        return respond(&mut stream, "404 Not Found", "There is nothing here.").await;
    };
    let words = match &answer {
        Answer::Code(_) => {
            "Postroom has what it needs. You can close this page and go back to the terminal."
        }
        Answer::Error { .. } => {
            "The sign-in was not completed; the terminal says why. You can close this page."
        }
    };
    let shown = respond(&mut stream, "200 OK", words).await;
    // When there is one already, a second one of the same state is an echo.
    let _ = found.try_send(answer);
    shown
}

/// The target of a GET request; none for anything else.
async fn target(stream: &mut TcpStream) -> io::Result<Option<String>> {
    let mut head = Vec::new();
    while !head.windows(4).any(|bytes| bytes == b"\r\n\r\n") {
        if head.len() > MAX_HEAD || stream.read_buf(&mut head).await? == 0 {
            return Ok(None);
        }
    }
    let head = String::from_utf8_lossy(&head);
    let mut words = head.lines().next().unwrap_or_default().split(' ');
    let target = match (words.next(), words.next(), words.next()) {
        (Some("GET"), Some(target), Some(version)) if version.starts_with("HTTP/1.") => target,
        _ => return Ok(None),
    };
    Ok(Some(target.to_owned()))
}

/// What stands in the target, if it is the one that was waited for.
fn answer(target: &str, state: &str) -> Option<Answer> {
    let url = Url::parse("http://localhost").ok()?.join(target).ok()?;
    if url.path() != "/" || url.host_str() != Some("localhost") {
        return None;
    }
    let value = |name: &str| {
        let mut pairs = url.query_pairs();
        pairs.find_map(|(key, value)| (key == name).then(|| value.into_owned()))
    };
    if value("state").as_deref() != Some(state) {
        return None;
    }
    match (value("error"), value("code")) {
        (Some(error), _) => Some(Answer::Error {
            error,
            description: value("error_description"),
        }),
        (None, Some(code)) if !code.is_empty() => Some(Answer::Code(code)),
        (None, _) => None,
    }
}

async fn respond(stream: &mut TcpStream, status: &str, words: &str) -> io::Result<()> {
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Postroom</title>\
         <body style=\"font: 1.2rem sans-serif; margin: 3rem\"><p>{words}</p></body></html>\n"
    );
    let length = page.len();
    // The address has a code in it: it is neither stored nor told to anybody.
    let response = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {length}\r\n\
         Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nX-Content-Type-Options: nosniff\r\n\
         Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'\r\nConnection: close\r\n\r\n{page}"
    );
    stream.write_all(response.as_bytes()).await?;
    stream.shutdown().await
}
