//! Making a draft a plan: the one campaign that it holds is copied into the store, all of it or nothing.
//!
//! Meanwhile nobody else can write, so this is as quick as it can be. A message is given its batch and account as it
//! is copied; nobody counts yet what comes in, so triggers have nothing to do, and all of it is counted in the end.

use rusqlite::config::DbConfig;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::draft::{self, CAMPAIGN, Shift, TABLES};
use super::history::{self, Deed, Happening};
use super::planning::Run;
use super::{Error, to_timestamp};

/// Kibibytes of the store that are held while a plan is copied in: people are found by their addresses, which are in
/// no order, so each one may be entered anywhere.
const HELD: i64 = 48 << 10;

/// Copies a draft into the store; the campaign's id there. `runs` are its messages in batches, `by_number` says that
/// their ids are not in the order of sending.
///
/// # Errors
/// [`Error::PlannedMeanwhile`] when there is a campaign of its name by now.
pub(super) fn publish(
    connection: &mut Connection,
    runs: &[Run],
    by_number: bool,
) -> Result<i64, Error> {
    draft::settle(connection)?;
    connection.pragma_update(Some("main"), "cache_size", -HELD)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let taken = "SELECT name FROM temp.campaign WHERE name IN (SELECT name FROM main.campaign)";
    let mut names = transaction.prepare(taken)?;
    if let Some(row) = names.query([])?.next()? {
        return Err(Error::PlannedMeanwhile(row.get(0)?));
    }
    drop(names);
    let after = |table: &str| -> Result<i64, Error> {
        let sql = format!("SELECT coalesce(max(id), 0) FROM main.{table}");
        Ok(transaction.query_row(&sql, [], |row| row.get(0))?)
    };
    let shift = Shift {
        campaign: after("campaign")? + 1,
        messages: after("message")?,
        numbers: 0,
        batches: 0,
    };
    for table in CAMPAIGN {
        draft::copy(&transaction, table, &shift)?;
    }
    for table in TABLES {
        if table != "message" && !CAMPAIGN.contains(&table) {
            draft::copy(&transaction, table, &shift)?;
        }
    }
    let messages = Messages::new(&transaction, &shift, by_number)?;
    for part in parts(runs) {
        messages.copy(&part)?;
    }
    count(&transaction, shift.campaign)?;
    note(&transaction, shift.campaign)?;
    transaction.commit()?;
    Ok(shift.campaign)
}

/// Messages that go in one batch, or in none.
struct Part {
    from: u64,
    to: Option<u64>,
    batch: Option<u64>,
    lane: usize,
}

/// All messages, in the order of sending.
fn parts(runs: &[Run]) -> Vec<Part> {
    let mut runs = runs.to_vec();
    runs.sort_unstable_by_key(|run| run.first);
    let none = |from: u64, to: Option<u64>| Part {
        from,
        to,
        batch: None,
        lane: 0,
    };
    let mut parts = Vec::with_capacity(runs.len() + 1);
    let mut from = 0;
    for run in runs {
        if run.first > from + 1 {
            parts.push(none(from, Some(run.first)));
        }
        let to = run.first + run.messages;
        parts.push(Part {
            from: run.first,
            to: Some(to),
            batch: Some(run.batch),
            lane: run.lane,
        });
        from = to;
    }
    parts.push(none(from, None));
    parts
}

/// Copies messages, and counts them and their recipients.
struct Messages<'t> {
    transaction: &'t Transaction<'t>,
    campaign: i64,
    copy: String,
    by_account: String,
    by_batch: String,
}

impl<'t> Messages<'t> {
    fn new(
        transaction: &'t Transaction<'t>,
        shift: &Shift,
        by_number: bool,
    ) -> Result<Self, Error> {
        // The first message has the first number, and so on, unless they were put into another order.
        let place = if by_number { "number" } else { "id" };
        if by_number {
            transaction.execute_batch("CREATE INDEX temp.message_by_place ON message (number)")?;
        }
        let these = format!("FROM temp.message WHERE {place} >= ?1 AND {place} < ?2");
        let copy = draft::copying(transaction, "message", shift, |column| match column {
            "batch" => Some("?3".to_owned()),
            "lane" => Some("?4".to_owned()),
            _ => None,
        })?;
        Ok(Self {
            transaction,
            campaign: shift.campaign,
            copy: format!("{copy} WHERE {place} >= ?1 AND {place} < ?2 ORDER BY {place}"),
            by_account: format!(
                "INSERT INTO main.message_tally (campaign, state, lane, shared, recipients, external, messages)
                 SELECT ?4, state, ?3, shared, recipients, external, count(*) {these} GROUP BY 2, 4, 5, 6
                 ON CONFLICT DO UPDATE SET messages = messages + excluded.messages"
            ),
            by_batch: format!(
                "INSERT INTO main.recipient_tally (campaign, batch, state, recipients)
                 SELECT ?4, ?3, state, sum(recipients - copies) AS listed {these} GROUP BY state
                 ON CONFLICT DO UPDATE SET recipients = recipients + excluded.recipients"
            ),
        })
    }

    fn copy(&self, part: &Part) -> Result<(), Error> {
        let to = part.to.map_or(i64::MAX, |to| to as i64);
        let copied = (self.transaction.prepare_cached(&self.copy)?)
            .execute(params![part.from, to, part.batch, part.lane])?;
        if copied > 0 {
            (self.transaction.prepare_cached(&self.by_account)?).execute(params![
                part.from,
                to,
                part.lane,
                self.campaign
            ])?;
            let batch = part.batch.unwrap_or(0);
            (self.transaction.prepare_cached(&self.by_batch)?).execute(params![
                part.from,
                to,
                batch,
                self.campaign
            ])?;
        }
        Ok(())
    }
}

/// Counts those who are in no message, and has the campaign counted from now on.
fn count(transaction: &Transaction<'_>, campaign: i64) -> Result<(), Error> {
    transaction.execute(
        "INSERT INTO main.recipient_tally (campaign, batch, state, recipients)
         SELECT ?, 0, state, count(*) FROM temp.recipient WHERE message IS NULL GROUP BY state",
        [campaign],
    )?;
    let counted = "INSERT INTO main.tallied (campaign) VALUES (?)";
    transaction.execute(counted, [campaign])?;
    Ok(())
}

fn note(transaction: &Transaction<'_>, campaign: i64) -> Result<(), Error> {
    let planned_at = "SELECT planned_at FROM main.campaign WHERE id = ?";
    let planned_at = transaction.query_row(planned_at, [campaign], |row| row.get(0))?;
    let planned = Happening::new(to_timestamp(planned_at)?, Deed::Planned);
    history::note(transaction, campaign, &planned)
}
