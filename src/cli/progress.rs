//! What each account of a send does now, and how fast.

use std::collections::VecDeque;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::sending::reason;
use super::words;
use crate::send::{Event, Waiting};

/// A wait that is shorter than this is part of sending: a limit a minute consists of them.
pub(super) const SHORT: SignedDuration = SignedDuration::from_secs(150);

/// A speed is what went in so much time.
const WINDOW: SignedDuration = SignedDuration::from_mins(1);

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
        // What went in less than the whole of it, a limit may make up for by a pause.
        if now.duration_since(since) < WINDOW {
            return None;
        }
        let is_new = |at: &&Timestamp| now.duration_since(**at) < WINDOW;
        Some(self.sent.iter().filter(is_new).count() as u64).filter(|sent| *sent > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{Rule, Unit};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn sent(account: &str) -> Event {
        Event::Sent {
            account: account.to_owned(),
            number: 1,
            message_id: String::new(),
            recipients: 1,
            reply: String::new(),
        }
    }

    fn waiting(account: &str, until: i64) -> Event {
        Event::AccountWaiting {
            account: account.to_owned(),
            until: at(until),
            why: Waiting::Rule(Rule {
                max: 30,
                per: std::time::Duration::from_mins(1),
                unit: Unit::Messages,
            }),
        }
    }

    #[test]
    fn a_speed_is_what_went_in_a_minute_and_never_more() {
        let mut accounts = Accounts::new(&["a".to_owned(), "b".to_owned()]);
        let words = |accounts: &Accounts, now| accounts.words(at(now), &TimeZone::UTC);
        assert_eq!(words(&accounts, 0), ["connecting", "connecting"]);
        // Thirty at once, then a pause until the minute is over, again and again.
        for minute in 0..3 {
            for _ in 0..30 {
                accounts.learn(&sent("a"), at(minute * 60));
            }
            accounts.learn(&waiting("a", minute * 60 + 60), at(minute * 60));
            if minute == 0 {
                let first = "waiting until 00:01:00 for the limit of 30 messages per 1m";
                assert_eq!(words(&accounts, 20), [first, "connecting"]);
            }
        }
        let speed = "sending, 30 messages a minute";
        assert_eq!(words(&accounts, 150), [speed, "connecting"]);
        assert_eq!(accounts.speed(at(150)), Some(30));
        // What is over is no speed any more.
        assert_eq!(words(&accounts, 190), ["sending", "connecting"]);
        accounts.learn(&waiting("b", 86_400), at(190));
        let night = "waiting until Fri 2 Jan, 00:00 for the limit of 30 messages per 1m";
        assert_eq!(words(&accounts, 190)[1], night);
        accounts.learn(&sent("b"), at(86_400));
        assert_eq!(words(&accounts, 86_400)[1], "sending");
    }
}
