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

/// So often a broken line is tried again, every two minutes in the end: for a day.
const PATIENCE: usize = 720;

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
            self.lost = 0;
        }
        self.count_lost(outcome.lost.as_deref());
        match outcome.refused_message {
            Some(reply) => self.count_refusal(&reply),
            None if outcome.progress => self.refusals = 0,
            None => {}
        }
        let asked_to_wait = outcome.lesson.pause.is_some();
        self.heed(outcome.lesson);
        if let Some((phase, what)) = outcome.broke
            && !outcome.progress
            && !asked_to_wait
            && self.ending.is_none()
        {
            self.back_off(unreachable(phase, what));
        }
    }

    /// One cut of the network may take a verdict from each connection; more than that is a server that
    /// answers nobody, and every further message would be in doubt too.
    fn count_lost(&mut self, what: Option<&str>) {
        let Some(what) = what else { return };
        self.lost += 1;
        if self.lost > self.options.account.max_connections && self.ending.is_none() {
            let trouble = Trouble {
                meaning: format!("no verdict came for {} messages one after the other", self.lost),
                remedy: "settle what is in doubt with `postroom resolve`; let the administrator of the server look \
                         why it does not answer after the content, then run send again"
                    .to_owned(),
                ..unreachable(Phase::FinalDot, what.to_owned())
            };
            self.ending = Some(Ok(Ended::Stopped(Box::new(trouble))));
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
        let until = self.context.clock.now().checked_add(pause);
        self.block_until(until.unwrap_or(Timestamp::MAX), why);
    }

    /// The longer one of two reasons to wait holds.
    fn block_until(&mut self, until: Timestamp, why: Waiting) {
        let is_longer = |(known, _): &(Timestamp, Waiting)| *known < until;
        if self.blocked.as_ref().is_none_or(is_longer) {
            self.blocked = Some((until, why));
        }
    }

    pub(super) fn block(&mut self, answer: &Answer) {
        self.ever_connected = true;
        match *answer {
            Answer::Claimed(_) => {}
            Answer::NotBefore(until, rule) => self.block_until(until, Waiting::Rule(rule)),
            Answer::NotDue(until) if self.busy() == 0 => {
                self.block_until(until, Waiting::Deferred);
            }
            Answer::AfterVerdict(_) if self.busy() == 0 => {
                let until = self.context.clock.now().saturating_add(OTHER_SENDER);
                self.block_until(until.unwrap_or(Timestamp::MAX), Waiting::OtherSender);
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
        if let Some(trouble) = lesson.stop.as_mut() {
            // A server that turns everybody away before a sign-in is no different from one that is not there.
            trouble.unreachable |= error.phase <= Phase::Hello;
            return self.heed(lesson);
        }
        if let Some((pause, words)) = lesson.pause
            && self.failures < RECONNECT.len()
        {
            // The provider said how long: that, and not the ladder of a broken line.
            self.failures += 1;
            self.block_for(pause, Waiting::Provider(words));
            return;
        }
        let trouble = unreachable(error.phase, error.to_string());
        if is_hopeless(error) {
            self.ending
                .get_or_insert(Ok(Ended::Stopped(Box::new(trouble))));
            return;
        }
        self.back_off(trouble);
    }

    /// A line that broke for several sessions at once broke once.
    fn back_off(&mut self, trouble: Trouble) {
        if matches!(self.blocked, Some((_, Waiting::Server(_)))) {
            return;
        }
        let Some(seconds) = self.next_pause() else {
            self.ending
                .get_or_insert(Ok(Ended::Stopped(Box::new(trouble))));
            return;
        };
        self.failures += 1;
        let because = trouble.reply;
        let pause = Duration::from_secs(seconds);
        self.block_for(pause, Waiting::Server(because.clone()));
        if let Some((until, _)) = self.blocked {
            (self.report)(Event::Reconnecting { because, until });
        }
    }

    /// The seconds until the next attempt to connect; none when it is time to give up. A campaign that
    /// was on its way and may wait goes on trying for a day: laptops sleep, lines come back.
    fn next_pause(&self) -> Option<u64> {
        let last = RECONNECT.len() - 1;
        match (self.ever_connected, self.options.wait) {
            (false, _) => RECONNECT[..FIRST_CONNECT_TRIES].get(self.failures).copied(),
            (true, false) => RECONNECT.get(self.failures).copied(),
            (true, true) => (self.failures < PATIENCE).then(|| RECONNECT[self.failures.min(last)]),
        }
    }
}
