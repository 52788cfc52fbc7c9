//! What a send tells in the log: the same events as its listener hears, and how it ended.
//!
//! A server's words may name people: they are for the debug level, their codes for all.

use tracing::{debug, info, warn};

use super::error::Error;
use super::event::{Ended, Event, Trouble, Waiting};
use crate::delivery::{EnhancedCode, Reply};

/// The code and the enhanced code at the beginning of a reply as it is kept; nothing of other words.
fn codes(said: &str) -> String {
    let (code, rest) = said.split_at_checked(3).unwrap_or_default();
    let Some(code) = code.parse().ok().filter(|code| (200..600).contains(code)) else {
        return String::new();
    };
    match EnhancedCode::at_start_of(rest) {
        Some(enhanced) => format!("{code} {enhanced}"),
        None => Reply::new(code, "").to_string().trim_end().to_owned(),
    }
}

impl Event {
    /// Writes it into the log.
    pub(super) fn note(&self) {
        match self {
            Self::Recovered { in_doubt } => {
                warn!(in_doubt, "an earlier send ended in the middle");
            }
            Self::Sent {
                account: _,
                number,
                message_id,
                recipients,
                reply,
            } => {
                info!(number, recipients, code = codes(reply), "sent");
                debug!(number, ?message_id, ?reply, "sent");
            }
            Self::Refused {
                row,
                address,
                reply,
                meaning,
            } => {
                info!(row, code = codes(reply), ?meaning, "refused");
                debug!(row, ?address, ?reply, "refused");
            }
            Self::Deferred {
                number,
                recipients,
                until,
                reply,
                blameless,
            } => {
                info!(number, recipients, %until, blameless, code = codes(reply), "put off");
                debug!(number, ?reply, "put off");
            }
            Self::Paused {
                account,
                until,
                because,
            } => {
                info!(?account, %until, code = codes(because), "paused");
                debug!(?account, ?because, "paused");
            }
            Self::InDoubt {
                number,
                message_id,
                recipients,
                reply,
            } => {
                warn!(number, recipients, because = ?reply, "in doubt");
                debug!(number, ?message_id, "in doubt");
            }
            Self::Reconnecting {
                account,
                because,
                until,
            } => {
                warn!(?account, %until, code = codes(because), "no connection");
                debug!(?because, "no connection");
            }
            Self::AccountStopped { account, trouble } => {
                warn!(?account, "account stopped");
                note_trouble(trouble);
            }
            Self::AccountWaiting {
                account,
                until,
                why,
            } => {
                let kind = kind(why);
                info!(?account, %until, kind, "account waits");
                debug!(?account, ?why, "account waits");
            }
            // Told by `note`, with what the listener does not hear.
            Self::Ended(_) => {}
            Self::Waiting { until, why } => {
                let kind = kind(why);
                info!(%until, kind, "waiting");
                debug!(?why, "waiting");
            }
        }
    }
}

fn kind(why: &Waiting) -> &'static str {
    match why {
        Waiting::Rule(_) => "rule",
        Waiting::Calendar(_) => "calendar",
        Waiting::Deferred => "deferred",
        Waiting::Provider(_) => "provider",
        Waiting::Server(_) => "server",
        Waiting::OtherSender => "other sender",
    }
}

fn note_trouble(trouble: &Trouble) {
    let Trouble {
        class,
        phase,
        reply,
        meaning,
        ..
    } = trouble;
    let (class, phase) = (class.as_str(), phase.as_str());
    warn!(class, phase, code = codes(reply), ?meaning, "stopped");
    debug!(?reply, "stopped");
}

/// Writes into the log how a send ended.
pub(super) fn note(ended: &Result<Ended, Error>) {
    match ended {
        Ok(Ended::Stopped(trouble)) => note_trouble(trouble),
        Ok(Ended::WouldWait(until, why)) => {
            info!(%until, kind = kind(why), "send ended: it would have to wait");
        }
        Ok(Ended::Halted(halt)) => info!(since = %halt.at, by = ?halt.by, "send ended: halted"),
        Ok(ended) => info!(how = ?ended, "send ended"),
        Err(error) => tracing::error!(because = ?error.to_string(), "send ended"),
    }
}

#[cfg(test)]
mod tests {
    use super::codes;

    #[test]
    fn only_codes_are_told_of_a_reply() {
        assert_eq!(codes("550 5.1.1 <ann@contoso.com> unknown"), "550 5.1.1");
        assert_eq!(codes("421 closing for ann"), "421");
        assert_eq!(codes("signing in: the connection was closed"), "");
        assert_eq!(codes("äö"), "");
        assert_eq!(codes(""), "");
    }
}
