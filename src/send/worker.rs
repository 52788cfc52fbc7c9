//! One worker: one session, one message at a time, whenever the dispatcher gives leave.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::attempt::{Attempted, Context, Outcome, attempt};
use super::error::Error;
use super::signing::{NoSession, Opened, open};
use super::train::{Taken, Train};
use crate::delivery::Phase;
use crate::oauth::AccessToken;
use crate::store::{self, Answer, Claim, ConnectionSlot, is_slot_wanted};

/// So many messages are sent on a connection before others who have none get theirs.
const FAIR_SHARE: u32 = 10;

/// What the dispatcher asks of a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leave {
    /// Claim a message and send it.
    Send,
    /// Close the session: nothing will go for a while.
    Rest,
}

/// What a worker tells the dispatcher.
#[derive(Debug)]
pub(super) enum Report {
    /// A message was tried.
    Tried(Box<Outcome>),
    /// There is none that may go now; so many further leaves were not used either.
    Blocked(Answer, usize),
    /// All of the mailbox's connections are in use, by other processes too.
    NoSlot,
    /// No session could be had.
    NoSession(NoSession),
    /// What was claimed is as it was before.
    Returned,
    /// Nothing was claimed.
    Unused,
    /// The send must end.
    Failed(Error),
}

/// What a connection does after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// Goes on with the next message at once.
    GoOn,
    /// Waits for the dispatcher's leave.
    Stop,
    /// Closes: somebody else has none.
    GiveWay,
    /// Makes a new session for the next message.
    Reconnect,
}

/// How a worker tells the dispatcher.
#[derive(Debug, Clone)]
pub(super) struct Reports {
    pub(super) lane: usize,
    pub(super) worker: usize,
    pub(super) to: mpsc::UnboundedSender<(usize, usize, Report)>,
}

impl Reports {
    /// A dispatcher that is gone has no use for it.
    pub(super) fn tell(&self, report: Report) {
        let _gone = self.to.send((self.lane, self.worker, report));
    }
}

pub(super) struct Worker {
    pub(super) context: Arc<Context>,
    pub(super) train: Train,
    pub(super) opened: Option<Opened>,
    /// The token of the last session, if the server takes it no longer.
    pub(super) refused: Option<AccessToken>,
    /// Held as long as the session: the provider counts connections over all processes.
    pub(super) slot: Option<ConnectionSlot>,
    /// How many messages were tried since the slot was taken.
    pub(super) tried: u32,
}

impl Worker {
    pub(super) fn new(context: Arc<Context>, train: Train) -> Self {
        Self {
            context,
            train,
            opened: None,
            refused: None,
            slot: None,
            tried: 0,
        }
    }

    /// Works until the dispatcher lets go of the other end; then says goodbye to the server.
    pub(super) async fn run(mut self) {
        while let Some(leave) = self.train.leave.recv().await {
            match leave {
                Leave::Rest => self.close().await,
                Leave::Send => self.work().await,
            }
            if std::mem::take(&mut self.train.rest_due) {
                self.close().await;
            }
        }
        self.close().await;
    }

    /// Sends a message, and those for which there is further leave by then.
    async fn work(&mut self) {
        let fresh = self.opened.is_none();
        let claim = match self.begin().await {
            Ok(claim) => claim,
            Err(report) => {
                self.train.reports.tell(report);
                return self.stop().await;
            }
        };
        let mut next = Some(Taken::new(&self.context, *claim, false));
        let mut first = fresh;
        while let Some(taken) = next.take() {
            match self.send(taken, first).await {
                Ok(true) => next = self.train.ahead.pop_front(),
                Ok(false) => return,
                Err(error) => {
                    self.opened = None;
                    self.train.reports.tell(Report::Failed(error));
                    return self.stop().await;
                }
            }
            first = false;
        }
    }

    /// Gives back what was claimed ahead. A server that was asked about the next message already forgets that with
    /// the connection.
    async fn stop(&mut self) {
        if let Err(error) = self.train.stop(&self.context).await {
            self.train.reports.tell(Report::Failed(error));
        }
        let is_unusable =
            |opened: &mut Opened| opened.session.has_asked() || !opened.session.is_usable();
        self.opened.take_if(is_unusable);
    }

    async fn close(&mut self) {
        if let Some(opened) = self.opened.take() {
            opened.session.quit().await;
        }
        self.slot = None;
    }

