//! How soon something is on the wire.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Instant;

use super::home::{Home, Kind};

/// Seconds from the start of `send` to the first byte that a server gets of it.
pub(crate) fn first_byte(home: &Home, kind: Kind) -> f64 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    home.account(listener.local_addr().unwrap().port());
    let greeted = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_nodelay(true).unwrap();
        stream.write_all(b"220 here\r\n").unwrap();
        stream.read_exact(&mut [0]).unwrap();
        Instant::now()
    });
    let mut sending = home.postroom(kind, "send");
    sending.arg(home.folder(kind)).arg("--yes");
    let begin = Instant::now();
    let mut child = sending.spawn().unwrap();
    let came = greeted.join().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    came.duration_since(begin).as_secs_f64()
}
