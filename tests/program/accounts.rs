//! `login`, `logout` and `accounts`, and what accounts.toml may not say about signing in.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::Stdio;

use serde_json::Value;

use crate::home::{Ended, Home};
use crate::server::{Server, signal};

const SECRET: &str = "hunter2-hunter2-hunter2";

/// An account that would sign in at nobody: port 1 of this machine.
const NOBODY: &str = "[t]\nprovider = \"microsoft365\"\nusername = \"comms@contoso.com\"\nauth = \"oauth2\"\n\
                      [t.oauth2]\nauthority = \"http://127.0.0.1:1\"\nclient_id = \"1234\"\n";

fn accounts(home: &Home, text: &str) {
    home.write("config/postroom/accounts.toml", text);
}

fn with_input(home: &Home, args: &[&str], input: &str) -> Ended {
    let mut child = home
        .command(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // It may have ended without reading.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    Ended::of(&child.wait_with_output().unwrap())
}

#[test]
fn what_cannot_work_is_refused_with_the_key_and_the_fix() {
    let home = Home::new();
    home.campaign("t", 1, true);
    let secret = "[t.client_secret]\nenv = \"TEST_PASSWORD\"\n";
    for (text, key, fix) in [
        (
            NOBODY.replace("127.0.0.1:1", "login.example"),
            "t.oauth2.authority",
            "https://",
        ),
        (
            format!("{NOBODY}flow = \"device-code\"\n{secret}"),
            "t.client_secret",
            "client-credentials",
        ),
        (
            format!(
                "{NOBODY}flow = \"client-credentials\"\ntenant = \"x.example\"\n[t.client_secret]\nenv = \"A\"\ncommand = \"b\"\n"
            ),
            "t.client_secret",
            "env",
        ),
        (
            format!("{NOBODY}flow = \"client-credentials\"\ntenant = \"consumers\"\n{secret}"),
            "t.oauth2.tenant",
            "tenant",
        ),
        (
            NOBODY.replace("client_id", "# client_id"),
            "t.oauth2.client_id",
            "client_id",
        ),
        (
            NOBODY
                .replace("microsoft365", "custom")
                .replace("[t.oauth2]", "host = \"x.example\"\n[t.oauth2]"),
            "t.auth",
            "password",
        ),
    ] {
        accounts(&home, &text);
        for command in [["check", "news"], ["login", "t"]] {
            let ended = home.run(&command).exits(78);
            assert!(ended.err.contains(key), "{key}: {}", ended.err);
            let remedy = ended.err.split('→').nth(1).unwrap_or_default();
            assert!(remedy.contains(fix), "{key}: {}", ended.err);
        }
    }
    accounts(&home, &NOBODY.replace("comms@", "news@"));
    let outside = home.run(&["check", "news"]).exits(78);
    for word in [
        "message.from",
        "comms@contoso.com",
        "news@contoso.com",
        "Send As",
    ] {
        assert!(outside.err.contains(word), "{}", outside.err);
    }
}

#[test]
fn who_is_not_signed_in_is_told_to() {
    let home = Home::new();
    accounts(&home, NOBODY);
    home.campaign("t", 1, true);
    let ended = home.run(&["send", "news", "--yes"]).exits(77);
    assert!(
        ended.err.contains("run `postroom login t`"),
        "{}",
        ended.err
    );
    assert_eq!(home.status()["recipients"]["pending"], 1);
    let ended = home.run(&["login", "t"]).exits(69);
    assert!(ended.err.contains("127.0.0.1:1"), "{}", ended.err);
    let ended = home.run(&["login", "tt"]).exits(78);
    assert!(ended.err.contains("did you mean 't'"), "{}", ended.err);
    home.run(&["login", "sandbox"]).exits(78);
    home.run(&["login"]).exits(2);
    let mut command = home.command(&["accounts"]);
    let ended = Ended::of(&command.env("POSTROOM_TOKENS", "disk").output().unwrap()).exits(78);
    assert!(ended.err.contains("POSTROOM_TOKENS"), "{}", ended.err);
}

#[cfg(unix)]
#[test]
fn an_interrupted_sign_in_ends_at_once() {
    let home = Home::new();
    accounts(&home, NOBODY);
    let mut child = home
        .command(&["login", "t", "--flow", "browser", "--no-browser"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut said = String::new();
    // The address stands on a line of its own.
    while !said.contains("Waiting") {
        assert_ne!(out.read_line(&mut said).unwrap(), 0, "{said}");
    }
    let address = said
        .lines()
        .find_map(|line| line.strip_prefix("    http://"));
    assert!(address.unwrap().contains("code_challenge="), "{said}");
    assert!(said.contains("Sign in as comms@contoso.com"), "{said}");
    signal(&child, "INT");
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    Ended::of(&child.wait_with_output().unwrap()).exits(130);
}

#[test]
fn a_kept_password_signs_in_until_it_is_forgotten() {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    home.account(&server, "");
    home.campaign("t", 3, true);
    let refused = with_input(&home, &["login", "t"], SECRET).exits(78);
    assert!(refused.err.contains("TEST_PASSWORD"), "{}", refused.err);
    let file = home.path("config/postroom/accounts.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let text = text.replace("env = \"TEST_PASSWORD\"", "keyring = true");
    std::fs::write(&file, text).unwrap();
    let none = home.run(&["send", "news", "--yes"]).exits(77);
    assert!(none.err.contains("run `postroom login t`"), "{}", none.err);
    with_input(&home, &["login", "t"], "\n").exits(78);
    let kept = with_input(&home, &["login", "t"], &format!("{SECRET}\n")).exits(0);
    assert!(kept.out.contains("comms@contoso.com"), "{}", kept.out);
    let sent = home.run(&["send", "news", "--yes", "-v"]).exits(0);
    assert_eq!(server.copies().len(), 3);
    for ended in [&kept, &sent] {
        assert!(!ended.out.contains(SECRET) && !ended.err.contains(SECRET));
    }
    let forgotten = home.run(&["logout", "t", "--json"]).exits(0).json();
    assert_eq!(forgotten["forgotten"], serde_json::json!(["password"]));
    let again = home.run(&["logout", "t"]).exits(0);
    assert!(again.out.contains("nothing is kept"), "{}", again.out);
    home.run(&["logout", "nobody"]).exits(78);
    let left = std::fs::read_dir(home.path("state/postroom/secrets")).unwrap();
    for file in left {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        assert!(!text.contains(SECRET));
    }
}

#[test]
fn accounts_are_listed_with_what_is_left_of_their_quota() {
    let home = Home::new();
    let alone = home.run(&["accounts"]).exits(0);
    assert!(alone.out.contains("sandbox"), "{}", alone.out);
    assert!(alone.err.contains("accounts.toml"), "{}", alone.err);
    assert!(!home.path("state").exists(), "looking makes nothing");
    let server = Server::start(&home, &[]);
    let limits = "limits = [{ max = 100, per = \"24h\", unit = \"recipients\" }]\nreserve = { recipients = 10 }";
    home.account(&server, limits);
    let file = home.path("config/postroom/accounts.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    // One that cannot be used does not hide the others.
    let broken =
        "[broken]\nprovider = \"microsft\"\nusername = \"a@b.example\"\nauth = \"password\"\n";
    let signed_out = NOBODY.replace("[t", "[u");
    std::fs::write(&file, format!("{text}{broken}{signed_out}")).unwrap();
    home.campaign("t", 3, true);
    home.run(&["send", "news", "--yes"]).exits(0);
    let all = home.run(&["accounts", "--json"]).exits(0).json();
    let all = all["accounts"].as_array().unwrap();
    let named = |name: &str| -> &Value { all.iter().find(|one| one["name"] == name).unwrap() };
    assert_eq!(all[0]["name"], "sandbox");
    let limit = &named("t")["limits"][0];
    assert_eq!((&limit["used"], &limit["left"]), (&3.into(), &87.into()));
    assert_eq!(named("t")["signed_in"], Value::Null);
    assert!(
        named("broken")["trouble"]
            .as_str()
            .unwrap()
            .contains("microsft")
    );
    assert_eq!(named("u")["signed_in"], false);
    assert_eq!(named("u")["flow"], "device-code");
    let shown = home.run(&["accounts"]).exits(0).out;
    for words in [
        "87 left of 90 recipients per 24h",
        "postroom login u",
        "variable TEST_PASSWORD",
    ] {
        assert!(shown.contains(words), "{shown}");
    }
    assert!(!shown.contains(crate::home::PASSWORD));
}

/// A sign-in service that answers one request with this error.
fn refusing(error: &'static str, description: &'static str) -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            let line = line.to_lowercase();
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.trim().parse().unwrap();
            }
            if line.trim().is_empty() {
                break;
            }
        }
        reader.read_exact(&mut vec![0; length]).unwrap();
        let body = serde_json::json!({ "error": error, "error_description": description });
        let body = body.to_string();
        write!(
            stream,
            "HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
    });
    port
}

