//! The plan's batches with how far each is, and the other campaigns that are under way.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension as _, params};

use super::{Counts, Error, Store, to_timestamp};
use crate::limits::Weight;

/// A batch and how far it is.
#[derive(Debug, Clone)]
pub struct BatchProgress {
    /// From 1.
    pub number: u64,
    /// The account that sends it.
    pub account: String,
    /// The day in the campaign's time zone.
    pub date: String,
    /// When its first message may go.
    pub starts_at: Timestamp,
    /// When its last message goes.
    pub ends_at: Timestamp,
    /// How many messages it has.
    pub messages: u64,
    /// How many listed recipients they have.
    pub recipients: u64,
    /// How many of those are settled: sent, refused or cancelled.
    pub settled: u64,
    /// What has become of its recipients so far. It adds up to `recipients`, but for what people have changed since
    /// it was planned.
    pub outcomes: Counts,
}

/// What a campaign's messages come to together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// How many messages.
    pub messages: u64,
    /// How many recipients of the list they have.
    pub listed: u64,
    /// How many external recipients, copies included.
    pub external: u64,
    /// What the first one takes from the rules.
    pub first: Weight,
    /// The addresses of the list that the first one goes to.
    pub first_listed: Vec<String>,
}

/// Another campaign that still has something to send by an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Underway {
    /// Its id.
    pub campaign: i64,
    /// Its name.
    pub name: String,
    /// How many of its messages are still to go by the accounts that were asked for.
    pub messages: u64,
    /// How many recipients they have, copies included.
    pub recipients: u64,
}

/// A campaign of which nothing was tried for so long has been left lying.
const LEFT_LYING: SignedDuration = SignedDuration::from_hours(7 * 24);

