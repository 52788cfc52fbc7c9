//! Laws of reading replies.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::super::Capabilities;
use super::super::replies::{Unreadable, Watch, find};
use crate::delivery::Reply;

proptest! {
    /// Bytes of any kind are read without a panic, and what is found lies within them.
    #[test]
    fn any_bytes_can_be_read(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(Some(found)) = find(&bytes) {
            prop_assert!(found.length <= bytes.len() && found.lines > 0);
        }
    }

    /// A reply is found as it was written, whole only when its last byte is there.
    #[test]
    fn a_reply_is_found_when_it_is_whole(
        code in 200_u16..600,
        lines in proptest::collection::vec("[ -~]{0,20}", 1..5),
        after in "[ -~\r\n]{0,20}",
    ) {
        let mut bytes = String::new();
        for (n, line) in lines.iter().enumerate() {
            let dash = if n + 1 < lines.len() { '-' } else { ' ' };
            write!(bytes, "{code}{dash}{line}\r\n").unwrap();
        }
        let whole = bytes.len();
        for cut in 0..whole {
            prop_assert_eq!(find(&bytes.as_bytes()[..cut]), Ok(None));
        }
        bytes += &after;
        let found = find(bytes.as_bytes()).unwrap().unwrap();
        prop_assert_eq!(found.reply, Reply::new(code, lines.join("\n")));
        prop_assert_eq!((found.length, found.lines), (whole, lines.len()));
    }

    /// Reading stops only where no reply will come of what was read.
    #[test]
    fn what_is_not_read_on_is_no_reply(
        pieces in proptest::collection::vec(
            prop_oneof![
                Just("250 ok\r\n".to_owned()),
                Just("250-and\r\n".to_owned()),
                Just("25".to_owned()),
                Just("\r\n".to_owned()),
                "[2-5][0-9]{2}[ -x]{0,4}(\r\n|\n|)",
                "[ -~\r\n]{0,5}",
            ],
            0..8,
        ),
    ) {
        let bytes = pieces.concat().into_bytes();
        let mut watch = Watch::default();
        let stop = bytes.iter().position(|byte| !watch.see(*byte));
        let mut rest = stop.map_or(&bytes[..], |at| &bytes[..=at]);
        let mut outcome = find(rest);
        while let Ok(Some(found)) = outcome {
            rest = &rest[found.length..];
            outcome = find(rest);
        }
        if stop.is_some() {
            prop_assert!(outcome.is_err(), "{:?}", String::from_utf8_lossy(rest));
        }
    }

    /// Whatever a server says to EHLO is read without a panic.
    #[test]
    fn any_hello_can_be_read(text in "(?s).{0,200}") {
        let _ = Capabilities::from_reply(&Reply::new(250, text));
    }
}

#[test]
fn what_is_no_reply_is_told_at_once() {
    for garbage in [
        "SSH-2.0\r\n",
        "HTTP",
        "199 x\r\n",
        "250x\r\n",
        "250 bare\n",
        "250-a\r\n251 b\r\n",
    ] {
        assert!(find(garbage.as_bytes()).is_err(), "{garbage:?}");
    }
    for endless in ["2".repeat(3), format!("250 {}", "x".repeat(1000))] {
        assert_eq!(find(endless.as_bytes()), Ok(None));
    }
    let a_line = format!("250 {}", "x".repeat(3_000));
    let lines = "250-x\r\n".repeat(501);
    let bytes = format!("250-{}\r\n", "x".repeat(2_000)).repeat(60);
    for endless in [a_line, lines, bytes] {
        let found = find(endless.as_bytes());
        assert!(matches!(found, Err(Unreadable::TooLong(_))), "{found:?}");
        let mut watch = Watch::default();
        assert!(endless.bytes().any(|byte| !watch.see(byte)));
    }
}
