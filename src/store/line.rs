//! The line: which messages wait, and in which order they go.
//!
//! An account's own messages that were never put off are read ahead, some at a time, and kept until anything but
//! their being taken in that order changes what waits. So a claim at full pace looks for nothing in the file.

use std::collections::VecDeque;

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};

use super::cutting::Part;
use super::{Error, ledger, to_optional_timestamp};
use crate::delivery::MessageState;
use crate::limits::Weight;

/// The most messages that are read ahead.
const MOST_AHEAD: usize = 64;

/// A message that may be next.
#[derive(Debug, Clone)]
pub(super) struct Next {
    pub(super) id: i64,
    pub(super) state: MessageState,
    pub(super) number: u64,
    pub(super) weight: Weight,
    pub(super) due_at: Option<i64>,
    /// Tries so far.
    pub(super) attempts: u32,
    /// Those that failed by its own fault.
    pub(super) failures: u32,
    pub(super) message_id: String,
    pub(super) digest: [u8; 32],
    pub(super) shared: bool,
    /// When it was first tried.
    pub(super) dated_at: Option<i64>,
    pub(super) edition: u64,
    /// Only so many of its recipients go now.
    pub(super) kept: Option<Part>,
}

/// What a [`Next`] is read from.
const COLUMNS: &str = "id, state, number, recipients, external, due_at, attempts, failures, message_id, digest, shared,
                       dated_at, edition";

impl Next {
    fn read(row: &Row<'_>) -> Result<Self, Error> {
        let state: String = row.get(1)?;
        Ok(Self {
            id: row.get(0)?,
            state: MessageState::from_name(&state).ok_or(Error::Corrupt(state))?,
            number: row.get(2)?,
            weight: Weight {
                recipients: row.get(3)?,
                external: row.get(4)?,
            },
            due_at: row.get(5)?,
            attempts: row.get(6)?,
            failures: row.get(7)?,
            message_id: row.get(8)?,
            digest: row.get(9)?,
            shared: row.get(10)?,
            dated_at: row.get(11)?,
            edition: row.get(12)?,
            kept: None,
        })
    }
}

/// Which of an account's messages another look is taken at, and from which end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Share {
    /// All, in their order.
    Own,
    /// All, those that were never put off from their end.
    TakenOver,
    /// Only those that were never tried, from their end, and those that were put off for the account's sake.
    Untried,
}

/// Messages without external recipients and those with them stand in lines of their own.
const KINDS: [bool; 2] = [false, true];

const DUE: &str = "state = 'deferred' AND due_at <= ?4 ORDER BY due_at, number LIMIT 1";
const DUE_BLAMELESS: &str =
    "state = 'deferred' AND due_at <= ?4 AND failures = 0 ORDER BY due_at, number LIMIT 1";
const FIRST: &str = "state = 'pending' AND ?4 IS NOT NULL ORDER BY number LIMIT 1";
const LAST: &str = "state = 'pending' AND ?4 IS NOT NULL ORDER BY number DESC LIMIT 1";
const UNTRIED: &str =
    "state = 'pending' AND ?4 IS NOT NULL AND attempts = 0 ORDER BY number DESC LIMIT 1";
const AHEAD: &str = "state = 'pending' ORDER BY number LIMIT ?4";

fn search(condition: &str) -> String {
    format!(
        "SELECT {COLUMNS} FROM message WHERE campaign = ?1 AND lane = ?2 AND (external > 0) = ?3 AND {condition}"
    )
}

/// Every search that a claim may make, with the index that it is to use.
#[cfg(test)]
pub(super) fn searches() -> Vec<(String, &'static str)> {
    let index = |condition: &str| match condition {
        DUE | DUE_BLAMELESS => "message_deferred",
        _ => "message_pending",
    };
    [DUE, DUE_BLAMELESS, FIRST, LAST, UNTRIED, AHEAD]
        .map(|condition| (search(condition), index(condition)))
        .to_vec()
}