impl Store {
    /// The campaigns beside `except` that are under way and have something to send by one of these accounts,
    /// in the order in which they were planned. Under way are those that a process sends, and those of which
    /// something was tried within a week; one that is halted, that an account's trouble ended, or of which
    /// nothing was tried yet, may never go on.
    pub fn underway(
        &self,
        accounts: &[&str],
        except: Option<i64>,
        now: Timestamp,
    ) -> Result<Vec<Underway>, Error> {
        let lately = now.saturating_sub(LEFT_LYING).unwrap_or(Timestamp::MIN);
        let mut statement = self.connection.prepare_cached(
            "SELECT c.id, c.name, sum(m.messages), sum(m.messages * m.recipients)
             FROM campaign c JOIN tallied t ON t.campaign = c.id JOIN campaign_account a ON a.campaign = c.id
             JOIN message_tally m ON m.campaign = c.id AND m.lane = a.lane AND m.state IN ('pending', 'deferred')
             WHERE c.id IS NOT ?1 AND c.run_state IN ('planned', 'sending', 'waiting') AND c.halted_at IS NULL
             AND a.account IN (SELECT value FROM json_each(?2)) AND (c.next_send_at > ?3 OR t.tried_at > ?3)
             GROUP BY c.id HAVING sum(m.messages) > 0 ORDER BY c.planned_at, c.id",
        )?;
        let names = serde_json::to_string(accounts).unwrap_or_default();
        let parameters = params![except, names, lately.as_millisecond()];
        let rows = statement.query_map(parameters, |row| {
            Ok(Underway {
                campaign: row.get(0)?,
                name: row.get(1)?,
                messages: row.get(2)?,
                recipients: row.get(3)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What the campaign's messages come to together, sent or not; those that were cancelled are none of it.
    pub fn shape(&self, campaign: i64) -> Result<Shape, Error> {
        let untried = self.untried_shape(campaign)?;
        let (messages, external, first) = match untried {
            Some(known) => known,
            None => self.shape_of_all(campaign)?,
        };
        let listed = self.connection.query_row(
            "SELECT coalesce(sum(recipients), 0) FROM recipient_tally
             WHERE campaign = ? AND state NOT IN ('cancelled', 'suppressed')",
            [campaign],
            |row| row.get(0),
        )?;
        let mut statement = self.connection.prepare(
            "SELECT m.recipients, m.external, r.address FROM message m JOIN recipient r ON r.message = m.id WHERE m.id = ?",
        )?;
        let mut rows = statement.query([first])?;
        let (mut first, mut first_listed) = (Weight::default(), Vec::new());
        while let Some(row) = rows.next()? {
            first = Weight {
                recipients: row.get(0)?,
                external: row.get(1)?,
            };
            first_listed.push(row.get(2)?);
        }
        Ok(Shape {
            messages,
            listed,
            external,
            first,
            first_listed,
        })
    }

    /// How many messages there are, how many external recipients they have, and which is the first, as the tally
    /// knows it of a campaign of which all are still to go; none of another one.
    fn untried_shape(&self, campaign: i64) -> Result<Option<(u64, u64, Option<i64>)>, Error> {
        let (messages, external, others) = self.connection.query_row(
            "SELECT coalesce(sum(messages) FILTER (WHERE state = 'pending'), 0),
                    coalesce(sum(messages * external) FILTER (WHERE state = 'pending'), 0),
                    coalesce(sum(messages) FILTER (WHERE state <> 'pending'), 0)
             FROM message_tally WHERE campaign = ?",
            [campaign],
            |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, u64>(2)?)),
        )?;
        if others > 0 || self.last_tried(campaign)?.is_some() {
            return Ok(None);
        }
        let mut statement = self.connection.prepare(
            "SELECT m.number, m.id FROM campaign_account a, (VALUES (0), (1)) AS outside, message m
             WHERE a.campaign = ?1 AND m.id = (SELECT id FROM message f
                 WHERE f.campaign = ?1 AND f.state = 'pending' AND f.lane = a.lane AND (f.external > 0) = outside.column1
                 AND EXISTS (SELECT 1 FROM recipient WHERE message = f.id)
                 ORDER BY f.number, f.id LIMIT 1)",
        )?;
        let firsts = statement.query_map([campaign], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let firsts: Vec<(u64, i64)> = firsts.collect::<Result<_, _>>()?;
        let first = firsts.into_iter().min().map(|(_, id)| id);
        Ok(Some((messages, external, first)))
    }

    /// The same of any campaign.
    fn shape_of_all(&self, campaign: i64) -> Result<(u64, u64, Option<i64>), Error> {
        let (messages, external) = self.connection.query_row(
            // All who were refused may go on in others.
            "SELECT count(*), coalesce(sum(external), 0) FROM message m WHERE campaign = ? AND state <> 'cancelled'
             AND (state <> 'refused' OR EXISTS (SELECT 1 FROM recipient r WHERE r.message = m.id))",
            [campaign],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let first = self.connection.query_row(
            "SELECT id FROM message f WHERE campaign = ? AND state <> 'cancelled' AND EXISTS
                 (SELECT 1 FROM recipient WHERE message = f.id) ORDER BY number, id LIMIT 1",
            [campaign],
            |row| row.get(0),
        );
        Ok((messages, external, first.optional()?))
    }

    /// The batches and how far each is; not one that everybody was withdrawn from.
    pub fn batches(&self, campaign: i64) -> Result<Vec<BatchProgress>, Error> {
        let mut outcomes = self.outcomes_by_batch(campaign)?;
        let mut statement = self.connection.prepare_cached(
            "SELECT number, account, date, starts_at, ends_at, messages, recipients
             FROM batch WHERE campaign = ? AND messages > 0 ORDER BY number",
        )?;
        let mut rows = statement.query([campaign])?;
        let mut batches = Vec::new();
        while let Some(row) = rows.next()? {
            let number = row.get(0)?;
            let outcomes: Counts = outcomes.remove(&number).unwrap_or_default();
            batches.push(BatchProgress {
                number,
                account: row.get(1)?,
                date: row.get(2)?,
                starts_at: to_timestamp(row.get(3)?)?,
                ends_at: to_timestamp(row.get(4)?)?,
                messages: row.get(5)?,
                recipients: row.get(6)?,
                settled: outcomes.sent + outcomes.refused + outcomes.cancelled,
                outcomes,
            });
        }
        Ok(batches)
    }
}
