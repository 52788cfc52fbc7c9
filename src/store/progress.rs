//! Where a campaign stands.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::{Error, Store, line, to_optional_timestamp, to_timestamp};
use crate::delivery::RecipientState;
use crate::limits::Schedule;

/// What a campaign is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunState {
    /// Planned; nobody sends it.
    Planned,
    /// A process sends it.
    Sending,
    /// It waits for a limit or for a deferred message to be due.
    Waiting,
    /// A person asked that nothing more of it goes ([`CampaignRecord::halted`]).
    Halted,
    /// An account's trouble ended it, in these words.
    Stopped(String),
    /// Nothing is pending or deferred.
    Finished,
}

impl RunState {
    /// The name used in the store and in JSON.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Sending => "sending",
            Self::Waiting => "waiting",
            Self::Halted => "halted",
            Self::Stopped(_) => "stopped",
            Self::Finished => "finished",
        }
    }
}

/// A person's word that nothing more of a campaign goes, until it is lifted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Halt {
    /// Since when.
    pub at: Timestamp,
    /// Who said so: a user of a machine.
    pub by: String,
}

/// A frozen campaign.
#[derive(Debug, Clone)]
pub struct CampaignRecord {
    /// Its id in the store.
    pub id: i64,
    /// Its identity.
    pub name: String,
    /// Where it was planned from.
    pub folder: String,
    /// The accounts that send it, in the order of the plan's lanes.
    pub accounts: Vec<String>,
    /// When it may be sent.
    pub schedule: Schedule,
    /// How many shared messages were cut to use what is left of a window.
    pub cuts: u64,
    /// When it would be finished without those cuts, by the plan.
    pub uncut_finishes_at: Option<Timestamp>,
    /// `auto`, `shared` or `individual`.
    pub mode: String,
    /// Everything but files and rows that decides its bytes, as JSON.
    pub definition: String,
    /// Of all inputs.
    pub fingerprint: [u8; 32],
    /// The time zone of its batches' dates.
    pub time_zone: String,
    /// The number of its current edition, from 1: each `plan --update` makes a new one.
    pub edition: u64,
    /// When that was planned.
    pub planned_at: Timestamp,
    /// When it was to be finished by the plan.
    pub finishes_at: Option<Timestamp>,
    /// Rows of its list.
    pub listed: u64,
    /// What it is doing, as last written down.
    pub run_state: RunState,
    /// When the next message may go, while it waits.
    pub next_send_at: Option<Timestamp>,
    /// Nothing more of it goes, because a person said so.
    pub halted: Option<Halt>,
}

/// How many are in each state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Not sent yet, those in hand included.
    pub pending: u64,
    /// Taken by the server.
    pub sent: u64,
    /// To be tried again.
    pub deferred: u64,
    /// Refused for good.
    pub refused: u64,
    /// May have been taken.
    pub in_doubt: u64,
    /// Never written to.
    pub suppressed: u64,
    /// Dropped by a person.
    pub cancelled: u64,
}

impl Counts {
    /// All of them.
    pub fn total(&self) -> u64 {
        self.pending
            + self.sent
            + self.deferred
            + self.refused
            + self.in_doubt
            + self.suppressed
            + self.cancelled
    }

    /// True when nothing is left to send.
    pub fn is_finished(&self) -> bool {
        self.pending + self.deferred == 0
    }

    pub(super) fn add(&mut self, state: RecipientState, count: u64) {
        *match state {
            RecipientState::Pending => &mut self.pending,
            RecipientState::Sent => &mut self.sent,
            RecipientState::Deferred => &mut self.deferred,
            RecipientState::Refused => &mut self.refused,
            RecipientState::InDoubt => &mut self.in_doubt,
            RecipientState::Suppressed => &mut self.suppressed,
            RecipientState::Cancelled => &mut self.cancelled,
        } += count;
    }
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.pending += other.pending;
        self.sent += other.sent;
        self.deferred += other.deferred;
        self.refused += other.refused;
        self.in_doubt += other.in_doubt;
        self.suppressed += other.suppressed;
        self.cancelled += other.cancelled;
    }
}

