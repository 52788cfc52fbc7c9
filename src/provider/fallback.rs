//! What a reply means whose words no table knows: by its class and the phase (RFC 5321 4.2.1 and 4.3.2).
//! The refusals stand in `replies/by-class.toml`; here is what is no refusal.

use std::sync::LazyLock;

use super::entry::Entry;
use super::remedy::{Owner, Remedy};
use crate::delivery::{Class, Phase, Verdict};

static ACCEPTED: LazyLock<Entry> = LazyLock::new(|| {
    Entry::own(
        Verdict::Accept,
        Class::Server,
        "The server has accepted this step.",
        nothing("it goes on."),
        "https://www.rfc-editor.org/rfc/rfc5321#section-4.2.1",
    )
});

static OUT_OF_STEP: LazyLock<Entry> = LazyLock::new(|| {
    Entry::own(
        Verdict::Reconnect,
        Class::Server,
        "The server has given an answer that does not belong to this step.",
        nothing("a new connection is made. If it happens again, ask the server's administrator."),
        "https://www.rfc-editor.org/rfc/rfc5321#section-4.3.2",
    )
});

fn nothing(what: &str) -> Remedy {
    Remedy {
        who: Owner::Nobody,
        what: what.to_owned(),
    }
}

/// A positive reply. A 3xx asks for more, which only DATA and AUTH have to give.
pub(super) fn accepted(phase: Phase, code: u16) -> &'static Entry {
    if code < 300 || matches!(phase, Phase::Data | Phase::SignIn) {
        return &ACCEPTED;
    }
    out_of_step()
}

/// Something that is no reply to what was asked.
pub(super) fn out_of_step() -> &'static Entry {
    &OUT_OF_STEP
}
