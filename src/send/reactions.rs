//! What the dispatcher makes of its workers' reports: pauses, new connections, the end.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::attempt::Outcome;
use super::dispatcher::Dispatcher;
use super::error::Error;
use super::event::{Ended, Event, Trouble, Waiting};
use super::sorting::{Lesson, is_hopeless, judge, unreachable};
use crate::delivery::{Class, Phase};
use crate::smtp::SessionError;
use crate::store::Answer;

/// The waits between attempts to connect; after the last one the send ends. A first connection that
/// fails ends it sooner: somebody is watching then.
const RECONNECT: [u64; 6] = [1, 5, 15, 30, 60, 120];
const FIRST_CONNECT_TRIES: usize = 2;

/// So many messages refused as a whole, one after the other, are the account's trouble, not theirs.
const BREAKER: u32 = 20;

/// How long to wait before asking again whether another process's message has its verdict.
const OTHER_SENDER: SignedDuration = SignedDuration::from_secs(2);

impl Dispatcher<'_> {
    pub(super) fn learn(&mut self, outcome: Outcome) {
        self.ever_connected = true;
        self.awaiting_verdict = false;
        // A message that was put off or given back is there to be claimed again.
        self.drained = false;
        self.handed_over += u64::from(outcome.handed_over);
        for event in outcome.events {
            (self.report)(event);
        }
        if outcome.progress {
            self.failures = 0;
        }
        match outcome.refused_message {
            Some(reply) => self.count_refusal(&reply),
            None if outcome.progress => self.refusals = 0,
            None => {}
        }
        self.heed(outcome.lesson);
        if let Some((phase, what)) = outcome.broke
            && !outcome.progress
            && self.ending.is_none()
        {
            self.back_off(unreachable(phase, what), RECONNECT.len());
        }
    }

    fn count_refusal(&mut self, reply: &str) {
        self.refusals += 1;
        if self.refusals >= BREAKER && self.ending.is_none() {
            self.ending = Some(Ok(Ended::Stopped(Box::new(Trouble {
                class: Class::Message,
                phase: Phase::FinalDot,
                reply: reply.to_owned(),
                meaning: format!("the server refused {BREAKER} messages one after the other"),
                remedy: "look at the reply, mend the message or the account, then run send again"
                    .to_owned(),
                unreachable: false,
            }))));
        }
    }

    fn heed(&mut self, lesson: Lesson) {
        if let Some(trouble) = lesson.stop
            && self.ending.is_none()
        {
            self.ending = Some(Ok(Ended::Stopped(trouble)));
        }
        if let Some((pause, words)) = lesson.pause {
            self.block_for(pause, Waiting::Provider(words));
        }
    }

    fn block_for(&mut self, pause: Duration, why: Waiting) {
        let pause = SignedDuration::try_from(pause).unwrap_or(SignedDuration::MAX);
        let until = self
            .context
            .clock
            .now()
            .checked_add(pause)
            .unwrap_or(Timestamp::MAX);
        if self
            .blocked
            .as_ref()
            .is_none_or(|(known, _)| *known < until)
        {
            self.blocked = Some((until, why));
        }
    }

    pub(super) fn block(&mut self, answer: &Answer) {
        self.ever_connected = true;
        match *answer {
            Answer::Claimed(_) => {}
            Answer::NotBefore(until, rule) => self.blocked = Some((until, Waiting::Rule(rule))),
            Answer::NotDue(until) if self.busy() == 0 => {
                self.blocked = Some((until, Waiting::Deferred));
            }
            Answer::AfterVerdict(_) if self.busy() == 0 => {
                let until = self.context.clock.now().saturating_add(OTHER_SENDER);
                self.blocked = Some((until.unwrap_or(Timestamp::MAX), Waiting::OtherSender));
            }
            // A verdict that is still to come may free a share or put a message off.
            Answer::NotDue(_) | Answer::AfterVerdict(_) => self.awaiting_verdict = true,
            Answer::Never(number, rule) => {
                let rule = rule.to_string();
                self.ending = Some(Err(Error::NeverFits { number, rule }));
            }
            Answer::Nothing => self.drained = true,
        }
    }

    pub(super) fn no_session(&mut self, error: &SessionError) {
        let mut lesson = Lesson::default();
        if let Some(reply) = error.reply() {
            judge(
                &self.options.account.replies,
                error.phase,
                reply,
                &mut lesson,
            );
        }
        if lesson.stop.is_some() {
            return self.heed(lesson);
        }
        let trouble = unreachable(error.phase, error.to_string());
        if is_hopeless(error) {
            self.ending
                .get_or_insert(Ok(Ended::Stopped(Box::new(trouble))));
            return;
        }
        let tries = if self.ever_connected {
            RECONNECT.len()
        } else {
            FIRST_CONNECT_TRIES
        };
        self.back_off(trouble, tries);
    }

    fn back_off(&mut self, trouble: Trouble, tries: usize) {
        match RECONNECT[..tries].get(self.failures) {
            Some(&seconds) => {
                self.failures += 1;
                let because = trouble.reply;
                self.block_for(
                    Duration::from_secs(seconds),
                    Waiting::Server(because.clone()),
                );
                if let Some((until, _)) = self.blocked {
                    (self.report)(Event::Reconnecting { because, until });
                }
            }
            None => {
                self.ending
                    .get_or_insert(Ok(Ended::Stopped(Box::new(trouble))));
            }
        }
    }
}
