//! Waiting: through limits, nights, pauses and broken lines.

use jiff::SignedDuration;

use super::dispatcher::Dispatcher;
use super::error::Error;
use super::event::{Ended, Event, Waiting};
use super::lane::Lane;
use super::lookout::News;
use super::worker::Leave;
use crate::clock::Timestamp;
use crate::store::{Answer, RunState, Store, is_slot_wanted};

/// A session is closed before a wait that is longer than this; servers hang up on idle ones.
const IDLE: SignedDuration = SignedDuration::from_mins(2);

/// A wait that is longer than this leaves the session to somebody who has none; looked for as often.
const LEND: SignedDuration = SignedDuration::from_secs(5);

/// After so long a stretch of a wait the store is asked again: what is waited for may have changed, and
/// so may the machine's clock.
const STRETCH: SignedDuration = SignedDuration::from_mins(15);

/// A wait whose end moves by less than this is the same one.
const SAME: SignedDuration = SignedDuration::from_secs(90);

/// Whether somebody who was told of the one wait knows of the other.
pub(super) fn is_same(told: &(Timestamp, Waiting), wait: &(Timestamp, Waiting)) -> bool {
    let ((told, reason), (until, why)) = (told, wait);
    reason == why && (*why == Waiting::OtherSender || told.duration_since(*until).abs() < SAME)
}

