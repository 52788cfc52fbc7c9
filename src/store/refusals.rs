//! Who was refused, in the server's words.

use rusqlite::params;

use super::{Error, Store};

/// A recipient that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastRefusal {
    /// The data row of the list, from 1.
    pub row: u64,
    /// The address as the list has it.
    pub address: String,
    /// The server's words, or why it was given up.
    pub reply: String,
}

impl Store {
    /// Of those who are refused the last so many in the order of the list, the last one first.
    pub fn last_refusals(&self, campaign: i64, most: usize) -> Result<Vec<LastRefusal>, Error> {
        // Left to itself, SQLite goes through the whole list from its end.
        let mut statement = self.connection.prepare_cached(
            "SELECT row, address, coalesce(reply, '') FROM recipient INDEXED BY recipient_refused
             WHERE campaign = ? AND state = 'refused' ORDER BY row DESC LIMIT ?",
        )?;
        let rows = statement.query_map(params![campaign, most], |row| {
            Ok(LastRefusal {
                row: row.get(0)?,
                address: row.get(1)?,
                reply: row.get(2)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
