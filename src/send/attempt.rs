//! One attempt at one message: offer, second mark, hand over, verdict.

use jiff::{SignedDuration, Timestamp};

use super::error::Error;
use super::event::Event;
use super::options::Account;
use super::sorting::{Fate, Lesson, judge};
use crate::clock::Clock;
use crate::delivery::{Phase, Reply};
use crate::limits::Weight;
use crate::message::{Identity, Prepared, Renderer};
use crate::smtp::{Envelope, HandOver as HandedOver, Offer, OfferState, Session};
use crate::store::{Claim, Finish, HandOver, Journal, Split};

/// What every attempt of a run shares.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) account: Account,
    pub(super) clock: Clock,
    pub(super) journal: Journal,
    pub(super) renderer: Renderer,
}

/// What came of an attempt, for the dispatcher.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) events: Vec<Event>,
    pub(super) lesson: Lesson,
    /// The content went out: it counts for `max_messages`.
    pub(super) handed_over: bool,
    /// The server took the message or settled at least one recipient.
    pub(super) progress: bool,
    /// The server refused the whole message: too many in a row stop the account.
    pub(super) refused_message: Option<String>,
    /// The connection broke: what broke it.
    pub(super) broke: Option<(Phase, String)>,
}

/// The listed recipients of an offer, sorted by what the server said to each.
#[derive(Debug, Default)]
struct Sorted {
    accepted: Vec<usize>,
    refused: Vec<(usize, Reply, String)>,
    later: Vec<(usize, Reply)>,
    not_their_fault: Vec<(usize, Reply)>,
}

/// Tries a claimed message once and records what became of it. Never dropped half-way by its caller.
pub(super) async fn attempt(context: &Context, session: &mut Session, claim: &Claim) -> Result<Outcome, Error> {
    let prepared = match prepare(context, claim) {
        Ok(prepared) => prepared,
        Err(error) => {
            // Nothing was offered: the message stays as it was, and the run ends.
            release(context, claim, Phase::MailFrom, error.to_string(), vec![]).await?;
            return Err(error);
        }
    };
    let envelope = Envelope {
        from: prepared.sender.clone(),
        recipients: prepared.envelope.clone(),
        size: prepared.content.len(),
        smtputf8: prepared.smtputf8,
    };
    let offer = session.offer(&envelope).await;
    let mut tried = Tried {
        context,
        claim,
        prepared: &prepared,
        outcome: Outcome::default(),
    };
    let sorted = tried.sort(&offer);
    match offer.state {
        OfferState::Ready if sorted.accepted.is_empty() => {
            // Only copies were accepted: without a listed recipient there is nothing to send.
            session.abandon();
            tried.outcome.broke = Some((Phase::Data, "no listed recipient was accepted".to_owned()));
            tried.nobody(sorted).await?;
        }
        OfferState::Ready => tried.hand_over(session, sorted).await?,
        OfferState::NobodyAccepted => tried.nobody(sorted).await?,
        OfferState::Refused(phase, reply) => tried.refused_whole(phase, &reply, sorted).await?,
        OfferState::Broken(phase, error) => {
            if let Some(reply) = error.reply() {
                judge(&context.account.replies, phase, reply, &mut tried.outcome.lesson);
            }
            tried.broken(phase, error.to_string(), sorted).await?;
        }
    }
    Ok(tried.outcome)
}

fn prepare(context: &Context, claim: &Claim) -> Result<Prepared, Error> {
    let content = |source| Error::Content {
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
    let prepared = context
        .renderer
        .prepare(listed, &identity)
        .map_err(content)?;
    if prepared.digest == claim.digest {
        Ok(prepared)
    } else {
        Err(Error::Differs {
            number: claim.number,
        })
    }
}

async fn release(
    context: &Context,
    claim: &Claim,
    phase: Phase,
    reply: String,
    refused: Vec<(u64, String)>,
) -> Result<(), Error> {
    let released = Finish::Released {
        at: context.clock.now(),
        phase,
        reply,
        refused,
    };
    Ok(context.journal.finish(claim, released).await?)
}

struct Tried<'a> {
    context: &'a Context,
    claim: &'a Claim,
    prepared: &'a Prepared,
    outcome: Outcome,
}

