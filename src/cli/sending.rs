//! A send as it is seen: events as lines of JSON, or a line for each account and a bar, with notes above them.
//! Where there is no terminal a note says now and then how far it is.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::bar::Board;
use super::events::event_json;
use super::exit::Exit;
use super::failure::Failure;
use super::foresight::Foresight;
use super::halting::halt_words;
use super::progress::{Accounts, SHORT};
use super::pulse::{Face, Pulse, lock};
use super::screen::Screen;
use super::words;
use crate::clock::{Clock, Stopwatch};
use crate::delivery::Class;
use crate::send::{Ended, Event, Trouble, Waiting};
use crate::store::{Counts, Halt};

/// A pause that ends so soon after one that was told is part of the same trouble.
const SAME_PAUSE: SignedDuration = SignedDuration::from_mins(30);

/// How soon the first note says how far it is; each further one comes after twice the time, ...
const FIRST_NOTE: Duration = Duration::from_mins(1);

/// ... and no later than this after the last.
const LAST_NOTES: Duration = Duration::from_hours(1);

/// What is sent, as it is when it begins.
pub(super) struct Scene<'a> {
    /// The names of the accounts.
    pub(super) accounts: &'a [String],
    /// Where the campaign stands.
    pub(super) counts: Counts,
    pub(super) zone: TimeZone,
    /// By which it is sent.
    pub(super) clock: &'a Clock,
    /// Notes on waiting make no sense where days pass in milliseconds.
    pub(super) simulated: bool,
    /// When it will be finished.
    pub(super) foresight: Option<Foresight>,
}

/// Shows events as they come.
pub(super) struct Show<'a> {
    screen: &'a Screen,
    clock: &'a Clock,
    zone: TimeZone,
    board: Board,
    accounts: Arc<Mutex<Accounts>>,
    /// Draws what changes with time alone.
    pulse: RefCell<Option<Pulse>>,
    foresight: RefCell<Option<Foresight>>,
    done: Cell<u64>,
    total: u64,
    /// Real time since it began, and when the next note is due.
    watch: Stopwatch,
    next_note: Cell<Duration>,
    /// Until when each account was last said to pause.
    paused: RefCell<BTreeMap<String, Timestamp>>,
    /// A short wait was told.
    told_short: Cell<bool>,
    simulated: bool,
}

impl<'a> Show<'a> {
    pub(super) fn new(screen: &'a Screen, scene: Scene<'a>) -> Self {
        let counts = scene.counts;
        let done = counts.total() - counts.pending - counts.deferred;
        let board = Board::new(screen, scene.accounts, counts.total());
        board.position(done);
        let accounts = Arc::new(Mutex::new(Accounts::new(scene.accounts)));
        let pulse = board.is_drawn().then(|| {
            let face = Face {
                board: board.clone(),
                accounts: Arc::clone(&accounts),
                known: scene.foresight.as_ref().map(Foresight::known),
                clock: scene.clock.clone(),
                zone: scene.zone.clone(),
            };
            Pulse::new(move || face.draw())
        });
        Self {
            screen,
            clock: scene.clock,
            zone: scene.zone,
            board,
            accounts,
            foresight: RefCell::new(scene.foresight),
            done: Cell::new(done),
            total: counts.total(),
            watch: scene.clock.stopwatch(),
            next_note: Cell::new(FIRST_NOTE),
            paused: RefCell::default(),
            told_short: Cell::new(false),
            simulated: scene.simulated,
            pulse: RefCell::new(pulse),
        }
    }

    /// Shows one event.
    pub(super) fn event(&self, event: &Event) {
        if self.screen.is_json() {
            // A reader that has gone away does not stop a send.
            if let Some(json) = event_json(event) {
                let _ = self.screen.json(&json);
            }
            return;
        }
        self.advance(event);
        if let Some(line) = self.line(event) {
            self.board.suspend(|| self.screen.note(&line));
        }
        if !matches!(event, Event::Ended(_)) {
            self.note_progress();
        }
    }

    fn advance(&self, event: &Event) {
        let settled = match event {
            Event::Sent { recipients, .. } | Event::InDoubt { recipients, .. } => *recipients,
            Event::Refused { .. } => 1,
            _ => 0,
        };
        self.done.set(self.done.get() + settled);
        self.board.position(self.done.get());
        lock(&self.accounts).learn(event, self.clock.now());
        if let Some(foresight) = self.foresight.borrow_mut().as_mut() {
            foresight.keep_up(self.clock);
        }
    }

    fn finishes_at(&self) -> Option<Timestamp> {
        let foresight = self.foresight.borrow();
        foresight.as_ref()?.known().finishes_at()
    }

    /// Says how far it is where nothing is drawn: after a minute, then more and more rarely.
    fn note_progress(&self) {
        let elapsed = self.watch.elapsed();
        if self.board.is_drawn() || elapsed < self.next_note.get() {
            return;
        }
        self.next_note.set(elapsed + elapsed.min(LAST_NOTES));
        let speed = lock(&self.accounts).speed(self.clock.now());
        let speed = speed.map_or_else(String::new, |speed| {
            let speed = words::count(speed, "message", "messages");
            format!(", at {speed} a minute")
        });
        let ends = self.finishes_at().map_or_else(String::new, |at| {
            let at = words::time(at, &self.zone);
            format!("; finished {at} at the earliest")
        });
        let line = format!(
            "{} of {} settled{speed}{ends}",
            words::number(self.done.get()),
            words::count(self.total, "recipient is", "recipients are"),
        );
        self.screen.note(&line);
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
            Event::Reconnecting { because, until, .. } => Some(format!(
                "no connection ({because}); trying again at {}",
                time(*until)
            )),
            Event::AccountStopped { account, trouble } => Some(format!(
                "the account '{account}' has stopped; the others take its share over: {} ({})\n    {}",
                trouble.meaning, trouble.reply, trouble.remedy
            )),
            // What it waits for is told when all wait; until then its line says so.
            Event::AccountWaiting { .. } | Event::Ended(_) => None,
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

    /// Takes what is drawn off the screen.
    pub(super) fn end(&self) {
        self.pulse.take();
        self.board.clear();
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

/// What is said of a send that a halt ended, or kept from beginning.
pub(super) fn halted(halt: &Halt, zone: &TimeZone) -> Failure {
    Failure::new(
        Exit::NotFinished,
        format!("not finished: halted {}", halt_words(halt, zone)),
        "`postroom resume` lifts the halt; then `postroom send` goes on where it was",
    )
    .named("halted")
}

/// What an ended send exits with, and what to say of it if it is not finished.
pub(super) fn verdict(ended: &Ended, counts: &Counts, zone: &TimeZone) -> (Exit, Option<Failure>) {
    match ended {
        Ended::Finished if counts.refused + counts.in_doubt > 0 => (Exit::SomeRefused, None),
        Ended::Finished | Ended::AsAsked => (Exit::Done, None),
        Ended::Interrupted => (Exit::Interrupted, None),
        Ended::Halted(halt) => (Exit::NotFinished, Some(halted(halt, zone))),
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
