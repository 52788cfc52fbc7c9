//! What happens while a campaign is sent, for a progress bar, a log or `--json` alike.

use jiff::Timestamp;

use crate::delivery::{Class, Phase};
use crate::limits::{Closed, Reason, Rule};
use crate::store::Halt;

/// Something that happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// A former sender had ended in the middle: this many messages are newly in doubt.
    Recovered {
        /// Messages that are newly in doubt.
        in_doubt: u64,
    },
    /// A message was taken by the server.
    Sent {
        /// The account that it went by.
        account: String,
        /// Its place in the plan.
        number: u64,
        /// With its angle brackets.
        message_id: String,
        /// How many recipients of the list it was taken for.
        recipients: u64,
        /// The server's words.
        reply: String,
    },
    /// A recipient was refused for good.
    Refused {
        /// The data row of the list.
        row: u64,
        /// The address.
        address: String,
        /// The server's words.
        reply: String,
        /// What they mean.
        meaning: String,
    },
    /// A message, or some of its recipients, is to be tried again.
    Deferred {
        /// Its place in the plan.
        number: u64,
        /// How many recipients.
        recipients: u64,
        /// When it is tried again.
        until: Timestamp,
        /// The server's words, or what broke.
        reply: String,
        /// It is not to blame, and this uses up nothing of its back-off: the account is to wait, or it goes
        /// on in another message.
        blameless: bool,
    },
    /// An account pauses, because its server said so or puts off whatever it is offered.
    Paused {
        /// Its name.
        account: String,
        /// Until when.
        until: Timestamp,
        /// The server's words.
        because: String,
    },
    /// The final dot may have gone out and no verdict came.
    InDoubt {
        /// Its place in the plan.
        number: u64,
        /// With its angle brackets.
        message_id: String,
        /// How many recipients.
        recipients: u64,
        /// What broke.
        reply: String,
    },
    /// A connection could not be made or broke; it is tried again.
    Reconnecting {
        /// Whose.
        account: String,
        /// What broke.
        because: String,
        /// When it is tried again.
        until: Timestamp,
    },
    /// An account's trouble ended its part; the others take its share over.
    AccountStopped {
        /// Its name.
        account: String,
        /// Its trouble.
        trouble: Box<Trouble>,
    },
    /// One account of several can send nothing before `until`; the others may.
    AccountWaiting {
        /// Its name.
        account: String,
        /// When it may go on.
        until: Timestamp,
        /// What is waited for.
        why: Waiting,
    },
    /// It has ended, thus or by this error; the campaign is still held.
    Ended(Result<Ended, String>),
    /// Nothing can go before `until`.
    Waiting {
        /// When the next message may go.
        until: Timestamp,
        /// What is waited for.
        why: Waiting,
    },
}

/// What is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Waiting {
    /// The window of a rule.
    Rule(Rule),
    /// The campaign's calendar.
    Calendar(Closed),
    /// Deferred messages.
    Deferred,
    /// The provider asked for a pause, in these words.
    Provider(String),
    /// The server cannot be reached.
    Server(String),
    /// Another process of the same account.
    OtherSender,
}

impl From<Reason> for Waiting {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::Rule(rule) => Self::Rule(rule),
            Reason::Closed(closed) => Self::Calendar(closed),
            Reason::Deferred => Self::Deferred,
            Reason::Provider => Self::Provider(String::new()),
        }
    }
}

/// Why an account had to stop.
#[derive(Debug, Clone)]
pub struct Trouble {
    /// What it is about.
    pub class: Class,
    /// How far it came.
    pub phase: Phase,
    /// The server's words, or what broke.
    pub reply: String,
    /// What it means, in plain words.
    pub meaning: String,
    /// What to do, and who can do it.
    pub remedy: String,
    /// The server could not be reached, as opposed to: it answered.
    pub unreachable: bool,
    /// It is on this machine: what is kept here could not be read or written.
    pub local: bool,
}

/// How a send ended.
#[derive(Debug, Clone)]
pub enum Ended {
    /// Nothing is pending or deferred.
    Finished,
    /// It was asked to stop.
    Interrupted,
    /// A person asked, from wherever, that nothing more of the campaign goes.
    Halted(Halt),
    /// `max_messages` or `until` was reached.
    AsAsked,
    /// `canary` was reached.
    AtCanary {
        /// So many messages were handed over in this run, for `max_messages` of the next one.
        handed_over: u64,
    },
    /// It would have to wait, and was told not to.
    WouldWait(Timestamp, Waiting),
    /// The account's trouble ended it.
    Stopped(Box<Trouble>),
}
