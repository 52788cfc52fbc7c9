//! One attempt at one message: offer, second mark, hand over, verdict.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::SignedDuration;

use super::error::Error;
use super::event::Event;
use super::offered::Sorted;
use super::options::Account;
use super::settling::release;
use super::signing::Trial;
use super::sorting::{Lesson, judge};
use super::streak::Streak;
use super::train::{Taken, Train, envelope_of};
use crate::clock::{Clock, Timestamp};
use crate::delivery::Phase;
use crate::message::{Editions, Identity, Prepared};
use crate::smtp::{HandOver as HandedOver, Network, OfferState, Session};
use crate::store::{Answer, Claim, Finish, HandOver, Journal, Turn, Withheld};

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
    Carried(Finish, Outcome),
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
    let claim = &claim;
    let prepared = match prepared {
        Ok(prepared) => prepared,
        Err(error) => {
            // Nothing was offered: the message stays as it was, and the run ends.
            train.unload(context).await?;
            release(context, claim, Phase::MailFrom, error.to_string()).await?;
            return Err(error);
        }
    };
    let envelope = envelope_of(&prepared);
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
        OfferState::Ready => {
            let handed = tried.hand_over(session, train, sorted, was_ahead).await?;
            if let Handed::Withheld(answer) = handed {
                return Ok(Attempted::Withheld(answer));
            }
            carried = handed.into_finish();
        }
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
    Ok(match carried {
        Some(finish) => Attempted::Carried(finish, tried.outcome),
        None => Attempted::Settled(tried.outcome),
    })
}

/// How handing over ended.
enum Handed {
    /// It is on disk.
    Settled,
    /// The server took it, and was asked about the next one.
    Carried(Finish),
    /// It was given back.
    Withheld(Option<Answer>),
}

impl Handed {
    fn into_finish(self) -> Option<Finish> {
        match self {
            Self::Carried(finish) => Some(finish),
            Self::Settled | Self::Withheld(_) => None,
        }
    }
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

impl Tried<'_> {
    /// The server has said 354: the second mark, the content, the verdict.
    async fn hand_over(
        &mut self,
        session: &mut Session,
        train: &mut Train,
        sorted: Sorted,
        was_ahead: bool,
    ) -> Result<Handed, Error> {
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
        if was_ahead && !self.context.may_go_on() {
            // It was never more than claimed, and asked about: the server forgets that with the connection.
            session.abandon();
            train.unload(self.context).await?;
            self.give_back_untold().await?;
            return Ok(Handed::Withheld(None));
        }
        if let Some(withheld) = self.mark(session, train, mark, was_ahead).await? {
            session.abandon();
            self.give_back_untold().await?;
            return Ok(Handed::Withheld(match withheld {
                Withheld::Halted(halt) => Some(Answer::Halted(halt)),
                Withheld::Withdrawn => None,
            }));
        }
        self.outcome.handed_over = true;
        let content = &self.prepared.content;
        let next = match train.ahead.front_mut() {
            Some(next) => next.mail().await.map(envelope_of),
            None => None,
        };
        let answer = match next {
            Some(next) => session.hand_over_and_ask(content, &next).await,
            None => session.hand_over(content).await,
        };
        let carries = session.has_asked() && session.is_usable();
        self.verdict(answer, sorted.accepted.len() as u64, carries)
            .await
    }

    /// The second mark, together with the verdict on the message before and the claims of further ones. Nothing
    /// may go out where it is withheld, or where this fails.
    async fn mark(
        &mut self,
        session: &mut Session,
        train: &mut Train,
        mark: HandOver,
        was_ahead: bool,
    ) -> Result<Option<Withheld>, Error> {
        let (finish, before) = match train.carried.take() {
            Some(carried) => (Some((carried.claim, carried.finish)), Some(carried.outcome)),
            None => (None, None),
        };
        let wish = train.wish(self.context, self.prepared.content.len());
        let turn = Turn {
            finish,
            hand_over: Some((self.claim.clone(), mark)),
            was_ahead,
            wish,
            ..Turn::default()
        };
        let (journal, lane) = (&self.context.journal, self.context.lane);
        match journal.turn(lane, turn).await {
            Ok(turned) => {
                train.tell_of(before);
                train.take(self.context, wish, turned.answers);
                Ok(turned.withheld)
            }
            Err(error) => {
                // The mark is not on disk, so nothing may go out.
                session.abandon();
                Err(error.into())
            }
        }
    }

    /// Undoes the claim, of which nothing was told.
    async fn give_back_untold(&mut self) -> Result<(), Error> {
        let turn = Turn {
            give_back: vec![self.claim.clone()],
            ..Turn::default()
        };
        let (journal, lane) = (&self.context.journal, self.context.lane);
        journal.turn(lane, turn).await?;
        Ok(())
    }

    async fn verdict(
        &mut self,
        answer: HandedOver,
        recipients: u64,
        carries: bool,
    ) -> Result<Handed, Error> {
        let at = self.context.clock.reading();
        match answer {
            HandedOver::Answered(reply) if reply.is_positive() => {
                let accepted = Finish::Accepted {
                    at,
                    reply: reply.to_string(),
                };
                if !carries {
                    let (journal, lane) = (&self.context.journal, self.context.lane);
                    journal.finish(lane, self.claim, accepted.clone()).await?;
                }
                self.outcome.progress = true;
                self.outcome.events.push(Event::Sent {
                    account: self.context.account.name.clone(),
                    number: self.claim.number,
                    message_id: self.claim.message_id.clone(),
                    recipients,
                    reply: reply.to_string(),
                });
                return Ok(if carries {
                    Handed::Carried(accepted)
                } else {
                    Handed::Settled
                });
            }
            HandedOver::Answered(reply) => {
                if reply.code == 421 {
                    self.outcome.broke = Some((Phase::FinalDot, reply.to_string()));
                }
                self.negative(Phase::FinalDot, &reply, vec![]).await?;
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
            }
            HandedOver::BrokenInBody(error) => {
                let words = error.to_string();
                self.outcome.broke = Some((Phase::Body, words.clone()));
                match error.reply() {
                    // The server hung up with a word: too large, say.
                    Some(reply) => self.negative(Phase::Body, reply, vec![]).await?,
                    None => self.defer(Phase::Body, words, vec![], None).await?,
                }
            }
        }
        Ok(Handed::Settled)
    }
}