/// How many rows of the list became what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RowCounts {
    /// Rows of the list.
    pub listed: u64,
    /// Those that are recipients of a message.
    pub planned: u64,
    /// They joined the message of an earlier row of the same person.
    pub grouped: u64,
    /// An earlier row has the same address.
    pub duplicate: u64,
    /// The row has a defect.
    pub invalid: u64,
    /// On the suppression list.
    pub suppressed: u64,
    /// Planned, and dropped since.
    pub cancelled: u64,
    /// Left out by the list's filter.
    pub filtered: u64,
}

pub(super) fn set_state(
    connection: &Connection,
    campaign: i64,
    state: &RunState,
    next_send_at: Option<Timestamp>,
) -> Result<(), Error> {
    // An edited list may have been taken in since the sender looked last.
    let state = match state {
        RunState::Finished if line::is_unfinished(connection, campaign)? => &RunState::Planned,
        state => state,
    };
    let because = match state {
        RunState::Stopped(because) => Some(because),
        _ => None,
    };
    connection
        .prepare_cached(
            "UPDATE campaign SET run_state = ?, stopped_because = ?, next_send_at = ? WHERE id = ?",
        )?
        .execute(params![
            state.as_str(),
            because,
            next_send_at.map(Timestamp::as_millisecond),
            campaign
        ])?;
    Ok(())
}

fn run_state(name: &str, because: Option<String>) -> Result<RunState, Error> {
    Ok(match name {
        "planned" => RunState::Planned,
        "sending" => RunState::Sending,
        "waiting" => RunState::Waiting,
        "stopped" => RunState::Stopped(because.unwrap_or_default()),
        "finished" => RunState::Finished,
        other => return Err(Error::Corrupt(format!("a campaign that is '{other}'"))),
    })
}

