//! A send as it is seen: events as lines of JSON, or a bar with notes above it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::bar::Bar;
use super::exit::Exit;
use super::failure::Failure;
use super::screen::Screen;
use super::{Context, words};
use crate::clock::Clock;
use crate::delivery::Class;
use crate::send::{Ended, Event, Trouble, Waiting};
use crate::store::Counts;

/// A wait that is not worth a line of its own.
const SHORT: SignedDuration = SignedDuration::from_secs(150);

/// A pause that ends so soon after one that was told is part of the same trouble.
const SAME_PAUSE: SignedDuration = SignedDuration::from_mins(30);

/// Shows events as they come.
pub(super) struct Show<'a> {
    screen: &'a Screen,
    clock: &'a Clock,
    zone: TimeZone,
    bar: Bar,
    done: Cell<u64>,
    /// Until when each account was last said to pause.
    paused: RefCell<BTreeMap<String, Timestamp>>,
    /// A short wait was told.
    told_short: Cell<bool>,
    /// Notes on waiting make no sense where days pass in milliseconds.
    simulated: bool,
}

impl<'a> Show<'a> {
    /// `counts`: where the campaign stands before the send.
    pub(super) fn new(
        context: &'a Context,
        counts: &Counts,
        zone: TimeZone,
        simulated: bool,
    ) -> Self {
        let screen = &context.screen;
        let done = counts.total() - counts.pending - counts.deferred;
        let bar = Bar::sending(screen, counts.total());
        bar.position(done);
        Self {
            screen,
            clock: &context.clock,
            zone,
            bar,
            done: Cell::new(done),
            paused: RefCell::default(),
            told_short: Cell::new(false),
            simulated,
        }
    }

    /// Shows one event.
    pub(super) fn event(&self, event: &Event) {
        if self.screen.is_json() {
            // A reader that has gone away does not stop a send.
            let _ = self.screen.json(&event_json(event));
            return;
        }
        self.advance(event);
        if let Some(line) = self.line(event) {
            self.bar.suspend(|| self.screen.note(&line));
        }
    }

    fn advance(&self, event: &Event) {
        let settled = match event {
            Event::Sent { recipients, .. } | Event::InDoubt { recipients, .. } => *recipients,
            Event::Refused { .. } => 1,
            _ => 0,
        };
        self.done.set(self.done.get() + settled);
        self.bar.position(self.done.get());
        match event {
            Event::Waiting { until, .. } => {
                let until = words::short_time(*until, &self.zone);
                self.bar.message(format!("until {until}"));
            }
            Event::Sent { .. } if !self.simulated => self.bar.message(String::new()),
            _ => {}
        }
    }

    /// What is worth a line of its own.
    fn line(&self, event: &Event) -> Option<String> {
        let time = |at| words::time(at, &self.zone);
        match event {
            Event::Recovered { in_doubt } => Some(format!(
                "an earlier send ended in the middle: {} in doubt (see `postroom resolve`)",
                words::count(*in_doubt, "message is", "messages are")
            )),
            Event::Sent { number, reply, .. } => self
                .screen
                .is_verbose()
                .then(|| format!("message {number}: {reply}")),
            Event::Refused {
                row,
                address,
                reply,
                meaning,
            } => Some(format!(
                "refused: {address} (row {row}): {meaning}
    {reply}"
            )),
            Event::Deferred {
                number,
                recipients,
                until,
                reply,
                blameless,
            } => (!blameless || self.screen.is_verbose()).then(|| {
                format!(
                    "put off until {}: message {number}, {}: {reply}",
                    time(*until),
                    words::count(*recipients, "recipient", "recipients")
                )
            }),
            Event::Paused {
                account,
                until,
                because,
            } => self.is_news(account, *until).then(|| {
                format!(
                    "the account '{account}' pauses until {}; nobody is refused for it: {because}",
                    time(*until)
                )
            }),
            Event::InDoubt {
                number,
                recipients,
                reply,
                ..
            } => Some(format!(
                "in doubt: message {number}, {}: {reply}",
                words::count(*recipients, "recipient", "recipients")
            )),
            Event::Reconnecting { because, until } => Some(format!(
                "no connection ({because}); trying again at {}",
                time(*until)
            )),
            Event::AccountStopped { account, trouble } => Some(format!(
                "the account '{account}' has stopped; the others take its share over: {} ({})\n    {}",
                trouble.meaning, trouble.reply, trouble.remedy
            )),
            Event::Waiting { until, why } if self.is_worth_a_line(*until, why) => Some(format!(
                "waiting until {} for {}; Ctrl-C stops, `postroom send` goes on",
                time(*until),
                reason(why)
            )),
            Event::Waiting { until, why } => (self.is_unseen() && !self.told_short.replace(true))
                .then(|| {
                    format!(
                        "waiting until {} for {}; waits as short as this are told once",
                        time(*until),
                        reason(why)
                    )
                }),
        }
    }

