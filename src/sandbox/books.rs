//! What the server has seen so far, and who sends at this moment.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::quota::{Broken, Quota};
use crate::clock::{Clock, Timestamp};
use crate::limits::Weight;

/// A limit that a client went over, whether it was let through or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// The limit in words, such as `30 messages per 1m`.
    pub limit: String,
    /// When, by the server's clock.
    pub at: Timestamp,
    /// Who did it and how far it went.
    pub detail: String,
}

/// A message that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// When its final dot was taken.
    pub at: Timestamp,
    /// The signed-in user in lower case; empty without a sign-in.
    pub user: String,
    /// The reverse-path; empty for the null sender.
    pub envelope_from: String,
    /// The accepted recipients, in the order they were given.
    pub recipients: Vec<String>,
    /// The header's Message-ID with its angle brackets.
    pub message_id: Option<String>,
    /// Bytes of content.
    pub size: u64,
    /// BLAKE3 of the content.
    pub digest: [u8; 32],
    /// Where it was written, if it was.
    pub file: Option<PathBuf>,
}

/// What the server has seen since it started.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Snapshot {
    /// Messages taken.
    pub messages: u64,
    /// Their recipients.
    pub recipients: u64,
    /// RCPT commands refused.
    pub refused_recipients: u64,
    /// Messages refused after their content, or at MAIL for their size or a limit on connections.
    pub refused_messages: u64,
    /// Connections since the start.
    pub connections: u64,
    /// The most connections open at a time.
    pub most_connections: usize,
    /// Limits that were broken, in order.
    pub breaches: Vec<Breach>,
    /// Messages that went over a limit only because of what others had sent (see
    /// [`Options::used`](super::Options::used)): the sender could not know, so it is no breach.
    pub over_for_others: u64,
    /// How often each of the faults had its way, in their order.
    pub faults: Vec<u64>,
    /// The messages taken, if `keep_records` is set.
    pub records: Vec<Received>,
}

impl Snapshot {
    /// What this server and another one have seen together.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.messages += other.messages;
        self.recipients += other.recipients;
        self.refused_recipients += other.refused_recipients;
        self.refused_messages += other.refused_messages;
        self.connections += other.connections;
        self.most_connections += other.most_connections;
        self.over_for_others += other.over_for_others;
        self.faults.extend(other.faults);
        self.breaches.extend(other.breaches);
        self.records.extend(other.records);
        self
    }
}

#[derive(Debug)]
struct State {
    seen: Snapshot,
    quota: Quota,
    open: usize,
    /// How many connections of a user may send at the moment.
    seats: HashMap<String, usize>,
}

/// The books behind one lock, which is never held across a wait.
#[derive(Debug)]
pub(super) struct Books {
    state: Mutex<State>,
    keep_records: bool,
}

impl Books {
    pub(super) fn new(quota: Quota, keep_records: bool) -> Self {
        let state = State {
            seen: Snapshot::default(),
            quota,
            open: 0,
            seats: HashMap::new(),
        };
        Self {
            state: Mutex::new(state),
            keep_records,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock, and each entry is whole by itself.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        self.lock().seen.clone()
    }

    /// Connections open at this moment.
    pub(super) fn open(&self) -> usize {
        self.lock().open
    }

    pub(super) fn arrive(&self) {
        let mut state = self.lock();
        state.open += 1;
        state.seen.connections += 1;
        state.seen.most_connections = state.seen.most_connections.max(state.open);
    }

    pub(super) fn leave(&self) {
        self.lock().open -= 1;
    }

    /// Whether one more connection of `user` may send; the caller gives it back with
    /// [`Self::stand_up`].
    pub(super) fn sit_down(&self, user: &str, most: usize) -> bool {
        let mut state = self.lock();
        let taken = state.seats.entry(user.to_owned()).or_insert(0);
        if *taken >= most {
            return false;
        }
        *taken += 1;
        true
    }

    pub(super) fn stand_up(&self, user: &str) {
        let mut state = self.lock();
        if let Some(taken) = state.seats.get_mut(user) {
            *taken -= 1;
            if *taken == 0 {
                state.seats.remove(user);
            }
        }
    }

    pub(super) fn refuse_recipient(&self) {
        self.lock().seen.refused_recipients += 1;
    }

    pub(super) fn refuse_message(&self) {
        self.lock().seen.refused_messages += 1;
    }

    pub(super) fn breach(&self, breach: Breach) {
        self.lock().seen.breaches.push(breach);
    }

    /// Judges a complete message by the rules, at the clock's time under the lock so that stamps and
    /// counts have one order. Records what it breaks.
    pub(super) fn judge(
        &self,
        user: &str,
        weight: Weight,
        clock: &Clock,
    ) -> (Timestamp, Vec<Broken>) {
        let mut state = self.lock();
        let at = clock.now();
        let broken = state.quota.offer(user, weight, at);
        let (for_others, own): (Vec<_>, Vec<_>) =
            broken.iter().partition(|broken| broken.for_others);
        state.seen.over_for_others += u64::from(own.is_empty() && !for_others.is_empty());
        for Broken { rule, reached, .. } in own {
            state.seen.breaches.push(Breach {
                limit: rule.to_string(),
                at,
                detail: format!("'{user}' would reach {reached} of {}", rule.max),
            });
        }
        (at, broken)
    }

    /// Enters a message that was taken.
    pub(super) fn enter(&self, received: Received) {
        let mut state = self.lock();
        state.seen.messages += 1;
        state.seen.recipients += received.recipients.len() as u64;
        if self.keep_records {
            state.seen.records.push(received);
        }
    }
}
