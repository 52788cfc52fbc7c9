//! A timetable's batches: each account's messages of a day.

use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;

use crate::store::NewBatch;

/// The batches so far, and which of them is being filled.
#[derive(Debug, Clone)]
pub(super) struct Days {
    open: Vec<Option<Day>>,
    pub(super) batches: Vec<NewBatch>,
    /// Messages that were placed, parts of a cut one as messages.
    pub(super) placed: u64,
}

/// The batch of an account that is being filled, and the end of its day.
#[derive(Debug, Clone, Copy)]
struct Day {
    batch: usize,
    ends: Timestamp,
}

impl Days {
    /// Of so many accounts.
    pub(super) fn new(accounts: usize) -> Self {
        Self {
            open: vec![None; accounts],
            batches: Vec::new(),
            placed: 0,
        }
    }

    /// Counts messages with so many recipients each in the batch of this account, its number and its name, whose
    /// number is returned.
    pub(super) fn enter(
        &mut self,
        (track, account): (usize, &str),
        at: Timestamp,
        zone: &TimeZone,
        (messages, recipients): (u64, u64),
    ) -> u64 {
        self.placed += messages;
        let batch = match self.open.get(track).copied().flatten() {
            Some(day) if at < day.ends => day.batch,
            _ => self.open_batch((track, account), at, zone),
        };
        if let Some(batch) = self.batches.get_mut(batch) {
            batch.ends_at = at;
            batch.messages += messages;
            batch.recipients += messages * recipients;
        }
        batch as u64 + 1
    }

    fn open_batch(
        &mut self,
        (track, account): (usize, &str),
        at: Timestamp,
        zone: &TimeZone,
    ) -> usize {
        let today = zone.to_datetime(at).date();
        let tomorrow = today.tomorrow().ok();
        let midnight = tomorrow.map(|day| day.to_datetime(Time::midnight()));
        let ends = midnight.and_then(|midnight| zone.to_timestamp(midnight).ok());
        let batch = self.batches.len();
        if let Some(day) = self.open.get_mut(track) {
            let ends = ends.unwrap_or(Timestamp::MAX);
            *day = Some(Day { batch, ends });
        }
        self.batches.push(NewBatch {
            number: batch as u64 + 1,
            account: account.to_owned(),
            date: today.to_string(),
            starts_at: at,
            ends_at: at,
            messages: 0,
            recipients: 0,
        });
        batch
    }
}
