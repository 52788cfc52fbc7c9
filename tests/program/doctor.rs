//! `doctor`: what it finds at each stage, and that it sends nothing.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::Stdio;

use postroom::clock::Clock;
use postroom::sandbox::{Act, Fault, Options, Phase, Profile, Sandbox, SignIn, Tokens, When};
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::home::{Ended, Home, PASSWORD};
use crate::server::signal;

/// A stand-in server within the test, and a home with an account `t` at it.
struct Clinic {
    home: Home,
    runtime: Runtime,
    server: Sandbox,
}

impl Clinic {
    fn new(options: Options) -> Self {
        let runtime = Runtime::new().unwrap();
        let server = runtime
            .block_on(Sandbox::start(options, Clock::system()))
            .unwrap();
        let clinic = Self {
            home: Home::new(),
            runtime,
            server,
        };
        clinic
            .home
            .write("cert.pem", clinic.server.certificate_pem());
        clinic.account(
            "auth = \"password\"",
            "[t.password]\nenv = \"TEST_PASSWORD\"",
        );
        clinic
    }

    /// Only this password is let in.
    fn strict(faults: Vec<Fault>) -> Self {
        let mut options = Options {
            sign_in: Some(SignIn {
                username: "comms@contoso.com".to_owned(),
                password: PASSWORD.into(),
            }),
            profile: Profile::Microsoft365,
            ..Options::default()
        };
        options.faults.list = faults;
        Self::new(options)
    }

    fn account(&self, more: &str, tables: &str) {
        let text = format!(
            "[t]\nprovider = \"microsoft365\"\nhost = \"127.0.0.1\"\nport = {}\nusername = \"comms@contoso.com\"\n\
             ca_file = \"{}\"\n{more}\n{tables}\n",
            self.server.address().port(),
            self.home.path("cert.pem").display(),
        );
        self.home.write("config/postroom/accounts.toml", text);
    }

    fn doctor(&self, more: &[&str]) -> Ended {
        let ended = self.home.run(&[&["doctor", "t"], more].concat());
        let shown = format!("{}{}", ended.out, ended.err);
        assert!(!shown.contains(PASSWORD), "{shown}");
        ended
    }

    fn stages(&self, exit: i32, more: &[&str]) -> Vec<Value> {
        let found = self
            .doctor(&[&["--json"], more].concat())
            .exits(exit)
            .json();
        assert_eq!(
            (&found["account"], &found["ok"]),
            (&"t".into(), &(exit == 0).into())
        );
        found["stages"].as_array().unwrap().clone()
    }

    fn received(self) -> u64 {
        self.runtime.block_on(self.server.stop()).messages
    }
}

fn states(stages: &[Value]) -> Vec<(&str, &str)> {
    stages
        .iter()
        .map(|stage| {
            (
                stage["name"].as_str().unwrap(),
                stage["state"].as_str().unwrap(),
            )
        })
        .collect()
}

fn failed(stages: &[Value]) -> &Value {
    let failed = stages.iter().find(|stage| stage["state"] == "failed");
    failed.unwrap_or_else(|| panic!("{stages:?}"))
}

fn says(phase: Phase, code: u16, text: &str) -> Vec<Fault> {
    vec![Fault {
        phase,
        when: When::Every(1),
        act: Act::Reply(code, text.to_owned()),
    }]
}

#[test]
fn an_account_that_can_send_passes_every_stage_and_nothing_is_sent() {
    let clinic = Clinic::strict(vec![]);
    let shown = clinic.doctor(&["--rcpt", "me@contoso.com"]).exits(0).out;
    for words in [
        "TLSv1.3",
        "Postroom sandbox",
        "LOGIN, XOAUTH2",
        "150 MB",
        "as comms@contoso.com",
        "Nothing was sent.",
        "Send As",
    ] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    let stages = clinic.stages(0, &["--rcpt", "me@contoso.com"]);
    let names = [
        "name",
        "tcp",
        "tls",
        "ehlo",
        "sign-in",
        "mail-from",
        "rcpt-to",
        "reset",
    ];
    assert_eq!(states(&stages), names.map(|name| (name, "passed")));
    let fact = |stage: usize, name: &str| stages[stage]["facts"][name].clone();
    assert_eq!(fact(0, "addresses"), serde_json::json!(["127.0.0.1"]));
    assert_eq!(
        fact(2, "names"),
        serde_json::json!(["localhost", "127.0.0.1", "::1"])
    );
    assert!(fact(2, "valid_until").as_str().unwrap().ends_with('Z'));
    assert_eq!(fact(3, "size"), 150 * 1024 * 1024);
    assert_eq!(fact(3, "auth"), serde_json::json!(["LOGIN", "XOAUTH2"]));
    assert_eq!(stages[5]["reply"], "250 2.1.0 Sender OK");
    assert!(
        !clinic.home.path("state").exists(),
        "looking leaves nothing behind"
    );
    assert_eq!(clinic.received(), 0);
}

