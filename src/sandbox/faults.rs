//! What goes wrong on purpose, and when.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A point in the dialogue where something can go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Instead of the greeting.
    Banner,
    /// Instead of the answer to EHLO or HELO.
    Hello,
    /// Instead of the answer to STARTTLS.
    StartTls,
    /// Instead of the verdict on credentials.
    Auth,
    /// Instead of the answer to MAIL.
    Mail,
    /// Instead of the answer to RCPT.
    Rcpt,
    /// Instead of the 354.
    Data,
    /// After the 354, when the first of the content has arrived.
    Body,
    /// Instead of the answer to the final dot. With [`Act::Drop`] and [`Act::Hang`] the message has
    /// been taken by then, which the client can't know; with [`Act::Reply`] it is refused.
    Verdict,
    /// After the 250 for a message has gone out.
    Answered,
}

/// Which times a phase is reached, counted from 1 over all connections since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Every nth time.
    Every(u64),
    /// The nth time alone.
    Nth(u64),
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// The connection is dropped.
    Drop,
    /// Nothing is ever answered again on this connection.
    Hang,
    /// This code (400 to 599) and text are said and the command has no other effect. At
    /// [`Phase::Banner`], [`Phase::Body`] and [`Phase::Answered`] the connection is closed after it.
    Reply(u16, String),
}

/// One thing that goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub phase: Phase,
    /// Which times.
    pub when: When,
    /// What.
    pub act: Act,
}

/// What goes wrong on purpose; by default nothing. Where several faults meet, the first listed wins.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Faults {
    /// Real time waited before replies are sent: once for replies that go out together.
    pub reply_delay: Duration,
    /// Hangs up with a 421 after so many refusals in a session, as Postfix does after 20.
    pub max_errors: Option<u64>,
    /// Single faults.
    pub list: Vec<Fault>,
}

const PHASES: usize = Phase::Answered as usize + 1;

/// Counts how often each phase was reached.
#[derive(Debug, Default)]
pub(super) struct Strikes([AtomicU64; PHASES]);

impl Strikes {
    /// Counts that `phase` is reached, and says what goes wrong there this time.
    pub(super) fn reach<'a>(&self, phase: Phase, faults: &'a Faults) -> Option<&'a Act> {
        let nth = self.0[phase as usize].fetch_add(1, Ordering::Relaxed) + 1;
        let now = |fault: &&Fault| {
            fault.phase == phase
                && match fault.when {
                    When::Every(n) => nth.is_multiple_of(n),
                    When::Nth(n) => nth == n,
                }
        };
        faults.list.iter().find(now).map(|fault| &fault.act)
    }
}
