//! Where a campaign stands: everything that `status` shows, looked up.

use jiff::Timestamp;

use super::refused::Refused;
use crate::cli::failure::Failure;
use crate::cli::setup;
use crate::cli::timetable::Withdrawn;
use crate::clock::Reading;
use crate::config::Sender;
use crate::plan::{AccountQuota, Forecast};
use crate::store::{AtWork, BatchProgress, CampaignRecord, Counts, RunState, Store};

/// Where a campaign stands.
pub(in crate::cli) struct Standing {
    pub(in crate::cli) state: RunState,
    pub(in crate::cli) people: Counts,
    pub(in crate::cli) messages: Counts,
    pub(in crate::cli) next_send_at: Option<Timestamp>,
    pub(in crate::cli) finishes_at: Option<Timestamp>,
    /// What is still to come.
    pub(in crate::cli) forecast: Option<Forecast>,
    /// The process that sends it.
    pub(super) sent_by: Option<AtWork>,
    /// The process that sent it and could not say how it ended.
    pub(super) gone: Option<Gone>,
    /// The days of the plan, with how far each is.
    pub(super) batches: Vec<BatchProgress>,
    /// How each account stands with its provider.
    pub(super) quotas: Vec<AccountQuota>,
    /// The last who were refused.
    pub(super) refused: Refused,
    /// What limits it has been withdrawn by its provider.
    pub(super) withdrawn: Option<Withdrawn>,
}

impl Standing {
    /// Without the senders no times are told.
    pub(in crate::cli) fn of(
        store: &Store,
        record: &CampaignRecord,
        senders: Option<&[Sender]>,
        now: impl Into<Reading>,
    ) -> Result<Self, Failure> {
        let now = now.into();
        // Before the figures are read: a sender that has ended since has left them as they are.
        let sent_by = store.sent_by(&record.name);
        let moment = store.one_moment()?;
        let people = store.recipient_counts(record.id)?;
        let messages = store.message_counts(record.id)?;
        let batches = store.batches(record.id)?;
        let refused = Refused::of(store, record, senders.unwrap_or_default(), people.refused)?;
        drop(moment);
        let state = state_of(record, &people, sent_by.is_some());
        let gone = match (&sent_by, &record.run_state) {
            (None, RunState::Sending | RunState::Planned) if state != RunState::Finished => {
                Gone::of(store, record)?
            }
            _ => None,
        };
        let outlook = senders
            .map(|senders| setup::outlook(store, record, senders, now))
            .transpose()?;
        let forecast = match &outlook {
            Some(outlook) if state != RunState::Finished => outlook.forecast(store, record.id)?,
            _ => None,
        };
        let waits = matches!(state, RunState::Sending | RunState::Waiting);
        let next_send_at = record
            .next_send_at
            .filter(|_| waits)
            .or_else(|| forecast.as_ref().map(|forecast| forecast.next_send_at))
            .filter(|_| waits);
        let mut quotas = outlook.map_or_else(Vec::new, |outlook| outlook.quotas());
        for quota in &mut quotas {
            quota.hold = quota.hold.take().filter(|hold| hold.until > now.wall);
        }
        Ok(Self {
            finishes_at: forecast
                .as_ref()
                .map(|forecast| forecast.finishes_at)
                .max(next_send_at),
            next_send_at,
            withdrawn: Withdrawn::of(forecast.as_ref(), senders.unwrap_or_default()),
            forecast,
            messages,
            people,
            sent_by,
            gone,
            batches,
            quotas,
            refused,
            state,
        })
    }
}

/// A sender that has ended without a word: it was killed, or its machine or disk failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Gone {
    /// When it began.
    pub(super) since: Timestamp,
    /// Who it was: a user of a machine, by which account, which process.
    pub(super) who: String,
    /// Messages that it had in hand and that nobody has settled yet.
    pub(super) in_hand: u64,
}

impl Gone {
    fn of(store: &Store, record: &CampaignRecord) -> Result<Option<Self>, Failure> {
        let Some(started) = store.open_start(record.id)? else {
            return Ok(None);
        };
        // It may have begun since it was looked for.
        if store.is_being_sent(&record.name) {
            return Ok(None);
        }
        let who = [started.by.unwrap_or_default(), started.detail];
        let who: Vec<String> = who.into_iter().filter(|text| !text.is_empty()).collect();
        Ok(Some(Self {
            since: started.at,
            who: who.join(", "),
            in_hand: store.in_hand(record.id)?,
        }))
    }
}

fn state_of(record: &CampaignRecord, people: &Counts, is_being_sent: bool) -> RunState {
    match &record.run_state {
        _ if people.is_finished() => RunState::Finished,
        _ if record.halted.is_some() => RunState::Halted,
        // The process that said so is gone.
        RunState::Sending if !is_being_sent => RunState::Planned,
        RunState::Sending if record.next_send_at.is_some() => RunState::Waiting,
        other => other.clone(),
    }
}