/// The message of this lane whose turn it is; where it has external recipients, the first without any
/// after it, which may pass it. What was put off and is due comes before the others.
pub(super) fn in_turn(
    connection: &Connection,
    campaign: i64,
    lane: usize,
    share: Share,
    now: Timestamp,
) -> Result<[Option<Next>; 2], Error> {
    let conditions = match share {
        Share::Own => [DUE, FIRST],
        Share::TakenOver => [DUE, LAST],
        Share::Untried => [DUE_BLAMELESS, UNTRIED],
    };
    let first_of = |external: bool| -> Result<Option<Next>, Error> {
        for condition in conditions {
            let found = first(connection, condition, campaign, lane, external, now)?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    };
    let [internal, external] = KINDS;
    Ok(by_turn(share, first_of(internal)?, first_of(external)?))
}

/// The first of both kinds in their order.
fn by_turn(share: Share, internal: Option<Next>, external: Option<Next>) -> [Option<Next>; 2] {
    let place = |next: &Next| {
        let number = next.number.cast_signed();
        let from_the_end = share != Share::Own && next.due_at.is_none();
        let number = if from_the_end { -number } else { number };
        (next.due_at.is_none(), next.due_at, number)
    };
    match (internal, external) {
        (Some(internal), Some(external)) if place(&internal) < place(&external) => {
            [Some(internal), None]
        }
        (internal, Some(external)) => [Some(external), internal],
        (internal, None) => [internal, None],
    }
}

fn first(
    connection: &Connection,
    condition: &str,
    campaign: i64,
    lane: usize,
    external: bool,
    now: Timestamp,
) -> Result<Option<Next>, Error> {
    let mut statement = connection.prepare_cached(&search(condition))?;
    let mut rows = statement.query(params![campaign, lane, external, now.as_millisecond()])?;
    rows.next()?.map(Next::read).transpose()
}

/// An account's own messages, read ahead.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    /// By kind; none as long as nothing is known.
    kinds: Option<[Kind; 2]>,
    /// SQLite's count of commits by other connections, when they were read.
    seen: i64,
}

#[derive(Debug, Default)]
struct Kind {
    /// When the first that was put off is due.
    due_at: Option<i64>,
    /// The first that never were.
    pending: VecDeque<Next>,
    /// How many were read the last time.
    read: usize,
    /// There are no others.
    is_all: bool,
}

impl Ahead {
    /// What waits has changed.
    pub(super) fn forget(&mut self) {
        self.kinds = None;
    }

    /// A message was taken. Where it was not the first of those that are known, nothing is known any more.
    pub(super) fn taken(&mut self, next: &Next) {
        let Some(kinds) = &mut self.kinds else { return };
        let is_first = |kind: &Kind| kind.pending.front().is_some_and(|one| one.id == next.id);
        if let Some(kind) = kinds.iter_mut().find(|kind| is_first(kind)) {
            kind.pending.pop_front();
            return;
        }
        let is_known = |kind: &Kind| kind.pending.iter().any(|one| one.id == next.id);
        if next.state == MessageState::Deferred || kinds.iter().any(is_known) {
            self.forget();
        }
    }

    /// [`in_turn`] of the account's own, in a transaction with this count of commits by other connections.
    pub(super) fn in_turn(
        &mut self,
        connection: &Connection,
        (campaign, lane): (i64, usize),
        version: i64,
        now: Timestamp,
    ) -> Result<[Option<Next>; 2], Error> {
        if self.seen != version {
            self.forget();
            self.seen = version;
        }
        let kinds = match &mut self.kinds {
            Some(kinds) => kinds,
            none => none.insert([
                Kind::begin(connection, campaign, lane, KINDS[0])?,
                Kind::begin(connection, campaign, lane, KINDS[1])?,
            ]),
        };
        let at = now.as_millisecond();
        if kinds
            .iter()
            .any(|kind| kind.due_at.is_some_and(|due_at| due_at <= at))
        {
            return in_turn(connection, campaign, lane, Share::Own, now);
        }
        for (kind, external) in kinds.iter_mut().zip(KINDS) {
            if kind.pending.is_empty() && !kind.is_all {
                kind.read_on(connection, campaign, lane, external)?;
            }
        }
        let [internal, external] = kinds;
        let (internal, external) = (internal.pending.front(), external.pending.front());
        Ok(by_turn(Share::Own, internal.cloned(), external.cloned()))
    }
}

