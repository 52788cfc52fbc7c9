//! Handing a message over: the second mark, the content, the verdict.

use super::attempt::Tried;
use super::error::Error;
use super::event::Event;
use super::offered::Sorted;
use super::train::{Train, content_of, envelope_of};
use crate::delivery::Phase;
use crate::smtp::{HandOver as HandedOver, Session};
use crate::store::{Answer, Finish, HandOver, Turn, Withheld};

/// How handing over ended.
pub(super) enum Handed {
    /// It is on disk.
    Settled,
    /// The server took it, and the next one follows at once.
    Carried(Finish),
    /// It was given back.
    Withheld(Option<Answer>),
}

impl Tried<'_> {
    /// The server has said 354: the second mark, the content, the verdict.
    pub(super) async fn hand_over(
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
        let content = content_of(self.prepared);
        let next = match train.ahead.front_mut() {
            Some(next) => next.mail().await.map(envelope_of),
            None => None,
        };
        let answer = match next {
            Some(next) => session.hand_over_and_ask(content, &next).await,
            None => session.hand_over(content).await,
        };
        // The verdict goes to disk with the mark of the one behind it, which comes next.
        let carries = !train.ahead.is_empty() && session.is_usable();
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
        let (finish, before) = train.unloaded();
        let wish = train.wish(self.context, self.prepared.content.own_len());
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
                train.forgo(usize::from(before.is_some()));
                train.take(self.context, wish, vec![]);
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
