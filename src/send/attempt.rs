//! One attempt at one message: offer, second mark, hand over, verdict.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::SignedDuration;

use super::error::Error;
use super::event::Event;
use super::handing::Handed;
use super::offered::Sorted;
use super::options::Account;
use super::settling::release;
use super::signing::Trial;
use super::sorting::{Lesson, judge};
use super::streak::Streak;
use super::train::{Carried, Taken, Train, envelope_of};
use crate::clock::{Clock, Timestamp};
use crate::delivery::Phase;
use crate::message::{Editions, Identity, Prepared};
use crate::smtp::{Network, OfferState, Session};
use crate::store::{Answer, Claim, Journal};

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
    /// What was claimed ahead is not to be begun: the send ends, or the account has to wait.
    pub(super) held_back: AtomicBool,
}

impl Context {
    /// Whether what was claimed ahead may be begun.
    pub(super) fn may_go_on(&self) -> bool {
        !self.held_back.load(Ordering::Acquire)
    }
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
    /// Nothing keeps its connection from going on with the next message at once.
    pub(super) fn is_clear(&self) -> bool {
        let lesson = &self.lesson;
        let is_fine = lesson.pause.is_none()
            && lesson.stop.is_none()
            && lesson.token_refused.is_none()
            && !lesson.reconnect;
        is_fine
            && self.held.is_none()
            && self.gap.is_none()
            && self.lost.is_none()
            && self.broke.is_none()
    }

    /// The server took the message.
    pub(super) fn was_taken(&self) -> bool {
        let is_sent = |event: &Event| matches!(event, Event::Sent { .. });
        self.events.iter().any(is_sent)
    }
}

/// How an attempt ended.
pub(super) enum Attempted {
    /// It is on disk.
    Settled(Outcome),
    /// The server took it, which goes to disk with the next mark.
    Carried(Box<Carried>),
    /// It was given back before its content went out, because of what people have asked for meanwhile.
    Withheld(Option<Answer>),
}

/// Tries a claimed message once and records what became of it. Never dropped half-way by its caller.
pub(super) async fn attempt(
    context: &Arc<Context>,
    session: &mut Session,
    train: &mut Train,
    taken: Taken,
) -> Result<Attempted, Error> {
    let was_ahead = taken.was_ahead;
    let (claim, prepared) = taken.begin().await;
    let prepared = match prepared {
        Ok(prepared) => prepared,
        Err(error) => {
            // Nothing was offered: the message stays as it was, and the run ends.
            train.unload(context).await?;
            release(context, &claim, Phase::MailFrom, error.to_string()).await?;
            return Err(error);
        }
    };
    let envelope = envelope_of(&prepared);
    tracing::debug!(number = claim.number, recipients = ?envelope.recipients, "offered");
    let offer = session.offer(&envelope).await;
    let listed = claim.recipients.len();
    let mut tried = Tried {
        context,
        claim: &claim,
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
    let goes_on = matches!(offer.state, OfferState::Ready) && !sorted.accepted.is_empty();
    if !goes_on || tried.outcome.lesson.pause.is_some() {
        train.unload(context).await?;
    }
    tried.heed().await?;
    if !sorted.accepted.is_empty() {
        context.streak.was_let_in();
    }
    let mut carried = None;
    match offer.state {
        OfferState::Ready if sorted.accepted.is_empty() => {
            // Only copies were accepted: without a listed recipient there is nothing to send.
            session.abandon();
            tried.nobody(sorted).await?;
        }
        OfferState::Ready => match tried.hand_over(session, train, sorted, was_ahead).await? {
            Handed::Settled => {}
            Handed::Carried(finish) => carried = Some(finish),
            Handed::Withheld(answer) => return Ok(Attempted::Withheld(answer)),
        },
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
    let outcome = tried.outcome;
    Ok(match carried {
        Some(finish) => Attempted::Carried(Box::new(Carried {
            claim,
            finish,
            outcome,
        })),
        None => Attempted::Settled(outcome),
    })
}

pub(super) fn prepare(context: &Context, claim: &Claim) -> Result<Prepared, Error> {
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
    pub(super) context: &'a Arc<Context>,
    pub(super) claim: &'a Claim,
    pub(super) prepared: &'a Prepared,
    /// The listed recipients that are still in this message, by their place.
    pub(super) left: Vec<usize>,
    pub(super) outcome: Outcome,
}
