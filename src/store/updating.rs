//! Taking an edited campaign in: its next edition, all at once, also while a process sends the one before.
//!
//! The edited list is planned into a draft as a new one is. Who has a record already that is settled (sent, refused,
//! in doubt, cancelled by a person) is not planned again; the draft only knows in which row of the list
//! they are now ([`PlanWriter::keep`]). In the end one transaction compares the draft with where everybody stands at
//! that very moment, and makes the store what the draft says:
//!
//! | where a person stands | listed | no longer listed |
//! |---|---|---|
//! | pending or deferred | goes into the new edition | is cancelled |
//! | in hand, or settled | stays as it is, in the new row | stays, after the list's last row |
//! | no record, suppressed, or cancelled because an earlier edition did not list them | is added, or is suppressed | – |
//!
//! Whoever is in hand or in doubt and no longer listed is marked, and cancelled as soon as they are so no longer and
//! were not sent ([`drop_marked`]). Nobody has two records, and totals add up at every moment.

mod difference;
mod taking;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};

use difference::compare;
pub use difference::{Difference, Group};
use taking::Update;

use super::forgetting;
use super::history::{self, Deed, Happening};
use super::planning::Of;
use super::withdrawing::{Fate, Leaving, take_out};
use super::{CampaignRecord, Error, NewCampaign, PlanWriter, Store};

/// What a report says of whoever was cancelled because the list no longer has them.
const NO_LONGER_LISTED: &str =
    "cancelled: no longer in the list when the edited campaign was taken in";

/// Where people stand: `before` holds everybody with a record, `kept` those of the draft's list who are not planned
/// again, `outside` the draft's rows with external recipients, `placed` the new rows of records that stay, `lost` how
/// many people a message loses.
const SIDE_TABLES: &str = "
    CREATE TEMP TABLE kept (row INTEGER PRIMARY KEY, key TEXT NOT NULL);
    CREATE INDEX temp.kept_by_key ON kept (key);
    CREATE TEMP TABLE outside (row INTEGER PRIMARY KEY);
    CREATE TEMP TABLE before (row INTEGER PRIMARY KEY, key TEXT NOT NULL, message INTEGER, standing TEXT NOT NULL);
    CREATE INDEX temp.before_by_key ON before (key);
    CREATE TEMP TABLE placed (row INTEGER PRIMARY KEY, place INTEGER NOT NULL);
    CREATE TEMP TABLE lost (message INTEGER PRIMARY KEY, people INTEGER NOT NULL);";

/// `going`: pending or deferred, in nobody's hand; `gone`: cancelled because an earlier edition did not list them, or
/// suppressed, which is decided anew.
const STANDING: &str = "
    CASE WHEN r.state = 'cancelled' AND r.dropped IS NOT NULL OR r.state = 'suppressed' THEN 'gone'
         WHEN r.state = 'sent' THEN 'sent'
         WHEN r.state NOT IN ('pending', 'deferred') THEN 'settled'
         WHEN m.state IN ('pending', 'deferred') THEN 'going'
         ELSE 'in_hand' END";

/// Of a row of `before`: the draft's list does not have the person.
const NOT_LISTED: &str = "NOT EXISTS (SELECT 1 FROM temp.recipient t WHERE t.key = b.key)
    AND NOT EXISTS (SELECT 1 FROM temp.kept k WHERE k.key = b.key)";

impl Store {
    /// Begins to take in an edited campaign: what [`Store::begin_plan`] is to a new one.
    pub fn begin_update(
        &self,
        new: &NewCampaign<'_>,
        record: &CampaignRecord,
    ) -> Result<PlanWriter, Error> {
        let of = Of {
            campaign: record.id,
            edition: record.edition,
            planned_at: record.planned_at,
        };
        let writer = self.begin(new, Some(of))?;
        writer.draft.execute_batch(SIDE_TABLES)?;
        Ok(writer)
    }

    /// The key of the record that stays of the person who is found by this key; none of whoever an update is to
    /// plan. Whoever was forgotten is known by a fingerprint.
    pub fn kept_as(&self, campaign: i64, key: &str) -> Result<Option<String>, Error> {
        for known in [key.to_owned(), forgetting::fingerprint(key)] {
            let standing = self
                .connection
                .prepare_cached(&format!(
                    "SELECT {STANDING} FROM recipient r LEFT JOIN message m ON m.id = r.message
                     WHERE r.key = ? AND r.campaign = ?"
                ))?
                .query_row(params![known, campaign], |row| row.get::<_, String>(0))
                .optional()?;
            // Who is in hand may be given back until the end of the planning.
            if standing.is_some_and(|standing| matches!(standing.as_str(), "sent" | "settled")) {
                return Ok(Some(known));
            }
        }
        Ok(None)
    }

