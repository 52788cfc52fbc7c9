//! The plan's batches with how far each is, and what is still to go.

use jiff::{SignedDuration, Timestamp};
use rusqlite::params;

use super::{Error, Store, to_optional_timestamp, to_timestamp};
use crate::limits::Weight;

/// A message that is still to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remaining {
    /// What it takes from the rules.
    pub weight: Weight,
    /// When it is due, if it was put off.
    pub due_at: Option<Timestamp>,
    /// How many of its recipients are of the list.
    pub listed: u64,
    /// When it was to go by the plan, where several share it and nobody has tried it.
    pub planned: Option<Timestamp>,
}

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
    /// something was tried within a week; one that an account's trouble ended, or of which nothing was tried
    /// yet, may never go on.
    pub fn underway(
        &self,
        accounts: &[&str],
        except: Option<i64>,
        now: Timestamp,
    ) -> Result<Vec<Underway>, Error> {
        let lately = now.saturating_sub(LEFT_LYING).unwrap_or(Timestamp::MIN);
        let mut statement = self.connection.prepare_cached(
            "SELECT c.id, c.name, count(*), sum(m.recipients)
             FROM campaign c JOIN campaign_account a ON a.campaign = c.id
             JOIN message m ON m.campaign = c.id AND m.lane = a.lane AND m.state IN ('pending', 'deferred')
             WHERE c.id IS NOT ?1 AND c.run_state IN ('planned', 'sending', 'waiting')
             AND a.account IN (SELECT value FROM json_each(?2))
             AND (c.next_send_at > ?3 OR EXISTS
                 (SELECT 1 FROM attempt t JOIN message tried ON tried.id = t.message
                  WHERE tried.campaign = c.id AND t.claimed_at > ?3))
             GROUP BY c.id ORDER BY c.planned_at, c.id",
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
        let (messages, external) = self.connection.query_row(
            "SELECT count(*), coalesce(sum(external), 0) FROM message WHERE campaign = ? AND state <> 'cancelled'",
            [campaign],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let listed = self.connection.query_row(
            "SELECT count(message) FROM recipient WHERE campaign = ? AND state <> 'cancelled'",
            [campaign],
            |row| row.get(0),
        )?;
        let mut statement = self.connection.prepare(
            "SELECT m.recipients, m.external, r.address FROM message m JOIN recipient r ON r.message = m.id
             WHERE m.id = (SELECT id FROM message WHERE campaign = ? AND state <> 'cancelled'
                            ORDER BY number, id LIMIT 1)",
        )?;
        let mut rows = statement.query([campaign])?;
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

    /// Calls `each` with the account and the weight of every message of a campaign that is still to go, in
    /// their order.
    pub fn remaining_of(
        &self,
        campaign: i64,
        mut each: impl FnMut(&str, Weight),
    ) -> Result<(), Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT a.account, m.recipients, m.external
             FROM message m JOIN campaign_account a ON a.campaign = m.campaign AND a.lane = m.lane
             WHERE m.campaign = ? AND m.state IN ('pending', 'deferred') ORDER BY m.number",
        )?;
        let mut rows = statement.query([campaign])?;
        while let Some(row) = rows.next()? {
            let account: String = row.get(0)?;
            let weight = Weight {
                recipients: row.get(1)?,
                external: row.get(2)?,
            };
            each(&account, weight);
        }
        Ok(())
    }

    /// Calls `each` with what every message that is still to go takes from the rules, in their order;
    /// those that were put off come with the time at which they are due. What is in hand is in the ledger.
    pub fn remaining(&self, campaign: i64, mut each: impl FnMut(Remaining)) -> Result<(), Error> {
        let mut statement = self.connection.prepare(
            "SELECT m.recipients, external, due_at, (SELECT count(*) FROM recipient r WHERE r.message = m.id),
                    CASE WHEN shared = 1 AND attempts = 0 THEN b.ends_at END
             FROM message m LEFT JOIN batch b ON b.campaign = m.campaign AND b.number = m.batch
             WHERE m.campaign = ? AND state IN ('pending', 'deferred') ORDER BY m.number",
        )?;
        let mut rows = statement.query([campaign])?;
        while let Some(row) = rows.next()? {
            each(Remaining {
                weight: Weight {
                    recipients: row.get(0)?,
                    external: row.get(1)?,
                },
                due_at: to_optional_timestamp(row.get(2)?)?,
                listed: row.get(3)?,
                planned: to_optional_timestamp(row.get(4)?)?,
            });
        }
        Ok(())
    }

    /// The batches and how far each is.
    pub fn batches(&self, campaign: i64) -> Result<Vec<BatchProgress>, Error> {
        let mut statement = self.connection.prepare(
            "SELECT number, account, date, starts_at, ends_at, messages, recipients, coalesce(settled, 0)
             FROM batch LEFT JOIN
                 (SELECT m.batch AS number, count(*) AS settled FROM recipient r JOIN message m ON m.id = r.message
                  WHERE r.campaign = ?1 AND r.state IN ('sent', 'refused', 'cancelled') GROUP BY m.batch)
                 USING (number)
             WHERE campaign = ?1 ORDER BY number",
        )?;
        let mut rows = statement.query([campaign])?;
        let mut batches = Vec::new();
        while let Some(row) = rows.next()? {
            batches.push(BatchProgress {
                number: row.get(0)?,
                account: row.get(1)?,
                date: row.get(2)?,
                starts_at: to_timestamp(row.get(3)?)?,
                ends_at: to_timestamp(row.get(4)?)?,
                messages: row.get(5)?,
                recipients: row.get(6)?,
                settled: row.get(7)?,
            });
        }
        Ok(batches)
    }
}
