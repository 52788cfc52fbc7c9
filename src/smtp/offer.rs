//! Offering an envelope: MAIL, RCPT and DATA, in as few round trips as the server allows.

use std::fmt::Write as _;
use std::time::Duration;

use super::exchange::CLOSING;
use super::{
    Envelope, NotOffered, Offer, OfferState, RecipientReply, RecipientVerdict, Session,
    SessionError, SessionErrorKind,
};
use crate::delivery::{Phase, Reply};

/// An envelope with more recipients is not asked about in the write of the content before it: that might fill the
/// buffers of both sides while neither reads.
const FEW: usize = 100;

#[derive(Clone, Copy)]
enum Step {
    Mail,
    Rcpt(usize),
    Data,
}

/// Replies about the message as a whole.
#[derive(Default)]
struct Answers {
    mail_refused: Option<Reply>,
    data: Option<Reply>,
}

impl Session {
    /// Offers an envelope. A refused recipient costs only itself; after any state but `Broken` the
    /// session can go on ([`Session::is_usable`] tells whether a clean-up failed).
    pub async fn offer(&mut self, envelope: &Envelope) -> Offer {
        let mut recipients = self.sort_out(&envelope.recipients);
        let state = match self.sender_problem(envelope) {
            Some(problem) => OfferState::SenderNotOffered(problem),
            None => match self.ask_all(envelope, &mut recipients).await {
                Ok(answers) => self.conclude(answers, &recipients).await,
                Err(error) => {
                    self.broken = true;
                    OfferState::Broken(error.phase, error)
                }
            },
        };
        Offer { recipients, state }
    }

    fn sort_out(&self, addresses: &[String]) -> Vec<RecipientReply> {
        let verdict = |address: &String| match self.address_problem(address) {
            _ if address.is_empty() => RecipientVerdict::NotOffered(NotOffered::Malformed),
            Some(problem) => RecipientVerdict::NotOffered(problem),
            None => RecipientVerdict::Unanswered,
        };
        let numbered = addresses.iter().map(verdict).enumerate();
        numbered
            .map(|(index, verdict)| RecipientReply { index, verdict })
            .collect()
    }

    pub(super) fn sender_problem(&self, envelope: &Envelope) -> Option<NotOffered> {
        if envelope.smtputf8 && !self.capabilities.smtp_utf8 {
            return Some(NotOffered::NeedsSmtpUtf8);
        }
        self.address_problem(&envelope.from)
    }

    pub(super) fn address_problem(&self, address: &str) -> Option<NotOffered> {
        let breaks = |c: char| c.is_control() || c == '<' || c == '>';
        if address.contains(breaks) {
            Some(NotOffered::Malformed)
        } else if !address.is_ascii() && !self.capabilities.smtp_utf8 {
            Some(NotOffered::NeedsSmtpUtf8)
        } else {
            None
        }
    }

    /// Asks group by group and notes each answer as it comes.
    async fn ask_all(
        &mut self,
        envelope: &Envelope,
        recipients: &mut [RecipientReply],
    ) -> Result<Answers, SessionError> {
        let mut answers = Answers::default();
        // Of an envelope that was asked about with the content before it only the answers are wanting.
        let asked = std::mem::take(&mut self.asked);
        let watch = asked.then(|| self.clock.stopwatch());
        for group in groups(recipients, self.capabilities.pipelining) {
            let alone = matches!(group.as_slice(), [Step::Data]);
            if answers.mail_refused.is_some() || (alone && !anybody_accepted(recipients)) {
                break;
            }
            let mut text = (!asked).then(|| self.text_of(&group, envelope));
            for step in group {
                let (phase, limit) = self.bounds(step);
                let reply = match text.take() {
                    Some(text) => self.command(phase, limit, text).await?,
                    None => self.next_reply(phase, limit).await?,
                };
                note(step, phase, reply, recipients, &mut answers)?;
            }
        }
        if let Some(watch) = watch {
            self.asking.waited(watch.elapsed());
        }
        Ok(answers)
    }

    /// What asks about a whole envelope, where that is one write.
    pub(super) fn in_one_write(&self, envelope: &Envelope) -> Option<String> {
        let fits = envelope.recipients.len() <= FEW && self.capabilities.pipelining;
        if !fits || self.sender_problem(envelope).is_some() {
            return None;
        }
        let groups = groups(&self.sort_out(&envelope.recipients), true);
        groups.first().map(|group| self.text_of(group, envelope))
    }

    fn bounds(&self, step: Step) -> (Phase, Duration) {
        match step {
            Step::Mail => (Phase::MailFrom, self.deadlines.command),
            Step::Rcpt(_) => (Phase::RcptTo, self.deadlines.command),
            Step::Data => (Phase::Data, self.deadlines.data),
        }
    }

