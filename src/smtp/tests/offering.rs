//! Envelopes: pipelined and one by one, refused in part and as a whole.

use tokio::io::{DuplexStream, duplex};
use tokio::task::JoinHandle;

use super::super::*;
use super::server::*;
use crate::clock::Clock;
use crate::delivery::Phase;

/// A session over a pipe to a server that answers by `answer`.
async fn session_with(
    extensions: &'static [&'static str],
    answer: impl FnMut(&str) -> String + Send + 'static,
) -> (Session, JoinHandle<Peer<DuplexStream>>) {
    session_through(1 << 20, extensions, answer).await
}

/// The same, over a pipe that holds so many bytes each way.
async fn session_through(
    width: usize,
    extensions: &'static [&'static str],
    answer: impl FnMut(&str) -> String + Send + 'static,
) -> (Session, JoinHandle<Peer<DuplexStream>>) {
    let (near, far) = duplex(width);
    let server = tokio::spawn(async move {
        let mut peer = Peer::new(far);
        peer.hello(extensions).await;
        peer.serve(answer).await;
        peer
    });
    let clock = Clock::system();
    let session = Session::over(&clock, near, "here.example", None, &Deadlines::default())
        .await
        .unwrap();
    (session, server)
}

fn accepted(offer: &Offer) -> usize {
    let is = |r: &&RecipientReply| matches!(r.verdict, RecipientVerdict::Accepted(_));
    offer.recipients.iter().filter(is).count()
}

#[tokio::test]
async fn five_hundred_recipients_take_one_round_trip() {
    let (mut session, server) = session_with(&["PIPELINING"], agreeable).await;
    let offer = session.offer(&envelope(500)).await;
    assert_eq!(offer.state, OfferState::Ready);
    assert_eq!(accepted(&offer), 500);
    session.abandon();
    let peer = server.await.unwrap();
    // The first wait is for EHLO, the last two for content that never comes and the end.
    assert!(peer.waits <= 4, "{} waits", peer.waits);
    assert_eq!(peer.lines.len(), 1 + 1 + 500 + 1);
}

#[tokio::test]
async fn commands_and_their_replies_pass_each_other_however_little_the_line_holds() {
    for width in [70, 1000, 20_000] {
        let (mut session, server) = session_through(width, &["PIPELINING"], agreeable).await;
        for _ in 0..2 {
            let offer = session.offer(&envelope(500)).await;
            assert_eq!(offer.state, OfferState::Ready, "{width}");
            assert_eq!(accepted(&offer), 500);
            let handed_over = session.hand_over(b"Subject: x\r\n\r\nx\r\n").await;
            assert!(
                matches!(handed_over, HandOver::Answered(_)),
                "{handed_over:?}"
            );
        }
        session.abandon();
        assert_eq!(server.await.unwrap().contents.len(), 2);
    }
}

#[tokio::test]
async fn who_hangs_up_while_commands_go_out_has_answered_those_before() {
    let answer = |line: &str| match line {
        "RCPT TO:<r20@there.example>" => String::new(),
        other => agreeable(other),
    };
    let (mut session, server) = session_through(300, &["PIPELINING"], answer).await;
    // The pipe is closed when its end is dropped.
    tokio::spawn(async move { drop(server.await) });
    let offer = session.offer(&envelope(500)).await;
    assert!(matches!(offer.state, OfferState::Broken(..)), "{offer:?}");
    assert!(accepted(&offer) > 0);
    assert!(!session.is_usable());
}

#[tokio::test]
async fn who_answers_commands_that_have_not_gone_out_is_not_believed() {
    let (near, far) = duplex(300);
    let server = tokio::spawn(async move {
        let mut peer = Peer::new(far);
        peer.hello(&["PIPELINING"]).await;
        peer.line().await;
        let mut said = "250 ok\r\n".repeat(501);
        said.push_str("354 go on\r\n");
        peer.say(&said).await;
        peer
    });
    let clock = Clock::system();
    let deadlines = Deadlines::default();
    let session = Session::over(&clock, near, "here.example", None, &deadlines).await;
    let mut session = session.unwrap();
    session.offer(&envelope(500)).await;
    let handed_over = session.hand_over(b"Subject: x\r\n\r\nx\r\n").await;
    assert!(
        matches!(handed_over, HandOver::BrokenInBody(_)),
        "{handed_over:?}"
    );
    drop(session);
    assert!(server.await.unwrap().contents.is_empty());
}

