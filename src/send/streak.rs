//! A run of temporary refusals: what one message after the other hears is no longer about the messages.
//!
//! One that is put off waits for its own back-off. A server that puts off whatever it is offered would
//! hear the whole list within seconds that way, and in the end everybody would be refused for its trouble.
//! So from the third message in a row on, with nothing taken in between, the account pauses, longer each
//! time, and asks with one message at a time.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::attempt::Tried;
use super::event::Trouble;
use crate::delivery::{Class, Phase};

/// So many messages in a row are the server's trouble. One that is tried again and again is none.
const SERVER: usize = 3;

/// The pauses from then on, in seconds.
const PAUSES: [i64; 7] = [5, 15, 30, 60, 120, 300, 600];

/// So many messages in a row whose recipients are put off: a side that lets every stranger wait once
/// (greylisting) does that. It is gone on with, at a rate that nobody takes for an attack.
const RECIPIENTS: usize = 20;

/// The least time between two messages to such a side.
const GAP: SignedDuration = SignedDuration::from_secs(2);

/// An account is not given up sooner, however short its back-off is.
const LEAST_PATIENCE: Duration = Duration::from_mins(2);

/// A message that was put off by a server in trouble has its turn this long after the account's pause.
const AFTER_OTHERS: SignedDuration = SignedDuration::from_secs(1);

/// What a deferral is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    /// The recipients of the message.
    Recipients,
    /// The server, before it has seen any content.
    Server,
    /// The server, or the content that it has seen.
    Content,
}

/// What a deferral means for the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Advice {
    /// It is the message's own.
    GoOn,
    /// The next message not before this time has passed.
    Slower(SignedDuration),
    /// The account waits so long; the message is not to blame.
    Pause(SignedDuration),
    /// Nothing was taken for as long as a message is tried: waiting does not help.
    GiveUp,
}

/// The deferrals of an account since it last got anywhere, over all its connections.
#[derive(Debug, Default)]
pub(super) struct Streak(Mutex<Run>);

#[derive(Debug, Default)]
struct Run {
    /// The messages' numbers; no more of them than make a difference.
    messages: BTreeSet<u64>,
    /// Some of it was the server's own.
    by_server: bool,
    /// So many pauses were made, and the last one ends then.
    pauses: usize,
    pause_ends: Option<Timestamp>,
    /// All of them together: nights and other limits are no trouble of the server's.
    waited: SignedDuration,
}

impl Run {
    /// The next pause. What may be about the content grows with the messages that hear it, since each has an
    /// end of its own; what is not, each time.
    fn pause(&mut self, about: About, now: Timestamp) -> SignedDuration {
        let step = match about {
            About::Content => self.messages.len() - SERVER.min(self.messages.len()),
            _ => self.pauses,
        };
        let length = SignedDuration::from_secs(PAUSES[step.min(PAUSES.len() - 1)]);
        // Several connections hear of the same trouble.
        if self.pause_ends.is_none_or(|end| end <= now) {
            self.pauses += 1;
            self.waited = self.waited.saturating_add(length);
            self.pause_ends = now.saturating_add(length).ok();
        }
        length
    }
}

impl Streak {
    fn lock(&self) -> MutexGuard<'_, Run> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// This message was put off. `patience`: how long a message is tried.
    pub(super) fn put_off(
        &self,
        message: u64,
        about: About,
        now: Timestamp,
        patience: Duration,
    ) -> Advice {
        let mut run = self.lock();
        let by_server = about != About::Recipients;
        run.by_server |= by_server;
        if run.messages.len() < RECIPIENTS {
            run.messages.insert(message);
        }
        let count = run.messages.len();
        if by_server && count >= SERVER {
            let patience = SignedDuration::try_from(patience.max(LEAST_PATIENCE));
            let is_over = run.waited >= patience.unwrap_or(SignedDuration::MAX);
            if is_over && about == About::Server {
                return Advice::GiveUp;
            }
            return Advice::Pause(run.pause(about, now));
        }
        if count >= RECIPIENTS {
            return Advice::Slower(GAP);
        }
        Advice::GoOn
    }

    /// A message was taken, or a recipient settled.
    pub(super) fn got_on(&self) {
        *self.lock() = Run::default();
    }

    /// A recipient was accepted: the receiving side takes mail from strangers, but the message is not
    /// taken yet.
    pub(super) fn was_let_in(&self) {
        let mut run = self.lock();
        if !run.by_server {
            *run = Run::default();
        }
    }

