//! Servers that are silent, babble, hang up or refuse, at each phase.

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::super::*;
use super::server::*;
use crate::clock::Clock;
use crate::delivery::Phase;

/// What a server does instead of the last of its answers.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Silence,
    Garbage,
    /// Without a line end, and then silence.
    Binary,
    LongLine,
    ManyLines,
    HalfAndSilence,
    HalfAndHangUp,
    HangUp,
    Refusal,
}

/// Says more than any client would read; ends when this one has had enough.
async fn flood(peer: &mut Peer<TcpStream>, start: &str, more: &str) {
    let mut said = peer.stream.write_all(start.as_bytes()).await;
    while said.is_ok() {
        said = peer.stream.write_all(more.as_bytes()).await;
    }
}

/// A server that gives `good` answers and then fails; gives how the session got on.
async fn fail_after(good: &'static [&'static str], fault: Fault) -> SessionError {
    fail_within(good, fault, impatient()).await
}

async fn fail_within(
    good: &'static [&'static str],
    fault: Fault,
    deadlines: Deadlines,
) -> SessionError {
    let (port, _server) = serve_once(move |mut peer| async move {
        for (n, answer) in good.iter().enumerate() {
            if n > 0 {
                peer.line().await;
            }
            peer.say(answer).await;
        }
        if !good.is_empty() {
            peer.line().await;
        }
        match fault {
            Fault::Silence => std::future::pending().await,
            Fault::Garbage => peer.say("HTTP/1.1 400 Bad Request\r\n").await,
            Fault::Binary => {
                peer.say("\u{0}\u{1}").await;
                std::future::pending::<()>().await;
            }
            Fault::LongLine => flood(&mut peer, "250 ", &"x".repeat(1000)).await,
            Fault::ManyLines => flood(&mut peer, "", "250-x\r\n").await,
            Fault::HalfAndSilence => {
                peer.say("250 2.0.0 O").await;
                std::future::pending::<()>().await;
            }
            Fault::HalfAndHangUp => peer.say("250 2.0.0 O").await,
            Fault::Refusal => peer.say("554 5.3.2 go away\r\n").await,
            Fault::HangUp => {}
        }
        let _ = peer.stream.shutdown().await;
        peer
    })
    .await;
    let clock = Clock::system();
    let signed_in = Some(credentials());
    let mut session =
        match Session::connect(&clock, &plain(port), signed_in.as_ref(), &deadlines).await {
            Ok(session) => session,
            Err(error) => return error,
        };
    match session.offer(&envelope(1)).await.state {
        OfferState::Broken(phase, error) => {
            assert_eq!(phase, error.phase);
            assert!(!session.is_usable());
            error
        }
        OfferState::Refused(phase, reply) => {
            SessionError::new(phase, SessionErrorKind::Refused(reply))
        }
        other => panic!("{other:?}"),
    }
}

const HELLO: &str = "250-there\r\n250 AUTH PLAIN\r\n";
const PHASES: [(&[&str], Phase); 6] = [
    (&[], Phase::Banner),
    (&["220 there\r\n"], Phase::Hello),
    (&["220 there\r\n", HELLO], Phase::SignIn),
    (&["220 there\r\n", HELLO, "235 in\r\n"], Phase::MailFrom),
    (
        &["220 there\r\n", HELLO, "235 in\r\n", "250 ok\r\n"],
        Phase::RcptTo,
    ),
    (
        &[
            "220 there\r\n",
            HELLO,
            "235 in\r\n",
            "250 ok\r\n",
            "250 ok\r\n",
        ],
        Phase::Data,
    ),
];

#[tokio::test]
async fn each_phase_has_a_deadline() {
    for (good, phase) in PHASES {
        let error = fail_after(good, Fault::Silence).await;
        assert_eq!(error.phase, phase);
        assert!(
            matches!(error.kind, SessionErrorKind::Timeout(_)),
            "{error}"
        );
    }
}

#[tokio::test]
async fn garbage_is_shown_as_it_came() {
    for (good, phase) in PHASES {
        let error = fail_after(good, Fault::Garbage).await;
        assert_eq!(error.phase, phase);
        assert!(error.to_string().contains("HTTP/1.1 400"), "{error}");
    }
}

