//! Every message with what became of its recipients, for holding a server's log against it.

use std::path::Path;

use jiff::Timestamp;

use super::{Claimed, Error, Store, to_optional_timestamp};
use crate::delivery::RecipientState;

/// A message and where its recipients stand.
#[derive(Debug, Clone)]
pub struct MessageOutcome {
    /// Its place in the plan.
    pub number: u64,
    /// The edition of the campaign that it is made from.
    pub edition: u64,
    /// With its angle brackets; messages that were split off share it.
    pub message_id: String,
    /// Several share it.
    pub shared: bool,
    /// The Date header, once it was tried.
    pub dated_at: Option<Timestamp>,
    /// The account that tried it last.
    pub account: Option<String>,
    /// Who has it by the server's word, in the order of the list.
    pub sent: Vec<Claimed>,
    /// Who may have it.
    pub in_doubt: Vec<Claimed>,
}

impl Store {
    /// Calls `each` with every message that has recipients, those split off from others included, in the
    /// order in which they were made.
    pub fn outcomes(
        &self,
        campaign: i64,
        mut each: impl FnMut(MessageOutcome),
    ) -> Result<(), Error> {
        let mut statement = self.connection.prepare(
            "SELECT m.id, m.number, m.message_id, m.shared, m.dated_at, r.state, r.row, r.address, r.cells,
                    (SELECT a.account FROM attempt a WHERE a.message = m.id ORDER BY a.number DESC LIMIT 1), m.edition
             FROM message m JOIN recipient r ON r.message = m.id
             WHERE m.campaign = ? ORDER BY m.id, r.row",
        )?;
        let mut rows = statement.query([campaign])?;
        let mut current: Option<(i64, MessageOutcome)> = None;
        while let Some(row) = rows.next()? {
            let id: i64 = row.get(0)?;
            if current.as_ref().is_none_or(|(known, _)| *known != id)
                && let Some((_, done)) = current.replace((id, outcome(row)?))
            {
                each(done);
            }
            if let Some((_, outcome)) = &mut current {
                add(outcome, row)?;
            }
        }
        if let Some((_, last)) = current {
            each(last);
        }
        Ok(())
    }

    /// Whether anybody has the store at `path` open, in this process or another: SQLite keeps its
    /// write-ahead log beside it as long as that is so.
    pub fn is_open(path: &Path) -> bool {
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        Path::new(&log).exists()
    }
}

fn outcome(row: &rusqlite::Row<'_>) -> Result<MessageOutcome, Error> {
    Ok(MessageOutcome {
        number: row.get(1)?,
        edition: row.get(10)?,
        message_id: row.get(2)?,
        shared: row.get(3)?,
        dated_at: to_optional_timestamp(row.get(4)?)?,
        account: row.get(9)?,
        sent: Vec::new(),
        in_doubt: Vec::new(),
    })
}

fn add(outcome: &mut MessageOutcome, row: &rusqlite::Row<'_>) -> Result<(), Error> {
    let state: String = row.get(5)?;
    let list = match RecipientState::from_name(&state) {
        Some(RecipientState::Sent) => &mut outcome.sent,
        Some(RecipientState::InDoubt) => &mut outcome.in_doubt,
        Some(_) => return Ok(()),
        None => return Err(Error::Corrupt(state)),
    };
    list.push(Claimed {
        row: row.get(6)?,
        address: row.get(7)?,
        cells: row.get(8)?,
    });
    Ok(())
}
