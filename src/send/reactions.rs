//! What the dispatcher makes of its workers' reports: pauses, new connections, the end.

use std::time::Duration;

use jiff::SignedDuration;

use super::attempt::{Outcome, RefusedMessage};
use super::dispatcher::Dispatcher;
use super::error::Error;
use super::event::{Ended, Event, Trouble, Waiting};
use super::lane::Lane;
use super::signing::{NoSession, without_token};
use super::sorting::{Lesson, hopeless, is_hopeless, judge, no_session, unreachable};
use crate::clock::Timestamp;
use crate::delivery::{Class, Phase};
use crate::limits::Reason;
use crate::smtp::SessionError;
use crate::store::{Answer, Store};

/// The waits between attempts to connect; after the last one the send ends. A first connection that
/// fails ends it sooner: somebody is watching then.
const RECONNECT: [u64; 6] = [1, 5, 15, 30, 60, 120];
const FIRST_CONNECT_TRIES: usize = 2;

/// How long a server is left alone that answers each attempt by closing the connection.
const PATIENT: Duration = Duration::from_mins(1);

/// So often a broken line is tried again, every two minutes in the end: for a day.
const PATIENCE: usize = 720;

/// So many messages refused as a whole, one after the other, are the account's trouble, not theirs.
const BREAKER: u32 = 20;

/// So many where each was refused for one recipient, and it may be a copy that all of them have.
const COPY_BREAKER: u32 = 3;

/// How long to wait before asking again whether another process's message has its verdict.
const OTHER_SENDER: SignedDuration = SignedDuration::from_secs(2);

/// How often to look for a connection that others have.
const ASKS: SignedDuration = SignedDuration::from_secs(1);

/// Who may not wait is patient so long for its turn at one.
const TURN: SignedDuration = SignedDuration::from_mins(1);

/// How long to go on with fewer connections before asking for another one again.
const SEATS: SignedDuration = SignedDuration::from_secs(20);