#[tokio::test]
async fn what_cannot_become_a_reply_is_not_waited_for() {
    for (good, phase) in PHASES {
        for fault in [Fault::Binary, Fault::LongLine, Fault::ManyLines] {
            // With the deadlines of a real server: waiting would take minutes.
            let error = fail_within(good, fault, Deadlines::default()).await;
            assert_eq!(error.phase, phase);
            let fits = match fault {
                Fault::Binary => matches!(error.kind, SessionErrorKind::Protocol(_)),
                _ => matches!(error.kind, SessionErrorKind::TooLong(_)),
            };
            assert!(fits, "{fault:?}: {error}");
        }
    }
}

#[tokio::test]
async fn half_a_reply_is_none() {
    for (good, phase) in PHASES {
        let error = fail_after(good, Fault::HalfAndSilence).await;
        assert_eq!(error.phase, phase);
        assert!(
            matches!(&error.kind, SessionErrorKind::Stalled { heard, .. } if heard == "250 2.0.0 O"),
            "{error}"
        );
        let error = fail_after(good, Fault::HalfAndHangUp).await;
        let cut_off = SessionErrorKind::CutOff("250 2.0.0 O".to_owned());
        assert_eq!((error.phase, error.kind), (phase, cut_off));
    }
}

#[tokio::test]
async fn a_closed_connection_is_told_at_each_phase() {
    for (good, phase) in PHASES {
        let error = fail_after(good, Fault::HangUp).await;
        assert_eq!((error.phase, error.kind), (phase, SessionErrorKind::Closed));
    }
}

#[tokio::test]
async fn a_refusal_keeps_its_reply_at_each_phase() {
    for (good, phase) in PHASES {
        // A refused recipient is no failure of the session; the tests of offers have that.
        if phase == Phase::RcptTo {
            continue;
        }
        let error = fail_after(good, Fault::Refusal).await;
        assert_eq!(error.phase, phase);
        let reply = error.reply().map(ToString::to_string);
        assert_eq!(reply.as_deref(), Some("554 5.3.2 go away"));
    }
}

#[tokio::test]
async fn an_endless_line_ends_the_session() {
    let (port, _server) = serve_once(|mut peer| async move {
        let piece = "2".repeat(4096);
        while peer.stream.write_all(piece.as_bytes()).await.is_ok() {}
        peer
    })
    .await;
    let clock = Clock::system();
    let error = Session::connect(&clock, &plain(port), None, &Deadlines::default())
        .await
        .unwrap_err();
    assert!(
        matches!(error.kind, SessionErrorKind::Protocol(_)),
        "{error}"
    );
    assert!(error.to_string().len() < 400);
}

#[tokio::test]
async fn a_closed_port_and_an_unknown_name_are_told_apart() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let clock = Clock::system();
    let error = Session::connect(&clock, &plain(port), None, &Deadlines::default())
        .await
        .unwrap_err();
    assert_eq!(error.phase, Phase::Connect);
    assert!(error.to_string().contains("connection refused"), "{error}");

    let mut nowhere = plain(port);
    nowhere.host = "no such host".into();
    let error = Session::connect(&clock, &nowhere, None, &Deadlines::default())
        .await
        .unwrap_err();
    assert!(
        matches!(error.kind, SessionErrorKind::Resolve { .. }),
        "{error}"
    );
}

#[tokio::test]
async fn a_server_that_went_away_while_idle_is_noticed_with_its_last_words() {
    let (port, server) = serve_once(|mut peer| async move {
        peer.hello(&[]).await;
        peer.say("421 4.4.2 idle too long\r\n").await;
        peer
    })
    .await;
    let clock = Clock::system();
    let mut session = Session::connect(&clock, &plain(port), None, &Deadlines::default())
        .await
        .unwrap();
    drop(server.await.unwrap());
    let offer = session.offer(&envelope(1)).await;
    let OfferState::Broken(Phase::MailFrom, error) = &offer.state else {
        panic!("{offer:?}")
    };
    assert_eq!(error.reply().map(|r| r.code), Some(421));
    assert_eq!(offer.recipients[0].verdict, RecipientVerdict::Unanswered);
}
