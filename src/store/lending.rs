//! What a rehearsal borrows: a plan with what is left of it, what its mailboxes have used, and who is never
//! written to.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, params};

use super::reckoning::columns;
use super::{Error, Store, holds};
use crate::clock::Reading;

/// No rule has a longer window.
const LONGEST_WINDOW: SignedDuration = SignedDuration::from_hours(367 * 24);

/// A plan with what is left of it. A message in hand is somebody's who sends it at this moment: it is in
/// the ledger, and nobody else's to send.
const PLAN: &[&str] = &[
    "INSERT INTO lent.campaign SELECT * FROM main.campaign WHERE id = ?1",
    "UPDATE lent.campaign SET run_state = 'planned', stopped_because = NULL, next_send_at = NULL,
         halted_at = NULL, halted_by = NULL WHERE id = ?1",
    "INSERT INTO lent.campaign_account SELECT * FROM main.campaign_account WHERE campaign = ?1",
    "INSERT INTO lent.edition SELECT * FROM main.edition WHERE campaign = ?1",
    "INSERT INTO lent.content SELECT * FROM main.content
     WHERE hash IN (SELECT hash FROM main.frozen_file WHERE campaign = ?1)",
    "INSERT INTO lent.frozen_file SELECT * FROM main.frozen_file WHERE campaign = ?1",
    "INSERT INTO lent.message SELECT * FROM main.message WHERE campaign = ?1 AND state IN ('pending', 'deferred')",
    "INSERT INTO lent.recipient SELECT * FROM main.recipient r
     WHERE campaign = ?1 AND EXISTS (SELECT 1 FROM lent.message m WHERE m.id = r.message)",
    "INSERT INTO lent.batch SELECT * FROM main.batch WHERE campaign = ?1",
    "UPDATE lent.batch SET
         messages = (SELECT count(*) FROM lent.message m WHERE m.campaign = ?1 AND m.batch = batch.number),
         recipients = (SELECT count(*) FROM lent.message m JOIN lent.recipient r ON r.message = m.id
                       WHERE m.campaign = ?1 AND m.batch = batch.number)
     WHERE campaign = ?1",
    "DELETE FROM lent.batch WHERE campaign = ?1 AND messages = 0",
];

impl Store {
    /// Copies into the store at `to`, which is new and which nobody has open, what these mailboxes have handed
    /// over and the pauses that they keep; and the plan of a campaign with its messages that are still to
    /// go. What is in hand counts as handed over at `now`.
    pub fn lend(
        &self,
        to: &Path,
        mailboxes: &[String],
        campaign: Option<i64>,
        now: &Reading,
    ) -> Result<(), Error> {
        let path = to.to_string_lossy();
        self.connection.execute("ATTACH ? AS lent", [&path])?;
        let copied = copy(&self.connection, mailboxes, campaign, now);
        let detached = self.connection.execute("DETACH lent", []);
        copied?;
        detached?;
        Ok(())
    }
}

fn copy(
    connection: &Connection,
    mailboxes: &[String],
    campaign: Option<i64>,
    now: &Reading,
) -> Result<(), Error> {
    let transaction = connection.unchecked_transaction()?;
    let since = now
        .wall
        .saturating_sub(LONGEST_WINDOW)
        .unwrap_or(Timestamp::MIN);
    for mailbox in mailboxes {
        transaction.execute(
            "INSERT INTO lent.ledger SELECT * FROM main.ledger
             WHERE mailbox = ? AND (stamped_at IS NULL OR stamped_at > ?)",
            params![mailbox, since.as_millisecond()],
        )?;
        if let Some(hold) = holds::of(&transaction, mailbox, now)? {
            transaction.execute(
                "INSERT INTO lent.hold (mailbox, until, reply, refusals)
                 SELECT mailbox, ?, reply, refusals FROM main.hold WHERE mailbox = ?",
                params![hold.until.as_millisecond(), mailbox],
            )?;
        }
    }
    // By what the calendar shows now: a rehearsal has a clock of its own.
    let (boot, steady) = columns(now);
    transaction.execute(
        "UPDATE lent.ledger SET attempt = NULL, boot = NULL, steady = NULL,
             stamped_at = CASE WHEN boot = ?2 THEN ?1 - (?3 - steady) ELSE coalesce(stamped_at, ?1) END",
        params![now.wall.as_millisecond(), boot, steady],
    )?;
    transaction.execute(
        "INSERT INTO lent.suppression SELECT * FROM main.suppression",
        [],
    )?;
    if let Some(campaign) = campaign {
        for sql in PLAN {
            transaction.execute(sql, [campaign])?;
        }
    }
    Ok(transaction.commit()?)
}
