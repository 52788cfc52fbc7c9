//! Sending messages of no campaign, such as a test: the same account, limits, connections and reply tables,
//! and no more.
//!
//! One message after the other on one session. What was offered is settled before anything else is done;
//! a message that is put off or refused is not tried again. A short wait is waited for, at most
//! [`PATIENCE`] in all.

mod connecting;
mod verdict;

use std::path::PathBuf;

use jiff::SignedDuration;

use super::error::Error;
use super::event::{Ended, Trouble, Waiting};
use super::options::Account;
use super::signing::{Opened, Trial};
use super::stop::Stop;
use crate::clock::{Clock, Timestamp};
use crate::limits::Weight;
use crate::message::Prepared;
use crate::oauth::AccessToken;
use crate::store::{Answer, ConnectionSlot, SingleLock, Store};

/// Somebody watches: what would take longer is told instead.
const PATIENCE: SignedDuration = SignedDuration::from_mins(1);

/// How often to look for a connection, or a turn, that others have.
const ASKS: SignedDuration = SignedDuration::from_secs(1);

/// How long to wait before asking again whether another process's message has its verdict.
const OTHER_SENDER: SignedDuration = SignedDuration::from_secs(2);

/// Messages of no campaign, each to one recipient, in the order in which they go.
#[derive(Debug)]
pub struct Singles {
    /// The account that sends them.
    pub account: Account,
    /// The store's file, with the ledger.
    pub store: PathBuf,
    /// The messages.
    pub messages: Vec<Prepared>,
}

/// What became of a message of no campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SingleOutcome {
    /// The server took it.
    Sent {
        /// The server's words.
        reply: String,
    },
    /// It was refused for good.
    Refused {
        /// The server's words.
        reply: String,
        /// What they mean.
        meaning: String,
        /// What to do, and who can do it.
        remedy: String,
    },
    /// The server asks to come again later.
    PutOff {
        /// The server's words.
        reply: String,
        /// What they mean.
        meaning: String,
        /// What to do, and who can do it.
        remedy: String,
    },
    /// The final dot may have gone out and no verdict came.
    InDoubt {
        /// What broke.
        reply: String,
    },
}

/// Something that happened.
#[derive(Debug, Clone)]
pub enum SingleEvent {
    /// Nothing can go before `until`, which is soon.
    Waiting {
        /// When it goes on.
        until: Timestamp,
        /// What is waited for.
        why: Waiting,
    },
    /// A message has its outcome.
    Settled {
        /// Its place among the messages, from 0.
        place: usize,
        /// What became of it.
        outcome: SingleOutcome,
    },
}

/// Sends the messages. None when each has its outcome; otherwise what ended it before:
/// [`Ended::Interrupted`], [`Ended::WouldWait`] or [`Ended::Stopped`].
///
/// # Errors
/// The store could not be read or written: nothing more may be sent.
pub async fn singly(
    job: Singles,
    clock: &Clock,
    stop: Stop,
    report: &mut dyn FnMut(SingleEvent),
) -> Result<Option<Ended>, Error> {
    let mut post = Post {
        store: Store::open(&job.store)?,
        account: &job.account,
        clock,
        stop,
        trial: Trial::default(),
        deadline: clock
            .now()
            .saturating_add(PATIENCE)
            .unwrap_or(Timestamp::MAX),
        opened: None,
        fresh: true,
        refused: None,
        slot: None,
        told: None,
        report,
    };
    let sent = post.send_all(&job.messages).await;
    if let Some(opened) = post.opened.take() {
        opened.session.quit().await;
    }
    match sent {
        Ok(()) => Ok(None),
        Err(Halt::Ended(ended)) => Ok(Some(ended)),
        Err(Halt::Failed(error)) => Err(error),
    }
}

/// What keeps the next message from going.
enum Halt {
    Ended(Ended),
    Failed(Error),
}