impl Tried<'_> {
    /// Sorts the replies to RCPT; those to copies (cc, bcc) only teach about the account.
    fn sort(&mut self, offer: &Offer) -> Sorted {
        let mut sorted = Sorted::default();
        let listed = self.claim.recipients.len();
        for answer in &offer.recipients {
            let reply = match &answer.reply {
                crate::smtp::RecipientAnswer::Accepted => {
                    if answer.index < listed {
                        sorted.accepted.push(answer.index);
                    }
                    continue;
                }
                crate::smtp::RecipientAnswer::Refused(reply) => reply,
                crate::smtp::RecipientAnswer::Unanswered => continue,
            };
            let (fate, meaning) = judge(
                &self.context.account.replies,
                Phase::RcptTo,
                reply,
                &mut self.outcome.lesson,
            );
            if answer.index >= listed {
                continue;
            }
            match fate {
                Fate::Refused => sorted.refused.push((answer.index, reply.clone(), meaning)),
                Fate::Later => sorted.later.push((answer.index, reply.clone())),
                Fate::NotItsFault => sorted.not_their_fault.push((answer.index, reply.clone())),
            }
        }
        sorted
    }

    fn row(&self, index: usize) -> u64 {
        self.claim.recipients.get(index).map_or(0, |recipient| recipient.row)
    }

    fn weight(&self, listed: &[usize]) -> Weight {
        let mut weight = Weight {
            recipients: self.prepared.copies,
            external: self.prepared.external_copies,
        };
        for &index in listed {
            weight.recipients += 1;
            weight.external += u64::from(self.prepared.external.get(index).copied().unwrap_or(true));
        }
        weight
    }

    fn due(&self, now: Timestamp) -> Option<Timestamp> {
        let wait = self.context.account.backoff.after(self.claim.attempt_number)?;
        now.checked_add(SignedDuration::try_from(wait).ok()?).ok()
    }

    /// When a message that is not at fault is tried again: as soon as the account may go on.
    fn after_pause(&self, now: Timestamp) -> Timestamp {
        self.outcome
            .lesson
            .pause
            .as_ref()
            .and_then(|(pause, _)| SignedDuration::try_from(*pause).ok())
            .and_then(|pause| now.checked_add(pause).ok())
            .unwrap_or(now)
    }

    /// Takes the refused recipients into the events; returns them as the store wants them.
    fn note_refused(&mut self, refused: Vec<(usize, Reply, String)>) -> Vec<(u64, String)> {
        let mut rows = Vec::with_capacity(refused.len());
        for (index, reply, meaning) in refused {
            if let Some(recipient) = self.claim.recipients.get(index) {
                rows.push((recipient.row, reply.to_string()));
                self.outcome.events.push(Event::Refused {
                    row: recipient.row,
                    address: recipient.address.clone(),
                    reply: reply.to_string(),
                    meaning,
                });
            }
        }
        self.outcome.progress |= !rows.is_empty();
        rows
    }

    /// The server has said 354: the second mark, the content, the verdict.
    async fn hand_over(&mut self, session: &mut Session, sorted: Sorted) -> Result<(), Error> {
        let at = self.context.clock.now();
        let mut refused_now = sorted.refused;
        let mut later: Vec<(usize, Reply)> = sorted.later;
        let due_at = match self.due(at) {
            Some(due) => due,
            None => {
                // The back-off is used up: who was asked to come again once more is refused.
                let words = "it was tried for as long as the back-off allows".to_owned();
                refused_now.extend(later.drain(..).map(|(index, reply)| (index, reply, words.clone())));
                at
            }
        };
        let blameless = !sorted.not_their_fault.is_empty();
        let due_at = if blameless && later.is_empty() { self.after_pause(at) } else { due_at };
        later.extend(sorted.not_their_fault);
        let deferred = self.split(&later, due_at);
        let mark = HandOver {
            at,
            refused: self.note_refused(refused_now),
            deferred,
            weight: self.weight(&sorted.accepted),
        };
        if let Err(error) = self.context.journal.hand_over(self.claim, mark).await {
            // The mark is not on disk, so nothing may go out.
            session.abandon();
            return Err(error.into());
        }
        self.outcome.handed_over = true;
        let answer = session.hand_over(&self.prepared.content).await;
        self.verdict(answer, sorted.accepted.len() as u64).await
    }

    fn split(&mut self, later: &[(usize, Reply)], due_at: Timestamp) -> Option<Split> {
        let (_, first) = later.first()?;
        self.outcome.events.push(Event::Deferred {
            number: self.claim.number,
            recipients: later.len() as u64,
            until: due_at,
            reply: first.to_string(),
        });
        let indices: Vec<usize> = later.iter().map(|(index, _)| *index).collect();
        Some(Split {
            rows: later.iter().map(|(index, reply)| (self.row(*index), reply.to_string())).collect(),
            weight: self.weight(&indices),
            due_at,
        })
    }

    async fn verdict(&mut self, answer: HandedOver, recipients: u64) -> Result<(), Error> {
        let at = self.context.clock.now();
        match answer {
            HandedOver::Answered(reply) if reply.is_positive() => {
                let accepted = Finish::Accepted {
                    at,
                    reply: reply.to_string(),
                };
                self.context.journal.finish(self.claim, accepted).await?;
                self.outcome.progress = true;
                self.outcome.events.push(Event::Sent {
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
                self.outcome.broke = Some((Phase::FinalDot, reply.clone()));
                let lost = Finish::Lost {
                    at,
                    reply: reply.clone(),
                };
                self.context.journal.finish(self.claim, lost).await?;
                self.outcome.events.push(Event::InDoubt {
                    number: self.claim.number,
                    message_id: self.claim.message_id.clone(),
                    recipients,
                    reply,
                });
                Ok(())
            }
            HandedOver::BrokenInBody(error) => {
                self.outcome.broke = Some((Phase::Body, error.to_string()));
                self.defer(Phase::Body, error.to_string(), vec![], None).await
            }
        }
    }

    /// A negative reply to the message as a whole.
    async fn negative(&mut self, phase: Phase, reply: &Reply, refused: Vec<(u64, String)>) -> Result<(), Error> {
        let (fate, meaning) = judge(&self.context.account.replies, phase, reply, &mut self.outcome.lesson);
        let words = reply.to_string();
        match fate {
            Fate::Refused => {
                self.outcome.refused_message = Some(words.clone());
                self.refuse(phase, words, meaning, refused).await
            }
            Fate::Later => self.defer(phase, words, refused, None).await,
            Fate::NotItsFault if phase < Phase::Body => {
                release(self.context, self.claim, phase, words, refused).await
            }
            Fate::NotItsFault => {
                let due_at = self.after_pause(self.context.clock.now());
                self.defer(phase, words, refused, Some(due_at)).await
            }
        }
    }

    async fn refused_whole(&mut self, phase: Phase, reply: &Reply, sorted: Sorted) -> Result<(), Error> {
        let refused = self.note_refused(sorted.refused);
        self.negative(phase, reply, refused).await
    }

    /// Every listed recipient was refused, put off or not answered, and no content went out.
    async fn nobody(&mut self, sorted: Sorted) -> Result<(), Error> {
        let first = |list: &[(usize, Reply)]| list.first().map(|(_, reply)| reply.to_string());
        let (later, blameless) = (first(&sorted.later), first(&sorted.not_their_fault));
        let last_words = sorted.refused.last().map(|(_, reply, _)| reply.to_string());
        let refused = self.note_refused(sorted.refused);
        match (later, blameless) {
            (_, Some(words)) => release(self.context, self.claim, Phase::RcptTo, words, refused).await,
            (Some(words), None) => self.defer(Phase::RcptTo, words, refused, None).await,
            (None, None) => {
                let refused = Finish::Refused {
                    at: self.context.clock.now(),
                    phase: Phase::RcptTo,
                    reply: last_words.unwrap_or_else(|| "nobody was accepted".to_owned()),
                    refused,
                };
                Ok(self.context.journal.finish(self.claim, refused).await?)
            }
        }
    }

    /// The connection broke before any content went out.
    async fn broken(&mut self, phase: Phase, what: String, sorted: Sorted) -> Result<(), Error> {
        self.outcome.broke = Some((phase, what.clone()));
        let everybody_refused = sorted.refused.len() == self.claim.recipients.len();
        if everybody_refused {
            return self.nobody(sorted).await;
        }
        let refused = self.note_refused(sorted.refused);
        if refused.is_empty() && phase >= Phase::Data {
            // It may be the message that the server cannot bear: not at once again.
            return self.defer(phase, what, refused, None).await;
        }
        release(self.context, self.claim, phase, what, refused).await
    }

    async fn defer(
        &mut self,
        phase: Phase,
        reply: String,
        refused: Vec<(u64, String)>,
        due_at: Option<Timestamp>,
    ) -> Result<(), Error> {
        let at = self.context.clock.now();
        let Some(due_at) = due_at.or_else(|| self.due(at)) else {
            let meaning = "it was tried for as long as the back-off allows".to_owned();
            return self.refuse(phase, reply, meaning, refused).await;
        };
        let recipients = (self.claim.recipients.len() - refused.len()) as u64;
        let deferred = Finish::Deferred {
            at,
            due_at,
            phase,
            reply: reply.clone(),
            refused,
        };
        self.context.journal.finish(self.claim, deferred).await?;
        self.outcome.events.push(Event::Deferred {
            number: self.claim.number,
            recipients,
            until: due_at,
            reply,
        });
        Ok(())
    }

    /// Refuses all who are left of the message.
    async fn refuse(
        &mut self,
        phase: Phase,
        reply: String,
        meaning: String,
        refused: Vec<(u64, String)>,
    ) -> Result<(), Error> {
        for recipient in &self.claim.recipients {
            if refused.iter().all(|(row, _)| *row != recipient.row) {
                self.outcome.events.push(Event::Refused {
                    row: recipient.row,
                    address: recipient.address.clone(),
                    reply: reply.clone(),
                    meaning: meaning.clone(),
                });
            }
        }
        let finish = Finish::Refused {
            at: self.context.clock.now(),
            phase,
            reply,
            refused,
        };
        Ok(self.context.journal.finish(self.claim, finish).await?)
    }
}
