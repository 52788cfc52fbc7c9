//! Signing in, in every form that servers ask for and refuse it.

use base64::engine::general_purpose::STANDARD;
use base64::prelude::Engine as _;

use super::super::*;
use super::server::*;
use crate::clock::Clock;
use crate::delivery::Phase;

const TOKEN: &str = "EwBwA8l6BAAURSN/FHlDW5xN74t6GzbtsBBeBUYAAQ";

fn token(text: &str) -> Credentials {
    Credentials {
        username: "tim@here.example".into(),
        secret: Secret::Token(text.into()),
    }
}

fn response(text: &str) -> String {
    STANDARD.encode(format!(
        "user=tim@here.example\x01auth=Bearer {text}\x01\x01"
    ))
}

/// How a sign-in goes with a server that offers these mechanisms and says these things, and the lines that it
/// heard.
async fn sign_in(
    offered: &'static str,
    answers: &[&str],
    credentials: &Credentials,
) -> (Result<(), SessionError>, Vec<String>) {
    let answers: Vec<String> = answers.iter().map(|&answer| answer.to_owned()).collect();
    let (port, server) = serve_once(move |mut peer| async move {
        peer.hello(&[offered]).await;
        let mut answers = answers.into_iter();
        peer.serve(|line| match line {
            "QUIT" => "221 bye".to_owned(),
            _ => answers.next().unwrap_or_else(|| "500 not due".to_owned()),
        })
        .await;
        peer
    })
    .await;
    let deadlines = Deadlines::default();
    let session = Session::connect(
        &Clock::system(),
        &plain(port),
        Some(credentials),
        &deadlines,
    )
    .await;
    let outcome = match session {
        Ok(session) => {
            session.quit().await;
            Ok(())
        }
        Err(error) => Err(error),
    };
    let mut lines = server.await.unwrap().lines;
    assert_eq!(lines.remove(0), "EHLO here.example");
    lines.retain(|line| line != "QUIT");
    (outcome, lines)
}

#[tokio::test]
async fn a_token_goes_along_with_the_command_or_on_a_line_of_its_own() {
    let short = format!("AUTH XOAUTH2 {}", response(TOKEN));
    let (outcome, lines) = sign_in("AUTH LOGIN XOAUTH2", &["235 2.7.0 in"], &token(TOKEN)).await;
    assert_eq!((outcome, lines), (Ok(()), vec![short.clone()]));

    // An empty challenge asks for what was already there.
    let asks = ["334 ", "235 2.7.0 in"];
    let (outcome, lines) = sign_in("AUTH XOAUTH2", &asks, &token(TOKEN)).await;
    assert_eq!((outcome, lines), (Ok(()), vec![short, response(TOKEN)]));

    // As long as Microsoft's are: too long for a command (RFC 4954 4).
    let long = "x".repeat(2_000);
    let (outcome, lines) = sign_in("AUTH XOAUTH2", &asks, &token(&long)).await;
    assert_eq!(outcome, Ok(()));
    assert_eq!(lines, ["AUTH XOAUTH2".to_owned(), response(&long)]);
}

#[tokio::test]
async fn no_command_line_with_a_response_is_longer_than_512_octets() {
    for length in [300, 310, 320, 330, 340] {
        let asks: &[&str] = &["334 ", "235 in"];
        let text = "y".repeat(length);
        let (outcome, lines) = sign_in("AUTH XOAUTH2", asks, &token(&text)).await;
        assert_eq!(outcome, Ok(()));
        let command = lines.first().unwrap();
        assert!(command.len() + 2 <= 512, "{}", command.len());
    }
}

#[tokio::test]
async fn microsoft_refuses_a_token_at_once() {
    let refusal = "535 5.7.3 Authentication unsuccessful [BL1.example.com]";
    let (outcome, lines) = sign_in("AUTH LOGIN XOAUTH2", &[refusal], &token(TOKEN)).await;
    let error = outcome.unwrap_err();
    assert_eq!(error.phase, Phase::SignIn);
    assert_eq!(error.reply().unwrap().to_string(), refusal);
    assert_eq!(lines.len(), 1);
}

