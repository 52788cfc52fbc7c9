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
    /// With a short wait between two messages, perhaps: until when, for what.
    Sending(Option<(Timestamp, String)>),
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

    /// Takes in what happens.
    pub(super) fn learn(&mut self, event: &Event, now: Timestamp) {
        let no_words = String::new;
        match event {
            Event::Sent { account, .. } => self.one(account, |one| one.sends(now)),
            Event::Paused { account, until, .. } => {
                let why = Waiting::Provider(no_words());
                self.one(account, |one| one.waits(*until, &why, now));
            }
            Event::AccountWaiting {
                account,
                until,
                why,
            } => self.one(account, |one| one.waits(*until, why, now)),
            Event::Reconnecting { account, until, .. } => {
                let why = Waiting::Server(no_words());
                self.one(account, |one| one.waits(*until, &why, now));
            }
            Event::AccountStopped { account, trouble } => self.one(account, |one| {
                one.doing = Doing::Stopped(trouble.meaning.clone());
            }),
            // Several accounts say each for itself what they wait for.
            Event::Waiting { until, why } if self.0.len() == 1 => {
                self.0
                    .iter_mut()
                    .for_each(|one| one.waits(*until, why, now));
            }
            _ => {}
        }
    }

    fn one(&mut self, name: &str, change: impl FnOnce(&mut Account)) {
        let account = self.0.iter_mut().find(|one| one.name == name);
        account.map(change);
    }

    /// What each account does, in words.
    pub(super) fn words(&self, now: Timestamp, zone: &TimeZone) -> Vec<String> {
        let accounts = self.0.iter();
        accounts.map(|account| account.words(now, zone)).collect()
    }

    /// Messages a minute, of all accounts together.
    pub(super) fn speed(&self, now: Timestamp) -> Option<u64> {
        let speeds = self.0.iter().filter_map(|one| one.speed(now));
        Some(speeds.sum()).filter(|sum| *sum > 0)
    }
}

impl Account {
    fn words(&self, now: Timestamp, zone: &TimeZone) -> String {
        match &self.doing {
            Doing::Connecting => "connecting".to_owned(),
            Doing::Sending(pause) => match (self.speed(now), pause) {
                (Some(speed), _) => {
                    let speed = words::count(speed, "message", "messages");
                    format!("sending, {speed} a minute")
                }
                (None, Some((until, why))) if *until > now => {
                    let until = words::to_the_second(*until, zone);
                    format!("waiting until {until} for {why}")
                }
                (None, _) => "sending".to_owned(),
            },
            Doing::Waiting(until, why) => {
                let until = words::soon(*until, now, zone);
                format!("waiting until {until} for {why}")
            }
            Doing::Stopped(why) => format!("stopped: {why}"),
        }
    }

    fn sends(&mut self, now: Timestamp) {
        if let Doing::Sending(pause) = &mut self.doing {
            *pause = None;
        } else {
            // The first one begins the span that the others are counted over.
            self.sent.clear();
            self.since = Some(now);
            self.doing = Doing::Sending(None);
            return;
        }
        self.sent.push_back(now);
        let is_old = |at: &Timestamp| now.duration_since(*at) >= WINDOW;
        while self.sent.front().is_some_and(is_old) {
            self.sent.pop_front();
        }
    }

    fn waits(&mut self, until: Timestamp, why: &Waiting, now: Timestamp) {
        // The words of a reply have a line of their own above.
        let words = match why {
            Waiting::Provider(_) => "the provider, which asked for a pause".to_owned(),
            Waiting::Server(_) => "the server, which cannot be reached".to_owned(),
            other => reason(other),
        };
        let is_short = until.duration_since(now) <= SHORT;
        let is_between = matches!(why, Waiting::Rule(_) | Waiting::Deferred);
        match &mut self.doing {
            Doing::Sending(pause) if is_short && is_between => *pause = Some((until, words)),
            doing => *doing = Doing::Waiting(until, words),
        }
    }

    fn speed(&self, now: Timestamp) -> Option<u64> {
        let since = self
            .since
            .filter(|_| matches!(self.doing, Doing::Sending(_)))?;
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