#[test]
fn microsofts_numbers_come_out_in_words() {
    let home = Home::new();
    for (error, description, meaning, remedy) in [
        (
            "invalid_client",
            "AADSTS7000215: Invalid client secret provided. Trace ID: 0a",
            "client secret is wrong",
            "copy the Value",
        ),
        (
            "unauthorized_client",
            "AADSTS700016: Application with identifier '1234' was not found.",
            "not known in this organisation",
            "client_id and tenant",
        ),
    ] {
        let port = refusing(error, description);
        let text = NOBODY.replace("127.0.0.1:1\"", &format!("127.0.0.1:{port}\""));
        let text = format!(
            "{text}flow = \"client-credentials\"\ntenant = \"x.example\"\n[t.client_secret]\nenv = \"TEST_PASSWORD\"\n"
        );
        accounts(&home, &text);
        let ended = home.run(&["login", "t"]).exits(77);
        for words in [description, meaning, remedy] {
            assert!(ended.err.contains(words), "{words}: {}", ended.err);
        }
        assert!(!ended.err.contains(crate::home::PASSWORD));
    }
    let text = format!(
        "{NOBODY}[v]\nprovider = \"microsoft365\"\nusername = \"a@b.example\"\nauth = \"password\"\n"
    );
    accounts(&home, &text);
    home.run(&["login", "v", "--flow", "browser"]).exits(2);
}

#[test]
fn a_sign_in_that_cannot_be_kept_is_a_failed_write_and_no_refusal() {
    let home = Home::new();
    home.campaign("t", 1, true);
    let server = "host = \"127.0.0.1\"\nport = 1\n[t.oauth2]";
    accounts(&home, &NOBODY.replace("[t.oauth2]", server));
    // A file is where the folder should be.
    home.write("state/postroom/secrets", "");
    for command in [
        &["send", "news", "--yes"][..],
        &["test", "news", "--to", "me@contoso.com"],
    ] {
        let ended = home.run(command).exits(74);
        assert!(ended.err.contains("kept"), "{}", ended.err);
    }
    assert_eq!(home.status()["recipients"]["pending"], 1);
}
