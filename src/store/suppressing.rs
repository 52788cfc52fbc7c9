//! People who are never written to.
//!
//! The list outlives the campaigns; an entry is for all of them or for one, by its name. It is heeded three
//! times: a plan makes no message for who is on it; whoever is put on it is withdrawn at once, in the same
//! transaction, from every message that nobody has in hand; and a claim looks again, so that what was in
//! hand then and came back, or was planned meanwhile, does not go to them either.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, TransactionBehavior, params};

use super::history::{self, Deed, Happening};
use super::withdrawing::{Fate, Leaving, take_out};
use super::{Error, Store, to_timestamp};

/// An entry of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppression {
    /// The one campaign that it holds for; none: all.
    pub campaign: Option<String>,
    /// An address as a person is found by, or `@` and a domain in ASCII.
    pub subject: String,
    /// As it was given.
    pub written: String,
    /// Why; may be empty.
    pub reason: String,
    /// Since when.
    pub added_at: Timestamp,
}

/// What a new entry is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSuppression {
    /// An address as a person is found by, or `@` and a domain in ASCII.
    pub subject: String,
    /// As it was given.
    pub written: String,
    /// Why; may be empty.
    pub reason: String,
}

/// What came of putting people on the list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Suppressed {
    /// Entries that were not on it.
    pub added: u64,
    /// Entries that were. They get the new reason, where one was given.
    pub known: u64,
    /// The campaigns with something still to go whose recipients they are.
    pub reached: Vec<Reached>,
}

/// How a campaign's recipients stood who were put on the list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reached {
    /// Its name.
    pub campaign: String,
    /// They get nothing.
    pub withdrawn: u64,
    /// A sender has their message in hand at this moment.
    pub in_hand: u64,
    /// They have it already.
    pub sent: u64,
    /// They may have it.
    pub in_doubt: u64,
}

/// The part of a recipient's key from the `@` on, the last one: a quoted local part may have another.
pub(super) const DOMAIN_OF_KEY: &str =
    "substr(r.key, length(rtrim(r.key, replace(r.key, '@', ''))))";

/// What a report says of who is withdrawn.
fn words(reason: &str) -> String {
    match reason.trim() {
        "" => "on the suppression list".to_owned(),
        reason => format!("on the suppression list: {reason}"),
    }
}

/// Whether somebody who is still to get this message is on the list.
pub(super) fn concerns(
    connection: &Connection,
    campaign: i64,
    message: i64,
) -> Result<bool, Error> {
    Ok(connection
        .prepare_cached(&format!(
            "SELECT 1 FROM recipient r JOIN suppression s
                 ON s.campaign IN ('', (SELECT name FROM campaign WHERE id = ?1))
                 AND s.subject IN (r.key, {DOMAIN_OF_KEY})
             WHERE r.message = ?2 AND r.state IN ('pending', 'deferred') LIMIT 1"
        ))?
        .exists(params![campaign, message])?)
}

/// Takes out of a message, which nobody has in hand, all who are on the list. How many were.
pub(super) fn withdraw_from(
    connection: &Connection,
    campaign: i64,
    message: i64,
    now: Timestamp,
) -> Result<u64, Error> {
    let is_empty = !connection
        .prepare_cached("SELECT 1 FROM suppression LIMIT 1")?
        .exists([])?;
    if is_empty {
        return Ok(0);
    }
    let mut statement = connection.prepare_cached(&format!(
        "SELECT r.row, max(s.reason) FROM recipient r JOIN suppression s
             ON s.campaign IN ('', (SELECT name FROM campaign WHERE id = ?1))
             AND s.subject IN (r.key, {DOMAIN_OF_KEY})
         WHERE r.message = ?2 AND r.state IN ('pending', 'deferred') GROUP BY r.row"
    ))?;
    let rows = statement.query_map([campaign, message], |row| {
        Ok(Leaving {
            message,
            row: row.get(0)?,
            reply: Some(words(&row.get::<_, String>(1)?)),
        })
    })?;
    let leaving: Vec<Leaving> = rows.collect::<Result<_, _>>()?;
    if leaving.is_empty() {
        return Ok(0);
    }
    let taken = take_out(connection, campaign, leaving, Fate::Suppressed)?;
    let happening = Happening {
        recipients: Some(taken),
        detail: "found on the suppression list when their turn came".to_owned(),
        ..Happening::new(now, Deed::Suppressed)
    };
    history::note(connection, campaign, &happening)?;
    Ok(taken)
}

