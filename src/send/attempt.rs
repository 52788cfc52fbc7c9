//! One attempt at one message: offer, second mark, hand over, verdict.

use std::path::PathBuf;

use jiff::SignedDuration;

use super::error::Error;
use super::event::Event;
use super::offered::Sorted;
use super::options::Account;
use super::settling::release;
use super::signing::Trial;
use super::sorting::{Lesson, judge};
use super::streak::Streak;
use crate::clock::{Clock, Timestamp};
use crate::delivery::Phase;
use crate::message::{Editions, Identity, Prepared};
use crate::smtp::{Envelope, HandOver as HandedOver, Network, OfferState, Session};
use crate::store::{Claim, Finish, HandOver, Journal};

/// What every attempt of a run shares.
#[derive(Debug)]
pub(super) struct Context {
    /// The number of the account among the campaign's.
    pub(super) lane: usize,
    pub(super) account: Account,
    pub(super) clock: Clock,
    pub(super) network: Network,
    /// The store's file.
    pub(super) store: PathBuf,
    pub(super) journal: Journal,
    pub(super) editions: Editions,
    pub(super) trial: Trial,
    pub(super) streak: Streak,
}

/// A message that was refused as a whole.
#[derive(Debug)]
pub(super) struct RefusedMessage {
    pub(super) reply: String,
    /// It was refused for one recipient whom nobody named, and it may be one that every message has.
    pub(super) copy_suspected: bool,
}

/// What came of an attempt, for the dispatcher.
#[derive(Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, and most of them may hold together"
)]
pub(super) struct Outcome {
    pub(super) events: Vec<Event>,
    pub(super) lesson: Lesson,
    /// The provider asked for a pause: the mailbox is held until then, in these words.
    pub(super) held: Option<(Timestamp, String)>,
    /// The next message not before so long.
    pub(super) gap: Option<SignedDuration>,
    /// The connection was given up for somebody who has none.
    pub(super) gave_way: bool,
    /// It was new and was not given back: it counts for `canary`.
    pub(super) begun: bool,
    /// The content went out: it counts for `max_messages`.
    pub(super) handed_over: bool,
    /// The server took the message or settled at least one recipient.
    pub(super) progress: bool,
    /// The server refused the whole message: too many in a row stop the account.
    pub(super) refused_message: Option<RefusedMessage>,
    /// No verdict came after the content: what happened instead.
    pub(super) lost: Option<String>,
    /// The connection broke: what broke it.
    pub(super) broke: Option<(Phase, String)>,
}

impl Outcome {
    /// The server took the message.
    pub(super) fn was_taken(&self) -> bool {
        let is_sent = |event: &Event| matches!(event, Event::Sent { .. });
        self.events.iter().any(is_sent)
    }
}

/// Tries a claimed message once and records what became of it. Never dropped half-way by its caller.
pub(super) async fn attempt(
    context: &Context,
    session: &mut Session,
    claim: &Claim,
) -> Result<Outcome, Error> {
    let prepared = match prepare(context, claim) {
        Ok(prepared) => prepared,
        Err(error) => {
            // Nothing was offered: the message stays as it was, and the run ends.
            release(context, claim, Phase::MailFrom, error.to_string()).await?;
            return Err(error);
        }
    };
    let envelope = Envelope {
        from: prepared.sender.clone(),
        recipients: prepared.envelope.clone(),
        size: prepared.content.len(),
        smtputf8: prepared.smtputf8,
    };
    tracing::debug!(number = claim.number, recipients = ?envelope.recipients, "offered");
    let offer = session.offer(&envelope).await;
    let listed = claim.recipients.len();
    let mut tried = Tried {
        context,
        claim,
        prepared: &prepared,
        left: (0..listed).collect(),
        outcome: Outcome {
            begun: claim.is_new,
            ..Outcome::default()
        },
    };
    let lesson = &mut tried.outcome.lesson;
    let sorted = Sorted::by(&offer.recipients, listed, &context.account.replies, lesson);
    if let OfferState::Broken(phase, error) = &offer.state
        && let Some(reply) = error.reply()
    {
        judge(&context.account.replies, *phase, reply, lesson);
    }
    tried.heed().await?;
    if !sorted.accepted.is_empty() {
        context.streak.was_let_in();
    }
    match offer.state {
        OfferState::Ready if sorted.accepted.is_empty() => {
            // Only copies were accepted: without a listed recipient there is nothing to send.
            session.abandon();
            tried.nobody(sorted).await?;
        }
        OfferState::Ready => tried.hand_over(session, sorted).await?,
        OfferState::NobodyAccepted => tried.nobody(sorted).await?,
        OfferState::SenderNotOffered(why) => {
            tried.not_offered(why, sorted).await?;
        }
        OfferState::Refused(phase, reply) => tried.refused_whole(phase, &reply, sorted).await?,
        OfferState::Broken(phase, error) => {
            tried.broken(phase, error.to_string(), sorted).await?;
        }
    }
    if tried.outcome.progress {
        context.streak.got_on();
    }
    Ok(tried.outcome)
}

