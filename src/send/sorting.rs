//! Sorting replies: whom a verdict concerns, and what it means for the account.

use std::time::Duration;

use jiff::SignedDuration;

use super::event::Trouble;
use crate::delivery::{Class, Phase, Reply, Verdict};
use crate::provider::ReplyTable;
use crate::smtp::{SessionError, SessionErrorKind};
use crate::store::Pause;

/// What an attempt has taught about the account or the connection.
#[derive(Debug, Clone, Default)]
pub(super) struct Lesson {
    /// The provider asked for a pause.
    pub(super) pause: Option<Pause>,
    /// The pause is for a server that puts off whatever it is offered: it did not ask for less speed.
    pub(super) is_streak: bool,
    /// The account must stop.
    pub(super) stop: Option<Box<Trouble>>,
    /// The server takes the access token no longer; what it means where there is none to renew.
    pub(super) token_refused: Option<Box<Trouble>>,
    /// The connection is of no more use.
    pub(super) reconnect: bool,
}

impl Lesson {
    /// The longest pause that was asked for holds.
    pub(super) fn pause_for(&mut self, length: Duration, is_cap: bool, reply: &str) {
        let length = SignedDuration::try_from(length).unwrap_or(SignedDuration::MAX);
        let known = self
            .pause
            .as_ref()
            .map(|pause| (pause.is_cap, pause.length));
        if known < Some((is_cap, length)) {
            self.pause = Some(Pause {
                length,
                is_cap,
                reply: reply.to_owned(),
            });
        }
    }
}

/// What becomes of a recipient or a message after a negative reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// Refused for good.
    Refused,
    /// Refused for good for the sake of one of its recipients; the others can go without it.
    RefusedForOne,
    /// Try again after the back-off.
    Later,
    /// Try again after the back-off; the server says so for its own sake, not for the message's.
    Busy,
    /// Not its fault: try again as soon as the account may go on.
    NotItsFault,
}

/// Judges a reply, and adds to the lesson what it says about the account.
pub(super) fn judge(
    table: &ReplyTable,
    phase: Phase,
    reply: &Reply,
    lesson: &mut Lesson,
) -> (Fate, String) {
    let judgement = table.judge(phase, reply);
    let meaning = judgement.meaning.to_owned();
    let fate = match judgement.verdict {
        Verdict::RefuseMessage if judgement.class == Class::Recipient && phase >= Phase::Data => {
            Fate::RefusedForOne
        }
        Verdict::RefuseRecipient | Verdict::RefuseMessage => Fate::Refused,
        Verdict::Defer if judgement.class == Class::Server => Fate::Busy,
        // A positive reply is judged only by its place in the dialogue; here it is out of place.
        Verdict::Accept | Verdict::Defer => Fate::Later,
        Verdict::SlowDown(pause) => {
            lesson.pause_for(pause, false, &reply.to_string());
            Fate::NotItsFault
        }
        Verdict::HoldAccount(pause) => {
            lesson.pause_for(pause, true, &reply.to_string());
            Fate::NotItsFault
        }
        Verdict::Reconnect => {
            lesson.reconnect = true;
            Fate::Busy
        }
        Verdict::RefreshToken | Verdict::StopAccount => {
            let found = if judgement.verdict == Verdict::RefreshToken {
                &mut lesson.token_refused
            } else {
                &mut lesson.stop
            };
            found.get_or_insert_with(|| {
                Box::new(Trouble {
                    class: judgement.class,
                    phase,
                    reply: reply.to_string(),
                    meaning: meaning.clone(),
                    remedy: table.remedy(&judgement),
                    unreachable: false,
                    local: false,
                })
            });
            Fate::NotItsFault
        }
    };
    (fate, meaning)
}

/// True for a failure that trying again will not mend: a certificate, a missing sign-in.
pub(super) fn is_hopeless(error: &SessionError) -> bool {
    match &error.kind {
        SessionErrorKind::Tls(_)
        | SessionErrorKind::NoStartTls
        | SessionErrorKind::Injection
        | SessionErrorKind::NoMechanism { .. }
        | SessionErrorKind::PlainRefused => true,
        SessionErrorKind::Resolve { .. }
        | SessionErrorKind::Connect { .. }
        | SessionErrorKind::Timeout(_)
        | SessionErrorKind::Closed
        | SessionErrorKind::Protocol(_)
        | SessionErrorKind::TooLong(_)
        | SessionErrorKind::CutOff(_)
        | SessionErrorKind::Stalled { .. }
        | SessionErrorKind::Refused(_)
        | SessionErrorKind::TokenRefused { .. }
        | SessionErrorKind::NotOffered(_)
        | SessionErrorKind::OutOfTurn => false,
    }
}

/// The trouble of a server with which no session came about, for a reason that stays.
pub(super) fn hopeless(error: &SessionError) -> Trouble {
    let is_about_sign_in = error.is_about_sign_in();
    Trouble {
        class: if is_about_sign_in {
            Class::SignIn
        } else {
            Class::Server
        },
        phase: error.phase,
        reply: error.to_string(),
        meaning: if is_about_sign_in {
            "the server offers no way to sign in that fits the account".to_owned()
        } else {
            "no connection to the mail server came about that can be trusted".to_owned()
        },
        remedy: error.remedy().to_owned(),
        unreachable: !is_about_sign_in,
        local: false,
    }
}

/// The trouble of a server with which no session came about, for a reason that may pass.
pub(super) fn no_session(table: &ReplyTable, error: &SessionError) -> Trouble {
    let trouble = unreachable(error.phase, error.to_string());
    if let Some(reply) = error.reply() {
        let judgement = table.judge(error.phase, reply);
        return Trouble {
            meaning: judgement.meaning.to_owned(),
            remedy: table.remedy(&judgement),
            unreachable: false,
            ..trouble
        };
    }
    // Silence or an end at the sign-in has nothing to do with host and port.
    let is_silence = matches!(
        error.kind,
        SessionErrorKind::Closed | SessionErrorKind::Timeout(_)
    );
    if is_silence && error.phase >= Phase::SignIn {
        return trouble;
    }
    Trouble {
        remedy: format!(
            "{} Afterwards run send again: it goes on where it was.",
            error.remedy()
        ),
        ..trouble
    }
}

/// The trouble of a server that could not be reached.
pub(super) fn unreachable(phase: Phase, what: String) -> Trouble {
    Trouble {
        class: Class::Server,
        phase,
        reply: what,
        meaning: "the mail server could not be reached or did not keep up the conversation".to_owned(),
        remedy: "check the network and the account's host and port, then run send again: it goes on where it was"
            .to_owned(),
        unreachable: true,
        local: false,
    }
}
