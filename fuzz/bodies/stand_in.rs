//! The stand-in server, and whoever talks to it.

use postroom::clock::Clock;
use postroom::sandbox::{Options, Sandbox, TlsMode};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};

const LARGEST: u64 = 4096;

/// A server of this thread's own.
struct Stand {
    sandbox: Sandbox,
    runtime: Runtime,
}

thread_local! {
    static STAND: Stand = {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let options = Options {
            tls: TlsMode::None,
            require_auth: false,
            max_message_size: Some(LARGEST),
            max_recipients_per_message: Some(5),
            ..Options::default()
        };
        let sandbox = runtime.block_on(Sandbox::start(options, Clock::system()));
        Stand { sandbox: sandbox.expect("loopback has a port"), runtime }
    };
}

/// Whatever is said to the server: each line of its answer is a reply, and it takes no more messages than there are
/// final dots, each with a recipient.
pub fn stand_in(data: &[u8]) {
    STAND.with(|Stand { sandbox, runtime }| {
        let before = sandbox.snapshot();
        let said = runtime.block_on(converse(sandbox, data));
        let after = sandbox.snapshot();
        let lines = data.split(|byte| *byte == b'\n');
        let dots = lines
            .filter(|line| matches!(line, [b'.'] | [b'.', b'\r']))
            .count() as u64;
        let taken = after.messages - before.messages;
        assert!(taken <= dots, "{taken} messages of {dots} dots");
        assert!(after.recipients - before.recipients >= taken);
        let said = String::from_utf8(said).expect("replies are text");
        for line in said.split_terminator("\r\n") {
            let code = line.get(..3).and_then(|code| code.parse::<u16>().ok());
            assert!(
                code.is_some_and(|code| (200..600).contains(&code)),
                "{line:?}"
            );
            assert!(
                matches!(line.as_bytes().get(3), Some(b' ' | b'-')),
                "{line:?}"
            );
        }
    });
}

async fn converse(sandbox: &Sandbox, data: &[u8]) -> Vec<u8> {
    let stream = TcpStream::connect(sandbox.address())
        .await
        .expect("it listens");
    let (mut output, mut input) = stream.into_split();
    let mut said = Vec::new();
    let _ = tokio::join!(
        async {
            // The server may have hung up before all was said.
            let _ = input.write_all(data).await;
            let _ = input.shutdown().await;
        },
        output.read_to_end(&mut said),
    );
    said
}
