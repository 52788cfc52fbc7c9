//! Erasing a person: what the store knows of them goes, what became of their rows stays, so that totals add up.
//!
//! Whoever is still to get something is cancelled first. The address, the cells, and servers' words that name the
//! address are overwritten, and so are files that nobody but them was given. The file is then written anew
//! (`VACUUM`) and its log emptied, because SQLite leaves deleted text in both. Who is on the suppression list stays
//! there: without the entry the person would be written to again. Of the address a fingerprint stays, by which a
//! list that is taken in later is known to have them: nobody gets a mail twice because of being forgotten.

use jiff::Timestamp;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::history::{self, Deed, Happening};
use super::withdrawing::{Fate, Leaving, take_out};
use super::{Error, Store};

/// What stands in place of an address.
const FORGOTTEN: &str = "(forgotten)";

/// By which a forgotten person is known again, and no address is told.
pub(super) fn fingerprint(key: &str) -> String {
    format!("#{}", blake3::hash(key.as_bytes()).to_hex())
}

/// A frozen file that only the person was given.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OwnFile {
    /// The campaign's id.
    pub campaign: i64,
    /// The edition.
    pub edition: u64,
    /// The path by which the campaign knows it.
    pub path: String,
}

/// What was erased.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Erased {
    /// Rows of lists.
    pub rows: u64,
    /// Of those, whoever was still to get something, and gets nothing now.
    pub cancelled: u64,
    /// Frozen files.
    pub files: u64,
}

impl Store {
    /// Erases the person who is found by this key, and these files, which nobody else was given.
    ///
    /// # Errors
    /// [`Error::Illegal`] when somebody has a message to them in hand; nothing was changed.
    pub fn forget(
        &mut self,
        key: &str,
        files: &[OwnFile],
        (by, now): (&str, Timestamp),
    ) -> Result<Erased, Error> {
        self.connection.pragma_update(None, "secure_delete", true)?;
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut erased = Erased {
            cancelled: cancel(&transaction, key)?,
            ..Erased::default()
        };
        erase_replies(&transaction, key)?;
        let campaigns = erase_rows(&transaction, key, &mut erased)?;
        for campaign in campaigns {
            let happening = Happening {
                recipients: Some(1),
                by: Some(by.to_owned()),
                ..Happening::new(now, Deed::Forgotten)
            };
            history::note(&transaction, campaign, &happening)?;
        }
        for file in files {
            erased.files += transaction.execute(
                "DELETE FROM frozen_file WHERE campaign = ? AND edition = ? AND path = ?",
                params![file.campaign, file.edition, file.path],
            )? as u64;
        }
        transaction.execute(
            "DELETE FROM content WHERE hash NOT IN (SELECT hash FROM frozen_file)",
            [],
        )?;
        transaction.commit()?;
        Ok(erased)
    }

    /// Writes the file anew, without what was deleted. False when somebody else is reading or writing: then
    /// deleted text may still lie in it.
    pub fn wipe(&mut self) -> Result<bool, Error> {
        match self.connection.execute_batch("VACUUM") {
            Ok(()) => {}
            Err(rusqlite::Error::SqliteFailure(cause, _))
                if cause.code == rusqlite::ErrorCode::DatabaseBusy =>
            {
                return Ok(false);
            }
            Err(other) => return Err(other.into()),
        }
        let busy: bool =
            self.connection
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        Ok(!busy)
    }
}

/// Whoever is still to get something gets nothing.
fn cancel(transaction: &Transaction<'_>, key: &str) -> Result<u64, Error> {
    let mut statement = transaction.prepare(
        "SELECT campaign, row, message FROM recipient WHERE key = ? AND state IN ('pending', 'deferred')",
    )?;
    let rows = statement.query_map([key], |row| {
        let leaving = Leaving {
            row: row.get(1)?,
            message: row.get(2)?,
            reply: None,
        };
        Ok((row.get::<_, i64>(0)?, leaving))
    })?;
    let rows: Vec<(i64, Leaving)> = rows.collect::<Result<_, _>>()?;
    let mut cancelled = 0;
    for (campaign, leaving) in rows {
        cancelled += take_out(transaction, campaign, vec![leaving], Fate::Cancelled)?;
    }
    Ok(cancelled)
}

