//! What each account of a send does now, and how fast.

use std::collections::VecDeque;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::sending::reason;
use super::words;
use crate::send::{Event, Waiting};

/// A wait that is shorter than this is part of sending: a limit a minute consists of them.
pub(super) const SHORT: SignedDuration = SignedDuration::from_secs(150);

/// Over which a speed is taken.
const WINDOW: SignedDuration = SignedDuration::from_mins(1);

/// A speed is told once there is so much to tell it from.
const ENOUGH: SignedDuration = SignedDuration::from_secs(10);

/// The accounts of a send.
pub(super) struct Accounts(Vec<Account>);

struct Account {
    name: String,
    doing: Doing,
    /// When it sent its last messages.
    sent: VecDeque<Timestamp>,
    /// Since when it sends without a long wait.
    since: Option<Timestamp>,
}

enum Doing {
    Connecting,
    Sending,
    Waiting(Timestamp, String),
    Stopped(String),
}

impl Accounts {
    pub(super) fn new(names: &[String]) -> Self {
        let account = |name: &String| Account {
            name: name.clone(),
            doing: Doing::Connecting,
            sent: VecDeque::new(),
            since: None,
        };
        Self(names.iter().map(account).collect())
    }

    /// Takes in what happens; the account whose doing it changes, or all of them.
    pub(super) fn learn(&mut self, event: &Event, now: Timestamp) -> Changed {
        match event {
            Event::Sent { account, .. } => self.one(account, |one| one.sends(now)),
            Event::Paused { account, until, .. } => {
                let why = Waiting::Provider(String::new());
                self.one(account, |one| one.waits(*until, &why, now))
            }
            Event::AccountWaiting {
                account,
                until,
                why,
            } => self.one(account, |one| one.waits(*until, why, now)),
            Event::Reconnecting { account, until, .. } => {
                let why = Waiting::Server(String::new());
                self.one(account, |one| one.tries_again(*until, &why))
            }
            Event::AccountStopped { account, trouble } => self.one(account, |one| {
                one.doing = Doing::Stopped(trouble.meaning.clone());
            }),
            // Several accounts say each for itself what they wait for.
            Event::Waiting { until, why } if self.0.len() == 1 => {
                for one in &mut self.0 {
                    one.waits(*until, why, now);
                }
                Changed::All
            }
            _ => Changed::None,
        }
    }

    fn one(&mut self, name: &str, change: impl FnOnce(&mut Account)) -> Changed {
        let Some(at) = self.0.iter().position(|one| one.name == name) else {
            return Changed::None;
        };
        self.0.get_mut(at).map(change);
        Changed::One(at)
    }

    /// What an account does, in words.
    pub(super) fn words(&self, at: usize, now: Timestamp, zone: &TimeZone) -> String {
        let Some(account) = self.0.get(at) else {
            return String::new();
        };
        match &account.doing {
            Doing::Connecting => "connecting".to_owned(),
            Doing::Sending => match account.speed(now) {
                Some(speed) => format!(
                    "sending, {} a minute",
                    words::count(speed, "message", "messages")
                ),
                None => "sending".to_owned(),
            },
            Doing::Waiting(until, why) => {
                let until = words::soon(*until, now, zone);
                format!("waiting until {until} for {why}")
            }
            Doing::Stopped(why) => format!("stopped: {why}"),
        }
    }

    /// Messages a minute, of all accounts together.
    pub(super) fn speed(&self, now: Timestamp) -> Option<u64> {
        let speeds = self.0.iter().filter_map(|one| one.speed(now));
        Some(speeds.sum()).filter(|sum| *sum > 0)
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }
}

/// Whose doing has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Changed {
    None,
    One(usize),
    All,
}

impl Account {
    fn sends(&mut self, now: Timestamp) {
        if !matches!(self.doing, Doing::Sending) {
            // The first one begins the span that the others are counted over.
            self.sent.clear();
            self.since = Some(now);
            self.doing = Doing::Sending;
            return;
        }
        self.sent.push_back(now);
        let is_old = |at: &Timestamp| now.duration_since(*at) >= WINDOW;
        while self.sent.front().is_some_and(is_old) {
            self.sent.pop_front();
        }
    }

    fn waits(&mut self, until: Timestamp, why: &Waiting, now: Timestamp) {
        if until.duration_since(now) > SHORT || *why == Waiting::OtherSender {
            let why = match why {
                Waiting::Provider(_) => "the provider, which asked for a pause".to_owned(),
                other => reason(other),
            };
            self.doing = Doing::Waiting(until, why);
        }
    }

    fn tries_again(&mut self, until: Timestamp, why: &Waiting) {
        let why = match why {
            Waiting::Server(_) => "the server, which cannot be reached".to_owned(),
            other => reason(other),
        };
        self.doing = Doing::Waiting(until, why);
    }

    fn speed(&self, now: Timestamp) -> Option<u64> {
        let since = self
            .since
            .filter(|_| matches!(self.doing, Doing::Sending))?;
        let span = now.duration_since(since).min(WINDOW);
        let is_new = |at: &&Timestamp| now.duration_since(**at) < WINDOW;
        let sent = self.sent.iter().filter(is_new).count() as u64;
        if span < ENOUGH || sent == 0 {
            return None;
        }
        let seconds = u64::try_from(span.as_secs()).unwrap_or(60).max(1);
        Some((sent * 60 + seconds / 2) / seconds).filter(|speed| *speed > 0)
    }
}
