//! The server's own count of what each user sent, by rolling windows.
//!
//! On purpose nothing here is shared with the sender's limiter: two counts that were written apart
//! and agree are a proof, one count asked twice is not.

use std::collections::{HashMap, VecDeque};

use super::options::Use;
use crate::clock::Timestamp;
use crate::limits::{Rule, Weight};

/// Units by the time they were taken, oldest first.
#[derive(Debug, Default)]
struct Rolling {
    /// Milliseconds since the epoch, and the units accepted then.
    accepted: VecDeque<(i64, u64)>,
    sum: u64,
}

impl Rolling {
    /// Lets go of what is no longer in `(now - per, now]`.
    fn forget(&mut self, now: i64, per: i64) {
        let edge = now.saturating_sub(per);
        while let Some(&(at, units)) = self.accepted.front() {
            if at > edge {
                break;
            }
            self.sum -= units;
            self.accepted.pop_front();
        }
    }

    fn accept(&mut self, now: i64, units: u64) {
        self.sum += units;
        match self.accepted.back_mut() {
            Some((at, together)) if *at == now => *together += units,
            _ => self.accepted.push_back((now, units)),
        }
    }
}

/// What one rule's window holds.
#[derive(Debug, Default)]
struct Window {
    /// What this server took.
    own: Rolling,
    /// What others had sent before it started.
    others: Rolling,
}

/// A rule that a message breaks, and how full the window would be with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Broken {
    pub(super) rule: Rule,
    pub(super) reached: u64,
    /// Without what others had sent it would have fitted.
    pub(super) for_others: bool,
}

/// Each user's windows, one for each rule.
#[derive(Debug)]
pub(super) struct Quota {
    rules: Vec<Rule>,
    strict: bool,
    users: HashMap<String, Vec<Window>>,
    /// In order of time.
    used: Vec<Use>,
    latest: i64,
}

impl Quota {
    pub(super) fn new(rules: Vec<Rule>, strict: bool, mut used: Vec<Use>) -> Self {
        used.sort_by_key(|used| used.at);
        Self {
            rules,
            strict,
            users: HashMap::new(),
            used,
            latest: i64::MIN,
        }
    }

    /// Judges a message of `user` that is complete at `now`, and counts it unless it is refused.
    /// Returns the rules that it breaks: at most `max` units may be in the window `(now - per, now]`,
    /// this message's included. With `strict` a message that breaks one is not counted.
    pub(super) fn offer(&mut self, user: &str, weight: Weight, now: Timestamp) -> Vec<Broken> {
        // A machine's clock may be set back; the windows go on from the latest time seen.
        self.latest = self.latest.max(now.as_millisecond());
        let now = self.latest;
        if !self.users.contains_key(user) {
            let windows = self.rules.iter().map(|rule| self.begun(user, rule));
            let windows = windows.collect();
            self.users.insert(user.to_owned(), windows);
        }
        let Some(windows) = self.users.get_mut(user) else {
            return Vec::new();
        };
        let mut broken = Vec::new();
        for (rule, window) in self.rules.iter().zip(windows.iter_mut()) {
            let per = i64::try_from(rule.per.as_millis()).unwrap_or(i64::MAX);
            window.own.forget(now, per);
            window.others.forget(now, per);
            let alone = window.own.sum.saturating_add(weight.of(rule.unit));
            let reached = alone.saturating_add(window.others.sum);
            if weight.of(rule.unit) > 0 && reached > rule.max {
                broken.push(Broken {
                    rule: *rule,
                    reached,
                    for_others: alone <= rule.max,
                });
            }
        }
        if broken.is_empty() || !self.strict {
            for (rule, window) in self.rules.iter().zip(windows.iter_mut()) {
                window.own.accept(now, weight.of(rule.unit));
            }
        }
        broken
    }
    /// A user's window of a rule before their first message.
    fn begun(&self, user: &str, rule: &Rule) -> Window {
        let mut window = Window::default();
        for used in self.used.iter().filter(|used| used.is_of(user)) {
            window
                .others
                .accept(used.at.as_millisecond(), used.of(rule.unit));
        }
        window
    }
}