    /// Whether somebody else has no connection, after a fair share of messages.
    fn is_to_give_way(&mut self) -> bool {
        self.tried += 1;
        let account = &self.context.account;
        self.tried >= FAIR_SHARE && is_slot_wanted(&self.context.store, &account.mailbox)
    }

    /// A session, and the first message for it.
    async fn begin(&mut self) -> Result<Box<Claim>, Report> {
        if self.opened.is_none() {
            if self.slot.is_none() {
                match self.take_slot() {
                    Ok(Some(slot)) => (self.slot, self.tried) = (Some(slot), 0),
                    Ok(None) => return Err(Report::NoSlot),
                    Err(error) => return Err(Report::Failed(error.into())),
                }
            }
            match self.connect().await {
                Ok(opened) => (self.opened, self.refused) = (Some(opened), None),
                Err(error) => {
                    self.slot = None;
                    return Err(Report::NoSession(error));
                }
            }
        }
        let (journal, lane) = (&self.context.journal, self.context.lane);
        match journal.claim(lane, self.context.clock.reading()).await {
            Ok(Answer::Claimed(claim)) => Ok(claim),
            Ok(answer) => Err(Report::Blocked(answer, self.train.unused())),
            Err(error) => Err(Report::Failed(error.into())),
        }
    }

    /// Sends one message. True when the connection can go on with the next at once.
    async fn send(&mut self, taken: Taken, fresh: bool) -> Result<bool, Error> {
        let Some(Opened { session, .. }) = self.opened.as_mut() else {
            return Err(Error::Worker("a session was lost".to_owned()));
        };
        let attempted = attempt(&self.context, session, &mut self.train, taken).await?;
        let usable = session.is_usable();
        let next = match attempted {
            Attempted::Settled(mut outcome) => {
                let next = self.heed(&mut outcome, usable, fresh);
                self.train.tell_of(Some(outcome));
                next
            }
            Attempted::Carried(mut carried) => {
                let next = self.heed(&mut carried.outcome, usable, fresh);
                self.train.carried = Some(*carried);
                next
            }
            Attempted::Withheld(answer) => {
                let blocked = |answer| Report::Blocked(answer, 0);
                let report = answer.map_or(Report::Returned, blocked);
                self.train.reports.tell(report);
                Next::Stop
            }
        };
        if next != Next::GoOn {
            self.stop().await;
        }
        match next {
            Next::GoOn | Next::Stop => {}
            Next::GiveWay => self.close().await,
            Next::Reconnect => self.opened = None,
        }
        Ok(next == Next::GoOn)
    }

    /// What follows from an attempt for its connection.
    fn heed(&mut self, outcome: &mut Outcome, usable: bool, fresh: bool) -> Next {
        self.heed_token(outcome);
        let lost = outcome.broke.is_some() || outcome.lesson.reconnect;
        // A server may hang up on a session that was idle: that is no trouble, a new one serves.
        let early = matches!(outcome.broke, Some((Phase::MailFrom, _)));
        if early && !fresh {
            outcome.broke = None;
        }
        outcome.gave_way = self.is_to_give_way();
        if outcome.gave_way {
            Next::GiveWay
        } else if lost || !usable {
            Next::Reconnect
        } else if outcome.is_clear() {
            Next::GoOn
        } else {
            Next::Stop
        }
    }

    /// What the attempt has taught about the token that opened the session.
    fn heed_token(&mut self, outcome: &mut Outcome) {
        let trial = &self.context.trial;
        let opened = self.opened.as_ref();
        let token = opened.and_then(|opened| opened.token.as_ref());
        match (outcome.lesson.token_refused.take(), token) {
            (Some(_), Some(token)) if trial.may_renew(token) => {
                self.refused = Some(token.clone());
                outcome.lesson.reconnect = true;
            }
            (Some(trouble), _) => {
                outcome.lesson.stop.get_or_insert(trouble);
            }
            (None, Some(token)) if outcome.was_taken() => trial.passed(token),
            (None, _) => {}
        }
    }

    fn take_slot(&self) -> Result<Option<ConnectionSlot>, store::Error> {
        let account = &self.context.account;
        let (store, most) = (&self.context.store, account.max_connections.max(1));
        store::connection_slot(store, &account.mailbox, most)
    }

    async fn connect(&self) -> Result<Opened, NoSession> {
        let Context {
            network,
            clock,
            account,
            trial,
            ..
        } = &*self.context;
        open(network, clock, account, trial, self.refused.as_ref()).await
    }
}