#[test]
fn a_refused_sign_in_says_why_and_who_can_do_what() {
    let words = "5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. \
                 Visit https://aka.ms/smtp_auth_disabled for more information.";
    let clinic = Clinic::strict(says(Phase::Auth, 535, words));
    let stages = clinic.stages(77, &[]);
    let expected = [
        ("name", "passed"),
        ("tcp", "passed"),
        ("tls", "passed"),
        ("ehlo", "passed"),
        ("sign-in", "failed"),
        ("mail-from", "skipped"),
        ("reset", "skipped"),
    ];
    assert_eq!(states(&stages), expected);
    let failed = failed(&stages);
    assert_eq!(failed["reply"], format!("535 {words}"));
    assert!(failed["meaning"].as_str().unwrap().contains("switched off"));
    let remedy = failed["remedies"][0].clone();
    assert_eq!(remedy["who"], "administrator");
    assert!(
        remedy["what"]
            .as_str()
            .unwrap()
            .contains("Set-CASMailbox -Identity comms@contoso.com"),
        "with the mailbox's own name: {remedy}"
    );
    assert!(failed["waiting_helps"].is_string());
    let shown = clinic.doctor(&[]).exits(77).out;
    assert!(shown.contains("→ Your administrator: "), "{shown}");
    assert!(shown.contains("mail-from  skipped  not tried"), "{shown}");
}

#[test]
fn a_wrong_password_is_told_from_a_passing_fault() {
    let clinic = Clinic::strict(vec![]);
    let mut command = clinic.home.command(&["doctor", "t", "--json"]);
    command.env("TEST_PASSWORD", "not the password");
    let found = Ended::of(&command.output().unwrap()).exits(77).json();
    let stages = found["stages"].as_array().unwrap();
    assert!(
        failed(stages)["reply"]
            .as_str()
            .unwrap()
            .starts_with("535 5.7.3")
    );

    let words = "4.7.0 Temporary server error. Please try again later. PRX4";
    let clinic = Clinic::strict(says(Phase::Auth, 451, words));
    let stages = clinic.stages(69, &[]);
    assert_eq!(failed(&stages)["waiting_helps"], "yes");
}

#[test]
fn a_sender_that_is_not_permitted_ends_with_77_and_a_refused_recipient_with_1() {
    let words = "5.7.60 SMTP; Client does not have permissions to send as this sender";
    let clinic = Clinic::strict(says(Phase::Mail, 550, words));
    let stages = clinic.stages(77, &["--from", "Board <board@contoso.com>"]);
    assert_eq!(failed(&stages)["name"], "mail-from");
    let refusal = says(Phase::Rcpt, 550, "5.1.10 RESOLVER.ADR.RecipientNotFound");
    let clinic = Clinic::strict(refusal);
    let stages = clinic.stages(1, &["--rcpt", "me@contoso.com"]);
    assert_eq!(failed(&stages)["name"], "rcpt-to");
    clinic.doctor(&["--rcpt", "no address"]).exits(2);
}

#[test]
fn no_secret_leaves_for_a_server_that_cannot_be_trusted() {
    let clinic = Clinic::strict(vec![]);
    let accounts = clinic.home.path("config/postroom/accounts.toml");
    let text = std::fs::read_to_string(&accounts).unwrap();
    std::fs::write(&accounts, text.replace("ca_file", "# ca_file")).unwrap();
    let stages = clinic.stages(69, &[]);
    assert_eq!(failed(&stages)["name"], "tls");
    assert!(
        failed(&stages)["remedy"]
            .as_str()
            .unwrap()
            .contains("ca_file")
    );

    // Without TLS at all, where TLS is asked for.
    let options = Options {
        tls: postroom::sandbox::TlsMode::None,
        ..Options::default()
    };
    let clinic = Clinic::new(options);
    let stages = clinic.stages(69, &[]);
    assert!(
        failed(&stages)["meaning"]
            .as_str()
            .unwrap()
            .contains("STARTTLS")
    );
    assert_eq!(clinic.received(), 0);
}

#[test]
fn a_server_that_is_not_there_and_names_that_are_wrong() {
    let clinic = Clinic::strict(vec![]);
    clinic.home.run(&["doctor", "nobody"]).exits(78);
    let accounts = clinic.home.path("config/postroom/accounts.toml");
    let text = std::fs::read_to_string(&accounts).unwrap();
    let port = clinic.server.address().port();
    clinic.runtime.block_on(clinic.server.stop());
    let ended = clinic.home.run(&["doctor", "t", "--json"]).exits(69).json();
    let stages = ended["stages"].as_array().unwrap();
    assert_eq!((&failed(stages)["name"], stages.len()), (&"tcp".into(), 7));
    // `.invalid` never resolves (RFC 6761).
    let text = text.replace("127.0.0.1", "mail.invalid");
    assert!(text.contains(&port.to_string()));
    std::fs::write(&accounts, text).unwrap();
    let ended = clinic.home.run(&["doctor", "t", "--json"]).exits(69).json();
    assert_eq!(failed(ended["stages"].as_array().unwrap())["name"], "name");
}

