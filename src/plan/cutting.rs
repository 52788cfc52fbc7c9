//! Cutting shared messages smaller, so that what is left of a window is used.
//!
//! A message to 500 waits for the next day when the window has room for 250. Cut in two, the first half
//! goes today. That is worth it only when the whole campaign then ends earlier: both timetables are laid
//! out, and the cut one is taken if it wins. A message is cut at most once, and only where the whole of
//! it would have to wait for long, so that a window that frees little by little does not turn it into
//! crumbs.

use jiff::SignedDuration;

use super::error::Error;
use super::timetable::{Laid, Timetable};
use crate::limits::{Rule, Weight};
use crate::store::{Cut, Planned};

/// A message is cut when the whole of it would have to wait for so much longer than a part.
const WORTH: SignedDuration = SignedDuration::from_mins(10);

/// What must be known of a recipient to cut between them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Listed {
    pub(super) row: u64,
    pub(super) external: bool,
}

/// The messages with cuts where they help, and their timetable.
pub(super) struct CutUp {
    pub(super) cuts: Vec<Cut>,
    pub(super) laid: Laid,
}

/// Lays out messages, cutting shared ones. `listed` gives a message's recipients in the list's order,
/// `new_id` a new Message-ID.
pub(super) fn cut_up(
    messages: &[Planned],
    mut table: Timetable,
    mut listed: impl FnMut(i64) -> Result<Vec<Listed>, Error>,
    mut new_id: impl FnMut() -> Result<String, Error>,
) -> Result<Result<CutUp, Rule>, Error> {
    let mut cuts = Vec::new();
    for message in messages {
        let part = match part_of(&table, message) {
            Ok(part) => part,
            Err(rule) => return Ok(Err(rule)),
        };
        let mut rest = (message.weight, message.listed);
        if let Some(room) = part
            && let Some(cut) = cut(message, &listed(message.id)?, room, &mut new_id)?
        {
            let kept = cut.first.recipients + message.listed - message.weight.recipients;
            if let Err(rule) = table.add(cut.first, kept, None) {
                return Ok(Err(rule));
            }
            rest = (cut.second, message.listed - kept);
            cuts.push(cut);
        }
        if let Err(rule) = table.add(rest.0, rest.1, None) {
            return Ok(Err(rule));
        }
    }
    Ok(Ok(CutUp {
        cuts,
        laid: table.finish(),
    }))
}

/// Room for a part of the message, recipients and external ones, where the whole would have to wait.
fn part_of(table: &Timetable, message: &Planned) -> Result<Option<(u64, u64)>, Rule> {
    if message.listed < 2 {
        return Ok(None);
    }
    let whole = table.find(message.weight, None)?;
    if whole.at.duration_since(table.now()) <= WORTH {
        return Ok(None);
    }
    let copies = message.weight.recipients - message.listed;
    let least = Weight {
        recipients: copies + 1,
        external: message.weight.external.min(copies + 1),
    };
    let part = table.find(least, None)?;
    let wins = whole.at.duration_since(part.at) > WORTH;
    Ok(wins.then(|| table.room(part)))
}

/// Cuts off as many recipients as there is room for; none when that is nobody or everybody.
fn cut(
    message: &Planned,
    listed: &[Listed],
    room: (u64, u64),
    new_id: &mut impl FnMut() -> Result<String, Error>,
) -> Result<Option<Cut>, Error> {
    let copies = message.weight.recipients - message.listed;
    let all_external = listed.iter().filter(|one| one.external).count() as u64;
    let copies = Weight {
        recipients: copies,
        external: message.weight.external.saturating_sub(all_external),
    };
    let mut first = copies;
    let mut kept = 0;
    for one in listed {
        let with = Weight {
            recipients: first.recipients + 1,
            external: first.external + u64::from(one.external),
        };
        if with.recipients > room.0 || with.external > room.1 {
            break;
        }
        (first, kept) = (with, kept + 1);
    }
    let Some(next) = listed.get(kept).filter(|_| kept > 0) else {
        return Ok(None);
    };
    Ok(Some(Cut {
        message: message.id,
        from_row: next.row,
        first,
        second: Weight {
            recipients: message.weight.recipients - first.recipients + copies.recipients,
            external: message.weight.external - first.external + copies.external,
        },
        message_id: new_id()?,
    }))
}