    /// A server that asks for less speed does so again and again: that is told once in a while.
    fn is_news(&self, account: &str, until: Timestamp) -> bool {
        let mut paused = self.paused.borrow_mut();
        let is_told = |told: &Timestamp| until.duration_since(*told) < SAME_PAUSE;
        if paused.get(account).is_some_and(is_told) && !self.screen.is_verbose() {
            return false;
        }
        paused.insert(account.to_owned(), until);
        true
    }

    fn is_worth_a_line(&self, until: Timestamp, why: &Waiting) -> bool {
        let is_told = || self.paused.borrow().values().any(|told| *told == until);
        match why {
            Waiting::OtherSender => true,
            Waiting::Provider(_) if is_told() => false,
            _ => self.is_long(until),
        }
    }

    /// Pauses of a minute or so between messages are what a limit a minute looks like: the bar shows them.
    fn is_long(&self, until: Timestamp) -> bool {
        !self.simulated && until.duration_since(self.clock.now()) > SHORT
    }

    /// There is no bar that would show it.
    fn is_unseen(&self) -> bool {
        !self.simulated && !self.screen.may_draw()
    }

    /// Takes the bar off the screen.
    pub(super) fn end(&self) {
        self.bar.clear();
    }
}

/// What is waited for, in words.
pub(super) fn reason(why: &Waiting) -> String {
    match why {
        Waiting::Rule(rule) => format!("the limit of {}", words::rule(rule)),
        Waiting::Calendar(closed) => words::closed(*closed).to_owned(),
        Waiting::Deferred => "messages that were put off".to_owned(),
        Waiting::Provider(words) => format!("the provider, which asked for a pause ({words})"),
        Waiting::Server(what) => format!("the server ({what})"),
        Waiting::OtherSender => "another send of the same account".to_owned(),
    }
}

fn event_json(event: &Event) -> Value {
    match event {
        Event::Recovered { in_doubt } => json!({ "event": "recovered", "in_doubt": in_doubt }),
        Event::Sent {
            number,
            message_id,
            recipients,
            reply,
        } => json!({
            "event": "sent", "message": number, "message_id": message_id, "recipients": recipients, "reply": reply,
        }),
        Event::Refused {
            row,
            address,
            reply,
            meaning,
        } => json!({
            "event": "refused", "row": row, "email": address, "reply": reply, "meaning": meaning,
        }),
        Event::Deferred {
            number,
            recipients,
            until,
            reply,
            ..
        } => json!({
            "event": "deferred", "message": number, "recipients": recipients, "until": until, "reply": reply,
        }),
        Event::Paused {
            account,
            until,
            because,
        } => json!({
            "event": "paused", "account": account, "until": until, "because": because,
        }),
        Event::InDoubt {
            number,
            message_id,
            recipients,
            reply,
        } => json!({
            "event": "in_doubt", "message": number, "message_id": message_id, "recipients": recipients, "reply": reply,
        }),
        Event::Reconnecting { because, until } => json!({
            "event": "reconnecting", "because": because, "until": until,
        }),
        Event::AccountStopped { account, trouble } => json!({
            "event": "account_stopped", "account": account, "because": trouble.meaning, "reply": trouble.reply,
            "remedy": trouble.remedy,
        }),
        Event::Waiting { until, why } => {
            json!({ "event": "waiting", "until": until, "for": reason(why) })
        }
    }
}

/// What an ended send exits with, and what to say of it if it is not finished.
pub(super) fn verdict(ended: &Ended, counts: &Counts, zone: &TimeZone) -> (Exit, Option<Failure>) {
    match ended {
        Ended::Finished if counts.refused + counts.in_doubt > 0 => (Exit::SomeRefused, None),
        Ended::Finished | Ended::AsAsked => (Exit::Done, None),
        Ended::Interrupted => (Exit::Interrupted, None),
        // What is said of it is the canary's own.
        Ended::AtCanary { .. } => (Exit::NotFinished, None),
        Ended::WouldWait(until, why) => {
            let failure = Failure::new(
                Exit::NotFinished,
                format!(
                    "not finished: the next message may go {}, because of {}",
                    words::time(*until, zone),
                    reason(why)
                ),
                format!(
                    "run `postroom send` again then ({until}); without --no-wait it waits by itself"
                ),
            );
            (Exit::NotFinished, Some(failure))
        }
        Ended::Stopped(trouble) => {
            let exit = exit_of(trouble);
            let message = format!("stopped: {} ({})", trouble.meaning, trouble.reply);
            (
                exit,
                Some(Failure::new(exit, message, trouble.remedy.clone())),
            )
        }
    }
}

pub(super) fn exit_of(trouble: &Trouble) -> Exit {
    match trouble.class {
        _ if trouble.local => Exit::Io,
        Class::SignIn | Class::Sender | Class::Blocked => Exit::NotPermitted,
        _ if trouble.unreachable => Exit::Unreachable,
        Class::Quota | Class::Server | Class::Recipient | Class::Message => Exit::NotFinished,
    }
}
