//! Laws of reading replies.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::super::Capabilities;
use super::super::replies::find;
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
    assert!(
        find("250 ".repeat(1000).as_bytes()).is_err(),
        "a line too long"
    );
    assert!(
        find("250-x\r\n".repeat(20_000).as_bytes()).is_err(),
        "a reply too long"
    );
}
