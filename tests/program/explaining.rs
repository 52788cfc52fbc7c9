//! `postroom explain`: copied words, with nothing set up.

use std::io::Write as _;
use std::process::Stdio;

use crate::home::{Ended, Home};

const SWITCHED_OFF: &str = "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. \
    Visit https://aka.ms/smtp_auth_disabled for more information. [FR0P281CA0001.DEUP281.PROD.OUTLOOK.COM]";

fn explain_input(home: &Home, text: &[u8]) -> Ended {
    let mut command = home.command(&["explain", "-", "--json"]);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(text).unwrap();
    Ended::of(&child.wait_with_output().unwrap())
}

#[test]
fn a_reply_is_explained_with_who_can_do_what_and_whether_waiting_helps() {
    let home = Home::new();
    let said = home.run(&["explain", SWITCHED_OFF]).exits(0);
    for words in [
        "switched off for the whole organisation",
        "Your administrator: in Exchange Online PowerShell, `Set-CASMailbox -Identity MAILBOX",
        "up to an hour until the switch holds",
        "stops the account at the first such reply",
        "https://aka.ms/smtp_auth_disabled",
    ] {
        assert!(said.out.contains(words), "{words} in {}", said.out);
    }
    // Nothing was needed, and nothing is left behind.
    assert!(!home.path("state").exists() && !home.path("config").exists());
}

#[test]
fn scripts_get_an_object() {
    let home = Home::new();
    let json = home
        .run(&[
            "explain",
            "--json",
            "550",
            "5.1.90",
            "Your message can't be sent",
        ])
        .exits(0)
        .json();
    assert_eq!(json["known"], true);
    assert_eq!(
        (json["verdict"].as_str(), json["class"].as_str()),
        (Some("hold-account"), Some("quota"))
    );
    assert_eq!(json["remedies"][0]["who"], "nobody");
    assert!(
        json["remedies"][0]["what"]
            .as_str()
            .unwrap()
            .contains("No recipient")
    );
    assert!(json["waiting"].as_str().unwrap().starts_with("It helps"));
    assert!(json["source"].as_str().unwrap().starts_with("https://"));
    assert!(json["meaning"].as_str().unwrap().contains("24 hours"));
}

#[test]
fn a_whole_bounce_is_read_from_standard_input() {
    let home = Home::new();
    let bounce = b"Delivery has failed to these recipients or groups:\r\n\r\nAll staff\r\n\xff\xfe\r\n\
        Diagnostic information for administrators:\r\nRemote server returned '550 5.7.124 RESOLVER.RST.NotAuthorized; \r\n\
        not authorized'\r\n\r\nOriginal message headers:\r\nX-Spam: 250 no\r\n";
    let json = explain_input(&home, bounce).exits(0).json();
    assert_eq!(json["verdict"], "refuse-recipient");
    assert_eq!(json["remedies"][0]["who"], "recipient");
}

#[test]
fn sign_in_errors_and_codes_alone_are_explained() {
    let home = Home::new();
    for (text, words) in [
        ("AADSTS7000218", "Allow public client flows"),
        ("invalid_grant", "postroom login ACCOUNT"),
        ("5.7.139", "Entra sign-in log"),
        ("535", "password"),
        ("550", "RFC 5321"),
    ] {
        let said = home.run(&["explain", text]).exits(0);
        assert!(said.out.contains(words), "{text}: {}", said.out);
    }
}

#[test]
fn the_provider_decides_what_a_code_means() {
    let home = Home::new();
    let class = |provider: &str| {
        let json = home
            .run(&[
                "explain",
                "550 5.1.8 Access denied",
                "--json",
                "--provider",
                provider,
            ])
            .exits(0)
            .json();
        json["class"].as_str().unwrap().to_owned()
    };
    assert_eq!(class("microsoft365"), "blocked");
    assert_eq!(class("custom"), "sender");
    let said = home
        .run(&["explain", "550", "--provider", "gmial"])
        .exits(2);
    assert!(said.err.contains("gmail"), "{}", said.err);
}

#[test]
fn what_is_not_known_is_said_plainly() {
    let home = Home::new();
    let said = home.run(&["explain", "it does not work"]).exits(1);
    assert!(said.out.contains("Nothing that is known"), "{}", said.out);
    assert!(said.out.contains("Diagnostic-Code"), "{}", said.out);
    let json = home
        .run(&["explain", "--json", "it does not work"])
        .exits(1)
        .json();
    assert_eq!(
        (json["known"].as_bool(), json["meaning"].is_null()),
        (Some(false), true)
    );
    home.run(&["explain"]).exits(2);
}