impl Dispatcher<'_> {
    /// Nothing is in hand and nothing may go: waits, or ends instead.
    pub(super) async fn wait(&mut self) -> Result<Option<Ended>, Error> {
        for lane in &mut self.lanes {
            lane.awaiting_verdict = false;
        }
        let now = self.clock.now();
        let Some((until, why)) = self.earliest(now) else {
            return Ok(None);
        };
        let for_server = matches!(why, Some(Waiting::Server(_)));
        if why == Some(Waiting::OtherSender) && self.look_after_others()? {
            for lane in &mut self.lanes {
                lane.blocked = None;
            }
            return Ok(None);
        }
        if let Some(why) = &why
            && !self.options.wait
            && !for_server
        {
            return Ok(Some(Ended::WouldWait(until, why.clone())));
        }
        if until <= now {
            self.wake();
            return Ok(None);
        }
        let is_certain = matches!(
            why,
            Some(Waiting::Rule(_) | Waiting::Calendar(_) | Waiting::Provider(_))
        );
        if is_certain && self.options.until.is_some_and(|end| end <= until) {
            // Nothing can go before it is to end.
            return Ok(Some(Ended::AsAsked));
        }
        self.rest(now).await;
        let is_worth_telling = why.is_some() && !for_server;
        if let Some(why) = why.filter(|_| is_worth_telling) {
            self.tell(until, why).await?;
        }
        if self.sleep(now, until).await {
            self.ask_anew().await?;
        }
        if is_worth_telling {
            self.journal.set_state(RunState::Sending, None).await?;
        }
        self.wake();
        Ok(None)
    }

    /// The first moment at which an account may go on, and what it waits for; nothing where it is only
    /// its pace.
    fn earliest(&self, now: Timestamp) -> Option<(Timestamp, Option<Waiting>)> {
        let wakes = self.lanes.iter().filter_map(|lane| {
            let until = lane.wakes_at(now)?;
            Some((until, lane.blocked.as_ref().map(|(_, why)| why.clone())))
        });
        wakes.min_by_key(|(until, _)| *until)
    }

    /// The message that is waited for may be one that its sender will never end: true when there was
    /// such a one and its share is free again.
    fn look_after_others(&self) -> Result<bool, Error> {
        let mut store = Store::open(&self.options.store)?;
        Ok(store.recover_abandoned(self.clock)? > 0)
    }

    /// Somebody may have set the clock: until when an account waits is asked again then.
    pub(super) fn heed_clock(&mut self) {
        let now = self.clock.reading();
        if now.agrees_with(&self.reckoned) {
            return;
        }
        self.reckoned = now;
        for lane in &mut self.lanes {
            (lane.blocked, lane.seats) = (None, None);
            lane.pace.begin(now.wall);
        }
    }

    /// Closes the sessions of accounts that have long to wait, or some time and somebody else has none.
    async fn rest(&mut self, now: Timestamp) {
        let store = &self.options.store;
        let is_long = |lane: &Lane| {
            let wait = lane.wakes_at(now).map(|until| until.duration_since(now));
            lane.stopped.is_some()
                || wait.is_some_and(|wait| {
                    let mailbox = &lane.context.account.mailbox;
                    wait > IDLE || (wait > LEND && !lane.rested && is_slot_wanted(store, mailbox))
                })
        };
        for lane in self.lanes.iter_mut().filter(|lane| is_long(lane)) {
            if !std::mem::replace(&mut lane.rested, true) {
                for worker in &lane.workers {
                    let _sent = worker.leave.send(Leave::Rest).await;
                }
            }
        }
    }

    async fn tell(&mut self, until: Timestamp, why: Waiting) -> Result<(), Error> {
        // Who waits is sending, and a process that is gone does neither: [`RunState::Waiting`] is left by a
        // send that has ended at a limit.
        self.journal
            .set_state(RunState::Sending, Some(until))
            .await?;
        let wait = (until, why);
        if !self.told.as_ref().is_some_and(|told| is_same(told, &wait)) {
            self.told = Some(wait.clone());
            let (until, why) = wait;
            (self.report)(Event::Waiting { until, why });
        }
        Ok(())
    }

    /// Somebody has changed the campaign: nobody waits any longer for what was to be waited for before. A server
    /// that cannot be reached is waited for all the same, as long as something is left.
    async fn ask_anew(&mut self) -> Result<(), Error> {
        let answer = self.journal.look(0, self.clock.reading()).await?;
        self.nothing_left = matches!(answer, Answer::Nothing);
        for lane in &mut self.lanes {
            lane.drained = false;
            if !matches!(lane.blocked, Some((_, Waiting::Server(_)))) {
                lane.blocked = None;
            }
        }
        Ok(())
    }

    /// Sleeps until then, until the send is to end, or for a stretch; true when it is over because somebody has
    /// changed the campaign.
    async fn sleep(&mut self, now: Timestamp, until: Timestamp) -> bool {
        let stretch = now.saturating_add(STRETCH).unwrap_or(Timestamp::MAX);
        let wake = self.options.until.map_or(until, |end| end.min(until));
        let wake = wake.min(stretch);
        let mut at = now;
        let mut is_changed = false;
        while at < wake && !is_changed && !self.stop.is_requested() {
            // Who has a session and others have none lends it out.
            let is_open = self.lanes.iter().any(|lane| !lane.rested);
            let look = at.saturating_add(LEND).ok().filter(|_| is_open);
            let next = look.map_or(wake, |look| look.min(wake));
            self.hold = None;
            tokio::select! {
                biased;
                () = self.stop.requested() => {}
                () = self.clock.sleep_until_or_set(next, &self.reckoned) => {}
                news = self.lookout.news(self.clock) => match news {
                    News::Halted(halt) => {
                        self.ending.get_or_insert(Ok(Ended::Halted(halt)));
                    }
                    News::Changed => is_changed = true,
                },
            }
            self.hold = Some(self.clock.hold());
            if self.ending.is_some() {
                break;
            }
            let reading = self.clock.reading();
            if !reading.agrees_with(&self.reckoned) {
                // Somebody has set the clock: what is waited for comes at another time.
                break;
            }
            at = reading.wall;
            if is_open && at < wake {
                self.rest(at).await;
            }
        }
        if wake < until {
            // Whoever waits asks again whether it still has to.
            for lane in &mut self.lanes {
                if lane.rested && !matches!(lane.blocked, Some((_, Waiting::Server(_)))) {
                    lane.blocked = None;
                }
            }
        }
        is_changed
    }
}