#[tokio::test]
async fn google_says_why_and_no_after_an_empty_line() {
    let why = STANDARD
        .encode(r#"{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}"#);
    let said = [
        &format!("334 {why}"),
        "535-5.7.8 Username and Password not accepted. For more information, go to\r\n535 5.7.8  example",
    ];
    let (outcome, lines) = sign_in("AUTH XOAUTH2", &said, &token(TOKEN)).await;
    let error = outcome.unwrap_err();
    assert_eq!(lines[1..], [String::new()], "an empty line in between");
    assert_eq!(error.reply().unwrap().code, 535);
    let shown = error.to_string();
    assert!(
        shown.contains("(status 400, scope https://mail.google.com/)"),
        "{shown}"
    );

    // The same where the token was asked for by itself.
    let asked = ["334 ", &format!("334 {why}"), "535 5.7.8 no"];
    let long = "x".repeat(2_000);
    let (outcome, lines) = sign_in("AUTH XOAUTH2", &asked, &token(&long)).await;
    assert!(outcome.unwrap_err().to_string().contains("status 400"));
    assert_eq!(lines[2], "");
}

#[tokio::test]
async fn an_explanation_that_is_none_is_shown_without_harm() {
    for (challenge, shown) in [
        ("not base64!".to_owned(), "(not base64!)"),
        (
            STANDARD.encode("plain\r\nwords \x1b[31m"),
            "(plain  words  [31m)",
        ),
        (STANDARD.encode(r#"{"status":401}"#), "(status 401)"),
        (STANDARD.encode("[1]"), "([1])"),
    ] {
        let said = [&format!("334 {challenge}"), "535 no"];
        let (outcome, _) = sign_in("AUTH XOAUTH2", &said, &token(TOKEN)).await;
        let error = outcome.unwrap_err().to_string();
        assert!(error.ends_with(shown), "{error}");
    }
    let endless = ["334 eA=="; 9];
    let (outcome, lines) = sign_in("AUTH XOAUTH2", &endless, &token(TOKEN)).await;
    assert!(matches!(
        outcome.unwrap_err().kind,
        SessionErrorKind::Protocol(_)
    ));
    assert_eq!(lines.len(), 4);
}

#[tokio::test]
async fn the_strongest_way_that_is_offered_is_taken() {
    let plain = "AUTH PLAIN AHRpbQBjb3JyZWN0IGhvcnNlIGJhdHRlcnk=";
    let (outcome, lines) = sign_in("AUTH LOGIN PLAIN XOAUTH2", &["235 in"], &credentials()).await;
    assert_eq!((outcome, lines), (Ok(()), vec![plain.to_owned()]));

    // Announced, but not for this one: LOGIN then.
    let said = [
        "504 5.7.4 Unrecognized authentication type",
        "334 VXNlcm5hbWU6",
        "334 UGFzc3dvcmQ6",
        "235 in",
    ];
    let (outcome, lines) = sign_in("AUTH PLAIN LOGIN", &said, &credentials()).await;
    assert_eq!(outcome, Ok(()));
    assert_eq!(
        lines,
        [plain, "AUTH LOGIN", "dGlt", "Y29ycmVjdCBob3JzZSBiYXR0ZXJ5"]
    );

    let (outcome, lines) = sign_in("AUTH PLAIN", &said[..1], &credentials()).await;
    assert_eq!(outcome.unwrap_err().reply().unwrap().code, 504);
    assert_eq!(lines.len(), 1);

    // A wrong password is not tried in two ways.
    let (_, lines) = sign_in("AUTH PLAIN LOGIN", &["535 5.7.8 no"], &credentials()).await;
    assert_eq!(lines.len(), 1);
}

#[tokio::test]
async fn what_the_server_does_not_offer_is_not_tried() {
    let (outcome, lines) = sign_in("AUTH LOGIN PLAIN", &[], &token(TOKEN)).await;
    let shown = outcome.unwrap_err().to_string();
    assert!(
        shown.contains("an access token (XOAUTH2); it offers: LOGIN, PLAIN"),
        "{shown}"
    );
    assert!(lines.is_empty());
}

#[tokio::test]
async fn no_piece_of_a_token_is_in_an_error() {
    let base64 = response(TOKEN);
    for quoted in [
        format!("535 5.5.2 unknown token {TOKEN}"),
        format!("535 5.5.2 cannot read {}", &TOKEN[..20]),
        format!("535 5.5.2 cannot read AUTH XOAUTH2 {}...", &base64[40..70]),
        format!(
            "334 {}\r\n535 no {}",
            STANDARD.encode(format!("bad {TOKEN}")),
            &base64[50..]
        ),
        format!("333 what is {TOKEN} {base64}"),
    ] {
        let said: Vec<&str> = quoted.split("\r\n").collect();
        let (outcome, _) = sign_in("AUTH XOAUTH2", &said, &token(TOKEN)).await;
        let error = outcome.unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(shown.contains("[hidden]"), "{shown}");
        for secret in [TOKEN, &base64[40..], &STANDARD.encode(TOKEN)] {
            for at in 0..secret.len() - 12 {
                assert!(!shown.contains(&secret[at..at + 12]), "{shown}");
            }
        }
    }
    let shown = format!("{:?}", token(TOKEN));
    assert!(!shown.contains(TOKEN), "{shown}");
}
