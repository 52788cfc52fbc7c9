//! Content: byte for byte, and how it can end.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, DuplexStream, duplex};
use tokio::task::JoinHandle;

use super::super::*;
use super::server::*;
use crate::clock::Clock;
use crate::delivery::Phase;

/// A session whose envelope is taken, over a pipe that holds `room` bytes, and what the server does
/// with the content.
async fn ready<F, Fut, T>(room: usize, deadlines: Deadlines, script: F) -> (Session, JoinHandle<T>)
where
    F: FnOnce(Peer<DuplexStream>) -> Fut + Send + 'static,
    Fut: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    let (near, far) = duplex(room);
    let server = tokio::spawn(async move {
        let mut peer = Peer::new(far);
        peer.hello(&[]).await;
        for reply in ["250 ok\r\n", "250 ok\r\n", "354 go on\r\n"] {
            peer.line().await;
            peer.say(reply).await;
        }
        script(peer).await
    });
    let clock = Clock::system();
    let mut session = Session::over(&clock, near, "here.example", None, &deadlines)
        .await
        .unwrap();
    assert_eq!(session.offer(&envelope(1)).await.state, OfferState::Ready);
    (session, server)
}

async fn received(content: &[u8]) -> Vec<u8> {
    let (mut session, server) = ready(64, Deadlines::default(), |mut peer| async move {
        assert!(peer.content().await);
        peer.say("250 2.0.0 taken\r\n").await;
        peer.contents.remove(0)
    })
    .await;
    let answer = session.hand_over(content).await;
    assert!(matches!(answer, HandOver::Answered(_)), "{answer:?}");
    assert!(session.is_usable());
    server.await.unwrap()
}

#[tokio::test]
async fn content_arrives_byte_for_byte() {
    for content in [
        "\r\n",
        "plain\r\n",
        ".\r\n",
        "..\r\n.\r\n...\r\n",
        "a\r\n.b\r\n\r\n.\r\n\r\n",
        "ends with blank lines\r\n\r\n\r\n",
        "caf\u{e9}\r\n",
        "\r\r\n.x\r\n",
    ] {
        assert_eq!(received(content.as_bytes()).await, content.as_bytes());
    }
    assert_eq!(received(b"no line end").await, b"no line end\r\n");
    assert_eq!(received(b"").await, b"\r\n");
    let long = ".0123456789\r\n".repeat(20_000);
    assert_eq!(received(long.as_bytes()).await, long.as_bytes());
}

