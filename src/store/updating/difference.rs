//! What an update makes of a campaign: the draft compared with where everybody stands.

use rusqlite::{Transaction, params};

use super::{NOT_LISTED, STANDING};
use crate::store::Error;
use crate::store::planning::Of;

/// How many of a group are named.
const NAMED: usize = 3;

/// Some people, and the addresses of the first few in the order of their list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    /// How many.
    pub count: u64,
    /// The first few.
    pub first: Vec<String>,
}

/// What an update makes of a campaign.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    /// Listed now, and not before.
    pub newcomers: Group,
    /// Listed now, not before, and on the suppression list: they get nothing.
    pub suppressed: Group,
    /// To be sent to before, and no longer listed.
    pub leavers: Group,
    /// Still to be sent to, with another content.
    pub changed: Group,
    /// Still to be sent to, with the same content.
    pub unchanged: Group,
    /// In hand at this moment: a process is sending to them.
    pub in_hand: u64,
    /// Sent: not sent again, listed or not.
    pub sent: u64,
    /// Refused, in doubt or cancelled: left so, listed or not.
    pub settled: u64,
    /// Images and attachments that have another content than before, by their paths.
    pub files: Group,
}

impl Difference {
    /// True when no mail would be another one, and nobody would get one more or one less.
    pub fn is_none(&self) -> bool {
        let groups = [&self.newcomers, &self.leavers, &self.changed, &self.files];
        groups.iter().all(|group| group.count == 0)
    }

    /// How many are to be sent to by the new edition.
    pub fn going(&self) -> u64 {
        self.newcomers.count + self.changed.count + self.unchanged.count
    }
}

/// Compares the draft with where everybody stands.
pub(super) fn compare(transaction: &Transaction<'_>, of: Of) -> Result<Difference, Error> {
    transaction.execute_batch("DELETE FROM temp.before")?;
    transaction.execute(
        &format!(
            "INSERT INTO temp.before (row, key, message, standing)
             SELECT r.row, r.key, r.message, {STANDING} FROM main.recipient r LEFT JOIN main.message m ON m.id = r.message
             WHERE r.campaign = ?"
        ),
        [of.campaign],
    )?;
    let going = "temp.recipient t JOIN temp.before b ON b.key = t.key AND b.standing = 'going'
                 JOIN main.message old ON old.id = b.message JOIN temp.message new ON new.id = t.message";
    let same = if is_framed_alike(transaction, of)? {
        "new.digest IS old.digest"
    } else {
        "0"
    };
    let standing = |standing: &str| -> Result<u64, Error> {
        let sql = "SELECT count(*) FROM temp.before WHERE standing = ?";
        Ok(transaction.query_row(sql, [standing], |row| row.get(0))?)
    };
    Ok(Difference {
        newcomers: group(
            transaction,
            "temp.recipient t WHERE t.message IS NOT NULL AND NOT EXISTS
             (SELECT 1 FROM temp.before b WHERE b.key = t.key AND b.standing <> 'gone')",
            "t.address",
            "t.row",
        )?,
        suppressed: group(
            transaction,
            "temp.recipient t WHERE t.message IS NULL AND t.state = 'suppressed' AND NOT EXISTS
             (SELECT 1 FROM temp.before b WHERE b.key = t.key)",
            "t.address",
            "t.row",
        )?,
        leavers: group(
            transaction,
            &format!(
                "temp.before b JOIN main.recipient r ON r.campaign = {} AND r.row = b.row
                 WHERE b.standing = 'going' AND {NOT_LISTED}",
                of.campaign
            ),
            "r.address",
            "b.row",
        )?,
        changed: group(transaction, &format!("{going} WHERE NOT ({same})"), "t.address", "t.row")?,
        unchanged: group(transaction, &format!("{going} WHERE {same}"), "t.address", "t.row")?,
        in_hand: standing("in_hand")?,
        sent: standing("sent")?,
        settled: standing("settled")?,
        files: group(
            transaction,
            &format!(
                "temp.frozen_file f LEFT JOIN main.frozen_file o ON o.campaign = {} AND o.edition = {} AND o.path = f.path
                 WHERE f.hash IS NOT o.hash",
                of.campaign, of.edition
            ),
            "f.path",
            "f.path",
        )?,
    })
}

/// Whether what surrounds the rendered content is as it was.
fn is_framed_alike(transaction: &Transaction<'_>, of: Of) -> Result<bool, Error> {
    let around = "json_extract(definition, '$.from', '$.senders', '$.inline', '$.list_unsubscribe', '$.unsubscribe',
        '$.inline_css')";
    let sql = format!(
        "SELECT (SELECT {around} FROM temp.edition)
                IS (SELECT {around} FROM main.edition WHERE campaign = ? AND number = ?)"
    );
    Ok(transaction.query_row(&sql, params![of.campaign, of.edition], |row| row.get(0))?)
}

fn group(
    transaction: &Transaction<'_>,
    whom: &str,
    name: &str,
    order: &str,
) -> Result<Group, Error> {
    let count = transaction.query_row(&format!("SELECT count(*) FROM {whom}"), [], |row| {
        row.get(0)
    })?;
    let mut first = Vec::new();
    if count > 0 {
        let sql = format!("SELECT {name} FROM {whom} ORDER BY {order} LIMIT {NAMED}");
        let mut statement = transaction.prepare(&sql)?;
        let names = statement.query_map([], |row| row.get(0))?;
        first = names.collect::<Result<_, _>>()?;
    }
    Ok(Group { count, first })
}
