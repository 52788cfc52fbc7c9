//! One worker: one session, one message at a time, whenever the dispatcher gives leave.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::attempt::{Context, Outcome, attempt};
use super::error::Error;
use super::signing::{NoSession, Opened, open};
use crate::delivery::Phase;
use crate::oauth::AccessToken;
use crate::store::{self, Answer, ConnectionSlot, is_slot_wanted};

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
    /// There is none that may go now.
    Blocked(Answer),
    /// All of the mailbox's connections are in use, by other processes too.
    NoSlot,
    /// No session could be had.
    NoSession(NoSession),
    /// The send must end.
    Failed(Error),
}

pub(super) struct Worker {
    pub(super) number: usize,
    pub(super) context: Arc<Context>,
    pub(super) leave: mpsc::Receiver<Leave>,
    pub(super) reports: mpsc::UnboundedSender<(usize, usize, Report)>,
    pub(super) opened: Option<Opened>,
    /// The token of the last session, if the server takes it no longer.
    pub(super) refused: Option<AccessToken>,
    /// Held as long as the session: the provider counts connections over all processes.
    pub(super) slot: Option<ConnectionSlot>,
    /// How many messages were tried since the slot was taken.
    pub(super) tried: u32,
}

impl Worker {
    /// Works until the dispatcher lets go of the other end; then says goodbye to the server.
    pub(super) async fn run(mut self) {
        while let Some(leave) = self.leave.recv().await {
            if leave == Leave::Rest {
                self.close().await;
                continue;
            }
            let report = self.send_one().await;
            if self
                .reports
                .send((self.context.lane, self.number, report))
                .is_err()
            {
                break;
            }
        }
        self.close().await;
    }

    async fn close(&mut self) {
        if let Some(opened) = self.opened.take() {
            opened.session.quit().await;
        }
        self.slot = None;
    }

    /// Gives the connection up after a fair share of messages, if somebody else has none.
    async fn give_way(&mut self) -> bool {
        self.tried += 1;
        let account = &self.context.account;
        if self.tried < FAIR_SHARE || !is_slot_wanted(&self.context.store, &account.mailbox) {
            return false;
        }
        self.close().await;
        true
    }

    async fn send_one(&mut self) -> Report {
        let fresh = self.opened.is_none();
        if fresh {
            if self.slot.is_none() {
                match self.take_slot() {
                    Ok(Some(slot)) => (self.slot, self.tried) = (Some(slot), 0),
                    Ok(None) => return Report::NoSlot,
                    Err(error) => return Report::Failed(error.into()),
                }
            }
            match self.connect().await {
                Ok(opened) => (self.opened, self.refused) = (Some(opened), None),
                Err(error) => {
                    self.slot = None;
                    return Report::NoSession(error);
                }
            }
        }
        let Some(Opened { session, .. }) = self.opened.as_mut() else {
            return Report::Failed(Error::Worker("a session was lost".to_owned()));
        };
        let claim = match self
            .context
            .journal
            .claim(self.context.lane, self.context.clock.reading())
            .await
        {
            Ok(Answer::Claimed(claim)) => claim,
            Ok(answer) => return Report::Blocked(answer),
            Err(error) => return Report::Failed(error.into()),
        };
        let tried = attempt(&self.context, session, &claim).await;
        let usable = session.is_usable();
        match tried {
            Ok(mut outcome) => {
                self.heed_token(&mut outcome);
                let lost = outcome.broke.is_some() || outcome.lesson.reconnect;
                if lost || !usable {
                    self.opened = None;
                }
                // A server may hang up on a session that was idle: that is no trouble, a new one serves.
                let early = matches!(outcome.broke, Some((Phase::MailFrom, _)));
                if early && !fresh {
                    outcome.broke = None;
                }
                outcome.gave_way = self.give_way().await;
                Report::Tried(Box::new(outcome))
            }
            Err(error) => {
                self.opened = None;
                Report::Failed(error)
            }
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