#[tokio::test]
async fn content_in_pieces_arrives_as_one() {
    let shared: Arc<[u8]> = b"QUJD\r\n".repeat(5_000).into();
    let pieces = [
        Piece::Text(b".head\r\n\r\n".as_slice()),
        Piece::Plain(Arc::clone(&shared)),
        Piece::Text(b".between\r\n"),
        Piece::Plain(shared),
    ];
    let mut whole = Vec::new();
    for (last, piece) in pieces.iter().enumerate() {
        whole.extend_from_slice(match piece {
            Piece::Text(text) => text,
            Piece::Plain(lines) => lines,
        });
        let (mut session, server) = ready(64, Deadlines::default(), |mut peer| async move {
            assert!(peer.content().await);
            peer.say("250 2.0.0 taken\r\n").await;
            peer.contents.remove(0)
        })
        .await;
        let content: Content<'_> = pieces[..=last].iter().cloned().collect();
        let answer = session.hand_over(content).await;
        assert!(matches!(answer, HandOver::Answered(_)), "{answer:?}");
        assert_eq!(server.await.unwrap(), whole);
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
    /// Whatever the lines hold, they come out as they went in.
    #[test]
    fn any_lines_arrive_as_they_were(lines in proptest::collection::vec("[.a\\n\u{e9}]{0,4}", 0..12)) {
        let content: String = lines.iter().flat_map(|line| [line, "\r\n"]).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let came = runtime.block_on(received(content.as_bytes()));
        let expected = if content.is_empty() { "\r\n" } else { &content };
        proptest::prop_assert_eq!(came, expected.as_bytes());
    }
}

#[tokio::test]
async fn a_refusal_after_the_dot_is_an_answer_and_the_session_goes_on() {
    let (mut session, _server) = ready(4096, Deadlines::default(), |mut peer| async move {
        peer.content().await;
        peer.say("554 5.2.0 over quota\r\n").await;
        peer.line().await;
        peer.say("250 reset\r\n").await;
    })
    .await;
    let answer = session.hand_over(b"x\r\n").await;
    assert!(
        matches!(&answer, HandOver::Answered(reply) if reply.code == 554),
        "{answer:?}"
    );
    assert!(session.is_usable());
    session.reset().await.unwrap();
}

#[tokio::test]
async fn a_421_after_the_dot_is_an_answer_that_ends_the_session() {
    let (mut session, _server) = ready(4096, Deadlines::default(), |mut peer| async move {
        peer.content().await;
        peer.say("421 4.3.2 shutting down\r\n").await;
    })
    .await;
    let answer = session.hand_over(b"x\r\n").await;
    assert!(
        matches!(&answer, HandOver::Answered(reply) if reply.code == 421),
        "{answer:?}"
    );
    assert!(!session.is_usable());
}

#[tokio::test]
async fn a_connection_cut_within_the_content_leaves_no_doubt() {
    let (mut session, _server) = ready(64, Deadlines::default(), |mut peer| async move {
        let mut some = [0; 100];
        peer.stream.read_exact(&mut some).await.unwrap();
    })
    .await;
    let answer = session.hand_over(&vec![b'x'; 100_000]).await;
    let HandOver::BrokenInBody(error) = answer else {
        panic!("{answer:?}")
    };
    assert_eq!(
        (error.phase, error.kind),
        (Phase::Body, SessionErrorKind::Closed)
    );
    assert!(!session.is_usable());
}

#[tokio::test]
async fn what_the_server_said_before_it_cut_the_content_is_kept() {
    let (mut session, _server) = ready(64, Deadlines::default(), |mut peer| async move {
        let mut some = [0; 100];
        peer.stream.read_exact(&mut some).await.unwrap();
        peer.say("552 5.3.4 too large\r\n").await;
    })
    .await;
    let answer = session.hand_over(&vec![b'x'; 100_000]).await;
    let HandOver::BrokenInBody(error) = answer else {
        panic!("{answer:?}")
    };
    assert_eq!(error.reply().map(|r| r.code), Some(552));
}

#[tokio::test]
async fn a_server_that_stops_reading_is_left_within_the_deadline_without_doubt() {
    let (mut session, _server) = ready(64, impatient(), |peer| async move {
        std::future::pending::<()>().await;
        drop(peer);
    })
    .await;
    let answer = session.hand_over(&vec![b'x'; 100_000]).await;
    let HandOver::BrokenInBody(error) = answer else {
        panic!("{answer:?}")
    };
    assert!(
        matches!(error.kind, SessionErrorKind::Timeout(_)),
        "{error}"
    );
}

#[tokio::test]
async fn without_an_answer_to_the_dot_the_message_is_in_doubt() {
    for (words, kind) in [
        (None, "no answer"),
        (Some(""), "closed"),
        (Some("nonsense\r\n"), "no sense"),
        (Some("354 what?\r\n"), "no sense"),
    ] {
        let (mut session, _server) = ready(4096, impatient(), move |mut peer| async move {
            peer.content().await;
            match words {
                Some(words) => peer.say(words).await,
                None => std::future::pending().await,
            }
        })
        .await;
        let answer = session.hand_over(b"x\r\n").await;
        let HandOver::Lost(error) = answer else {
            panic!("{answer:?}")
        };
        assert_eq!(error.phase, Phase::FinalDot);
        assert!(error.to_string().contains(kind), "{error}");
        assert!(!session.is_usable());
    }
}

#[tokio::test]
async fn an_abandoned_message_never_gets_its_dot() {
    let (mut session, server) = ready(4096, Deadlines::default(), |mut peer| async move {
        (peer.content().await, peer.raw)
    })
    .await;
    session.abandon();
    assert!(!session.is_usable());
    let again = session.hand_over(b"x\r\n").await;
    assert!(matches!(again, HandOver::BrokenInBody(_)), "{again:?}");
    let (whole, raw) = server.await.unwrap();
    assert!(!whole && raw.ends_with(b"DATA\r\n"));
}

#[tokio::test]
async fn while_content_is_due_no_command_is_written_into_it() {
    let (mut session, server) = ready(4096, Deadlines::default(), |mut peer| async move {
        (peer.content().await, peer.raw)
    })
    .await;
    assert!(session.reset().await.is_err());
    assert!(matches!(
        session.offer(&envelope(1)).await.state,
        OfferState::Broken(..)
    ));
    session.quit().await;
    let (_, raw) = server.await.unwrap();
    assert!(raw.ends_with(b"DATA\r\n"));
}
