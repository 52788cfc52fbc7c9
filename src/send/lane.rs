//! One account's part in a send: its workers, and what it has learned of its server.

use std::sync::Arc;

use std::sync::atomic::Ordering;

use tokio::sync::mpsc;

use super::attempt::Context;
use super::event::{Trouble, Waiting};
use super::pace::Pace;
use super::train::AHEAD;
use super::waiting::is_same;
use super::worker::Leave;
use crate::clock::Timestamp;
use crate::store::SlotWanted;

/// A worker, as the dispatcher knows it.
pub(super) struct Seat {
    pub(super) leave: mpsc::Sender<Leave>,
    /// So many leaves are not answered yet.
    pub(super) leaves: usize,
    /// It has found all of the mailbox's connections in use: the leaves that it still has come to nothing.
    pub(super) without_slot: bool,
}

#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, and most of them may hold together"
)]
pub(super) struct Lane {
    pub(super) context: Arc<Context>,
    pub(super) workers: Vec<Seat>,
    /// Nothing may go before this.
    pub(super) blocked: Option<(Timestamp, Waiting)>,
    /// The wait of its own that was told last.
    pub(super) told: Option<(Timestamp, Waiting)>,
    /// How fast it may go after it was told to slow down.
    pub(super) pace: Pace,
    /// So many sessions is all that other processes leave of the mailbox's, until then.
    pub(super) seats: Option<(usize, Timestamp)>,
    /// It has no session and is in want of one, since then.
    pub(super) wanted: Option<(Timestamp, Option<SlotWanted>)>,
    /// It has no session: one is only made when there is something to send.
    pub(super) rested: bool,
    /// What is left, other accounts send.
    pub(super) drained: bool,
    /// Another message must have its verdict first.
    pub(super) awaiting_verdict: bool,
    /// Its trouble ended it; the other accounts go on.
    pub(super) stopped: Option<Box<Trouble>>,
    pub(super) failures: usize,
    pub(super) ever_connected: bool,
    pub(super) refusals: u32,
    /// Messages in doubt since the server last answered anything.
    pub(super) lost: usize,
}

impl Lane {
    pub(super) fn new(context: Context) -> Self {
        Self {
            context: Arc::new(context),
            workers: Vec::new(),
            blocked: None,
            told: None,
            pace: Pace::default(),
            seats: None,
            wanted: None,
            rested: true,
            drained: false,
            awaiting_verdict: false,
            stopped: None,
            failures: 0,
            ever_connected: false,
            refusals: 0,
            lost: 0,
        }
    }

    /// How many messages it has in hand or has leave for.
    pub(super) fn in_hand(&self) -> usize {
        self.workers.iter().map(|seat| seat.leaves).sum()
    }

    /// How many of its workers have something to do.
    pub(super) fn busy(&self) -> usize {
        self.workers.iter().filter(|seat| seat.leaves > 0).count()
    }

    /// How many beside one of its workers have something to do, and a connection for all that is known.
    pub(super) fn busy_beside(&self, worker: usize) -> usize {
        let others = self.workers.iter().enumerate();
        others
            .filter(|(number, seat)| *number != worker && seat.leaves > 0 && !seat.without_slot)
            .count()
    }

    /// Whether nothing in the account itself keeps it from beginning one more message.
    pub(super) fn may_start(&self, now: Timestamp) -> bool {
        self.stopped.is_none()
            && self.blocked.is_none()
            && !self.drained
            && !self.awaiting_verdict
            && self.pace.allows(now)
            && self.seat_for_another(now).is_some()
    }

    /// Which of its workers may begin one more message; a new one where that is beyond the last.
    pub(super) fn seat_for_another(&self, now: Timestamp) -> Option<usize> {
        let busy = self.busy();
        // Until there is a session, or there is one again, one worker tries alone.
        // So it is while the server puts off whatever it is offered.
        let is_well = self.ever_connected && self.failures == 0 && !self.context.streak.is_on();
        if busy > 0 && !is_well {
            return None;
        }
        let is_seated = |(seats, until): (usize, Timestamp)| until <= now || busy < seats;
        if self.seats.is_none_or(is_seated) {
            let idle = self.workers.iter().position(|seat| seat.leaves == 0);
            let most = self.context.account.max_connections.max(1);
            let new = (self.workers.len() < most).then_some(self.workers.len());
            if let Some(seat) = idle.or(new) {
                return Some(seat);
            }
        }
        // All are at work: at full pace each has some more to go on with.
        let in_trouble = self.refusals > 0 || self.lost > 0;
        if !is_well || in_trouble || !self.pace.is_full() {
            return None;
        }
        let seats = self.workers.iter().enumerate();
        let least = seats.min_by_key(|(_, seat)| seat.leaves);
        least
            .filter(|(_, seat)| !seat.without_slot && (1..=AHEAD).contains(&seat.leaves))
            .map(|(number, _)| number)
    }

    /// Tells its workers whether what they have claimed ahead may be begun.
    pub(super) fn hold_back(&self, is_ending: bool) {
        let waits = matches!(
            self.blocked,
            Some((_, Waiting::Provider(_) | Waiting::Server(_)))
        );
        let held_back = is_ending || waits || self.stopped.is_some();
        self.context.held_back.store(held_back, Ordering::Release);
    }

    /// When it may go on, if it is only a matter of time.
    pub(super) fn wakes_at(&self, now: Timestamp) -> Option<Timestamp> {
        if self.stopped.is_some() {
            return None;
        }
        let blocked = self.blocked.as_ref().map(|(until, _)| *until);
        blocked.or_else(|| self.pace.next_at().filter(|at| *at > now))
    }

    /// What it waits for, where that is another wait than the one that was told last. Of a server that cannot be
    /// reached each attempt is told.
    pub(super) fn untold_wait(&mut self) -> Option<(Timestamp, Waiting)> {
        let wait = self.blocked.as_ref()?;
        if matches!(wait.1, Waiting::Server(_)) {
            return None;
        }
        if self.told.as_ref().is_some_and(|told| is_same(told, wait)) {
            return None;
        }
        self.told = Some(wait.clone());
        self.told.clone()
    }

    /// The longer one of two reasons to wait holds.
    pub(super) fn block_until(&mut self, until: Timestamp, why: Waiting) {
        let is_longer = |(known, _): &(Timestamp, Waiting)| *known < until;
        if self.blocked.as_ref().is_none_or(is_longer) {
            self.blocked = Some((until, why));
        }
    }
}
