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
    /// Instead of the answer to the final dot. With [`Act::Reply`] the message is refused; with any other
    /// act it has been taken by then, which the client can't know.
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
    /// From the first of these times to the second, both included.
    Between(u64, u64),
}

impl When {
    /// Whether it is the `nth` time.
    fn is(self, nth: u64) -> bool {
        match self {
            Self::Every(n) => nth.is_multiple_of(n),
            Self::Nth(n) => nth == n,
            Self::Between(first, last) => (first..=last).contains(&nth),
        }
    }

    /// Whether there is no such time: they are counted from 1.
    pub(super) fn is_never(self) -> bool {
        match self {
            Self::Every(n) | Self::Nth(n) => n == 0,
            Self::Between(first, last) => first == 0 || last < first,
        }
    }
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// The connection is dropped.
    Drop,
    /// Nothing is ever answered again on this connection.
    Hang,
    /// Bytes that are no reply come, as from something that is no mail server; then nothing more.
    Garbage,
    /// The reply is megabytes long; then nothing more comes.
    Huge(Flood),
    /// The reply breaks off in the middle of its line.
    HalfLine(Then),
    /// This code (400 to 599) and text are said and the command has no other effect. At
    /// [`Phase::Banner`], [`Phase::Body`] and [`Phase::Answered`] the connection is closed after it.
    Reply(u16, String),
}

/// How a reply comes to be megabytes long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flood {
    /// One line that does not end.
    Line,
    /// Line after line, each of which says that another one follows.
    Lines,
}

/// What comes after half a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// Nothing is ever said again on this connection.
    Hang,
    /// The connection is closed.
    Drop,
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

/// Counts how often each phase was reached, and how often each fault had its way.
#[derive(Debug)]
pub(super) struct Strikes {
    reached: [AtomicU64; PHASES],
    /// In the order of [`Faults::list`].
    struck: Vec<AtomicU64>,
}

impl Strikes {
    pub(super) fn new(faults: &Faults) -> Self {
        Self {
            reached: Default::default(),
            struck: faults.list.iter().map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// Counts that `phase` is reached, and says what goes wrong there this time.
    pub(super) fn reach<'a>(&self, phase: Phase, faults: &'a Faults) -> Option<&'a Act> {
        let nth = self.reached[phase as usize].fetch_add(1, Ordering::Relaxed) + 1;
        let now = |fault: &Fault| fault.phase == phase && fault.when.is(nth);
        let index = faults.list.iter().position(now)?;
        if let Some(struck) = self.struck.get(index) {
            struck.fetch_add(1, Ordering::Relaxed);
        }
        faults.list.get(index).map(|fault| &fault.act)
    }

    /// How often each fault had its way.
    pub(super) fn struck(&self) -> Vec<u64> {
        let count = |struck: &AtomicU64| struck.load(Ordering::Relaxed);
        self.struck.iter().map(count).collect()
    }
}
