//! What a server says whose replies are none: bytes of something else, replies without end, halves.

use super::faults::{Flood, Phase};

/// As from a web server, and bytes that are no text in any encoding of mail.
pub(super) const GARBAGE: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n\x00\xff\xfe\x80";

/// How many bytes a reply without end has before it stops.
pub(super) const FLOOD: usize = 8 * 1024 * 1024;

/// The code that the reply would have had, were all well.
fn code(phase: Phase) -> u16 {
    match phase {
        Phase::Banner | Phase::StartTls => 220,
        Phase::Auth => 235,
        Phase::Data => 354,
        Phase::Hello
        | Phase::Mail
        | Phase::Rcpt
        | Phase::Body
        | Phase::Verdict
        | Phase::Answered => 250,
    }
}

/// The first half of a good reply's line.
pub(super) fn half(phase: Phase) -> Vec<u8> {
    format!("{} 2.0.0 This line has no e", code(phase)).into_bytes()
}

/// How a flood begins, and what it goes on with.
pub(super) fn flood(phase: Phase, flood: Flood) -> (Vec<u8>, Vec<u8>) {
    let code = code(phase);
    match flood {
        Flood::Line => (
            format!("{code} 2.0.0 This line does not end ").into_bytes(),
            b"and goes on ".repeat(1024),
        ),
        Flood::Lines => (
            Vec::new(),
            format!("{code}-2.0.0 Another line follows\r\n")
                .into_bytes()
                .repeat(512),
        ),
    }
}