impl Store {
    /// The campaign with this name.
    pub fn campaign(&self, name: &str) -> Result<Option<CampaignRecord>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, name, folder, mode, e.definition, e.fingerprint, time_zone, listed, cuts, e.planned_at, finishes_at,
                    next_send_at, uncut_finishes_at, run_state, stopped_because, calendar, halted_at, halted_by, e.number
             FROM campaign JOIN edition e ON e.campaign = id AND e.number = edition WHERE name = ?",
        )?;
        let mut rows = statement.query([name])?;
        rows.next()?.map(|row| self.record(row)).transpose()
    }

    fn record(&self, row: &rusqlite::Row<'_>) -> Result<CampaignRecord, Error> {
        let id = row.get(0)?;
        let schedule: String = row.get(15)?;
        let state: String = row.get(13)?;
        let halted_at = to_optional_timestamp(row.get(16)?)?;
        let halted_by: Option<String> = row.get(17)?;
        Ok(CampaignRecord {
            id,
            name: row.get(1)?,
            folder: row.get(2)?,
            accounts: self.accounts(id)?,
            mode: row.get(3)?,
            definition: row.get(4)?,
            fingerprint: row.get(5)?,
            time_zone: row.get(6)?,
            edition: row.get(18)?,
            listed: row.get(7)?,
            cuts: row.get(8)?,
            planned_at: to_timestamp(row.get(9)?)?,
            finishes_at: to_optional_timestamp(row.get(10)?)?,
            next_send_at: to_optional_timestamp(row.get(11)?)?,
            uncut_finishes_at: to_optional_timestamp(row.get(12)?)?,
            run_state: run_state(&state, row.get(14)?)?,
            halted: halted_at.map(|at| Halt {
                at,
                by: halted_by.unwrap_or_default(),
            }),
            schedule: serde_json::from_str(&schedule)
                .map_err(|cause| Error::Corrupt(format!("a schedule: {cause}")))?,
        })
    }

    fn accounts(&self, campaign: i64) -> Result<Vec<String>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT account FROM campaign_account WHERE campaign = ? ORDER BY lane",
        )?;
        let names = statement.query_map([campaign], |row| row.get(0))?;
        Ok(names.collect::<Result<_, _>>()?)
    }

    /// The names of all campaigns.
    pub fn campaign_names(&self) -> Result<Vec<String>, Error> {
        let mut statement = self
            .connection
            .prepare("SELECT name FROM campaign ORDER BY name")?;
        let names = statement.query_map([], |row| row.get(0))?;
        Ok(names.collect::<Result<_, _>>()?)
    }

    /// Writes down what the campaign is doing.
    pub fn set_state(
        &mut self,
        campaign: i64,
        state: &RunState,
        next_send_at: Option<Timestamp>,
    ) -> Result<(), Error> {
        set_state(&self.connection, campaign, state, next_send_at)
    }

    /// True when messages are claimed or being handed over: by a sender at work, or by one that is gone.
    pub fn has_in_hand(&self, campaign: i64) -> Result<bool, Error> {
        Ok(self.connection.query_row(
            "SELECT EXISTS (SELECT 1 FROM message WHERE campaign = ? AND state IN ('claimed', 'handing_over'))",
            [campaign],
            |row| row.get(0),
        )?)
    }

    /// True when messages are to go that nobody has in hand.
    pub fn has_left(&self, campaign: i64) -> Result<bool, Error> {
        line::is_unfinished(&self.connection, campaign)
    }

    /// The last place in the plan that a message has.
    pub fn last_number(&self, campaign: i64) -> Result<u64, Error> {
        let last = "SELECT coalesce(max(number), 0) FROM message WHERE campaign = ?";
        Ok(self
            .connection
            .query_row(last, [campaign], |row| row.get(0))?)
    }

    /// True when a message of the campaign was ever tried.
    pub fn was_tried(&self, campaign: i64) -> Result<bool, Error> {
        Ok(self.last_tried(campaign)?.is_some())
    }

    /// How many messages have left the plan, whatever became of them, and how many are still in it. A message
    /// that was split while it was sent is one.
    pub fn messages_out(&self, campaign: i64) -> Result<(u64, u64), Error> {
        Ok(self.connection.query_row(
            "SELECT count(DISTINCT message_id) FILTER (WHERE state NOT IN ('pending', 'cancelled')),
                    count(*) FILTER (WHERE state = 'pending')
             FROM message WHERE campaign = ?",
            [campaign],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?)
    }

    /// Rows of the list by what they are now.
    pub fn row_counts(&self, record: &CampaignRecord) -> Result<RowCounts, Error> {
        let mut counts = RowCounts {
            listed: record.listed,
            ..RowCounts::default()
        };
        if record.edition == 1 {
            let people = self.recipient_counts(record.id)?;
            counts.suppressed = people.suppressed;
            counts.cancelled = people.cancelled;
            counts.planned = people.total() - people.suppressed - people.cancelled;
        } else {
            (counts.planned, counts.suppressed, counts.cancelled) = self.connection.query_row(
                // Who is no longer listed comes after the list.
                "SELECT count(*) FILTER (WHERE state NOT IN ('suppressed', 'cancelled')),
                        count(*) FILTER (WHERE state = 'suppressed'), count(*) FILTER (WHERE state = 'cancelled')
                 FROM recipient WHERE campaign = ? AND row <= ?",
                params![record.id, record.listed],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
            )?;
        }
        counts.grouped = self.connection.query_row(
            "SELECT count(*) FROM joined WHERE campaign = ?",
            [record.id],
            |row| row.get(0),
        )?;
        let mut statement = self
            .connection
            .prepare("SELECT reason, count(*) FROM left_out WHERE campaign = ? GROUP BY reason")?;
        let mut rows = statement.query([record.id])?;
        while let Some(row) = rows.next()? {
            let reason: String = row.get(0)?;
            *match reason.as_str() {
                "duplicate" => &mut counts.duplicate,
                "invalid" => &mut counts.invalid,
                _ => &mut counts.filtered,
            } = row.get(1)?;
        }
        Ok(counts)
    }
}