#[tokio::test]
async fn answers_that_came_before_one_that_is_none_count() {
    for nonsense in ["\0", "250 no line end \n", &"250-more\r\n".repeat(600)] {
        let nonsense = nonsense.to_owned();
        let answer = move |line: &str| match line {
            "RCPT TO:<r2@there.example>" => nonsense.clone(),
            other => agreeable(other),
        };
        let (mut session, _server) = session_with(&["PIPELINING"], answer).await;
        let offer = session.offer(&envelope(4)).await;
        let OfferState::Broken(Phase::RcptTo, error) = &offer.state else {
            panic!("{offer:?}")
        };
        let is_told = matches!(
            error.kind,
            SessionErrorKind::Protocol(_) | SessionErrorKind::TooLong(_)
        );
        assert!(is_told, "{error}");
        assert_eq!(accepted(&offer), 2);
        assert_eq!(offer.recipients[2].verdict, RecipientVerdict::Unanswered);
    }
}

#[tokio::test]
async fn a_refused_recipient_costs_only_itself() {
    let answer = |line: &str| match line {
        "RCPT TO:<r250@there.example>" => "550 5.1.1 nobody".to_owned(),
        other => agreeable(other),
    };
    for extensions in [&["PIPELINING"][..], &[]] {
        let (mut session, server) = session_with(extensions, answer).await;
        let offer = session.offer(&envelope(500)).await;
        assert_eq!(offer.state, OfferState::Ready);
        assert_eq!(accepted(&offer), 499);
        let refused = &offer.recipients[250];
        assert_eq!(refused.index, 250);
        let RecipientVerdict::Refused(reply) = &refused.verdict else {
            panic!("{refused:?}")
        };
        assert_eq!(reply.to_string(), "550 5.1.1 nobody");
        assert!(matches!(
            session.hand_over(b"x\r\n").await,
            HandOver::Answered(_)
        ));
        let offer = session.offer(&envelope(1)).await;
        assert_eq!(
            offer.state,
            OfferState::Ready,
            "the same connection goes on"
        );
        session.abandon();
        assert_eq!(server.await.unwrap().contents, [b"x\r\n"]);
    }
}

#[tokio::test]
async fn a_421_among_the_recipients_keeps_the_verdicts_before_it() {
    for extensions in [&["PIPELINING"][..], &[]] {
        let mut closed = false;
        let (mut session, _server) = session_with(extensions, move |line| {
            if closed {
                return String::new();
            }
            closed = line.contains("r30@");
            match line {
                "RCPT TO:<r10@there.example>" => "550 5.1.1 nobody".into(),
                "RCPT TO:<r30@there.example>" => "421 4.7.0 too many errors".into(),
                other => agreeable(other),
            }
        })
        .await;
        let offer = session.offer(&envelope(60)).await;
        let OfferState::Broken(Phase::RcptTo, error) = &offer.state else {
            panic!("{offer:?}")
        };
        assert_eq!(error.reply().map(|r| r.code), Some(421));
        assert_eq!(accepted(&offer), 29);
        let verdict = |n: usize| &offer.recipients[n].verdict;
        assert!(matches!(verdict(10), RecipientVerdict::Refused(r) if r.code == 550));
        assert!(matches!(verdict(30), RecipientVerdict::Refused(r) if r.code == 421));
        assert!((31..60).all(|n| *verdict(n) == RecipientVerdict::Unanswered));
        assert!(!session.is_usable());
    }
}

#[tokio::test]
async fn when_all_are_refused_a_354_is_ended_by_a_dot_and_the_session_goes_on() {
    let answer = |line: &str| match line {
        other if other.starts_with("RCPT TO:<r") => "550 5.1.1 nobody".to_owned(),
        "." => "554 5.5.1 no valid recipients".to_owned(),
        other => agreeable(other),
    };
    let (mut session, server) = session_with(&["PIPELINING"], answer).await;
    let offer = session.offer(&envelope(3)).await;
    assert_eq!(offer.state, OfferState::NobodyAccepted);
    assert!(session.is_usable());
    let mut other = envelope(1);
    other.recipients = vec!["good@there.example".into()];
    assert_eq!(session.offer(&other).await.state, OfferState::Ready);
    session.abandon();
    assert_eq!(server.await.unwrap().contents, [b""]);
}

