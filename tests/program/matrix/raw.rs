//! Sockets that go wrong before any word of SMTP: TLS from the first byte is what the client expects of them.

use std::net::SocketAddr;
use std::time::Duration;

use postroom::clock::Clock;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;

/// A connection that is not made within this is not made.
const FULL: Duration = Duration::from_millis(300);

/// An address where something goes wrong, for as long as this lives.
#[derive(Debug)]
pub(super) struct Raw {
    pub(super) address: SocketAddr,
    _held: Held,
}

#[expect(
    dead_code,
    reason = "they are only kept, so that what they hold stays as it is"
)]
#[derive(Debug)]
enum Held {
    Bound(TcpSocket),
    Full(TcpListener, Vec<TcpStream>),
    Talking(Talk),
}

#[derive(Debug)]
struct Talk(JoinHandle<()>);

impl Drop for Talk {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Raw {
    pub(super) async fn new(act: &str) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = socket.local_addr().unwrap();
        let held = match act {
            // The port is taken, so that nobody else gets it, and nobody listens.
            "refuse" => Held::Bound(socket),
            "no answer" => fill(socket, address).await,
            _ => {
                let listener = socket.listen(16).unwrap();
                Held::Talking(Talk(tokio::spawn(talk(listener, act.to_owned()))))
            }
        };
        Self {
            address,
            _held: held,
        }
    }
}

/// With its queue full and nobody to accept, the system answers no further connection.
async fn fill(socket: TcpSocket, address: SocketAddr) -> Held {
    let listener = socket.listen(1).unwrap();
    let (clock, mut waiting) = (Clock::system(), Vec::new());
    while let Ok(Ok(stream)) = clock.within(FULL, TcpStream::connect(address)).await {
        waiting.push(stream);
    }
    Held::Full(listener, waiting)
}

async fn talk(listener: TcpListener, act: String) {
    let mut open = Vec::new();
    while let Ok((mut stream, _)) = listener.accept().await {
        // Whether the client reads all of it is its own affair.
        let _ = match act.as_str() {
            "close" => continue,
            "hang" => Ok(()),
            "garbage" => stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await,
            "flood" => {
                stream
                    .write_all(&b"250-more and more\r\n".repeat(400_000))
                    .await
            }
            // The head of a TLS record of 512 bytes, and two of them.
            "half" => stream.write_all(b"\x16\x03\x03\x02\x00\x02\x00").await,
            reply => stream.write_all(format!("{reply}\r\n").as_bytes()).await,
        };
        open.push(stream);
    }
}