#[test]
fn the_stand_in_is_examined_like_any_other() {
    let home = Home::new();
    let found = home.run(&["doctor", "sandbox", "--json"]).exits(0).json();
    let stages = found["stages"].as_array().unwrap();
    assert!(
        stages.iter().all(|stage| stage["state"] == "passed"),
        "{stages:?}"
    );
}

#[test]
fn it_takes_one_of_the_mailboxs_connections() {
    let clinic = Clinic::strict(vec![]);
    clinic.home.campaign("t", 1, true);
    clinic.account(
        "auth = \"password\"\nmax_connections = 1",
        "[t.password]\nenv = \"TEST_PASSWORD\"",
    );
    clinic.home.run(&["plan", "news"]).exits(0);
    let store =
        postroom::store::Store::open(&clinic.home.path("state/postroom/postroom.db")).unwrap();
    let mailbox = "comms@contoso.com@127.0.0.1";
    let slot = store.connection_slot(mailbox, 1).unwrap().unwrap();
    let busy = clinic.doctor(&[]).exits(75);
    assert!(busy.out.contains("in use by"), "{}", busy.out);
    drop(slot);
    clinic.doctor(&[]).exits(0);
}

/// Answers one request after the other with this token.
fn token_endpoint(token: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let (mut line, mut length) = (String::new(), 0);
            while line != "\r\n" {
                line.clear();
                stream.read_line(&mut line).unwrap();
                if let Some(text) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = text.trim().parse().unwrap();
                }
            }
            stream.read_exact(&mut vec![0; length]).unwrap();
            let body = format!(
                "{{\"access_token\":\"{token}\",\"token_type\":\"Bearer\",\"expires_in\":3600,\"scope\":\"smtp.send\"}}"
            );
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
            stream.get_mut().write_all(answer.as_bytes()).unwrap();
        }
    });
    port
}

#[test]
fn a_token_is_shown_by_its_scope_and_end_and_never_itself() {
    const TOKEN: &str = "an-access-token-that-nobody-is-to-see";
    let known = Tokens::default();
    let options = Options {
        tokens: Some(known.clone()),
        profile: Profile::Microsoft365,
        ..Options::default()
    };
    let clinic = Clinic::new(options);
    let by_oauth2 = |port: u16, flow: &str| {
        let tables = format!(
            "[t.oauth2]\ntenant = \"contoso.com\"\nclient_id = \"app\"\nflow = \"{flow}\"\n\
             authority = \"http://127.0.0.1:{port}\"\n{}",
            if flow == "client-credentials" {
                "[t.client_secret]\nenv = \"TEST_PASSWORD\""
            } else {
                ""
            }
        );
        clinic.account("auth = \"oauth2\"", &tables);
    };
    let port = token_endpoint(TOKEN);
    by_oauth2(port, "client-credentials");
    known.accept(&TOKEN.to_owned().into());
    let ended = clinic.doctor(&["--json"]).exits(0);
    assert!(!ended.out.contains(TOKEN), "{}", ended.out);
    let stages = ended.json()["stages"].as_array().unwrap().clone();
    assert_eq!(
        (&stages[4]["name"], &stages[5]["name"]),
        (&"token".into(), &"sign-in".into())
    );
    assert_eq!(
        stages[4]["facts"]["scopes"],
        serde_json::json!(["smtp.send"])
    );
    assert!(stages[4]["facts"]["expires_at"].is_string());

    known.revoke_all();
    let ended = clinic.doctor(&["--json"]).exits(77);
    assert!(!ended.out.contains(TOKEN), "{}", ended.out);
    assert_eq!(
        failed(ended.json()["stages"].as_array().unwrap())["name"],
        "sign-in"
    );

    by_oauth2(port, "device-code");
    let stages = clinic.stages(77, &[]);
    assert_eq!(failed(&stages)["name"], "token");
    assert!(
        failed(&stages)["remedy"]
            .as_str()
            .unwrap()
            .contains("postroom login t")
    );
}

#[test]
fn ctrl_c_ends_it_with_130() {
    let clinic = Clinic::strict(vec![Fault {
        phase: Phase::Auth,
        when: When::Every(1),
        act: Act::Hang,
    }]);
    let mut child = clinic
        .home
        .command(&["doctor", "t"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut hanging = clinic.server.hanging();
    clinic
        .runtime
        .block_on(hanging.wait_for(|count| *count > 0))
        .unwrap();
    signal(&child, "INT");
    assert_eq!(child.wait().unwrap().code(), Some(130));
}
