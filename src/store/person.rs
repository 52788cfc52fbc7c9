//! One person of a campaign, and who has an address like theirs.

use rusqlite::{OptionalExtension as _, params};

use super::{Error, Store};

/// How a person of a campaign stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonState {
    /// The data row of the list.
    pub row: u64,
    /// The address as the list has it.
    pub address: String,
    /// The recipient's state.
    pub outcome: String,
}

impl Store {
    /// How the recipient stands who is found by this key; none when there is none.
    pub fn state_of_person(&self, campaign: i64, key: &str) -> Result<Option<PersonState>, Error> {
        let found = self
            .connection
            .prepare_cached(
                "SELECT row, address, state FROM recipient WHERE key = ? AND campaign = ?",
            )?
            .query_row(params![key, campaign], |row| {
                Ok(PersonState {
                    row: row.get(0)?,
                    address: row.get(1)?,
                    outcome: row.get(2)?,
                })
            })
            .optional()?;
        Ok(found)
    }

    /// Calls `each` with the key of every recipient.
    pub fn people(&self, campaign: i64, mut each: impl FnMut(&str)) -> Result<(), Error> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT key FROM recipient WHERE campaign = ?")?;
        let mut rows = statement.query([campaign])?;
        while let Some(row) = rows.next()? {
            each(row.get_ref(0)?.as_str().unwrap_or_default());
        }
        Ok(())
    }
}
