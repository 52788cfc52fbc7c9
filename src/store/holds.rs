//! Pauses that a provider asked for: they hold for a mailbox over restarts, campaigns and processes.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use super::ledger::ON_ITS_WAY;
use super::reckoning::{columns, reading};
use super::{Error, Pause, Store, to_timestamp};
use crate::clock::Reading;

/// The longest pause after one more refusal for a cap.
const LONGEST_HOLD: SignedDuration = SignedDuration::from_hours(24);

/// A mailbox that may not send for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Until when.
    pub until: Timestamp,
    /// The provider's words.
    pub reply: String,
    /// How often in a row it said that a cap is reached, with nothing taken in between.
    pub refusals: u32,
}

/// A pause of which nobody wrote down when it began is no longer than this from now.
const LONGEST_UNKNOWN: SignedDuration = SignedDuration::from_hours(24);

/// Until when a pause holds that was to end at `until` by the calendar at which it was asked for.
fn ends(until: Timestamp, set: Option<Reading>, now: &Reading) -> Timestamp {
    let end = |length| now.wall.saturating_add(length).unwrap_or(Timestamp::MAX);
    let Some(set) = set else {
        return until.min(end(LONGEST_UNKNOWN));
    };
    let length = until.duration_since(set.wall);
    match now.steadily_since(&set) {
        Some(since) => end(length.saturating_sub(since)),
        // Asked for by a clock that was ahead, or is behind now.
        None if set.wall > now.later(ON_ITS_WAY).wall => end(length),
        None => until,
    }
}

/// The pause, and when it ends by what the calendar shows now.
pub(super) fn of(
    connection: &Connection,
    mailbox: &str,
    now: &Reading,
) -> Result<Option<Hold>, Error> {
    let row = connection
        .prepare_cached(
            "SELECT until, reply, refusals, set_at, boot, steady FROM hold WHERE mailbox = ?",
        )?
        .query_row([mailbox], |row| {
            let set = (row.get(3)?, row.get(4)?, row.get(5)?);
            Ok((
                row.get::<_, i64>(0)?,
                row.get(1)?,
                row.get::<_, u32>(2)?,
                set,
            ))
        })
        .optional()?;
    row.map(|(until, reply, refusals, (set, boot, steady))| {
        let set = reading(set, boot, steady)?;
        Ok(Hold {
            until: ends(to_timestamp(until)?, set, now),
            reply,
            refusals: refusals.saturating_sub(1),
        })
    })
    .transpose()
}

pub(super) fn set(
    connection: &Connection,
    mailbox: &str,
    hold: &Hold,
    now: &Reading,
) -> Result<(), Error> {
    let (boot, steady) = columns(now);
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO hold (mailbox, until, reply, refusals, set_at, boot, steady)
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            mailbox,
            hold.until.as_millisecond(),
            hold.reply,
            // The column takes no zero, which is what a mere slow-down has.
            hold.refusals.saturating_add(1),
            now.wall.as_millisecond(),
            boot,
            steady
        ])?;
    Ok(())
}

/// The provider asked for a pause. For a cap that is reached the mailbox waits until the longest window
/// begins to free, in `frees`, and each time twice as long when it is told so again; never shorter than
/// `pause`.
pub(super) fn ask(
    connection: &Connection,
    mailbox: &str,
    reading: &Reading,
    pause: &Pause,
    frees: Option<SignedDuration>,
) -> Result<Hold, Error> {
    let now = reading.wall;
    let before = of(connection, mailbox, reading)?;
    let refusals = before.as_ref().map_or(0, |hold| hold.refusals);
    // Several connections hear of the same cap: only the first one counts it.
    let is_news = before.as_ref().is_none_or(|hold| hold.until <= now);
    let refusals = refusals + u32::from(pause.is_cap && is_news);
    let length = if pause.is_cap {
        let doubled = 1 << refusals.saturating_sub(1).min(10);
        pause.length.saturating_mul(doubled).min(LONGEST_HOLD)
    } else {
        pause.length
    };
    let mut until = now.saturating_add(length).unwrap_or(Timestamp::MAX);
    if pause.is_cap {
        let wait = frees.unwrap_or_default();
        until = until.max(now.saturating_add(wait).unwrap_or(Timestamp::MAX));
    }
    until = until.max(before.map_or(until, |hold| hold.until));
    let hold = Hold {
        until,
        reply: pause.reply.clone(),
        refusals,
    };
    set(connection, mailbox, &hold, reading)?;
    Ok(hold)
}

/// Writes a pause down anew whose end is not the one that was written: from now on it runs out by the clock
/// as it is.
pub(super) fn settle(
    connection: &Connection,
    mailbox: &str,
    now: &Reading,
) -> Result<Option<Hold>, Error> {
    let hold = of(connection, mailbox, now)?;
    if let Some(hold) = &hold {
        set(connection, mailbox, hold, now)?;
    }
    Ok(hold)
}

pub(super) fn lift(connection: &Connection, mailbox: &str) -> Result<(), Error> {
    connection
        .prepare_cached("DELETE FROM hold WHERE mailbox = ?")?
        .execute([mailbox])?;
    Ok(())
}

impl Store {
    /// The pause that the mailbox's provider last asked for, over or not; none once mail was taken again.
    pub fn hold(&self, mailbox: &str, now: &Reading) -> Result<Option<Hold>, Error> {
        of(&self.connection, mailbox, now)
    }
}
