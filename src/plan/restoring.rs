//! The mails of people who were left out for the suppression list and get theirs after all.
//!
//! They are made from what the plan froze of their rows, and proved like all others before they are queued.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::frozen::{FrozenError, frozen_renderer};
use crate::message::{self, Identity, Renderer};
use crate::store::{CampaignRecord, LeftOut, Restored, Store};

/// Why somebody cannot get the mail after all.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// What was planned cannot be read.
    #[error(transparent)]
    Frozen(#[from] FrozenError),
    /// The mail of this row cannot be made from what was planned.
    #[error("row {row}: {cause}")]
    Row {
        /// The data row of the list.
        row: u64,
        /// Why not.
        cause: message::Error,
    },
}

/// Makes the messages of those of these rows who are not on the list any more. `now` only stands in for the
/// Date of what is proved.
pub fn restored(
    store: &Store,
    record: &CampaignRecord,
    rows: &[u64],
    now: Timestamp,
) -> Result<Vec<Restored>, RestoreError> {
    let wanted: BTreeSet<u64> = rows.iter().copied().collect();
    let account = record.accounts.first().map_or("", String::as_str);
    let renderer = frozen_renderer(store.path(), record, account)?;
    let people = store.left_out(record.id).map_err(FrozenError::from)?;
    people
        .iter()
        .filter(|one| wanted.contains(&one.row) && !one.suppressed)
        .map(|one| {
            message_of(&renderer, one, now).map_err(|cause| RestoreError::Row {
                row: one.row,
                cause,
            })
        })
        .collect()
}

fn message_of(
    renderer: &Renderer,
    person: &LeftOut,
    now: Timestamp,
) -> Result<Restored, message::Error> {
    let message_id = message::new_message_id(renderer.sender().domain())?;
    let identity = Identity {
        message_id: &message_id,
        date: now,
        shared: false,
    };
    let listed = [(person.address.as_str(), person.cells.as_str())];
    let prepared = renderer.prepare(listed, &identity)?;
    let external = prepared.external.iter().filter(|is| **is).count() as u64;
    Ok(Restored {
        row: person.row,
        digest: prepared.digest,
        recipients: 1 + prepared.copies,
        external: external + prepared.external_copies,
        message_id,
    })
}
