//! Whether it pays to ask about the next envelope along with the content.
//!
//! A server may answer the content by itself, and hold the answers to what was asked along until the client's machine
//! has acknowledged that (RFC 896), which that puts off in the hope of something to send (RFC 1122 4.2.3.2): for 40 ms
//! or more, with every message. Postfix is one, wherever content and question do not fit its buffer. There nothing is
//! gained by asking along, since the answers are a round trip away in any case; asked by itself, it answers at once.

use std::time::Duration;

/// Answers for which is waited longer than that did not come with the verdict.
const LATE: Duration = Duration::from_millis(10);

/// So often in a row, and nothing is asked along any more.
const OFTEN: u32 = 2;

/// But once in so many messages: what was late may have been this machine.
const AGAIN: u32 = 64;

/// What a session has learned of its server.
#[derive(Debug, Default)]
pub(super) struct Asking {
    late: u32,
    spared: u32,
}

impl Asking {
    /// Whether to ask along with the content that goes out next.
    pub(super) fn pays(&mut self) -> bool {
        if self.late < OFTEN {
            return true;
        }
        self.spared = (self.spared + 1) % AGAIN;
        self.spared == 0
    }

    /// So long was waited for the answers, from when they were needed.
    pub(super) fn waited(&mut self, time: Duration) {
        self.late = if time > LATE { self.late + 1 } else { 0 };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_late_is_asked_for_seldom_until_it_comes_in_time() {
        let mut asking = Asking::default();
        asking.waited(LATE * 4);
        assert!(asking.pays(), "once is no rule");
        asking.waited(LATE / 4);
        asking.waited(LATE * 4);
        assert!(asking.pays(), "not in a row");
        asking.waited(LATE * 4);
        let asked = (0..AGAIN * 3).filter(|_| asking.pays()).count();
        assert_eq!(asked, 3);
        asking.waited(LATE / 4);
        assert!(asking.pays() && asking.pays());
    }
}