impl Dispatcher<'_> {
    pub(super) fn learn(&mut self, (number, worker): (usize, usize), outcome: Outcome) {
        for event in outcome.events {
            (self.report)(event);
        }
        self.start_over();
        let Some(lane) = self.lanes.get_mut(number) else {
            return;
        };
        (lane.ever_connected, lane.wanted) = (true, None);
        if outcome.gave_way {
            lane.step_back(worker, self.clock.now());
        }
        if outcome.progress {
            lane.failures = 0;
            lane.lost = 0;
            // How long the other one takes nobody knows: the next such wait is news.
            lane.told.take_if(|(_, why)| *why == Waiting::OtherSender);
            lane.pace.recover();
        }
        let mut trouble = lane.count_lost(outcome.lost.as_deref());
        match outcome.refused_message {
            Some(refused) => trouble = trouble.or(lane.count_refusal(&refused)),
            None if outcome.progress => lane.refusals = 0,
            None => {}
        }
        let was_held = outcome.held.is_some();
        if let Some(gap) = outcome.gap {
            let next = self.clock.now().saturating_add(gap);
            lane.pace.not_before(next.unwrap_or(Timestamp::MAX));
        }
        if let Some((until, words)) = outcome.held {
            if !outcome.lesson.is_streak {
                lane.pace.slow_down();
            }
            (self.report)(Event::Paused {
                account: lane.context.account.name.clone(),
                until,
                because: words.clone(),
            });
            lane.block_until(until, Waiting::Provider(words));
            self.hand_out_again(number);
        }
        if let Some(trouble) = outcome.lesson.stop.or(trouble) {
            self.stop_lane(number, trouble);
        }
        if let Some((phase, what)) = outcome.broke
            && !outcome.progress
            && !was_held
            && self.ending.is_none()
        {
            self.back_off(number, unreachable(phase, what));
        }
    }

    /// An account's trouble ends its part; when no account is left, the send.
    fn stop_lane(&mut self, number: usize, trouble: Box<Trouble>) {
        let Some(lane) = self.lanes.get_mut(number) else {
            return;
        };
        if lane.stopped.is_some() {
            return;
        }
        let account = lane.context.account.name.clone();
        lane.stopped = Some(trouble.clone());
        if self.lanes.iter().all(|lane| lane.stopped.is_some()) {
            self.ending.get_or_insert(Ok(Ended::Stopped(trouble)));
            return;
        }
        (self.report)(Event::AccountStopped { account, trouble });
        // Its share is there to be taken over.
        for lane in &mut self.lanes {
            lane.drained = false;
        }
    }

    pub(super) fn block(&mut self, number: usize, answer: Answer) {
        let busy = self.busy();
        let soon = self.clock.now().saturating_add(OTHER_SENDER);
        let Some(lane) = self.lanes.get_mut(number) else {
            return;
        };
        lane.wanted = None;
        match answer {
            Answer::Claimed(_) | Answer::MayGo => {}
            // A verdict that is still to come may put a message off for less long, or give it back.
            Answer::NotBefore(_, Reason::Deferred) | Answer::AfterVerdict(_) if busy > 0 => {
                lane.awaiting_verdict = true;
            }
            Answer::NotBefore(until, reason) => lane.block_until(until, Waiting::from(reason)),
            Answer::Held(until, words) => lane.block_until(until, Waiting::Provider(words)),
            Answer::AfterVerdict(_) => {
                lane.block_until(soon.unwrap_or(Timestamp::MAX), Waiting::OtherSender);
            }
            Answer::Never(number, rule) => {
                let rule = rule.to_string();
                self.fail(Error::NeverFits { number, rule });
            }
            Answer::Halted(halt) => {
                self.ending.get_or_insert(Ok(Ended::Halted(halt)));
            }
            Answer::LeftToOthers => lane.drained = true,
            Answer::Nothing => self.nothing_left = true,
        }
        self.tell_of(number);
        self.hand_out_again(number);
    }

    /// Of several accounts each says for itself that it waits, once it has nothing in hand any more.
    pub(super) fn tell_of(&mut self, number: usize) {
        if self.lanes.len() < 2 {
            return;
        }
        if let Some(lane) = self.lanes.get_mut(number)
            && lane.in_hand() == 0
            && let Some((until, why)) = lane.untold_wait()
        {
            let account = lane.context.account.name.clone();
            (self.report)(Event::AccountWaiting {
                account,
                until,
                why,
            });
        }
    }

    /// An account that must wait may leave some of its share to those that have nothing to do just now.
    fn hand_out_again(&mut self, number: usize) {
        let blocked = self
            .lanes
            .get(number)
            .and_then(|lane| lane.blocked.as_ref());
        if !matches!(blocked, Some((_, Waiting::Rule(_) | Waiting::Provider(_)))) {
            return;
        }
        for lane in &mut self.lanes {
            lane.drained = false;
            if matches!(lane.blocked, Some((_, Waiting::Deferred))) {
                lane.blocked = None;
            }
        }
    }

    /// Other processes use the mailbox's connections: it goes on with those that it has, or waits for one.
    /// Who has none says so, and gets one when another sender has had its share.
    pub(super) fn no_slot(&mut self, number: usize, worker: usize) -> Result<(), Error> {
        let now = self.clock.now();
        let wait = self.options.wait;
        let Some(lane) = self.lanes.get_mut(number) else {
            return Ok(());
        };
        if let Some(seat) = lane.workers.get_mut(worker) {
            seat.without_slot = true;
        }
        let busy = lane.busy_beside(worker);
        let later = |span| now.saturating_add(span).unwrap_or(Timestamp::MAX);
        if busy > 0 {
            lane.seats = Some((busy, later(SEATS)));
            return Ok(());
        }
        let (since, sign) = lane.wanted.get_or_insert((now, None));
        if sign.is_none() {
            let store = Store::open(&self.options.store)?;
            *sign = store.want_slot(&lane.context.account.mailbox)?;
        }
        if !wait && now.duration_since(*since) < TURN {
            // Its turn comes soon; that is no wait that ends a send.
            lane.pace.not_before(later(ASKS));
        } else {
            lane.block_until(later(ASKS), Waiting::OtherSender);
        }
        Ok(())
    }

    pub(super) async fn no_session(&mut self, number: usize, why: NoSession) -> Result<(), Error> {
        let Some(lane) = self.lanes.get_mut(number) else {
            return Ok(());
        };
        (lane.rested, lane.wanted) = (true, None);
        match why {
            NoSession::Server(error) => return self.no_server(number, &error).await,
            NoSession::Refused(trouble) => self.stop_lane(number, trouble),
            NoSession::Tokens(error) => match without_token(&lane.context.account, &error) {
                (trouble, true) => self.back_off(number, trouble),
                (trouble, false) => self.stop_lane(number, Box::new(trouble)),
            },
        }
        Ok(())
    }

    async fn no_server(&mut self, number: usize, error: &SessionError) -> Result<(), Error> {
        let Some(lane) = self.lanes.get_mut(number) else {
            return Ok(());
        };
        let table = &lane.context.account.replies;
        let mut lesson = Lesson::default();
        if let Some(reply) = error.reply() {
            judge(table, error.phase, reply, &mut lesson);
        }
        if let Some(mut trouble) = lesson.stop.take().or(lesson.token_refused.take()) {
            // A server that turns everybody away before a sign-in is no different from one that is not there.
            trouble.unreachable |= error.phase < Phase::SignIn;
            self.stop_lane(number, trouble);
            return Ok(());
        }
        let trouble = no_session(table, error);
        if let Some(reply) = error.reply().filter(|_| lesson.reconnect)
            && lane.next_pause(self.options.wait).is_none()
        {
            // It is there and asks for patience, and coming back soon has not helped.
            lesson.pause_for(PATIENT, false, &reply.to_string());
        }
        if let Some(pause) = lesson.pause
            && lane.failures < RECONNECT.len()
        {
            // The provider said how long: that, and not the ladder of a broken line.
            lane.failures += 1;
            let words = pause.reply.clone();
            let until = self
                .journal
                .hold(number, self.clock.reading(), pause)
                .await?;
            if let Some(lane) = self.lanes.get_mut(number) {
                lane.block_until(until, Waiting::Provider(words));
            }
            return Ok(());
        }
        if is_hopeless(error) {
            self.stop_lane(number, Box::new(hopeless(error)));
        } else {
            self.back_off(number, trouble);
        }
        Ok(())
    }

    /// A line that broke for several sessions at once broke once.
    fn back_off(&mut self, number: usize, trouble: Trouble) {
        let wait = self.options.wait;
        let Some(lane) = self.lanes.get_mut(number) else {
            return;
        };
        if matches!(lane.blocked, Some((_, Waiting::Server(_)))) {
            return;
        }
        let Some(pause) = lane.next_pause(wait) else {
            self.stop_lane(number, Box::new(trouble));
            return;
        };
        lane.failures += 1;
        let because = trouble.reply;
        let until = self.clock.now().saturating_add(pause);
        lane.block_until(
            until.unwrap_or(Timestamp::MAX),
            Waiting::Server(because.clone()),
        );
        if let Some((until, _)) = lane.blocked {
            let account = lane.context.account.name.clone();
            (self.report)(Event::Reconnecting {
                account,
                because,
                until,
            });
        }
    }
}

