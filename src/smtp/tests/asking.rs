//! Asking about the next envelope along with the content.

use std::time::Duration;

use tokio::io::{AsyncWriteExt, DuplexStream, duplex};
use tokio::task::JoinHandle;

use super::super::*;
use super::server::*;
use crate::clock::Clock;
use crate::delivery::Phase;

/// A session whose first envelope is taken, with a server that answers its further commands in this order; a dot
/// is one of them, an empty answer hangs up.
async fn ready(
    extensions: &'static [&'static str],
    answers: &'static [&'static str],
) -> (Session, JoinHandle<Peer<DuplexStream>>) {
    let (near, far) = duplex(65_536);
    let server = tokio::spawn(async move {
        let mut peer = Peer::new(far);
        peer.hello(extensions).await;
        let first = ["250 ok", "250 ok", "354 go on"];
        let mut answers = first.iter().chain(answers);
        peer.serve(|_| (*answers.next().unwrap_or(&"")).to_owned())
            .await;
        // Whoever looks into what came keeps the near end no longer than that.
        let _gone = peer.stream.shutdown().await;
        peer
    });
    let (clock, deadlines) = (Clock::system(), Deadlines::default());
    let mut session = Session::over(&clock, near, "here.example", None, &deadlines)
        .await
        .unwrap();
    assert_eq!(session.offer(&envelope(1)).await.state, OfferState::Ready);
    (session, server)
}

#[tokio::test]
async fn the_next_envelope_goes_out_with_the_dot_and_each_gets_its_own_answer() {
    let answers = &[
        "250 2.0.0 first",
        "250 ok",
        "550 5.1.1 nobody",
        "250 ok",
        "354 go on",
        "250 2.0.0 second",
    ];
    let (mut session, server) = ready(&["PIPELINING"], answers).await;
    let handed = session.hand_over_and_ask(b"one\r\n", &envelope(2)).await;
    assert!(
        matches!(&handed, HandOver::Answered(reply) if reply.to_string().ends_with("first")),
        "{handed:?}"
    );
    assert!(session.has_asked() && session.is_usable());
    let offer = session.offer(&envelope(2)).await;
    assert_eq!(offer.state, OfferState::Ready);
    assert!(matches!(
        offer.recipients[0].verdict,
        RecipientVerdict::Refused(_)
    ));
    assert!(matches!(
        offer.recipients[1].verdict,
        RecipientVerdict::Accepted(_)
    ));
    assert!(!session.has_asked());
    let handed = session.hand_over(b"two\r\n").await;
    assert!(
        matches!(&handed, HandOver::Answered(reply) if reply.to_string().ends_with("second")),
        "{handed:?}"
    );
    session.quit().await;
    let peer = server.await.unwrap();
    assert_eq!(peer.contents, [b"one\r\n", b"two\r\n"]);
    let text = String::from_utf8(peer.raw).unwrap();
    assert!(text.contains("one\r\n.\r\nMAIL FROM:"), "{text}");
    // EHLO, the first envelope, its content with the second envelope, its content, QUIT.
    assert_eq!(peer.waits, 5, "{text}");
}

#[tokio::test]
async fn a_refused_content_does_not_cost_the_next_envelope() {
    let answers = &["554 5.2.0 no", "250 ok", "250 ok", "354 go on", "250 taken"];
    let (mut session, _server) = ready(&["PIPELINING"], answers).await;
    let handed = session.hand_over_and_ask(b"one\r\n", &envelope(1)).await;
    assert!(
        matches!(&handed, HandOver::Answered(reply) if reply.code == 554),
        "{handed:?}"
    );
    assert_eq!(session.offer(&envelope(1)).await.state, OfferState::Ready);
    let handed = session.hand_over(b"two\r\n").await;
    assert!(
        matches!(&handed, HandOver::Answered(reply) if reply.code == 250),
        "{handed:?}"
    );
}

#[tokio::test]
async fn without_an_answer_to_the_content_it_is_lost_and_the_next_was_never_begun() {
    let (mut session, _server) = ready(&["PIPELINING"], &[""]).await;
    let handed = session.hand_over_and_ask(b"one\r\n", &envelope(1)).await;
    assert!(matches!(handed, HandOver::Lost(_)), "{handed:?}");
    assert!(!session.is_usable());
    let offer = session.offer(&envelope(1)).await;
    assert!(matches!(offer.state, OfferState::Broken(..)), "{offer:?}");
}

#[tokio::test]
async fn a_server_that_closes_after_a_verdict_has_given_it() {
    for answers in [
        &["250 taken", ""][..],
        &["250 taken", "421 4.4.2 enough", ""],
    ] {
        let (mut session, _server) = ready(&["PIPELINING"], answers).await;
        let handed = session.hand_over_and_ask(b"one\r\n", &envelope(1)).await;
        assert!(
            matches!(&handed, HandOver::Answered(reply) if reply.code == 250),
            "{handed:?}"
        );
        let offer = session.offer(&envelope(1)).await;
        assert!(
            matches!(offer.state, OfferState::Broken(Phase::MailFrom, _)),
            "{answers:?}: {offer:?}"
        );
        assert!(!session.is_usable());
    }
}

#[tokio::test]
async fn nothing_is_asked_of_a_server_that_does_not_pipeline() {
    let answers = &["250 taken", "250 ok", "250 ok", "354 go on"];
    let (mut session, _server) = ready(&[], answers).await;
    let handed = session.hand_over_and_ask(b"one\r\n", &envelope(1)).await;
    assert!(
        matches!(&handed, HandOver::Answered(reply) if reply.code == 250),
        "{handed:?}"
    );
    assert!(!session.has_asked() && session.is_usable());
    assert_eq!(session.offer(&envelope(1)).await.state, OfferState::Ready);
}

/// As Postfix does where content and question do not fit its buffer, and TCP then waits for an acknowledgement.
#[tokio::test]
async fn a_server_whose_answers_come_late_is_not_asked_along_any_more() {
    let clock = Clock::driven("2026-11-30T09:00:00Z".parse().unwrap(), 1);
    let (near, far) = duplex(65_536);
    let theirs = clock.clone();
    let server = tokio::spawn(async move {
        let mut peer = Peer::new(far);
        peer.hello(&["PIPELINING"]).await;
        while let Some(line) = peer.line().await {
            match line.as_str() {
                "DATA" => {
                    peer.say("354 go on\r\n").await;
                    peer.content().await;
                    peer.say("250 2.0.0 taken\r\n").await;
                    let late = theirs.now() + Duration::from_millis(40);
                    theirs.sleep_until(late).await;
                }
                _ => peer.say("250 ok\r\n").await,
            }
        }
        peer
    });
    let driver = clock.clone();
    let driving = tokio::spawn(async move {
        loop {
            // Until all others have done what they can.
            for _ in 0..500 {
                tokio::task::yield_now().await;
            }
            driver.advance();
        }
    });
    let deadlines = Deadlines::default();
    let session = Session::over(&clock, near, "here.example", None, &deadlines).await;
    let mut session = session.unwrap();
    let mut asked = Vec::new();
    for _ in 0..6 {
        let offer = session.offer(&envelope(1)).await;
        assert_eq!(offer.state, OfferState::Ready);
        let handed = session.hand_over_and_ask(b"one\r\n", &envelope(1)).await;
        assert!(matches!(handed, HandOver::Answered(_)), "{handed:?}");
        asked.push(session.has_asked());
    }
    session.abandon();
    let peer = server.await.unwrap();
    driving.abort();
    assert_eq!(peer.contents.len(), 6);
    assert_eq!(asked, [true, true, false, false, false, false]);
}