/// Servers often repeat an address in what they say of it. The codes stay.
fn erase_replies(connection: &Connection, key: &str) -> Result<(), Error> {
    let of_theirs = "SELECT message FROM recipient WHERE key = ?1 AND message IS NOT NULL
        UNION SELECT t.message FROM past_attempt p JOIN attempt t ON t.id = p.attempt WHERE p.key = ?1";
    let attempts = format!("attempt IN (SELECT id FROM attempt WHERE message IN ({of_theirs}))");
    // Whoever shares a message may have been told the words of another, and have gone on in one of their own.
    let sharers = format!(
        "message IN ({of_theirs}) OR (campaign, key) IN (SELECT campaign, key FROM past_attempt WHERE {attempts})"
    );
    for (table, whose) in [
        ("attempt", format!("message IN ({of_theirs})")),
        ("past_attempt", attempts),
        ("message", format!("id IN ({of_theirs})")),
        ("recipient", format!("({sharers})")),
    ] {
        connection.execute(
            &format!(
                "UPDATE {table} SET reply = substr(reply, 1, 3) || ' {FORGOTTEN}'
                 WHERE {whose} AND instr(lower(reply), ?1) > 0"
            ),
            [key],
        )?;
    }
    connection.execute(
        &format!("UPDATE history SET detail = '{FORGOTTEN}' WHERE instr(lower(detail), ?1) > 0"),
        [key],
    )?;
    connection.execute(
        &format!("UPDATE hold SET reply = '{FORGOTTEN}' WHERE instr(lower(reply), ?1) > 0"),
        [key],
    )?;
    Ok(())
}

/// Overwrites the person's rows; the campaigns that they were of.
fn erase_rows(connection: &Connection, key: &str, erased: &mut Erased) -> Result<Vec<i64>, Error> {
    let of_theirs = "SELECT campaign FROM recipient WHERE key = ?1 UNION
                     SELECT campaign FROM left_out WHERE lower(trim(address)) = ?1";
    let mut statement = connection.prepare(of_theirs)?;
    let campaigns = statement.query_map([key], |row| row.get(0))?;
    let campaigns: Vec<i64> = campaigns.collect::<Result<_, _>>()?;
    // What the rows that show every case show may be words of a cell.
    connection.execute(
        &format!(
            "UPDATE campaign SET cases = '[]' WHERE id IN ({of_theirs}) AND EXISTS
             (SELECT 1 FROM json_each(cases) o JOIN recipient r ON r.campaign = campaign.id
              AND r.row = json_extract(o.value, '$.row') WHERE r.key = ?1)"
        ),
        [key],
    )?;
    erased.rows += connection.execute(
        &format!(
            "UPDATE joined SET address = '{FORGOTTEN}' WHERE EXISTS
             (SELECT 1 FROM recipient r WHERE r.campaign = joined.campaign AND r.row = joined.first AND r.key = ?1)"
        ),
        [key],
    )? as u64;
    erased.rows += connection.execute(
        &format!("UPDATE left_out SET address = '{FORGOTTEN}' WHERE lower(trim(address)) = ?1"),
        [key],
    )? as u64;
    // Words that are no server's are somebody's of them.
    erased.rows += connection.execute(
        &format!(
            "UPDATE recipient SET address = '{FORGOTTEN}', key = ?2, cells = '',
                 reply = iif(reply GLOB '[2-5][0-9][0-9]*', reply, NULL) WHERE key = ?1"
        ),
        [key, &fingerprint(key)],
    )? as u64;
    Ok(campaigns)
}