fn prepare(context: &Context, claim: &Claim) -> Result<Prepared, Error> {
    let unbuilt = |source| Error::Content {
        number: claim.number,
        source,
    };
    let identity = Identity {
        message_id: &claim.message_id,
        date: claim.dated_at,
        shared: claim.shared,
    };
    let listed = claim
        .recipients
        .iter()
        .map(|recipient| (recipient.address.as_str(), recipient.cells.as_str()));
    let renderer = context.editions.of(claim.edition).map_err(unbuilt)?;
    let prepared = renderer.prepare(listed, &identity).map_err(unbuilt)?;
    if prepared.digest == claim.digest {
        Ok(prepared)
    } else {
        Err(Error::Differs {
            number: claim.number,
        })
    }
}

/// An attempt under way.
pub(super) struct Tried<'a> {
    pub(super) context: &'a Context,
    pub(super) claim: &'a Claim,
    pub(super) prepared: &'a Prepared,
    /// The listed recipients that are still in this message, by their place.
    pub(super) left: Vec<usize>,
    pub(super) outcome: Outcome,
}

impl Tried<'_> {
    /// The server has said 354: the second mark, the content, the verdict.
    async fn hand_over(&mut self, session: &mut Session, sorted: Sorted) -> Result<(), Error> {
        let at = self.context.clock.now();
        let mut refused_now = sorted.refused;
        let mut later: Vec<(usize, String)> = sorted.later;
        let due_at = if let Some(due) = self.due(at) {
            due
        } else {
            // The back-off is used up: who was asked to come again once more is refused.
            let words = "it was tried for as long as the back-off allows".to_owned();
            refused_now.extend(
                later
                    .drain(..)
                    .map(|(index, reply)| (index, reply, words.clone())),
            );
            at
        };
        let blameless = !sorted.not_their_fault.is_empty();
        let blameless = blameless && later.is_empty();
        let due_at = if blameless { at } else { due_at };
        later.extend(sorted.not_their_fault);
        let deferred = self.split(&later, due_at, blameless);
        let mark = HandOver {
            at,
            refused: self.note_refused(refused_now),
            deferred,
            weight: self.weight(&sorted.accepted),
        };
        if let Err(error) = self
            .context
            .journal
            .hand_over(self.context.lane, self.claim, mark)
            .await
        {
            // The mark is not on disk, so nothing may go out.
            session.abandon();
            return Err(error.into());
        }
        self.outcome.handed_over = true;
        let answer = session.hand_over(&self.prepared.content).await;
        self.verdict(answer, sorted.accepted.len() as u64).await
    }

    async fn verdict(&mut self, answer: HandedOver, recipients: u64) -> Result<(), Error> {
        let at = self.context.clock.reading();
        match answer {
            HandedOver::Answered(reply) if reply.is_positive() => {
                let accepted = Finish::Accepted {
                    at,
                    reply: reply.to_string(),
                };
                self.context
                    .journal
                    .finish(self.context.lane, self.claim, accepted)
                    .await?;
                self.outcome.progress = true;
                self.outcome.events.push(Event::Sent {
                    account: self.context.account.name.clone(),
                    number: self.claim.number,
                    message_id: self.claim.message_id.clone(),
                    recipients,
                    reply: reply.to_string(),
                });
                Ok(())
            }
            HandedOver::Answered(reply) => {
                if reply.code == 421 {
                    self.outcome.broke = Some((Phase::FinalDot, reply.to_string()));
                }
                self.negative(Phase::FinalDot, &reply, vec![]).await
            }
            HandedOver::Lost(error) => {
                let reply = error.to_string();
                self.outcome.lost = Some(reply.clone());
                self.outcome.broke = Some((Phase::FinalDot, reply.clone()));
                let lost = Finish::Lost {
                    at,
                    reply: reply.clone(),
                };
                self.context
                    .journal
                    .finish(self.context.lane, self.claim, lost)
                    .await?;
                self.outcome.events.push(Event::InDoubt {
                    number: self.claim.number,
                    message_id: self.claim.message_id.clone(),
                    recipients,
                    reply,
                });
                Ok(())
            }
            HandedOver::BrokenInBody(error) => {
                let words = error.to_string();
                self.outcome.broke = Some((Phase::Body, words.clone()));
                match error.reply() {
                    // The server hung up with a word: too large, say.
                    Some(reply) => self.negative(Phase::Body, reply, vec![]).await,
                    None => self.defer(Phase::Body, words, vec![], None).await,
                }
            }
        }
    }
}
