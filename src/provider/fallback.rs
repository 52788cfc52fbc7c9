//! What a reply means that no table knows: by its class and the phase (RFC 5321 4.2.1 and 4.3.2).

use std::time::Duration;

use super::Judgement;
use crate::delivery::{Class, Phase, Verdict};

/// How long to wait when a server asks for patience before a message was offered.
const BREATH: Duration = Duration::from_mins(1);

/// A positive reply. A 3xx asks for more, which only DATA and AUTH have to give.
pub(super) fn accepted(phase: Phase, code: u16) -> Judgement {
    if code < 300 || matches!(phase, Phase::Data | Phase::SignIn) {
        return Judgement::new(
            Verdict::Accept,
            Class::Server,
            "The server has accepted this step.",
            "Nothing to do.",
        );
    }
    out_of_step()
}

/// A refusal, or something that is no reply at all.
pub(super) fn by_class(phase: Phase, code: u16) -> Judgement {
    match code {
        421 => closing(),
        400..500 => later(phase),
        500..600 => refused(phase),
        _ => out_of_step(),
    }
}

fn closing() -> Judgement {
    Judgement::new(
        Verdict::Reconnect,
        Class::Server,
        "The server is closing the connection.",
        "Nothing to do: a new connection is made.",
    )
}

fn out_of_step() -> Judgement {
    Judgement::new(
        Verdict::Reconnect,
        Class::Server,
        "The server has given an answer that does not belong to this step.",
        "Nothing to do: a new connection is made. If it happens again, ask the server's administrator.",
    )
}

fn later(phase: Phase) -> Judgement {
    match phase {
        Phase::Connect | Phase::Banner | Phase::Hello | Phase::Tls | Phase::SignIn => {
            Judgement::new(
                Verdict::SlowDown(BREATH),
                Class::Server,
                "The server cannot take connections or sign-ins at the moment.",
                "Nothing to do: it is tried again after a pause. If it lasts, ask the server's administrator.",
            )
        }
        Phase::Reset => closing(),
        Phase::RcptTo => Judgement::new(
            Verdict::Defer,
            Class::Recipient,
            "The server cannot take mail for this recipient at the moment.",
            "Nothing to do: it is tried again later.",
        ),
        Phase::MailFrom | Phase::Data | Phase::Body | Phase::FinalDot => Judgement::new(
            Verdict::Defer,
            Class::Server,
            "The server cannot take this message at the moment.",
            "Nothing to do: it is tried again later.",
        ),
    }
}

fn refused(phase: Phase) -> Judgement {
    match phase {
        Phase::Connect | Phase::Banner | Phase::Hello | Phase::Tls => Judgement::new(
            Verdict::StopAccount,
            Class::Server,
            "The server refuses to talk to this machine or program.",
            "You: check host, port and tls in accounts.toml. Your administrator: check whether the server lets this machine in.",
        ),
        Phase::SignIn => Judgement::new(
            Verdict::StopAccount,
            Class::SignIn,
            "The server has refused the sign-in.",
            "You: check username and password in accounts.toml. Your administrator: check that the mailbox may send over SMTP.",
        ),
        Phase::Reset => closing(),
        Phase::RcptTo => Judgement::new(
            Verdict::RefuseRecipient,
            Class::Recipient,
            "The server refuses mail for this recipient.",
            "You: check the address; the server's own words are in the report. Write to it again in a new campaign.",
        ),
        Phase::MailFrom | Phase::Data | Phase::Body | Phase::FinalDot => Judgement::new(
            Verdict::RefuseMessage,
            Class::Message,
            "The server refuses this message.",
            "You: read the server's own words in the report, change the message, and write to those who were refused in a new campaign.",
        ),
    }
}
