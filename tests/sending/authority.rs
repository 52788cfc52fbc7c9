//! A small authority that gives out access tokens, and tells the mail server which ones to take.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::SignedDuration;
use postroom::clock::Clock;
use postroom::oauth::{Keep, Settings, Tokens, sign_in};
use postroom::provider::Flow;
use postroom::sandbox;
use postroom::vault::{Choice, Vault};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What it answers to a request for a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    /// A token that the mail server takes.
    Good,
    /// A token that the mail server does not take.
    Useless,
    /// The sign-in is over.
    Revoked,
    /// It is out of order so many times, and well after that.
    Down(u32),
}

pub(crate) struct Authority {
    port: u16,
    state: Arc<Mutex<State>>,
}

struct State {
    mood: Mood,
    lifetime: Duration,
    requests: u64,
    tokens: sandbox::Tokens,
    clock: Clock,
}

impl Authority {
    /// One whose tokens hold for so long, and are taken by servers that know `tokens`.
    pub(crate) async fn start(clock: &Clock, tokens: &sandbox::Tokens, lifetime: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State {
            mood: Mood::Good,
            lifetime,
            requests: 0,
            tokens: tokens.clone(),
            clock: clock.clone(),
        }));
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Self { port, state }
    }

    pub(crate) fn set(&self, mood: Mood) {
        self.state.lock().unwrap().mood = mood;
    }

    /// How often a token was asked for.
    pub(crate) fn requests(&self) -> u64 {
        self.state.lock().unwrap().requests
    }

    fn settings(&self, flow: Flow) -> Settings {
        let address = |path: &str| format!("http://127.0.0.1:{}/{path}", self.port);
        Settings {
            account: "comms-0".to_owned(),
            username: "comms@contoso.com".to_owned(),
            client_id: "app".to_owned(),
            client_secret: Some("client secret".into()),
            flow,
            authorize: Some(address("authorize")),
            token: address("token"),
            device: Some(address("device")),
            scopes: vec!["mail".to_owned()],
            extra_roots: vec![],
        }
    }

    /// Tokens for an application of its own.
    pub(crate) fn as_application(&self, folder: &Path, clock: &Clock) -> Tokens {
        let settings = self.settings(Flow::ClientCredentials);
        Tokens::new(settings, keep(folder), clock.clone()).unwrap()
    }

    /// Tokens for a person, who signs in first.
    pub(crate) async fn as_person(&self, folder: &Path, clock: &Clock) -> Tokens {
        let settings = self.settings(Flow::DeviceCode);
        let granted = sign_in(&settings, clock, &mut |_| {}).await.unwrap();
        keep(folder).store(&settings, &granted).unwrap();
        Tokens::new(settings, keep(folder), clock.clone()).unwrap()
    }

    /// Tokens for a person who has not signed in.
    pub(crate) fn as_nobody(&self, folder: &Path, clock: &Clock) -> Tokens {
        let settings = self.settings(Flow::DeviceCode);
        Tokens::new(settings, keep(folder), clock.clone()).unwrap()
    }
}

fn keep(folder: &Path) -> Keep {
    Keep::new(Vault::new(folder.join("secrets"), Choice::Files))
}

/// One request, one answer.
async fn serve(stream: TcpStream, state: Arc<Mutex<State>>) {
    let mut stream = BufReader::new(stream);
    let (mut path, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
            return;
        }
        if path.is_empty() {
            line.split(' ').nth(1).unwrap().clone_into(&mut path);
        }
        if let Some(text) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = text.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    let (status, body) = if path == "/device" {
        (200, DEVICE.to_owned())
    } else {
        state.lock().unwrap().token()
    };
    let answer = format!(
        "HTTP/1.1 {status} x\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let _ = stream.write_all(answer.as_bytes()).await;
}

const DEVICE: &str = r#"{"device_code":"d","user_code":"ABCD","verification_uri":"http://127.0.0.1/",
    "expires_in":900,"interval":1}"#;

impl State {
    fn token(&mut self) -> (u16, String) {
        self.requests += 1;
        let token = format!("access-token-number-{}", self.requests);
        match self.mood {
            Mood::Revoked => {
                let why = "AADSTS50173: The provided grant has expired due to it being revoked";
                let body = format!(r#"{{"error":"invalid_grant","error_description":"{why}"}}"#);
                return (400, body);
            }
            Mood::Down(times) if times > 0 => {
                self.mood = Mood::Down(times - 1);
                return (503, "{}".to_owned());
            }
            Mood::Useless => {}
            Mood::Good | Mood::Down(_) => {
                let until = self.clock.now() + SignedDuration::try_from(self.lifetime).unwrap();
                self.tokens.accept_until(&token.clone().into(), until);
            }
        }
        let body = format!(
            r#"{{"access_token":"{token}","token_type":"Bearer","expires_in":{},"refresh_token":"refresh-{}"}}"#,
            self.lifetime.as_secs(),
            self.requests
        );
        (200, body)
    }
}
