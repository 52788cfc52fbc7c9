use proptest::prelude::*;
use tokio::io::AsyncReadExt;
use tokio::sync::watch;

use super::*;
use crate::sandbox::books::Books;
use crate::sandbox::faults::{Faults, Strikes};
use crate::sandbox::quota::Quota;
use crate::sandbox::session::{Shared, serve};
use crate::sandbox::tls::Identity;

/// Runs a session over a pipe in memory, without any socket; what the server said.
async fn converse(input: &[u8], tls: TlsMode) -> (Vec<u8>, Arc<Shared>) {
    let options = Options {
        tls,
        max_message_size: Some(500),
        ..open()
    };
    let shared = Arc::new(Shared {
        books: Books::new(Quota::new(Vec::new(), false, Vec::new()), true),
        options,
        clock: Clock::system(),
        identity: Identity::make().unwrap(),
        store: None,
        strikes: Strikes::new(&Faults::default()),
        hanging: watch::Sender::new(0),
    });
    let (near, far) = tokio::io::duplex(64);
    let (_keep, stopping) = watch::channel(false);
    let server = tokio::spawn(serve(Box::new(far), Arc::clone(&shared), stopping));
    let (mut output, mut sink) = tokio::io::split(near);
    let mut said = Vec::new();
    tokio::join!(
        async {
            // The server may have hung up before all was said.
            let _ = sink.write_all(input).await;
            let _ = sink.shutdown().await;
        },
        async { output.read_to_end(&mut said).await.unwrap() },
    );
    // A panic in the session would come out here.
    server.await.unwrap();
    (said, shared)
}

fn fragment() -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(vec![
        "EHLO a\r\n",
        "MAIL FROM:<a@b.test>",
        " SIZE=9",
        "\r\n",
        "RCPT TO:<c@d.test>\r\n",
        "DATA\r\n",
        ".\r\n",
        "\n",
        "\r",
        ".",
        "AUTH LOGIN\r\n",
        "AUTH PLAIN ",
        "AGEAYg==\r\n",
        "*\r\n",
        "RSET\r\n",
        "STARTTLS\r\n",
        "BDAT 5\r\n",
        "HELP\r\n",
        "NOOP ",
        "\0",
        "\u{e9}",
    ]);
    prop_oneof![
        4 => known.prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..200),
    ]
}

/// The answer that agrees to STARTTLS.
const READY: &[u8] = b"220 2.0.0 SMTP";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn whatever_is_said_every_answer_is_a_reply(
        fragments in prop::collection::vec(fragment(), 0..40),
        starttls in any::<bool>(),
    ) {
        let tls = if starttls { TlsMode::StartTls } else { TlsMode::None };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (said, shared) = runtime.block_on(converse(&fragments.concat(), tls));
        // After a STARTTLS the handshake's alert is on the wire too.
        let handshake = said.windows(READY.len()).any(|run| run == READY);
        if !starttls || !handshake {
            let said = String::from_utf8(said).unwrap();
            for line in said.split_terminator("\r\n") {
                let code = line.get(..3).and_then(|code| code.parse::<u16>().ok());
                prop_assert!(code.is_some_and(|code| (200..600).contains(&code)), "{line:?}");
            }
        }
        let seen = shared.books.snapshot();
        prop_assert_eq!(seen.messages, seen.records.len() as u64);
        prop_assert!(seen.records.iter().all(|record| !record.recipients.is_empty()));
    }
}

#[tokio::test]
async fn a_session_needs_no_socket() {
    let input =
        b"EHLO a\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\nhi\r\n.\r\nQUIT\r\n";
    let (said, shared) = converse(input, TlsMode::None).await;
    assert!(said.ends_with(b"221 2.0.0 Service closing transmission channel\r\n"));
    assert_eq!(shared.books.snapshot().messages, 1);
}
