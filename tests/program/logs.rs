//! The log: what it tells, and what it never does.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::home::{Home, PASSWORD};
use crate::server::Server;

fn log(home: &Home) -> String {
    std::fs::read_to_string(home.path("postroom.log")).unwrap()
}

/// Nothing of a secret, in clear or in base64, wherever that was cut.
fn holds_nothing_of(log: &str, secret: &str) {
    let mut forms = vec![secret.to_owned()];
    for before in ["", "x", "xx"] {
        let encoded = STANDARD.encode(format!("{before}{secret}"));
        forms.push(encoded[4..encoded.len() - 4].to_owned());
    }
    for form in forms {
        assert!(!log.contains(&form), "{form}");
    }
}

#[test]
fn a_send_is_told_without_password_and_without_people() {
    let home = Home::new();
    let server = Server::start(&home, &["--refuse", "p2@*"]);
    home.account(&server, "");
    home.campaign("t", 5, true);
    home.run(&["send", "news", "--yes", "--log", "postroom.log"])
        .exits(1);
    let quiet = log(&home);
    for told in [
        "send",
        "store opened",
        "connected",
        "encrypted",
        "signed in",
        "mail-from",
        "final-dot",
        "sent",
        "refused",
        "550",
        "5.1.10",
        "exit=1",
    ] {
        assert!(quiet.contains(told), "{told}: {quiet}");
    }
    assert!(!quiet.contains('@'), "{quiet}");
    assert!(!quiet.contains("this is the news"), "{quiet}");
    holds_nothing_of(&quiet, PASSWORD);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(home.path("postroom.log"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    // It goes on where it ended, and says more when asked.
    home.run(&["report", "news", "--log", "postroom.log", "-v"])
        .exits(0);
    let both = log(&home);
    assert!(both.starts_with(&quiet) && both.len() > quiet.len());
}

#[test]
fn even_the_fullest_log_has_no_password_and_no_mail() {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    home.account(&server, "");
    home.campaign("t", 3, true);
    let mut command = home.command(&["send", "news", "--yes", "--log", "postroom.log"]);
    let status = command
        .env("POSTROOM_LOG", "trace")
        .output()
        .unwrap()
        .status;
    assert!(status.success());
    let log = log(&home);
    assert!(
        log.contains("DEBUG") && log.contains("p1@contoso.com"),
        "{log}"
    );
    holds_nothing_of(&log, PASSWORD);
    assert!(!log.contains("this is the news"), "{log}");
    let mut command = home.command(&["status", "news", "--log", "other.log"]);
    let output = command.env("POSTROOM_LOG", "loud").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}

/// A sign-in service that gives everybody this token.
fn gives(token: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut length = 0;
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                if line.trim().is_empty() {
                    break;
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let json = format!(
                "{{\"token_type\":\"Bearer\",\"access_token\":\"{token}\",\"expires_in\":3600}}"
            );
            write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{json}",
                json.len()
            )
            .unwrap();
        }
    });
    port
}

#[test]
fn no_token_and_no_client_secret_is_told() {
    const TOKEN: &str = "eyJ0b2tlbiI6InRoZSBhY2Nlc3MgdG9rZW4gb2YgYSB0ZXN0In0";
    const SECRET: &str = "the~client~secret~of~a~test";
    let home = Home::new();
    let server = Server::start(&home, &["--provider", "microsoft365"]);
    let port = gives(TOKEN);
    home.write(
        "config/postroom/accounts.toml",
        format!(
            "[t]\nprovider = \"microsoft365\"\nhost = \"127.0.0.1\"\nport = {}\nusername = \"comms@contoso.com\"\n\
             auth = \"oauth2\"\nca_file = \"{}\"\n[t.oauth2]\ntenant = \"contoso.onmicrosoft.com\"\nclient_id = \"1234\"\n\
             flow = \"client-credentials\"\nauthority = \"http://127.0.0.1:{port}\"\n[t.client_secret]\nenv = \"TEST_SECRET\"\n",
            server.port(),
            server.certificate().display(),
        ),
    );
    home.campaign("t", 3, true);
    let mut command = home.command(&["send", "news", "--yes", "--log", "postroom.log"]);
    command
        .env("TEST_SECRET", SECRET)
        .env("POSTROOM_LOG", "trace");
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(server.copies().len(), 3);
    let log = log(&home);
    assert!(
        log.contains("access token there") && log.contains("signed in"),
        "{log}"
    );
    holds_nothing_of(&log, TOKEN);
    holds_nothing_of(&log, SECRET);
}