impl Store {
    /// Puts people and domains on the list, for all campaigns or for the one of this name, and withdraws those
    /// of them who are still to get something. All of it is on disk when this returns.
    pub fn suppress(
        &mut self,
        campaign: Option<&str>,
        new: &[NewSuppression],
        by: &str,
        now: Timestamp,
    ) -> Result<Suppressed, Error> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut done = Suppressed::default();
        for one in new {
            if put_on_list(&transaction, campaign, one, now)? {
                done.added += 1;
            } else {
                done.known += 1;
            }
        }
        let subjects: Vec<&str> = new.iter().map(|one| one.subject.as_str()).collect();
        let subjects =
            serde_json::to_string(&subjects).map_err(|cause| Error::Corrupt(cause.to_string()))?;
        for (id, name) in with_something_to_go(&transaction, campaign)? {
            let reached = withdraw(&transaction, id, name, &subjects, (by, now))?;
            let all = reached.withdrawn + reached.in_hand + reached.sent + reached.in_doubt;
            if all > 0 {
                done.reached.push(reached);
            }
        }
        transaction.commit()?;
        Ok(done)
    }

    /// Takes a person or a domain off the list, for all campaigns or for the one of this name; the entry, if
    /// there was one. Whoever was withdrawn stays so: see [`Store::restore`].
    pub fn unsuppress(
        &mut self,
        campaign: Option<&str>,
        subject: &str,
    ) -> Result<Option<Suppression>, Error> {
        let found = self
            .connection
            .prepare_cached(
                "DELETE FROM suppression WHERE campaign = ? AND subject = ?
                 RETURNING campaign, subject, written, reason, added_at",
            )?
            .query_row(params![campaign.unwrap_or_default(), subject], entry)
            .optional()?;
        found.map(Entry::into_suppression).transpose()
    }

    /// The whole list: what holds for all campaigns first, by subject.
    pub fn suppressions(&self) -> Result<Vec<Suppression>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT campaign, subject, written, reason, added_at FROM suppression ORDER BY campaign, subject",
        )?;
        let entries = statement.query_map([], entry)?;
        entries
            .map(|entry| entry?.into_suppression())
            .collect::<Result<_, Error>>()
    }

    /// Who a campaign of this name must not write to: people by their keys, domains with `@` before them.
    pub fn suppressed_subjects(&self, campaign: &str) -> Result<Vec<String>, Error> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT subject FROM suppression WHERE campaign IN ('', ?)")?;
        let subjects = statement.query_map([campaign], |row| row.get(0))?;
        Ok(subjects.collect::<Result<_, _>>()?)
    }

    /// The campaigns that still leave somebody out for the sake of this subject, with how many, in the order
    /// of their names; only the one of this name, where one is given.
    pub fn left_out_for(
        &self,
        campaign: Option<&str>,
        subject: &str,
    ) -> Result<Vec<(String, u64)>, Error> {
        let mut statement = self.connection.prepare(&format!(
            "SELECT c.name, count(*) FROM campaign c JOIN recipient r ON r.campaign = c.id
             WHERE r.state = 'suppressed' AND (?1 IS NULL OR c.name = ?1)
             AND CASE WHEN substr(?2, 1, 1) = '@' THEN {DOMAIN_OF_KEY} ELSE r.key END = ?2
             GROUP BY c.id ORDER BY c.name"
        ))?;
        let found = statement.query_map(params![campaign, subject], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
        Ok(found.collect::<Result<_, _>>()?)
    }
}

/// An entry as it lies in the store.
struct Entry {
    campaign: String,
    subject: String,
    written: String,
    reason: String,
    added_at: i64,
}

impl Entry {
    fn into_suppression(self) -> Result<Suppression, Error> {
        Ok(Suppression {
            campaign: (!self.campaign.is_empty()).then_some(self.campaign),
            subject: self.subject,
            written: self.written,
            reason: self.reason,
            added_at: to_timestamp(self.added_at)?,
        })
    }
}

fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    Ok(Entry {
        campaign: row.get(0)?,
        subject: row.get(1)?,
        written: row.get(2)?,
        reason: row.get(3)?,
        added_at: row.get(4)?,
    })
}

