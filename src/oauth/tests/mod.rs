//! What sign-ins rely on: each flow, renewal in time, rotation, and that no secret is told to anybody.

mod browser;
mod device;
mod http;
mod provider;
mod tokens;

use std::path::Path;

use jiff::SignedDuration;
use secrecy::ExposeSecret;

use super::{AccessToken, Keep, Settings, Tokens};
use crate::clock::{Clock, Timestamp};
use crate::provider::Flow;
use crate::vault::{Choice, Vault};
use provider::Provider;

fn settings(provider: &Provider, flow: Flow) -> Settings {
    let at = |path: &str| format!("http://127.0.0.1:{}/{path}", provider.port);
    Settings {
        account: "comms".to_owned(),
        username: "comms@contoso.com".to_owned(),
        client_id: "app-1".to_owned(),
        client_secret: None,
        flow,
        authorize: Some(at("authorize")),
        token: at("token"),
        device: Some(at("device")),
        scopes: vec!["send".to_owned(), "offline".to_owned()],
        extra_roots: Vec::new(),
    }
}

/// A clock of its own, at noon of some day.
fn clock() -> Clock {
    Clock::simulated("2026-12-01T12:00:00Z".parse().unwrap())
}

async fn pass(clock: &Clock, time: SignedDuration) {
    clock.sleep_until(clock.now() + time).await;
}

fn keep(folder: &Path) -> Keep {
    Keep::new(Vault::new(folder.join("secrets"), Choice::Files))
}

/// A handle as a process of its own would have it.
fn tokens(provider: &Provider, folder: &Path, clock: &Clock) -> Tokens {
    let settings = settings(provider, Flow::Browser);
    Tokens::new(settings, keep(folder), clock.clone()).unwrap()
}

fn shown(token: &AccessToken) -> &str {
    token.secret().expose_secret()
}

/// The kept file's text; none when there is none.
fn kept(folder: &Path) -> Option<String> {
    let mut files = std::fs::read_dir(folder.join("secrets")).ok()?;
    let file = files.find_map(|file| {
        let path = file.ok()?.path();
        (path.extension()? == "tokens").then_some(path)
    })?;
    std::fs::read_to_string(file).ok()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}
