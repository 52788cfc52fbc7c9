//! Recording what became of an attempt whose content did not go out, or was refused.

use jiff::{SignedDuration, Timestamp};

use super::attempt::{Context, RefusedMessage, Tried};
use super::error::Error;
use super::event::{Event, Trouble};
use super::offered::Sorted;
use super::sorting::{Fate, judge};
use crate::delivery::{Class, Phase, Reply};
use crate::limits::Weight;
use crate::smtp::NotOffered;
use crate::store::{Claim, Finish, Split};

/// Gives a message back untouched: it stays pending.
pub(super) async fn release(
    context: &Context,
    claim: &Claim,
    phase: Phase,
    reply: String,
) -> Result<(), Error> {
    let released = Finish::Released {
        apart: None,
        at: context.clock.reading(),
        phase,
        reply,
        refused: vec![],
        weight: claim.weight,
    };
    Ok(context
        .journal
        .finish(context.lane, claim, released)
        .await?)
}

impl Tried<'_> {
    fn row(&self, index: usize) -> u64 {
        self.claim
            .recipients
            .get(index)
            .map_or(0, |recipient| recipient.row)
    }

    pub(super) fn weight(&self, listed: &[usize]) -> Weight {
        let mut weight = Weight {
            recipients: self.prepared.copies,
            external: self.prepared.external_copies,
        };
        for &index in listed {
            weight.recipients += 1;
            weight.external +=
                u64::from(self.prepared.external.get(index).copied().unwrap_or(true));
        }
        weight
    }

    pub(super) fn due(&self, now: Timestamp) -> Option<Timestamp> {
        let wait = self
            .context
            .account
            .backoff
            .after(self.claim.failures + 1)?;
        now.checked_add(SignedDuration::try_from(wait).ok()?).ok()
    }

    /// Holds the mailbox when the provider asked for a pause: before anything is put off or given back, so
    /// that no other connection takes it up again meanwhile.
    pub(super) async fn heed(&mut self) -> Result<(), Error> {
        let Some(pause) = self.outcome.lesson.pause.take() else {
            return Ok(());
        };
        let words = pause.reply.clone();
        let (lane, now) = (self.context.lane, self.context.clock.reading());
        let until = self.context.journal.hold(lane, now, pause).await?;
        self.outcome.held = Some((until, words));
        Ok(())
    }

    /// What is due goes no sooner than its account may.
    fn not_sooner(&self, due_at: Timestamp) -> Timestamp {
        let held = self.outcome.held.as_ref().map(|(until, _)| *until);
        held.map_or(due_at, |until| until.max(due_at))
    }

    /// Takes the refused recipients into the events; returns them as the store wants them.
    pub(super) fn note_refused(
        &mut self,
        refused: Vec<(usize, String, String)>,
    ) -> Vec<(u64, String)> {
        let mut rows = Vec::with_capacity(refused.len());
        self.left
            .retain(|place| refused.iter().all(|(index, ..)| index != place));
        for (index, reply, meaning) in refused {
            if let Some(recipient) = self.claim.recipients.get(index) {
                rows.push((recipient.row, reply.clone()));
                self.outcome.events.push(Event::Refused {
                    row: recipient.row,
                    address: recipient.address.clone(),
                    reply,
                    meaning,
                });
            }
        }
        self.outcome.progress |= !rows.is_empty();
        rows
    }

    pub(super) fn split(
        &mut self,
        later: &[(usize, String)],
        due_at: Timestamp,
        blameless: bool,
    ) -> Option<Split> {
        let (_, first) = later.first()?;
        self.outcome.events.push(Event::Deferred {
            number: self.claim.number,
            recipients: later.len() as u64,
            until: self.not_sooner(due_at),
            reply: first.clone(),
            blameless,
        });
        let indices: Vec<usize> = later.iter().map(|(index, _)| *index).collect();
        self.left.retain(|place| !indices.contains(place));
        Some(Split {
            rows: later
                .iter()
                .map(|(index, reply)| (self.row(*index), reply.clone()))
                .collect(),
            weight: self.weight(&indices),
            due_at,
            blameless,
        })
    }

    /// A negative reply to the message as a whole.
    pub(super) async fn negative(
        &mut self,
        phase: Phase,
        reply: &Reply,
        refused: Vec<(u64, String)>,
    ) -> Result<(), Error> {
        let (fate, meaning) = judge(
            &self.context.account.replies,
            phase,
            reply,
            &mut self.outcome.lesson,
        );
        let words = reply.to_string();
        let turn = match fate {
            Fate::Later | Fate::Busy => self.count(phase, fate == Fate::Busy, &words),
            _ => None,
        };
        self.heed().await?;
        match fate {
            Fate::RefusedForOne => self.refused_for_one(phase, reply, meaning, refused).await,
            Fate::Refused => {
                self.outcome.refused_message = Some(RefusedMessage {
                    reply: words.clone(),
                    copy_suspected: false,
                });
                self.refuse(phase, words, meaning, refused).await
            }
            Fate::Later | Fate::Busy => self.defer(phase, words, refused, turn).await,
            Fate::NotItsFault if phase < Phase::Body => self.give_back(phase, words, refused).await,
            Fate::NotItsFault => {
                // The mailbox is held, not the message: another account may take it at once.
                let due_at = self.context.clock.now();
                self.defer(phase, words, refused, Some(due_at)).await
            }
        }
    }

    /// An address in the headers or the sender's own goes beyond ASCII, and the server takes none such.
    pub(super) async fn not_offered(
        &mut self,
        why: NotOffered,
        sorted: Sorted,
    ) -> Result<(), Error> {
        let listed = self.claim.recipients.len();
        if sorted.refused.len() == listed {
            return self.nobody(sorted).await;
        }
        self.outcome.lesson.stop = Some(Box::new(Trouble {
            class: Class::Message,
            phase: Phase::MailFrom,
            reply: why.to_string(),
            meaning: "the sender's address, or one in the headers, cannot be used with this server".to_owned(),
            remedy: "use addresses in plain letters (from, reply_to, cc), or a server that offers SMTPUTF8".to_owned(),
            unreachable: false,
            local: false,
        }));
        self.outcome.begun = false;
        release(self.context, self.claim, Phase::MailFrom, why.to_string()).await
    }

    pub(super) async fn refused_whole(
        &mut self,
        phase: Phase,
        reply: &Reply,
        sorted: Sorted,
    ) -> Result<(), Error> {
        let refused = self.note_refused(sorted.refused);
        self.negative(phase, reply, refused).await
    }

    /// Every listed recipient was refused, put off or not answered, and no content went out.
    pub(super) async fn nobody(&mut self, sorted: Sorted) -> Result<(), Error> {
        let first = |list: &[(usize, String)]| list.first().map(|(_, reply)| reply.clone());
        let (later, blameless) = (first(&sorted.later), first(&sorted.not_their_fault));
        let last_words = sorted.refused.last().map(|(_, reply, _)| reply.clone());
        let refused = self.note_refused(sorted.refused);
        match (later, blameless) {
            (_, Some(words)) => self.give_back(Phase::RcptTo, words, refused).await,
            (Some(words), None) => {
                let turn = self.count(Phase::RcptTo, sorted.busy, &words);
                self.heed().await?;
                self.defer(Phase::RcptTo, words, refused, turn).await
            }
            (None, None) => {
                let refused = Finish::Refused {
                    at: self.context.clock.reading(),
                    phase: Phase::RcptTo,
                    reply: last_words.unwrap_or_else(|| "nobody was accepted".to_owned()),
                    refused,
                };
                Ok(self
                    .context
                    .journal
                    .finish(self.context.lane, self.claim, refused)
                    .await?)
            }
        }
    }

    /// The connection broke before any content went out.
    pub(super) async fn broken(
        &mut self,
        phase: Phase,
        what: String,
        sorted: Sorted,
    ) -> Result<(), Error> {
        self.outcome.broke = Some((phase, what.clone()));
        let everybody_refused = sorted.refused.len() == self.claim.recipients.len();
        if everybody_refused {
            return self.nobody(sorted).await;
        }
        if phase == Phase::RcptTo {
            return self.broken_at_recipient(what, sorted).await;
        }
        let refused = self.note_refused(sorted.refused);
        if refused.is_empty() && phase >= Phase::Data {
            // It may be the message that the server cannot bear: not at once again.
            return self.defer(phase, what, refused, None).await;
        }
        self.give_back(phase, what, refused).await
    }

    /// The connection broke when a recipient was named: it may be that one whom the server cannot bear.
    /// It goes on by itself, with its back-off, and the others at once without it.
    async fn broken_at_recipient(&mut self, what: String, sorted: Sorted) -> Result<(), Error> {
        let at = self.context.clock.reading();
        let listed = self.claim.recipients.len();
        let is_refused = |index: &usize| sorted.refused.iter().any(|(other, ..)| other == index);
        let left: Vec<usize> = (0..listed).filter(|index| !is_refused(index)).collect();
        let answered = |index: &usize| sorted.accepted.contains(index);
        // A 421 is the last reply there was; otherwise it is the first one without a reply.
        let last_words = sorted.later.iter().map(|(index, _)| *index).max();
        let unanswered = left
            .iter()
            .copied()
            .find(|index| !answered(index) && sorted.later.iter().all(|(other, _)| other != index));
        let culprit = match (last_words, unanswered) {
            (Some(last), Some(next)) if last + 1 == next => Some(last),
            (last, next) => next.or(last),
        };
        // Who was asked to come again goes on apart too.
        let mut apart: Vec<(usize, String)> = sorted.later;
        if let Some(culprit) = culprit
            && apart.iter().all(|(index, _)| *index != culprit)
        {
            apart.push((culprit, what.clone()));
        }
        let is_apart = |index: &usize| apart.iter().any(|(other, _)| other == index);
        let others: Vec<usize> = left.into_iter().filter(|index| !is_apart(index)).collect();
        let refused = self.note_refused(sorted.refused);
        let Some(due_at) = self.due(at.wall).filter(|_| !others.is_empty()) else {
            return self.defer(Phase::RcptTo, what, refused, None).await;
        };
        let others = self.weight(&others);
        let apart = self.split(&apart, due_at, false);
        self.outcome.progress = true;
        self.outcome.begun = false;
        let released = Finish::Released {
            apart,
            at,
            phase: Phase::RcptTo,
            reply: what,
            refused,
            weight: others,
        };
        Ok(self
            .context
            .journal
            .finish(self.context.lane, self.claim, released)
            .await?)
    }

    /// Gives those who are left of a message back: they stay pending.
    async fn give_back(
        &mut self,
        phase: Phase,
        reply: String,
        refused: Vec<(u64, String)>,
    ) -> Result<(), Error> {
        self.outcome.begun = false;
        let released = Finish::Released {
            apart: None,
            at: self.context.clock.reading(),
            phase,
            reply,
            refused,
            weight: self.weight(&self.left),
        };
        let (journal, lane) = (&self.context.journal, self.context.lane);
        Ok(journal.finish(lane, self.claim, released).await?)
    }

    pub(super) async fn defer(
        &mut self,
        phase: Phase,
        reply: String,
        refused: Vec<(u64, String)>,
        due_at: Option<Timestamp>,
    ) -> Result<(), Error> {
        let at = self.context.clock.reading();
        let blameless = due_at.is_some();
        let Some(due_at) = due_at.or_else(|| self.due(at.wall)) else {
            let meaning = "it was tried for as long as the back-off allows".to_owned();
            return self.refuse(phase, reply, meaning, refused).await;
        };
        let recipients = self.left.len() as u64;
        let deferred = Finish::Deferred {
            at,
            due_at,
            blameless,
            phase,
            reply: reply.clone(),
            refused,
            weight: self.weight(&self.left),
        };
        self.context
            .journal
            .finish(self.context.lane, self.claim, deferred)
            .await?;
        self.outcome.events.push(Event::Deferred {
            number: self.claim.number,
            recipients,
            until: self.not_sooner(due_at),
            reply,
            blameless,
        });
        Ok(())
    }

    /// Refuses all who are left of the message.
    pub(super) async fn refuse(
        &mut self,
        phase: Phase,
        reply: String,
        meaning: String,
        refused: Vec<(u64, String)>,
    ) -> Result<(), Error> {
        for (place, recipient) in self.claim.recipients.iter().enumerate() {
            if self.left.contains(&place) {
                self.outcome.events.push(Event::Refused {
                    row: recipient.row,
                    address: recipient.address.clone(),
                    reply: reply.clone(),
                    meaning: meaning.clone(),
                });
            }
        }
        let finish = Finish::Refused {
            at: self.context.clock.reading(),
            phase,
            reply,
            refused,
        };
        Ok(self
            .context
            .journal
            .finish(self.context.lane, self.claim, finish)
            .await?)
    }
}
