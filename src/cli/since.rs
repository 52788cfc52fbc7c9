//! What has changed since a plan was made, and what holds now: beside the figures of the plan itself, which stay as
//! they were.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::failure::Failure;
use super::screen::Screen;
use super::status::{counts_json, counts_line};
use super::{setup, words};
use crate::clock::Reading;
use crate::config::Sender;
use crate::store::{CampaignRecord, Counts, Deed, Store};

/// A plan that is not as it was made any more.
pub(super) struct Since {
    /// What people have done to it, and to how many recipients.
    changes: Vec<(Deed, u64)>,
    people: Counts,
    messages: Counts,
    /// When what is left would be finished, from now on.
    finishes_at: Option<Timestamp>,
}

impl Since {
    /// None as long as nothing of the plan was tried and nobody has changed anything about it.
    pub(super) fn of(
        store: &Store,
        record: &CampaignRecord,
        senders: &[Sender],
        now: Reading,
    ) -> Result<Option<Self>, Failure> {
        let changes = store.changes(record.id)?;
        if changes.is_empty() && !store.was_tried(record.id)? {
            return Ok(None);
        }
        let outlook = setup::outlook(store, record, senders, now)?;
        let forecast = outlook.forecast(store, record.id)?;
        Ok(Some(Self {
            changes,
            people: store.recipient_counts(record.id)?,
            messages: store.message_counts(record.id)?,
            finishes_at: forecast.map(|forecast| forecast.finishes_at),
        }))
    }

    /// What was changed, and where it stands.
    pub(super) fn show(&self, screen: &Screen, zone: &TimeZone) -> Result<(), Failure> {
        let changes = self.changes.iter();
        let changes: Vec<String> = changes.map(|(deed, count)| change(*deed, *count)).collect();
        if !changes.is_empty() {
            screen.field("since then", 12, &changes.join(", "))?;
        }
        let left = match self.messages.pending + self.messages.deferred {
            0 => "nothing is left to go".to_owned(),
            left => {
                let at = self.finishes_at.map_or_else(String::new, |at| {
                    format!(", finished {} at the earliest", words::time(at, zone))
                });
                let verb = words::count(left, "message is", "messages are");
                format!("{verb} still to go{at}")
            }
        };
        let now = format!("{}; {left}", counts_line(&self.people));
        screen.field("now", 12, &now)
    }

    /// The same, for scripts.
    pub(super) fn json(&self) -> Value {
        let changes: serde_json::Map<String, Value> = self
            .changes
            .iter()
            .map(|(deed, count)| (deed.as_str().to_owned(), (*count).into()))
            .collect();
        json!({
            "changes": changes,
            "recipients": counts_json(&self.people),
            "messages": counts_json(&self.messages),
            "finishes_at": self.finishes_at,
        })
    }
}

fn change(deed: Deed, count: u64) -> String {
    let what = match deed {
        Deed::Suppressed => "withdrawn for the suppression list",
        Deed::Retried => "queued again",
        Deed::Resolved => "in doubt and settled by a person",
        other => other.as_str(),
    };
    format!("{} {what}", words::count(count, "recipient", "recipients"))
}
