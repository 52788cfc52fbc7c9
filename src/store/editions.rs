//! The editions of a campaign: what decides the bytes of its mails, each time that it was planned.
//!
//! A message belongs to one edition, and is built from that one whenever it is built: when it is sent, though a
//! newer one was taken in meanwhile, and when somebody wants to see afterwards what was sent.

use jiff::tz::TimeZone;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{Error, NewCampaign, Store};
use crate::limits::Calendar;

/// Adds an edition of a campaign.
pub(super) fn add(
    connection: &Connection,
    campaign: i64,
    number: u64,
    new: &NewCampaign<'_>,
) -> Result<(), Error> {
    connection.execute(
        "INSERT INTO edition (campaign, number, definition, fingerprint, planned_at) VALUES (?, ?, ?, ?, ?)",
        params![
            campaign,
            number,
            new.definition,
            new.fingerprint,
            new.planned_at.as_millisecond()
        ],
    )?;
    Ok(())
}

/// The number of a campaign's current edition.
pub(super) fn current(connection: &Connection, campaign: i64) -> Result<u64, Error> {
    Ok(connection
        .prepare_cached("SELECT edition FROM campaign WHERE id = ?")?
        .query_row([campaign], |row| row.get(0))?)
}

/// When a campaign may be sent by its current edition.
pub(super) fn calendar(connection: &Connection, campaign: i64) -> Result<Calendar, Error> {
    let sql = "SELECT calendar, time_zone FROM campaign WHERE id = ?";
    let (schedule, zone) = connection.query_row(sql, [campaign], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
    })?;
    let schedule = serde_json::from_str(&schedule)
        .map_err(|cause| Error::Corrupt(format!("a schedule: {cause}")))?;
    let zone = TimeZone::get(&zone).unwrap_or(TimeZone::UTC);
    Ok(Calendar::new(schedule, zone))
}

impl Store {
    /// The numbers of a campaign's editions that are kept.
    pub fn editions(&self, campaign: i64) -> Result<Vec<u64>, Error> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT number FROM edition WHERE campaign = ? ORDER BY number")?;
        let numbers = statement.query_map([campaign], |row| row.get(0))?;
        Ok(numbers.collect::<Result<_, _>>()?)
    }

    /// The definition of an edition, as JSON; none when there is no such edition.
    pub fn definition(&self, campaign: i64, edition: u64) -> Result<Option<String>, Error> {
        Ok(self
            .connection
            .prepare_cached("SELECT definition FROM edition WHERE campaign = ? AND number = ?")?
            .query_row(params![campaign, edition], |row| row.get(0))
            .optional()?)
    }

    /// The content of a file as it was frozen for an edition.
    pub fn frozen_file(
        &self,
        campaign: i64,
        edition: u64,
        path: &str,
    ) -> Result<Option<Vec<u8>>, Error> {
        Ok(self
            .connection
            .prepare_cached(
                "SELECT bytes FROM frozen_file JOIN content USING (hash) WHERE campaign = ? AND edition = ? AND path = ?",
            )?
            .query_row(params![campaign, edition, path], |row| row.get(0))
            .optional()?)
    }
}