impl<E: Into<Error>> From<E> for Halt {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Halt {
    fn stopped(trouble: Trouble) -> Self {
        Self::Ended(Ended::Stopped(Box::new(trouble)))
    }
}

struct Post<'a> {
    store: Store,
    account: &'a Account,
    clock: &'a Clock,
    stop: Stop,
    trial: Trial,
    deadline: Timestamp,
    opened: Option<Opened>,
    /// Nothing was offered in the session yet.
    fresh: bool,
    /// The token of the last session, if the server takes it no longer.
    refused: Option<AccessToken>,
    slot: Option<ConnectionSlot>,
    /// The wait that was reported last.
    told: Option<Waiting>,
    report: &'a mut dyn FnMut(SingleEvent),
}

impl Post<'_> {
    async fn send_all(&mut self, messages: &[Prepared]) -> Result<(), Halt> {
        self.store.recover_abandoned(self.clock)?;
        let lock = self.take_turn().await?;
        for (place, message) in messages.iter().enumerate() {
            let outcome = loop {
                // Once in another session, where the first one was the trouble.
                if let Some(outcome) = self.send(&lock, message).await? {
                    break outcome;
                }
            };
            self.told = None;
            (self.report)(SingleEvent::Settled { place, outcome });
        }
        Ok(())
    }

    /// One process at a time sends such messages by a mailbox.
    async fn take_turn(&mut self) -> Result<SingleLock, Halt> {
        loop {
            let lock = self.store.lock_single(&self.account.mailbox, self.clock)?;
            match lock {
                Some(lock) => return Ok(lock),
                None => self.pause_for(ASKS, Waiting::OtherSender).await?,
            }
        }
    }

    /// Offers a message; none when it is to be offered again in another session.
    async fn send(
        &mut self,
        lock: &SingleLock,
        message: &Prepared,
    ) -> Result<Option<SingleOutcome>, Halt> {
        let weight = Weight {
            recipients: 1,
            external: message
                .external
                .iter()
                .filter(|external| **external)
                .count() as u64,
        };
        // Nobody is signed in for a message that may not go.
        self.await_leave(lock, weight).await?;
        self.connect(lock).await?;
        let rules = &self.account.rules;
        let single = loop {
            match self.store.reserve_single(lock, rules, weight, self.clock)? {
                Ok(single) => break single,
                Err(refusal) => self.heed(refusal).await?,
            }
        };
        let offered = self.offer(message).await?;
        let end = offered.end(self.account);
        self.store
            .finish_single(lock, &single, end, self.clock.reading())?;
        self.conclude(lock, offered)
    }

    async fn await_leave(&mut self, lock: &SingleLock, weight: Weight) -> Result<(), Halt> {
        loop {
            let (rules, now) = (&self.account.rules, self.clock.reading());
            match self.store.look_single(lock, rules, weight, &now)? {
                Answer::MayGo => return Ok(()),
                refusal => self.heed(refusal).await?,
            }
        }
    }

    /// Waits for what keeps a message from going, if that is short.
    async fn heed(&mut self, refusal: Answer) -> Result<(), Halt> {
        match refusal {
            Answer::NotBefore(until, reason) => self.pause(until, reason.into()).await,
            Answer::Held(until, words) => self.pause(until, Waiting::Provider(words)).await,
            Answer::Never(number, rule) => {
                let rule = rule.to_string();
                Err(Halt::Failed(Error::NeverFits { number, rule }))
            }
            _ => {
                // Its sender may never end it.
                if self.store.recover_abandoned(self.clock)? == 0 {
                    self.pause_for(OTHER_SENDER, Waiting::OtherSender).await?;
                }
                Ok(())
            }
        }
    }

    async fn pause_for(&mut self, length: SignedDuration, why: Waiting) -> Result<(), Halt> {
        let until = self.clock.now().saturating_add(length);
        self.pause(until.unwrap_or(Timestamp::MAX), why).await
    }

    async fn pause(&mut self, until: Timestamp, why: Waiting) -> Result<(), Halt> {
        if until > self.deadline {
            return Err(Halt::Ended(Ended::WouldWait(until, why)));
        }
        if self.told.as_ref() != Some(&why) {
            self.told = Some(why.clone());
            (self.report)(SingleEvent::Waiting { until, why });
        }
        tokio::select! {
            () = self.clock.sleep_until(until) => Ok(()),
            () = self.stop.requested() => Err(Halt::Ended(Ended::Interrupted)),
        }
    }
}
