//! Whole dialogues, to the byte.

use super::super::*;
use super::server::*;
use crate::clock::Clock;

#[tokio::test]
async fn a_whole_dialogue_has_the_expected_bytes() {
    let (port, server) = serve_once(|mut peer| async move {
        peer.hello(&["SIZE 1000", "8BITMIME"]).await;
        peer.serve(agreeable).await;
        peer
    })
    .await;
    let clock = Clock::system();
    let mut session = Session::connect(&clock, &plain(port), None, &Deadlines::default())
        .await
        .unwrap();
    assert_eq!(session.capabilities().name, "there.example");
    assert_eq!(session.capabilities().size, Some(1000));
    let offer = session.offer(&envelope(2)).await;
    assert_eq!(offer.state, OfferState::Ready);
    let answer = session.hand_over(b"Subject: x\r\n\r\n.hi\r\n").await;
    let HandOver::Answered(reply) = answer else {
        panic!("{answer:?}")
    };
    assert_eq!((reply.code, reply.text.as_str()), (250, "2.0.0 taken"));
    assert!(session.is_usable());
    session.quit().await;
    let raw = String::from_utf8(server.await.unwrap().raw).unwrap();
    assert_eq!(
        raw,
        "EHLO here.example\r\nMAIL FROM:<me@here.example> SIZE=1234\r\n\
         RCPT TO:<r0@there.example>\r\nRCPT TO:<r1@there.example>\r\nDATA\r\n\
         Subject: x\r\n\r\n..hi\r\n.\r\nQUIT\r\n"
    );
}

#[tokio::test]
async fn over_starttls_the_capabilities_are_those_after_it_and_ehlo_is_said_twice() {
    let tls = certified("localhost", 4000);
    let (root, acceptor) = (tls.root_pem, tls.acceptor);
    let (port, server) = serve_once(|mut peer| async move {
        peer.hello(&["STARTTLS", "SIZE 1"]).await;
        assert_eq!(peer.line().await.as_deref(), Some("STARTTLS"));
        peer.say("220 go\r\n").await;
        let mut inside = Peer::new(acceptor.accept(peer.stream).await.unwrap());
        inside
            .answer_hello(&["AUTH LOGIN PLAIN XOAUTH2", "PIPELINING", "SMTPUTF8", "SIZE"])
            .await;
        inside
            .serve(|line| match line {
                "AUTH PLAIN AHRpbQBjb3JyZWN0IGhvcnNlIGJhdHRlcnk=" => "235 2.7.0 in".into(),
                other => agreeable(other),
            })
            .await;
        let mut outer = Peer::new(inside.stream.into_inner().0);
        outer.lines = inside.lines;
        outer
    })
    .await;
    let endpoint = Endpoint {
        extra_roots: roots_from_pem(root.as_bytes()).unwrap(),
        ..endpoint(port, Tls::StartTls)
    };
    let clock = Clock::system();
    let session = Session::connect(
        &clock,
        &endpoint,
        Some(&credentials()),
        &Deadlines::default(),
    )
    .await
    .unwrap();
    let found = session.capabilities();
    assert!(found.pipelining && found.smtp_utf8 && !found.start_tls);
    assert_eq!(found.size, Some(0));
    assert_eq!(found.mechanisms, ["LOGIN", "PLAIN", "XOAUTH2"]);
    session.quit().await;
    let lines = server.await.unwrap().lines;
    assert_eq!(lines[0], "EHLO here.example");
    assert!(
        lines[1].starts_with("AUTH PLAIN ") && lines[2] == "QUIT",
        "{lines:?}"
    );
}

#[tokio::test]
async fn over_implicit_tls_login_is_used_where_plain_is_not_offered() {
    let tls = certified("localhost", 4000);
    let (root, acceptor) = (tls.root, tls.acceptor);
    let (port, server) = serve_once(|peer| async move {
        let mut inside = Peer::new(acceptor.accept(peer.stream).await.unwrap());
        inside.hello(&["AUTH=LOGIN", "AUTH LOGIN XOAUTH2"]).await;
        for reply in ["334 VXNlcm5hbWU6\r\n", "334 UGFzc3dvcmQ6\r\n", "235 in\r\n"] {
            inside.line().await;
            inside.say(reply).await;
        }
        let mut outer = Peer::new(inside.stream.into_inner().0);
        outer.lines = inside.lines;
        outer
    })
    .await;
    let endpoint = Endpoint {
        extra_roots: vec![root],
        ..endpoint(port, Tls::Implicit)
    };
    let clock = Clock::system();
    Session::connect(
        &clock,
        &endpoint,
        Some(&credentials()),
        &Deadlines::default(),
    )
    .await
    .unwrap();
    let lines = server.await.unwrap().lines;
    assert_eq!(
        lines,
        [
            "EHLO here.example",
            "AUTH LOGIN",
            "dGlt",
            "Y29ycmVjdCBob3JzZSBiYXR0ZXJ5"
        ]
    );
}

#[tokio::test]
async fn a_hello_name_cannot_smuggle_in_a_command() {
    let (port, server) = serve_once(|mut peer| async move {
        peer.hello(&[]).await;
        peer
    })
    .await;
    let mut endpoint = plain(port);
    endpoint.hello_name = "x\r\nMAIL FROM:<a@b>".into();
    let clock = Clock::system();
    Session::connect(&clock, &endpoint, None, &Deadlines::default())
        .await
        .unwrap();
    assert_eq!(server.await.unwrap().lines, ["EHLO [127.0.0.1]"]);
}

#[tokio::test]
async fn replies_are_kept_line_by_line_and_beyond_ascii() {
    let (port, _server) = serve_once(|mut peer| async move {
        peer.hello(&[]).await;
        peer.line().await;
        peer.say("550-5.7.1 first  line\r\n550-5.7.1 caf\u{e9}\r\n550 5.7.1 last\r\n")
            .await;
        peer.line().await;
        // A code alone on its line is to be accepted (RFC 5321 4.2).
        peer.say("250\r\n").await;
        peer
    })
    .await;
    let clock = Clock::system();
    let mut session = Session::connect(&clock, &plain(port), None, &Deadlines::default())
        .await
        .unwrap();
    let offer = session.offer(&envelope(1)).await;
    let OfferState::Refused(crate::delivery::Phase::MailFrom, reply) = offer.state else {
        panic!("{offer:?}")
    };
    assert_eq!(reply.text, "5.7.1 first  line\n5.7.1 caf\u{e9}\n5.7.1 last");
    assert_eq!(offer.recipients[0].verdict, RecipientVerdict::Unanswered);
    assert!(session.is_usable(), "RSET was answered");
}