    /// Makes sure that everybody is found as `key` says: an earlier version may have written other keys.
    pub fn find_by(&mut self, campaign: i64, key: impl Fn(&str) -> String) -> Result<(), Error> {
        let mut other = Vec::new();
        {
            let mut statement = self.connection.prepare(
                "SELECT row, address, key FROM recipient WHERE campaign = ? AND cells <> ''",
            )?;
            let mut rows = statement.query([campaign])?;
            while let Some(row) = rows.next()? {
                let (address, known) = (row.get::<_, String>(1)?, row.get::<_, String>(2)?);
                let key = key(&address);
                if key != known {
                    other.push((address, key));
                }
            }
        }
        if other.is_empty() {
            return Ok(());
        }
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        for (address, key) in other {
            transaction
                .prepare_cached("UPDATE recipient SET key = ? WHERE campaign = ? AND address = ?")?
                .execute(params![key, campaign, address])?;
        }
        Ok(transaction.commit()?)
    }
}

impl PlanWriter {
    /// A row of somebody who has a record that stays.
    pub fn keep(&mut self, row: u64, key: &str) -> Result<(), Error> {
        self.draft
            .prepare_cached("INSERT INTO temp.kept (row, key) VALUES (?, ?)")?
            .execute(params![row, key])?;
        Ok(())
    }

    /// The recipient of this row is an external one.
    pub fn outside(&mut self, row: u64) -> Result<(), Error> {
        self.draft
            .prepare_cached("INSERT INTO temp.outside (row) VALUES (?)")?
            .execute([row])?;
        Ok(())
    }

    /// The fingerprint of what was planned.
    pub fn fingerprint(&self) -> Result<[u8; 32], Error> {
        let sql = "SELECT fingerprint FROM temp.edition";
        Ok(self.draft.query_row(sql, [], |row| row.get(0))?)
    }

    /// What the update would make of the campaign as it stands now.
    pub fn difference(&mut self) -> Result<Difference, Error> {
        let of = self.of()?;
        self.complete()?;
        // Nothing of the store is held on to while a person thinks about it.
        let transaction = self.draft.transaction()?;
        let difference = compare(&transaction, of)?;
        transaction.commit()?;
        Ok(difference)
    }

    /// Takes the edited campaign in, all of it or nothing. `words` tells what was done, for the record.
    ///
    /// # Errors
    /// [`Error::UpdatedMeanwhile`] when another process was quicker, or has dropped the campaign.
    pub fn update(
        mut self,
        listed: u64,
        finishes_at: Option<Timestamp>,
        (now, by): (Timestamp, &str),
        words: impl FnOnce(&Difference) -> String,
    ) -> Result<Difference, Error> {
        let of = self.of()?;
        self.note_end(listed, finishes_at)?;
        self.complete()?;
        let transaction = self
            .draft
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        hold_to(&transaction, of)?;
        let difference = compare(&transaction, of)?;
        let update = Update {
            connection: &transaction,
            campaign: of.campaign,
            edition: self.edition,
            listed,
        };
        update.take_in()?;
        let updated = Happening {
            recipients: Some(difference.going()),
            by: Some(by.to_owned()),
            detail: words(&difference),
            ..Happening::new(now, Deed::Updated)
        };
        history::note(&transaction, of.campaign, &updated)?;
        transaction.commit()?;
        Ok(difference)
    }

    fn of(&self) -> Result<Of, Error> {
        self.of
            .ok_or_else(|| Error::Corrupt("an update of no campaign".to_owned()))
    }
}

/// The campaign must still be in the edition that is updated.
fn hold_to(connection: &Connection, of: Of) -> Result<(), Error> {
    let is_it = connection
        .prepare(
            "SELECT 1 FROM main.campaign c JOIN main.edition e ON e.campaign = c.id AND e.number = c.edition
             WHERE c.id = ? AND e.number = ? AND e.planned_at = ?",
        )?
        .exists(params![of.campaign, of.edition, of.planned_at.as_millisecond()])?;
    if is_it {
        return Ok(());
    }
    let name = "SELECT name FROM temp.campaign";
    Err(Error::UpdatedMeanwhile(connection.query_row(
        name,
        [],
        |row| row.get(0),
    )?))
}

/// Whether somebody in a message is to go no more, once nobody has it in hand.
pub(super) fn has_marked(connection: &Connection, message: i64) -> Result<bool, Error> {
    Ok(connection
        .prepare_cached(
            "SELECT 1 FROM recipient
             WHERE message = ? AND dropped IS NOT NULL AND state IN ('pending', 'deferred') LIMIT 1",
        )?
        .exists([message])?)
}

/// Cancels whoever of a message is to go no more, now that nobody has it in hand: an edition that was taken in
/// meanwhile does not list them.
pub(super) fn drop_marked(connection: &Connection, message: i64) -> Result<(), Error> {
    let mut statement = connection.prepare_cached(
        "SELECT campaign, row FROM recipient
         WHERE message = ? AND dropped IS NOT NULL AND state IN ('pending', 'deferred')",
    )?;
    let marked = statement.query_map([message], |row| {
        let leaving = Leaving {
            message,
            row: row.get(1)?,
            reply: Some(NO_LONGER_LISTED.to_owned()),
        };
        Ok((row.get::<_, i64>(0)?, leaving))
    })?;
    let (campaigns, leaving): (Vec<i64>, Vec<Leaving>) =
        marked.collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
    if let Some(campaign) = campaigns.first() {
        take_out(connection, *campaign, leaving, Fate::Cancelled)?;
    }
    Ok(())
}