/// False for one that was there: its date stays.
fn put_on_list(
    transaction: &Transaction<'_>,
    campaign: Option<&str>,
    new: &NewSuppression,
    now: Timestamp,
) -> Result<bool, Error> {
    let campaign = campaign.unwrap_or_default();
    let is_new = transaction
        .prepare_cached(
            "INSERT INTO suppression (campaign, subject, written, reason, added_at) VALUES (?, ?, ?, ?, ?)
             ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            campaign,
            new.subject,
            new.written,
            new.reason,
            now.as_millisecond()
        ])?
        > 0;
    if !is_new && !new.reason.is_empty() {
        transaction
            .prepare_cached("UPDATE suppression SET reason = ? WHERE campaign = ? AND subject = ?")?
            .execute(params![new.reason, campaign, new.subject])?;
    }
    Ok(is_new)
}

fn with_something_to_go(
    transaction: &Transaction<'_>,
    campaign: Option<&str>,
) -> Result<Vec<(i64, String)>, Error> {
    let mut statement = transaction.prepare(
        "SELECT id, name FROM campaign c WHERE (?1 IS NULL OR name = ?1) AND (
             EXISTS (SELECT 1 FROM message WHERE campaign = c.id AND state = 'pending')
             OR EXISTS (SELECT 1 FROM message WHERE campaign = c.id AND state = 'deferred')
             OR EXISTS (SELECT 1 FROM message WHERE campaign = c.id AND state IN ('claimed', 'handing_over')))
         ORDER BY name",
    )?;
    let found = statement.query_map([campaign], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// Withdraws the recipients of a campaign who are among these subjects, a JSON array.
fn withdraw(
    transaction: &Transaction<'_>,
    campaign: i64,
    name: String,
    subjects: &str,
    (by, now): (&str, Timestamp),
) -> Result<Reached, Error> {
    let mut reached = Reached {
        campaign: name,
        ..Reached::default()
    };
    let (mut leaving, mut seen) = (Vec::new(), BTreeSet::new());
    // People are looked up; for domains, where there are some, everybody is looked at.
    for (among, condition) in [
        (
            "json_each(?2) g CROSS JOIN recipient r",
            "r.key = g.value".to_owned(),
        ),
        (
            "recipient r",
            format!(
                "EXISTS (SELECT 1 FROM json_each(?2) WHERE value LIKE '@%')
                 AND {DOMAIN_OF_KEY} IN (SELECT value FROM json_each(?2) WHERE value LIKE '@%')"
            ),
        ),
    ] {
        let mut statement = transaction.prepare_cached(&format!(
            "SELECT r.row, r.state, m.id, m.state IN ('claimed', 'handing_over'),
                 (SELECT max(reason) FROM suppression s
                  WHERE s.campaign IN ('', ?3) AND s.subject IN (r.key, {DOMAIN_OF_KEY}))
             FROM {among} JOIN message m ON m.id = r.message
             WHERE r.campaign = ?1 AND r.state IN ('pending', 'deferred', 'sent', 'in_doubt') AND {condition}"
        ))?;
        let mut rows = statement.query(params![campaign, subjects, reached.campaign])?;
        while let Some(row) = rows.next()? {
            // Who is meant both by address and by domain is one person.
            if !seen.insert(row.get::<_, u64>(0)?) {
                continue;
            }
            let state: String = row.get(1)?;
            match (state.as_str(), row.get(3)?) {
                ("sent", _) => reached.sent += 1,
                ("in_doubt", _) => reached.in_doubt += 1,
                (_, true) => reached.in_hand += 1,
                (_, false) => leaving.push(Leaving {
                    message: row.get(2)?,
                    row: row.get(0)?,
                    reply: Some(words(&row.get::<_, Option<String>>(4)?.unwrap_or_default())),
                }),
            }
        }
    }
    reached.withdrawn = take_out(transaction, campaign, leaving, Fate::Suppressed)?;
    if reached.withdrawn > 0 {
        let happening = Happening {
            recipients: Some(reached.withdrawn),
            by: Some(by.to_owned()),
            ..Happening::new(now, Deed::Suppressed)
        };
        history::note(transaction, campaign, &happening)?;
    }
    Ok(reached)
}