impl Kind {
    fn begin(
        connection: &Connection,
        campaign: i64,
        lane: usize,
        external: bool,
    ) -> Result<Self, Error> {
        let due_at = connection
            .prepare_cached(FIRST_DUE)?
            .query_row(params![campaign, lane, external], |row| row.get(0))?;
        Ok(Self {
            due_at,
            ..Self::default()
        })
    }

    /// Reads the first that wait; twice as many each time, so that who looks once reads no more than it needs. What
    /// was taken waits no longer.
    fn read_on(
        &mut self,
        connection: &Connection,
        campaign: i64,
        lane: usize,
        external: bool,
    ) -> Result<(), Error> {
        let most = (2 * self.read).clamp(1, MOST_AHEAD);
        let mut statement = connection.prepare_cached(&search(AHEAD))?;
        let mut rows = statement.query(params![campaign, lane, external, most])?;
        while let Some(row) = rows.next()? {
            self.pending.push_back(Next::read(row)?);
        }
        self.is_all = self.pending.len() < most;
        self.read = most;
        Ok(())
    }
}

/// When the first of a kind that was put off is due.
const FIRST_DUE: &str = "SELECT min(due_at) FROM message WHERE campaign = ? AND state = 'deferred' AND lane = ? AND (external > 0) = ?";

/// What was put off by a clock that has been set back since waits for as long as it was meant to, from now on.
pub(super) fn put_due_right(
    connection: &Connection,
    campaign: i64,
    now: Timestamp,
) -> Result<(), Error> {
    let ahead = now.saturating_add(ledger::ON_ITS_WAY);
    connection
        .prepare_cached(
            "UPDATE message SET due_at = ?1 + due_at - put_off_at, put_off_at = ?1
             WHERE campaign = ?2 AND state = 'deferred' AND due_at > ?3 AND put_off_at BETWEEN ?3 AND due_at",
        )?
        .execute(params![
            now.as_millisecond(),
            campaign,
            ahead.unwrap_or(Timestamp::MAX).as_millisecond()
        ])?;
    Ok(())
}

/// Whether an account has more than so many messages that were never put off.
pub(super) fn has_more_than(
    connection: &Connection,
    campaign: i64,
    lane: usize,
    count: u64,
) -> Result<bool, Error> {
    Ok(connection
        .prepare_cached(
            "SELECT 1 FROM message WHERE campaign = ? AND state = 'pending' AND lane = ? LIMIT 1 OFFSET ?",
        )?
        .exists(params![campaign, lane, count])?)
}

/// When the first message that was put off is due; of all, or of those without external recipients.
pub(super) fn next_due(
    connection: &Connection,
    campaign: i64,
    lanes: impl Iterator<Item = usize>,
    kinds: &[bool],
) -> Result<Option<Timestamp>, Error> {
    let mut statement = connection.prepare_cached(FIRST_DUE)?;
    let mut first = None;
    for lane in lanes {
        for external in kinds {
            let due: Option<i64> =
                statement.query_row(params![campaign, lane, external], |row| row.get(0))?;
            first = [first, due].into_iter().flatten().min();
        }
    }
    to_optional_timestamp(first)
}

/// True when something of the campaign is still to go, by whichever account.
pub(super) fn is_unfinished(connection: &Connection, campaign: i64) -> Result<bool, Error> {
    Ok(connection
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM message WHERE campaign = ?1 AND state = 'pending')
                 OR EXISTS (SELECT 1 FROM message WHERE campaign = ?1 AND state = 'deferred')",
        )?
        .query_row([campaign], |row| row.get(0))?)
}
