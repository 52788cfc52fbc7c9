//! The identity provider that `.ci/identity-provider/run` has started, and signing in at it as a person does.
//!
//! Without `POSTROOM_TEST_IDP` tests that need it say that they did nothing; with it, they must succeed.

#![expect(clippy::print_stderr, reason = "a test that does nothing says so")]

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::home::{Ended, Home};
use crate::person::{Page, Person, fetch};
use crate::server::Server;

/// The identity provider, as it describes itself.
pub(crate) struct Identity {
    authority: String,
    tenant: String,
    app_secret: String,
    app_mailbox: String,
    introspection: String,
}

/// How a sign-in ended.
pub(crate) struct SignedIn {
    /// What the program showed first.
    pub(crate) step: Value,
    /// The page that the person saw last.
    pub(crate) page: Page,
    pub(crate) ended: Ended,
}

/// The variable with the application's secret.
pub(crate) const APP_SECRET: &str = "APP_SECRET";

impl Identity {
    /// None where it is not started.
    pub(crate) fn there() -> Option<Self> {
        let variable = |name: &str| std::env::var(format!("POSTROOM_TEST_IDP{name}"));
        let Ok(authority) = variable("") else {
            eprintln!(
                "skipped: POSTROOM_TEST_IDP is not set (.ci/identity-provider/run starts it)"
            );
            return None;
        };
        let get = |name: &str| variable(name).unwrap_or_else(|_| panic!("POSTROOM_TEST_IDP{name}"));
        Some(Self {
            authority,
            tenant: get("_TENANT"),
            app_secret: get("_APP_SECRET"),
            app_mailbox: get("_APP_MAILBOX"),
            introspection: get("_INTROSPECTION"),
        })
    }

    /// The mailbox that the application signs in for.
    pub(crate) fn app_mailbox(&self) -> &str {
        &self.app_mailbox
    }

    pub(crate) fn app_secret(&self) -> &str {
        &self.app_secret
    }

    /// The lines of accounts.toml for an account `t` that signs in here; `server` is where it sends, and
    /// `client` one of `postroom`, `postroom-short` (whose access tokens hold for seconds) and `postroom-app`.
    pub(crate) fn account(&self, server: &str, username: &str, client: &str, flow: &str) -> String {
        let secret = if flow == "client-credentials" {
            format!("[t.client_secret]\nenv = \"{APP_SECRET}\"\n")
        } else {
            String::new()
        };
        format!(
            "[t]\nprovider = \"microsoft365\"\nusername = \"{username}\"\nauth = \"oauth2\"\n{server}\n[t.oauth2]\n\
             authority = \"{}\"\ntenant = \"{}\"\nclient_id = \"{client}\"\nflow = \"{flow}\"\n{secret}",
            self.authority, self.tenant
        )
    }

    /// An account `t` of a home, that sends through the stand-in server.
    pub(crate) fn configure(
        &self,
        home: &Home,
        server: &Server,
        username: &str,
        client: &str,
        flow: &str,
    ) {
        let server = format!(
            "host = \"127.0.0.1\"\nport = {}\nca_file = \"{}\"",
            server.port(),
            server.certificate().display()
        );
        let text = self.account(&server, username, client, flow);
        home.write("config/postroom/accounts.toml", text);
    }

    /// Runs `login t` and plays the person who is sent to the provider's pages.
    pub(crate) fn sign_in(&self, home: &Home, account: &str) -> SignedIn {
        let mut command = home.command(&["login", "t", "--no-browser", "--json"]);
        command.env(APP_SECRET, &self.app_secret);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut first = String::new();
        out.read_line(&mut first).unwrap();
        let step: Value = serde_json::from_str(&first).unwrap_or_else(|_| {
            let mut err = String::new();
            let _ = child.stderr.take().unwrap().read_to_string(&mut err);
            panic!("{first}{err}")
        });
        let mut person = Person::new(account, step["code"].as_str());
        let page = person.go(step["address"].as_str().unwrap());
        let mut rest = String::new();
        out.read_to_string(&mut rest).unwrap();
        let output = child.wait_with_output().unwrap();
        let ended = Ended {
            out: format!("{first}{rest}"),
            ..Ended::of(&output)
        };
        SignedIn { step, page, ended }
    }

    /// Takes back what an account has agreed to.
    pub(crate) fn revoke(&self, account: &str) {
        let body = format!("account={}", account.replace('@', "%40"));
        let page = fetch(&format!("{}/revoke", self.authority), Some(&body), "");
        assert_eq!(page.status, 200, "{page:?}");
    }

    /// Waits until the access token that is kept has expired: only the provider's own clock tells.
    pub(crate) fn let_expire(&self, home: &Home) {
        let token = access_token(home);
        while self.introspect(&token)["active"] == true {
            Command::new("sleep").arg("0.2").status().unwrap();
        }
    }

    /// What the provider tells a mail server about a token (RFC 7662).
    pub(crate) fn introspect(&self, token: &str) -> Value {
        let rest = self.introspection.strip_prefix("http://").unwrap();
        let (user, place) = rest.split_once('@').unwrap();
        let more = format!("Authorization: Basic {}\r\n", STANDARD.encode(user));
        let page = fetch(
            &format!("http://{place}"),
            Some(&format!("token={token}")),
            &more,
        );
        serde_json::from_str(&page.body).unwrap_or_else(|_| panic!("{page:?}"))
    }
}

/// The file in which the sign-in of account `t` is kept.
pub(crate) fn kept_file(home: &Home) -> PathBuf {
    let folder = std::fs::read_dir(home.path("state/postroom/secrets")).unwrap();
    let mut files = folder.map(|entry| entry.unwrap().path());
    files
        .find(|path| path.extension().is_some_and(|kind| kind == "tokens"))
        .unwrap()
}

/// What is kept for account `t`.
pub(crate) fn kept(home: &Home) -> Value {
    serde_json::from_slice(&std::fs::read(kept_file(home)).unwrap()).unwrap()
}

/// The access token that is kept for account `t`.
pub(crate) fn access_token(home: &Home) -> String {
    kept(home)["access_token"]["secret"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// The refresh token that is kept for account `t`.
pub(crate) fn refresh_token(home: &Home) -> String {
    kept(home)["refresh_token"].as_str().unwrap().to_owned()
}
