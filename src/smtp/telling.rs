//! What a session tells in the log: each phase with its code and enhanced code.
//!
//! A server's words may name people, or quote a secret while somebody signs in: they are told at debug level only,
//! and never at the sign-in.

use tracing::{debug, info};

use super::SessionError;
use crate::delivery::{Phase, Reply};

/// A reply came. What is fine of single recipients is for the debug level: a shared message has hundreds of them.
pub(super) fn reply(phase: Phase, reply: &Reply) {
    let enhanced = reply.enhanced().map(|code| code.to_string());
    let (name, code) = (phase.as_str(), reply.code);
    if phase == Phase::RcptTo && reply.is_positive() {
        debug!(phase = name, code, enhanced, "answered");
    } else {
        info!(phase = name, code, enhanced, "answered");
    }
    if phase != Phase::SignIn {
        debug!(phase = name, code, words = ?reply.text, "answered");
    }
}

/// No reply came, or no connection.
pub(super) fn failure(error: &SessionError) {
    let phase = error.phase.as_str();
    if error.phase == Phase::SignIn {
        info!(phase, "failed");
    } else {
        info!(phase, because = ?error.kind.to_string(), "failed");
    }
}
