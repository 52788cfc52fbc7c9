//! What a server says, as the program hears it.

use postroom::clock::Clock;
use postroom::smtp::{Credentials, Deadlines, Envelope, HandOver, OfferState, Secret, Session};
use secrecy::SecretString;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const PASSWORD: &str = "correct-horse-battery-staple";
const MARK: &[u8] = b"the-content-of-the-mail";

/// The server speaks the pieces of the input one after the other, whenever it has heard something. Whatever it says:
/// content goes out after a 354 only, a verdict is a verdict, and a sign-in that fails is told without the password.
pub fn replies(data: &[u8]) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let (near, far) = tokio::io::duplex(1 << 16);
        let (told, server) = tokio::join!(client(near), server(far, data));
        if let Err(told) = told {
            assert!(server.knew || !told.contains(PASSWORD), "{told}");
        }
        assert!(
            server.asked || !has(&server.heard, MARK),
            "content without a 354"
        );
    });
}

/// What is told of a sign-in that fails.
async fn client(near: tokio::io::DuplexStream) -> Result<(), String> {
    let credentials = Credentials {
        username: "comms@contoso.com".to_owned(),
        secret: Secret::Password(SecretString::from(PASSWORD)),
    };
    let deadlines = Deadlines::default();
    let clock = Clock::system();
    let session = Session::over(&clock, near, "here.example", Some(&credentials), &deadlines).await;
    let mut session = match session {
        Ok(session) => session,
        Err(error) => return Err(format!("{error} {error:?}")),
    };
    let content = [b"Subject: a\r\n\r\n".as_slice(), MARK, b"\r\n"].concat();
    let envelope = Envelope {
        from: "comms@contoso.com".to_owned(),
        recipients: ["a@x.test", "b@x.test"].map(str::to_owned).into(),
        size: content.len(),
        smtputf8: false,
    };
    let offer = session.offer(&envelope).await;
    assert_eq!(offer.recipients.len(), 2, "a verdict for each");
    if offer.state == OfferState::Ready {
        let handed = session.hand_over(&content).await;
        if let HandOver::Answered(reply) = &handed {
            assert!((200..300).contains(&reply.code) || (400..600).contains(&reply.code));
        }
    } else if session.is_usable() {
        let _ = session.reset().await;
    }
    session.quit().await;
    Ok(())
}

/// What became of a server.
#[derive(Default)]
struct Server {
    heard: Vec<u8>,
    /// Something that it said could be a 354.
    asked: bool,
    /// It said the password before it was told.
    knew: bool,
}

fn has(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|run| run == what)
}

async fn server(mut far: tokio::io::DuplexStream, data: &[u8]) -> Server {
    let mut server = Server::default();
    for piece in data.split(|byte| *byte == b'~') {
        server.asked |= has(piece, b"354");
        server.knew |= has(piece, PASSWORD.as_bytes()) && !has(&server.heard, b"AUTH");
        if far.write_all(piece).await.is_err() || !goes_on(&mut far, &mut server.heard).await {
            break;
        }
    }
    let _ = far.shutdown().await;
    let _ = far.read_to_end(&mut server.heard).await;
    server
}

/// Hears what the client says next, or sees that it waits for more; false when it has gone.
async fn goes_on(far: &mut tokio::io::DuplexStream, heard: &mut Vec<u8>) -> bool {
    // All goes on in one thread: a client that says nothing in so many turns waits.
    const TURNS: usize = 64;
    for _ in 0..TURNS {
        tokio::select! {
            biased;
            count = far.read_buf(heard) => return matches!(count, Ok(1..)),
            () = tokio::task::yield_now() => {}
        }
    }
    true
}