    /// Whether the server is asked with one message at a time.
    pub(super) fn is_on(&self) -> bool {
        let run = self.lock();
        run.by_server && run.messages.len() >= SERVER
    }
}

impl Tried<'_> {
    /// Counts that the message is put off, which may mean a pause for the account. Gives the time of its
    /// next turn where that is not for its own sake: after others, in case it is.
    pub(super) fn count(
        &mut self,
        phase: Phase,
        by_server: bool,
        words: &str,
    ) -> Option<Timestamp> {
        let now = self.context.clock.now();
        let patience = self.context.account.backoff.total();
        let about = match by_server {
            false => About::Recipients,
            true if phase < Phase::Body => About::Server,
            true => About::Content,
        };
        let streak = &self.context.streak;
        let advice = streak.put_off(self.claim.number, about, now, patience);
        let pause = match advice {
            Advice::GoOn => return None,
            Advice::Slower(gap) => {
                self.outcome.gap = Some(gap);
                return None;
            }
            Advice::Pause(pause) => {
                let length = pause.unsigned_abs();
                self.outcome.lesson.is_streak = self.outcome.lesson.pause.is_none();
                self.outcome.lesson.pause_for(length, false, words);
                pause
            }
            Advice::GiveUp => {
                let stop = || Box::new(puts_all_off(phase, words));
                self.outcome.lesson.stop.get_or_insert_with(stop);
                SignedDuration::ZERO
            }
        };
        let turn = now.saturating_add(pause + AFTER_OTHERS).ok()?;
        (about == About::Server).then(|| turn.max(self.due(now).unwrap_or(turn)))
    }
}

/// The trouble of a server that has taken nothing for as long as a message is tried.
fn puts_all_off(phase: Phase, words: &str) -> Trouble {
    Trouble {
        class: Class::Server,
        phase,
        reply: words.to_owned(),
        meaning: "the server has put off every message for as long as one is tried again".to_owned(),
        remedy: "nobody was refused for it; ask the server's administrator what it waits for, then run send again: \
                 it goes on where it was"
            .to_owned(),
        unreachable: false,
        local: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_hours(24);

    #[test]
    fn several_messages_in_a_row_make_a_growing_pause() {
        let streak = Streak::default();
        let at = Timestamp::UNIX_EPOCH;
        let put_off = |message| streak.put_off(message, About::Content, at, DAY);
        assert_eq!([1, 2, 1, 2].map(put_off), [Advice::GoOn; 4]);
        let pauses: Vec<Advice> = (3..=5).map(put_off).collect();
        let expected = [5, 15, 30].map(|s| Advice::Pause(SignedDuration::from_secs(s)));
        assert_eq!(pauses, expected);
        assert_eq!(
            put_off(5),
            expected[2],
            "the same one again makes it no worse"
        );
        assert!(streak.is_on());
        streak.was_let_in();
        assert!(streak.is_on(), "a recipient alone is no message");
        streak.got_on();
        assert_eq!(put_off(7), Advice::GoOn);
    }

    #[test]
    fn a_server_in_trouble_is_asked_less_and_less() {
        let streak = Streak::default();
        let mut at = Timestamp::UNIX_EPOCH;
        let mut pauses = vec![];
        for message in (1..=3).cycle().take(12) {
            if let Advice::Pause(pause) = streak.put_off(message, About::Server, at, DAY) {
                pauses.push(pause.as_secs());
                at += pause;
            }
        }
        assert_eq!(pauses, [5, 15, 30, 60, 120, 300, 600, 600, 600, 600]);
        // A week-end is no wait for the server.
        at += SignedDuration::from_hours(60);
        let mut asked = 0;
        while let Advice::Pause(pause) = streak.put_off(1, About::Server, at, DAY) {
            (at, asked) = (at + pause, asked + 1);
        }
        assert!((130..=145).contains(&asked), "{asked}");
    }

    #[test]
    fn recipients_that_wait_once_only_slow_it_down() {
        let streak = Streak::default();
        let at = Timestamp::UNIX_EPOCH;
        let advice: Vec<Advice> = (1..=20)
            .map(|message| streak.put_off(message, About::Recipients, at, DAY))
            .collect();
        assert_eq!(advice[..19], [Advice::GoOn; 19]);
        assert_eq!(advice[19], Advice::Slower(GAP));
        streak.was_let_in();
        assert_eq!(streak.put_off(1, About::Recipients, at, DAY), Advice::GoOn);
    }
}
