//! When a planned campaign will be finished, from where it stands now.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::error::Error;
use super::timetable::Timetable;
use crate::limits::{Limiter, Reservation, Rule};
use crate::store::Store;

/// What is still to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forecast {
    /// When the next message may go.
    pub next_send_at: Timestamp,
    /// When the last one may go.
    pub finishes_at: Timestamp,
    /// The rule that holds messages back most often.
    pub limited_by: Option<Rule>,
}

/// Lays out what is left of a campaign from `now` on, beside what the mailbox has handed over. None
/// when nothing is left, or when a rule never allows it.
pub fn forecast(
    store: &Store,
    campaign: i64,
    rules: &[Rule],
    mailbox: &str,
    now: Timestamp,
) -> Result<Option<Forecast>, Error> {
    let limiter = limiter_of(rules, mailbox, store, now)?;
    let mut table = Timetable::new("", limiter, now, TimeZone::UTC);
    let mut possible = true;
    store.remaining(campaign, |weight| {
        possible = possible && table.add(weight, 0).is_ok();
    })?;
    let (batches, limited_by) = table.finish();
    let (Some(first), Some(last)) = (batches.first(), batches.last()) else {
        return Ok(None);
    };
    Ok(possible.then_some(Forecast {
        next_send_at: first.starts_at,
        finishes_at: last.ends_at,
        limited_by,
    }))
}

/// What the mailbox has handed over, and what it has in hand, which counts as handed over now.
pub(super) fn limiter_of(
    rules: &[Rule],
    mailbox: &str,
    store: &Store,
    now: Timestamp,
) -> Result<Limiter, Error> {
    let mut limiter = Limiter::new(rules);
    let longest = SignedDuration::try_from(limiter.longest_window()).unwrap_or(SignedDuration::MAX);
    let since = now.saturating_sub(longest).unwrap_or(Timestamp::MIN);
    for entry in store.ledger_since(mailbox, since)? {
        if let Some(at) = entry.stamped_at {
            limiter.record(at, entry.weight);
        } else {
            limiter.reserve(Reservation(entry.id), entry.weight);
            limiter.stamp(Reservation(entry.id), now);
        }
    }
    Ok(limiter)
}