    fn text_of(&self, group: &[Step], envelope: &Envelope) -> String {
        let mut text = String::new();
        for step in group {
            match step {
                Step::Mail => self.write_mail(&mut text, envelope),
                Step::Rcpt(index) => {
                    let address = envelope.recipients.get(*index).map_or("", String::as_str);
                    // Writing into a String cannot fail, here and below.
                    let _ = write!(text, "RCPT TO:<{address}>\r\n");
                }
                Step::Data => text.push_str("DATA\r\n"),
            }
        }
        text
    }

    pub(super) fn write_mail(&self, text: &mut String, envelope: &Envelope) {
        let _ = write!(text, "MAIL FROM:<{}>", envelope.from);
        if self.capabilities.size.is_some() {
            let _ = write!(text, " SIZE={}", envelope.size);
        }
        let beyond_ascii = |address: &String| !address.is_ascii();
        let addresses = envelope.recipients.iter().any(beyond_ascii) || !envelope.from.is_ascii();
        if self.capabilities.smtp_utf8 && (envelope.smtputf8 || addresses) {
            if self.capabilities.eight_bit_mime {
                text.push_str(" BODY=8BITMIME");
            }
            text.push_str(" SMTPUTF8");
        }
        text.push_str("\r\n");
    }

    /// Leaves the server ready for the content, or for the next message.
    async fn conclude(&mut self, answers: Answers, recipients: &[RecipientReply]) -> OfferState {
        let nobody = !anybody_accepted(recipients);
        let content_due = answers.data.as_ref().is_some_and(|reply| reply.code == 354);
        if content_due && (nobody || answers.mail_refused.is_some()) {
            // RFC 2920 3.1: a server may answer DATA with 354 though it has no recipient, and waits
            // for content then. A dot alone ends that without a message.
            let limit = self.deadlines.final_dot;
            let _ = self.command(Phase::FinalDot, limit, ".\r\n").await;
        } else if content_due {
            self.content_due = true;
            return OfferState::Ready;
        } else if recipients_were_offered(recipients) || answers.mail_refused.is_some() {
            // Without it, some servers take the next MAIL for a nested one. A failure marks the
            // session as broken, which is all that follows from it.
            let _ = self.reset().await;
        }
        match (answers.mail_refused, answers.data) {
            (Some(reply), _) => OfferState::Refused(Phase::MailFrom, reply),
            (None, Some(reply)) if !nobody => OfferState::Refused(Phase::Data, reply),
            _ => OfferState::NobodyAccepted,
        }
    }
}

/// What goes out in one write each: one command, or many where the server lets us.
fn groups(recipients: &[RecipientReply], pipelining: bool) -> Vec<Vec<Step>> {
    let offered: Vec<Step> = recipients
        .iter()
        .filter(|r| r.verdict == RecipientVerdict::Unanswered)
        .map(|r| Step::Rcpt(r.index))
        .collect();
    if offered.is_empty() {
        return Vec::new();
    }
    let all = [Step::Mail].into_iter().chain(offered).chain([Step::Data]);
    if pipelining {
        vec![all.collect()]
    } else {
        all.map(|step| vec![step]).collect()
    }
}

/// Notes one answer. A 421 is noted like any other and then ends the session.
fn note(
    step: Step,
    phase: Phase,
    reply: Reply,
    recipients: &mut [RecipientReply],
    answers: &mut Answers,
) -> Result<(), SessionError> {
    let refused = (400..600).contains(&reply.code);
    let expected = match step {
        Step::Data => reply.code == 354,
        Step::Mail | Step::Rcpt(_) => (200..300).contains(&reply.code),
    };
    if !refused && !expected {
        let kind = SessionErrorKind::Protocol(reply.to_string());
        return Err(SessionError::new(phase, kind));
    }
    let closing = (reply.code == CLOSING).then(|| reply.clone());
    match step {
        Step::Mail => answers.mail_refused = refused.then_some(reply),
        Step::Data => answers.data = Some(reply),
        // Without a sender, a server's "503 need MAIL" says nothing about the recipient.
        Step::Rcpt(_) if answers.mail_refused.is_some() => {}
        Step::Rcpt(index) => {
            if let Some(recipient) = recipients.get_mut(index) {
                recipient.verdict = if refused {
                    RecipientVerdict::Refused(reply)
                } else {
                    RecipientVerdict::Accepted(reply)
                };
            }
        }
    }
    match closing {
        Some(reply) => Err(SessionError::new(phase, SessionErrorKind::Refused(reply))),
        None => Ok(()),
    }
}

fn anybody_accepted(recipients: &[RecipientReply]) -> bool {
    let accepted = |r: &RecipientReply| matches!(r.verdict, RecipientVerdict::Accepted(_));
    recipients.iter().any(accepted)
}

fn recipients_were_offered(recipients: &[RecipientReply]) -> bool {
    let offered = |r: &RecipientReply| !matches!(r.verdict, RecipientVerdict::NotOffered(_));
    recipients.iter().any(offered)
}
