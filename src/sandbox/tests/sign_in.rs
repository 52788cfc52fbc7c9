use super::*;
use crate::clock::Timestamp;
use crate::sandbox::{Profile, SignIn, Tokens};
use base64::prelude::{BASE64_STANDARD, Engine};
use secrecy::SecretString;

fn b64(text: &str) -> String {
    BASE64_STANDARD.encode(text)
}

fn only_jo(profile: Profile) -> Options {
    let sign_in = SignIn {
        username: "Jo@x.test".to_owned(),
        password: SecretString::from("secret"),
    };
    Options {
        tls: TlsMode::None,
        sign_in: Some(sign_in),
        profile,
        ..Options::default()
    }
}

#[tokio::test]
async fn nothing_is_sent_without_tls_and_a_sign_in() {
    let sandbox = start(Options::default()).await;
    let mut client = Client::greeted(&sandbox).await;
    assert!(
        client
            .ask("MAIL FROM:<a@x.test>")
            .await
            .starts_with("530 5.7.0")
    );
    assert!(client.ask("AUTH LOGIN").await.starts_with("530 5.7.0"));
    let mut client = Client::secure(&sandbox).await;
    client.ask("EHLO here").await;
    assert!(
        client
            .ask("MAIL FROM:<a@x.test>")
            .await
            .starts_with("530 5.7.57")
    );
    let plain = b64("\0anybody\0anything");
    assert!(
        client
            .ask(&format!("AUTH PLAIN {plain}"))
            .await
            .starts_with("235 2.7.0")
    );
    assert!(client.offer(&["a@x.test"], "hi").await.starts_with("250"));
}

#[tokio::test]
async fn each_mechanism_works_in_each_form() {
    let user = b64("jo@X.test");
    let plain = b64("\0jo@x.test\0secret");
    let oauth = b64("user=jo@x.test\x01auth=Bearer secret\x01\x01");
    let sandbox = start(only_jo(Profile::Generic)).await;
    for (opening, answers) in [
        ("AUTH LOGIN".to_owned(), vec![user.clone(), b64("secret")]),
        (format!("AUTH login {user}"), vec![b64("secret")]),
        ("AUTH PLAIN".to_owned(), vec![plain.clone()]),
        (format!("AUTH PLAIN {plain}"), vec![]),
        ("AUTH XOAUTH2".to_owned(), vec![oauth.clone()]),
        (format!("AUTH XOAUTH2 {oauth}"), vec![]),
    ] {
        let mut client = Client::greeted(&sandbox).await;
        let mut reply = client.ask(&opening).await;
        for answer in answers {
            assert!(reply.starts_with("334 "), "{opening}: {reply}");
            reply = client.ask(&answer).await;
        }
        assert_eq!(reply, "235 2.7.0 Authentication successful", "{opening}");
        assert!(client.ask(&opening).await.starts_with("503"));
    }
}

#[tokio::test]
async fn wrong_credentials_are_refused_in_the_providers_way() {
    let oauth = format!(
        "AUTH XOAUTH2 {}",
        b64("user=jo@x.test\x01auth=Bearer old\x01\x01")
    );
    let refused = "535 5.7.3 Authentication unsuccessful [sandbox.postroom.invalid]";

    let sandbox = start(only_jo(Profile::Microsoft365)).await;
    let mut client = Client::greeted(&sandbox).await;
    assert_eq!(client.ask(&oauth).await, refused);
    assert!(
        client
            .ask("AUTH PLAIN AGEAYg==")
            .await
            .starts_with("504 5.7.4")
    );
    assert_eq!(
        client
            .ask(&format!("AUTH LOGIN {}", b64("jo@x.test")))
            .await,
        "334 UGFzc3dvcmQ6"
    );
    assert_eq!(client.ask(&b64("wrong")).await, refused);
    assert!(
        client
            .ask("MAIL FROM:<jo@x.test>")
            .await
            .starts_with("530 5.7.57")
    );

    let sandbox = start(only_jo(Profile::Generic)).await;
    let mut client = Client::greeted(&sandbox).await;
    let challenge = client.ask(&oauth).await;
    let json = BASE64_STANDARD
        .decode(challenge.strip_prefix("334 ").unwrap())
        .unwrap();
    assert_eq!(
        serde_json::from_slice::<serde_json::Value>(&json).unwrap()["status"],
        "401"
    );
    assert_eq!(client.ask("").await, refused);
}

#[tokio::test]
async fn garbled_and_cancelled_sign_ins_leave_the_session_usable() {
    let sandbox = start(only_jo(Profile::Generic)).await;
    let mut client = Client::greeted(&sandbox).await;
    for line in [
        "AUTH PLAIN !!!",
        "AUTH PLAIN =",
        "AUTH XOAUTH2 AAAA",
        "AUTH",
    ] {
        assert!(client.ask(line).await.starts_with("501"), "{line}");
    }
    assert!(client.ask("AUTH LOGIN").await.starts_with("334"));
    assert!(client.ask("*").await.starts_with("501"));
    assert!(client.ask("AUTH CRAM-MD5").await.starts_with("504"));
    let long = "x".repeat(5000);
    let oauth = b64(&format!("user=jo@x.test\x01auth=Bearer {long}\x01\x01"));
    assert!(
        client
            .ask(&format!("AUTH XOAUTH2 {oauth}"))
            .await
            .starts_with("334")
    );
    assert!(client.ask("").await.starts_with("535"));
}

/// Signs in with a token, and sends a message if that is possible; the server's last words.
async fn send_with(sandbox: &Sandbox, token: &str) -> String {
    let oauth = b64(&format!("user=jo@x.test\x01auth=Bearer {token}\x01\x01"));
    let mut client = Client::greeted(sandbox).await;
    let reply = client.ask(&format!("AUTH XOAUTH2 {oauth}")).await;
    if !reply.starts_with("235") {
        return reply;
    }
    client.offer(&["a@x.test"], "hi").await
}

#[tokio::test]
async fn tokens_come_and_go_while_it_runs() {
    let start: Timestamp = "2026-12-01T08:00:00Z".parse().unwrap();
    let clock = Clock::simulated(start);
    let tokens = Tokens::default();
    let options = Options {
        tokens: Some(tokens.clone()),
        ..only_jo(Profile::Microsoft365)
    };
    let sandbox = Sandbox::start(options, clock.clone()).await.unwrap();
    let refused = "535 5.7.3 Authentication unsuccessful [sandbox.postroom.invalid]";
    // Its password is no token.
    assert_eq!(send_with(&sandbox, "secret").await, refused);

    tokens.accept(&"first".into());
    assert!(send_with(&sandbox, "first").await.starts_with("250"));
    tokens.revoke(&"first".into());
    assert_eq!(send_with(&sandbox, "first").await, refused);

    tokens.accept_for_messages(&"second".into(), 2);
    for _ in 0..2 {
        assert!(send_with(&sandbox, "second").await.starts_with("250"));
    }
    assert_eq!(send_with(&sandbox, "second").await, refused);

    let end = start + jiff::SignedDuration::from_hours(1);
    tokens.accept_until(&"third".into(), end);
    assert!(send_with(&sandbox, "third").await.starts_with("250"));
    clock.sleep_until(end).await;
    assert_eq!(send_with(&sandbox, "third").await, refused);

    tokens.accept(&"fourth".into());
    tokens.revoke_all();
    assert_eq!(send_with(&sandbox, "fourth").await, refused);
    let shown = format!("{tokens:?}");
    assert!(!shown.contains("third"), "{shown}");
}