#[tokio::test]
async fn when_all_are_refused_one_by_one_no_data_is_said() {
    let answer = |line: &str| match line {
        other if other.starts_with("RCPT") => "450 4.2.1 later".to_owned(),
        other => agreeable(other),
    };
    let (mut session, server) = session_with(&[], answer).await;
    let offer = session.offer(&envelope(2)).await;
    assert_eq!(offer.state, OfferState::NobodyAccepted);
    session.quit().await;
    let lines = server.await.unwrap().lines;
    assert_eq!(lines[4..], ["RSET", "QUIT"]);
}

#[tokio::test]
async fn a_refused_sender_or_data_is_told_apart_and_the_session_goes_on() {
    for (at, phase) in [("MAIL", Phase::MailFrom), ("DATA", Phase::Data)] {
        let mut times = 0;
        let (mut session, _server) = session_with(&["PIPELINING"], move |line| {
            if line.starts_with(at) {
                times += 1;
            }
            match line {
                l if times == 1 && l.starts_with(at) => "550 5.7.60 not you".into(),
                l if times == 1 && at == "MAIL" && l != "RSET" => "503 5.5.1 no".into(),
                other => agreeable(other),
            }
        })
        .await;
        let offer = session.offer(&envelope(3)).await;
        let OfferState::Refused(came_to, reply) = &offer.state else {
            panic!("{offer:?}")
        };
        assert_eq!((*came_to, reply.code), (phase, 550));
        assert_eq!(accepted(&offer), if at == "MAIL" { 0 } else { 3 });
        assert_eq!(session.offer(&envelope(1)).await.state, OfferState::Ready);
    }
}

#[tokio::test]
async fn addresses_beyond_ascii_go_only_to_servers_that_take_them() {
    let mut mixed = envelope(1);
    mixed.recipients.push("j\u{f6}rg@there.example".into());

    let (mut session, server) = session_with(&["PIPELINING"], agreeable).await;
    let offer = session.offer(&mixed).await;
    assert_eq!(offer.state, OfferState::Ready);
    assert_eq!(accepted(&offer), 1);
    assert_eq!(
        offer.recipients[1].verdict,
        RecipientVerdict::NotOffered(NotOffered::NeedsSmtpUtf8)
    );
    session.abandon();
    let lines = server.await.unwrap().lines;
    assert_eq!(
        lines[1..3],
        ["MAIL FROM:<me@here.example>", "RCPT TO:<r0@there.example>"]
    );

    let (mut session, server) = session_with(&["SMTPUTF8", "8BITMIME"], agreeable).await;
    assert_eq!(accepted(&session.offer(&mixed).await), 2);
    session.abandon();
    let lines = server.await.unwrap().lines;
    assert_eq!(
        lines[1],
        "MAIL FROM:<me@here.example> BODY=8BITMIME SMTPUTF8"
    );
    assert_eq!(lines[3], "RCPT TO:<j\u{f6}rg@there.example>");
}

#[tokio::test]
async fn an_address_cannot_smuggle_in_a_command() {
    let (mut session, server) = session_with(&["PIPELINING"], agreeable).await;
    let mut bad = envelope(1);
    bad.recipients[0] = "a@b>\r\nRCPT TO:<c@d".into();
    let offer = session.offer(&bad).await;
    assert_eq!(offer.state, OfferState::NobodyAccepted);
    assert_eq!(
        offer.recipients[0].verdict,
        RecipientVerdict::NotOffered(NotOffered::Malformed)
    );
    bad.from = "a@b\nDATA".into();
    let offer = session.offer(&bad).await;
    assert_eq!(
        offer.state,
        OfferState::SenderNotOffered(NotOffered::Malformed)
    );
    session.quit().await;
    assert_eq!(server.await.unwrap().lines, ["EHLO here.example", "QUIT"]);
}

#[tokio::test]
async fn a_reply_that_nobody_asked_for_is_not_taken_for_the_next_verdict() {
    let (near, far) = duplex(1 << 16);
    let server = tokio::spawn(async move {
        let mut peer = Peer::new(far);
        peer.hello(&[]).await;
        peer.line().await;
        peer.say("250 ok\r\n250 once more\r\n").await;
        peer.line().await
    });
    let clock = Clock::system();
    let mut session = Session::over(&clock, near, "here", None, &Deadlines::default())
        .await
        .unwrap();
    let offer = session.offer(&envelope(1)).await;
    assert!(
        matches!(offer.state, OfferState::Broken(Phase::RcptTo, _)),
        "{offer:?}"
    );
    drop(session);
    assert_eq!(server.await.unwrap(), None, "nothing more was said");
}
