//! What a server makes of a message of no campaign, and what follows from it.

use super::{Halt, Post, SingleOutcome};
use crate::delivery::{Phase, Reply};
use crate::message::Prepared;
use crate::oauth::AccessToken;
use crate::send::error::Error;
use crate::send::options::Account;
use crate::send::signing::Opened;
use crate::send::sorting::{Fate, Lesson, judge};
use crate::send::train::{content_of, envelope_of};
use crate::smtp::{HandOver, OfferState, RecipientVerdict, SessionError};
use crate::store::{SingleEnd, SingleLock};

/// What the server made of an offer.
enum Verdict {
    Taken(Reply),
    Negative(Phase, Reply),
    /// It cannot be offered to this server at all.
    NotOffered(String),
    /// The connection broke, with no reply.
    Broken(Phase, SessionError),
    Lost(SessionError),
}

impl Verdict {
    fn broken(phase: Phase, error: SessionError) -> Self {
        match error.reply() {
            // The server hung up with a word.
            Some(reply) => Self::Negative(phase, reply.clone()),
            None => Self::Broken(phase, error),
        }
    }

    fn of_recipient(verdict: Option<RecipientVerdict>) -> Self {
        match verdict {
            Some(RecipientVerdict::Refused(reply)) => Self::Negative(Phase::RcptTo, reply),
            Some(RecipientVerdict::NotOffered(why)) => Self::NotOffered(why.to_string()),
            Some(RecipientVerdict::Accepted(_) | RecipientVerdict::Unanswered) | None => {
                Self::NotOffered("nobody was accepted".to_owned())
            }
        }
    }
}

/// An offer and its verdict.
pub(super) struct Offered {
    verdict: Verdict,
    /// The token of the session.
    token: Option<AccessToken>,
    /// It was the first one of its session.
    was_fresh: bool,
}

impl Offered {
    /// How much of it counts, as a campaign's messages do: from the first byte of the content on it may be
    /// counted by the server, unless that says that it has turned it away for a limit.
    pub(super) fn end(&self, account: &Account) -> SingleEnd {
        match &self.verdict {
            Verdict::Taken(_) => SingleEnd::Taken,
            Verdict::Lost(_) => SingleEnd::InDoubt,
            Verdict::Negative(phase, reply) if *phase >= Phase::Body => {
                let (fate, _) = judge(&account.replies, *phase, reply, &mut Lesson::default());
                if fate == Fate::NotItsFault {
                    SingleEnd::GivenBack
                } else {
                    SingleEnd::HandedOver
                }
            }
            Verdict::Broken(phase, _) if *phase >= Phase::Body => SingleEnd::HandedOver,
            Verdict::Negative(..) | Verdict::Broken(..) | Verdict::NotOffered(_) => {
                SingleEnd::GivenBack
            }
        }
    }
}

impl Post<'_> {
    /// Offers the message and, once it is let in, hands it over. Never dropped half-way.
    pub(super) async fn offer(&mut self, message: &Prepared) -> Result<Offered, Error> {
        let Some(Opened { session, token }) = self.opened.as_mut() else {
            return Err(Error::Worker("a session was lost".to_owned()));
        };
        let offer = session.offer(&envelope_of(message)).await;
        let verdict = match offer.state {
            OfferState::Ready => match session.hand_over(content_of(message)).await {
                HandOver::Answered(reply) if reply.is_positive() => Verdict::Taken(reply),
                HandOver::Answered(reply) => Verdict::Negative(Phase::FinalDot, reply),
                HandOver::Lost(error) => Verdict::Lost(error),
                HandOver::BrokenInBody(error) => Verdict::broken(Phase::Body, error),
            },
            OfferState::NobodyAccepted => {
                Verdict::of_recipient(offer.recipients.into_iter().next().map(|one| one.verdict))
            }
            OfferState::SenderNotOffered(why) => Verdict::NotOffered(why.to_string()),
            OfferState::Refused(phase, reply) => Verdict::Negative(phase, reply),
            OfferState::Broken(phase, error) => Verdict::broken(phase, error),
        };
        let token = token.clone();
        let is_over = !session.is_usable();
        if is_over {
            self.opened = None;
        }
        Ok(Offered {
            verdict,
            token,
            was_fresh: std::mem::take(&mut self.fresh),
        })
    }

    /// What follows for whoever asked; none when the message goes again, in another session.
    pub(super) fn conclude(
        &mut self,
        lock: &SingleLock,
        offered: Offered,
    ) -> Result<Option<SingleOutcome>, Halt> {
        let settled = match offered.verdict {
            Verdict::Taken(reply) => {
                if let Some(token) = &offered.token {
                    self.trial.passed(token);
                }
                SingleOutcome::Sent {
                    reply: reply.to_string(),
                }
            }
            Verdict::Lost(error) => SingleOutcome::InDoubt {
                reply: error.to_string(),
            },
            Verdict::NotOffered(why) => SingleOutcome::Refused {
                reply: why,
                meaning: "the message cannot be offered to this server".to_owned(),
                remedy: "use addresses in plain letters, or a server that offers SMTPUTF8"
                    .to_owned(),
            },
            // A server may hang up on a session that was idle: that is no trouble, a new one serves.
            Verdict::Broken(Phase::MailFrom, _) if !offered.was_fresh => return Ok(None),
            Verdict::Broken(phase, error) => {
                return Err(Halt::stopped(self.out_of_reach(phase, &error)));
            }
            Verdict::Negative(phase, reply) => {
                return self.negative(lock, phase, &reply, offered.token);
            }
        };
        Ok(Some(settled))
    }

    fn negative(
        &mut self,
        lock: &SingleLock,
        phase: Phase,
        reply: &Reply,
        token: Option<AccessToken>,
    ) -> Result<Option<SingleOutcome>, Halt> {
        let table = &self.account.replies;
        let mut lesson = Lesson::default();
        let (fate, meaning) = judge(table, phase, reply, &mut lesson);
        let remedy = self.account.remedy(&table.judge(phase, reply));
        let words = reply.to_string();
        if let Some(pause) = lesson.pause {
            return Err(self.hold(lock, &pause)?);
        }
        if lesson.reconnect {
            self.opened = None;
        }
        match (lesson.token_refused, token) {
            (Some(_), Some(token)) if self.trial.may_renew(&token) => {
                (self.refused, self.opened) = (Some(token), None);
                return Ok(None);
            }
            (Some(trouble), _) => return Err(Halt::stopped(*trouble)),
            (None, _) => {}
        }
        if let Some(trouble) = lesson.stop {
            return Err(Halt::stopped(*trouble));
        }
        let reply = words;
        Ok(Some(match fate {
            Fate::Refused | Fate::RefusedForOne => SingleOutcome::Refused {
                reply,
                meaning,
                remedy,
            },
            Fate::Later | Fate::Busy | Fate::NotItsFault => SingleOutcome::PutOff {
                reply,
                meaning,
                remedy,
            },
        }))
    }
}
