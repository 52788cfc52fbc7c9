//! Cutting shared messages smaller, so that what is left of a window is used.
//!
//! A message to 500 waits for the next day when the window has room for 250. Cut in two, the first half
//! goes today. That is worth it only when the whole campaign then ends earlier: both timetables are laid
//! out, and the cut one is taken if it wins. Where to cut is found while the timetable is laid out; here
//! it is put down to recipients.

use super::error::Error;
use super::timetable::Part;
use crate::limits::Weight;
use crate::store::{Cut, CutPart, Planned};

/// What must be known of a recipient to cut between them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Listed {
    pub(super) row: u64,
    pub(super) external: bool,
}

/// The cuts of messages in the order of the timetable. `listed` gives a message's recipients in the
/// list's order, `new_id` a new Message-ID.
pub(super) fn cuts_of(
    parts: &[Part],
    messages: &[Planned],
    mut listed: impl FnMut(i64) -> Result<Vec<Listed>, Error>,
    mut new_id: impl FnMut() -> Result<String, Error>,
) -> Result<Vec<Cut>, Error> {
    let mut cuts = Vec::new();
    for parts in parts.chunk_by(|one, next| one.number == next.number) {
        let message = parts.first().and_then(|part| {
            let place = usize::try_from(part.number).ok()?.checked_sub(1)?;
            messages.get(place)
        });
        if let Some(message) = message {
            let listed = listed(message.id)?;
            cuts.push(cut(message, &listed, parts, &mut new_id)?);
        }
    }
    Ok(cuts)
}

fn cut(
    message: &Planned,
    listed: &[Listed],
    parts: &[Part],
    new_id: &mut impl FnMut() -> Result<String, Error>,
) -> Result<Cut, Error> {
    let external = |listed: &[Listed]| listed.iter().filter(|one| one.external).count() as u64;
    let copies = Weight {
        recipients: message.weight.recipients - message.listed,
        external: message.weight.external.saturating_sub(external(listed)),
    };
    let weight = |listed: &[Listed]| Weight {
        recipients: copies.recipients + listed.len() as u64,
        external: copies.external + external(listed),
    };
    let mut left = listed;
    let mut pieces = Vec::with_capacity(parts.len() + 1);
    for part in parts {
        let (piece, rest) = left.split_at(left.len().min(part.kept as usize));
        pieces.push(piece);
        left = rest;
    }
    pieces.push(left);
    let mut pieces = pieces.into_iter();
    let first = weight(pieces.next().unwrap_or_default());
    let mut parts = Vec::new();
    for piece in pieces {
        if let Some(one) = piece.first() {
            parts.push(CutPart {
                from_row: one.row,
                weight: weight(piece),
                message_id: new_id()?,
            });
        }
    }
    Ok(Cut {
        message: message.id,
        first,
        parts,
    })
}