impl Lane {
    /// A connection was left to somebody who has none: for long enough that they get it.
    pub(super) fn step_back(&mut self, worker: usize, now: Timestamp) {
        let later = |span| now.saturating_add(span).unwrap_or(Timestamp::MAX);
        match self.busy_beside(worker) {
            0 => self.pace.not_before(later(ASKS + ASKS)),
            busy => self.seats = Some((busy, later(SEATS))),
        }
    }

    /// One cut of the network may take a verdict from each connection; more than that is a server that
    /// answers nobody, and every further message would be in doubt too.
    fn count_lost(&mut self, what: Option<&str>) -> Option<Box<Trouble>> {
        let what = what?;
        self.lost += 1;
        (self.lost > self.context.account.max_connections).then(|| {
            Box::new(Trouble {
                meaning: format!("no verdict came for {} messages one after the other", self.lost),
                remedy: "settle what is in doubt with `postroom resolve`; let the administrator of the server look \
                         why it does not answer after the content, then run send again"
                    .to_owned(),
                ..unreachable(Phase::FinalDot, what.to_owned())
            })
        })
    }

    fn count_refusal(&mut self, refused: &RefusedMessage) -> Option<Box<Trouble>> {
        self.refusals += 1;
        let (most, remedy) = if refused.copy_suspected {
            let remedy = "look whether an address in cc or bcc is blocked, which every message has, and take it out; \
                          then run send again";
            (COPY_BREAKER, remedy)
        } else {
            let remedy = "look at the reply, mend the message or the account, then run send again";
            (BREAKER, remedy)
        };
        (self.refusals >= most).then(|| {
            Box::new(Trouble {
                class: Class::Message,
                phase: Phase::FinalDot,
                reply: refused.reply.clone(),
                meaning: format!("the server refused {most} messages one after the other"),
                remedy: remedy.to_owned(),
                unreachable: false,
                local: false,
            })
        })
    }

    /// How long to wait for the next attempt to connect; none when it is time to give up. A campaign that
    /// was on its way and may wait goes on trying for a day: laptops sleep, lines come back.
    fn next_pause(&self, wait: bool) -> Option<Duration> {
        let last = RECONNECT.len() - 1;
        let seconds = match (self.ever_connected, wait) {
            (false, _) => RECONNECT[..FIRST_CONNECT_TRIES].get(self.failures).copied(),
            (true, false) => RECONNECT.get(self.failures).copied(),
            (true, true) => (self.failures < PATIENCE).then(|| RECONNECT[self.failures.min(last)]),
        };
        seconds.map(Duration::from_secs)
    }
}
