//! The transaction that makes the store what the draft says.
//!
//! It knows of `before` where everybody stands (see [`super::difference::compare`]).

use rusqlite::{Connection, params};

use super::{NO_LONGER_LISTED, NOT_LISTED};
use crate::delivery::{Event, MessageState};
use crate::store::Error;
use crate::store::draft::{self, Shift};

/// The campaign that is updated, on a connection that is in the transaction.
pub(super) struct Update<'a> {
    pub(super) connection: &'a Connection,
    pub(super) campaign: i64,
    pub(super) edition: u64,
    pub(super) listed: u64,
}

impl Update<'_> {
    pub(super) fn take_in(&self) -> Result<(), Error> {
        self.leave_out_of_draft()?;
        self.place_rows()?;
        self.settle_people()?;
        self.settle_messages()?;
        self.settle_batches()?;
        self.copy_draft()?;
        self.set_campaign()
    }

    /// Runs SQL that knows of the campaign (`?1`), the edition (`?2`) and how many rows the list has (`?3`).
    fn run(&self, sql: &str) -> Result<usize, Error> {
        let mut statement = self.connection.prepare(sql)?;
        let values = params![self.campaign, self.edition, self.listed];
        let wanted = statement.parameter_count();
        let values = values.get(..wanted).unwrap_or(values);
        Ok(statement.execute(values)?)
    }

    /// Whoever is in hand, or was settled since they were planned, is not planned again.
    fn leave_out_of_draft(&self) -> Result<(), Error> {
        for sql in [
            "INSERT INTO temp.lost (message, people)
             SELECT t.message, count(*) FROM temp.recipient t JOIN temp.before b ON b.key = t.key
             WHERE b.standing NOT IN ('going', 'gone') AND t.message IS NOT NULL GROUP BY t.message",
            "INSERT INTO temp.kept (row, key) SELECT t.row, t.key FROM temp.recipient t
             JOIN temp.before b ON b.key = t.key WHERE b.standing NOT IN ('going', 'gone')",
            "DELETE FROM temp.message WHERE id IN (SELECT message FROM temp.lost) AND NOT EXISTS
             (SELECT 1 FROM temp.recipient t WHERE t.message = message.id AND t.row NOT IN (SELECT row FROM temp.kept))",
            "UPDATE temp.message SET recipients = recipients - l.people, external = external -
                 (SELECT count(*) FROM temp.recipient t JOIN temp.kept k ON k.row = t.row
                  JOIN temp.outside o ON o.row = t.row WHERE t.message = message.id)
             FROM temp.lost l WHERE l.message = message.id",
            "DELETE FROM temp.recipient WHERE row IN (SELECT row FROM temp.kept)",
            "DELETE FROM temp.lost",
            "UPDATE temp.batch SET messages = coalesce(s.messages, 0), recipients = coalesce(s.recipients, 0) FROM
                 (SELECT b.number, count(DISTINCT m.id) AS messages, count(t.row) AS recipients
                  FROM temp.batch b LEFT JOIN temp.message m ON m.batch = b.number
                  LEFT JOIN temp.recipient t ON t.message = m.id GROUP BY b.number) s
             WHERE s.number = batch.number",
            "DELETE FROM temp.batch WHERE messages = 0",
            "UPDATE temp.message SET number = placed.place FROM
                 (SELECT id, row_number() OVER (ORDER BY number) AS place FROM temp.message) placed
             WHERE placed.id = message.id",
        ] {
            self.run(sql)?;
        }
        Ok(())
    }

    /// Where the rows go of those whose records stay: whoever is not listed comes after the list.
    fn place_rows(&self) -> Result<(), Error> {
        self.run(
            "INSERT INTO temp.placed (row, place)
             SELECT b.row, k.row FROM temp.before b JOIN temp.kept k ON k.key = b.key",
        )?;
        let after = "INSERT INTO temp.placed (row, place)
             SELECT b.row, ?1 + row_number() OVER (ORDER BY b.row) FROM temp.before b WHERE ";
        let mut statement = self.connection.prepare(&format!("{after} {NOT_LISTED}"))?;
        statement.execute([self.listed])?;
        Ok(())
    }

    fn settle_people(&self) -> Result<(), Error> {
        self.run(
            "INSERT INTO temp.lost (message, people) SELECT b.message, count(*) FROM temp.before b
             WHERE b.standing = 'going' AND NOT EXISTS (SELECT 1 FROM temp.kept k WHERE k.key = b.key) GROUP BY b.message",
        )?;
        self.run(
            "UPDATE main.recipient SET dropped = NULL WHERE campaign = ?1 AND dropped IS NOT NULL
             AND row IN (SELECT row FROM temp.placed WHERE place <= (SELECT listed FROM temp.campaign))",
        )?;
        // What concerned them so far was not by the message that they get now, or will not go on to be.
        self.run(
            "INSERT OR REPLACE INTO main.past_attempt (campaign, key, attempt)
             SELECT r.campaign, r.key, a.id FROM temp.before b
             JOIN main.recipient r ON r.campaign = ?1 AND r.row = b.row
             JOIN main.attempt a ON a.message = r.message AND a.number >= r.since
             WHERE EXISTS (SELECT 1 FROM temp.recipient t WHERE t.key = b.key) OR b.standing = 'going'
             AND NOT EXISTS (SELECT 1 FROM temp.kept k WHERE k.key = b.key)",
        )?;
        let sql = "UPDATE main.recipient SET dropped = ?2,
                 since = CASE WHEN b.standing = 'going' THEN NULL ELSE since END,
                 state = CASE WHEN b.standing = 'going' THEN 'cancelled' ELSE state END,
                 reply = CASE WHEN b.standing = 'going' THEN ?3 ELSE reply END
             FROM temp.before b JOIN temp.placed p ON p.row = b.row
             WHERE recipient.campaign = ?1 AND recipient.row = b.row
             AND (b.standing IN ('going', 'in_hand') OR recipient.state = 'in_doubt') AND p.place > ?4";
        self.connection.execute(
            sql,
            params![self.campaign, self.edition, NO_LONGER_LISTED, self.listed],
        )?;
        for sql in [
            "DELETE FROM main.recipient WHERE campaign = ?1 AND row IN
             (SELECT b.row FROM temp.before b JOIN temp.recipient t ON t.key = b.key)",
            // By way of rows that no list has, so that nobody meets anybody.
            "UPDATE main.recipient SET row = -p.place FROM temp.placed p
             WHERE recipient.campaign = ?1 AND recipient.row = p.row AND p.place <> p.row",
            "UPDATE main.recipient SET row = -row WHERE campaign = ?1 AND row < 0",
            "DELETE FROM main.joined WHERE campaign = ?1",
            "DELETE FROM main.left_out WHERE campaign = ?1",
        ] {
            self.run(sql)?;
        }
        Ok(())
    }

    /// Messages that have lost recipients are smaller; those that have nobody left to go to are gone, or cancelled
    /// where they tell of something.
    fn settle_messages(&self) -> Result<(), Error> {
        let cancelled = MessageState::Pending.after(Event::Cancel)?.as_str();
        let is_left = "EXISTS (SELECT 1 FROM main.recipient r WHERE r.message = message.id
             AND r.state IN ('pending', 'deferred'))";
        let to_go = "campaign = ?1 AND state IN ('pending', 'deferred')";
        self.run(
            "DELETE FROM main.message WHERE campaign = ?1 AND state IN ('pending', 'cancelled') AND attempts = 0
             AND NOT EXISTS (SELECT 1 FROM main.recipient r WHERE r.message = message.id)"
        )?;
        self.run(&format!(
            "UPDATE main.message SET state = '{cancelled}', due_at = NULL WHERE {to_go} AND NOT {is_left}"
        ))?;
        // Which of those left are external is not known here: as many as can be.
        self.run(
            "UPDATE main.message SET recipients = message.recipients - l.people,
                 external = min(external, message.recipients - l.people)
             FROM temp.lost l WHERE l.message = message.id AND message.campaign = ?1
             AND state IN ('pending', 'deferred')",
        )?;
        self.run(
            "UPDATE main.message SET number = placed.place FROM
                 (SELECT id, row_number() OVER (ORDER BY number, id) AS place FROM main.message WHERE campaign = ?1) placed
             WHERE placed.id = message.id AND placed.place <> message.number",
        )?;
        Ok(())
    }

    /// Batches that were begun keep what was done in them; the others are laid out anew.
    fn settle_batches(&self) -> Result<(), Error> {
        for sql in [
            "UPDATE main.message SET batch = NULL WHERE campaign = ?1 AND state = 'cancelled'
             AND (attempts = 0 OR NOT EXISTS (SELECT 1 FROM main.recipient r WHERE r.message = message.id))",
            "DELETE FROM main.batch WHERE campaign = ?1 AND number NOT IN
             (SELECT batch FROM main.message WHERE campaign = ?1 AND batch IS NOT NULL)",
            "UPDATE main.batch SET messages = s.messages, recipients = s.recipients FROM
                 (SELECT m.batch AS number, count(DISTINCT m.id) AS messages, count(r.row) AS recipients
                  FROM main.message m LEFT JOIN main.recipient r ON r.message = m.id WHERE m.campaign = ?1 GROUP BY m.batch) s
             WHERE batch.campaign = ?1 AND s.number = batch.number",
        ] {
            self.run(sql)?;
        }
        Ok(())
    }

    fn copy_draft(&self) -> Result<(), Error> {
        let last = |sql: &str, of: &[&dyn rusqlite::ToSql]| -> Result<i64, Error> {
            Ok(self.connection.query_row(sql, of, |row| row.get(0))?)
        };
        let campaign = self.campaign;
        let shift = Shift {
            campaign,
            messages: last("SELECT coalesce(max(id), 0) FROM main.message", &[])?,
            numbers: last(
                "SELECT coalesce(max(number), 0) FROM main.message WHERE campaign = ?",
                &[&campaign],
            )?,
            batches: last(
                "SELECT coalesce(max(number), 0) FROM main.batch WHERE campaign = ?",
                &[&campaign],
            )?,
        };
        draft::copy_into(self.connection, &shift)
    }

    fn set_campaign(&self) -> Result<(), Error> {
        let is_left = "EXISTS (SELECT 1 FROM main.message m WHERE m.campaign = ?1
             AND m.state NOT IN ('sent', 'refused', 'in_doubt', 'cancelled'))";
        self.run(&format!(
            "UPDATE main.campaign SET edition = ?2, folder = t.folder, mode = t.mode, calendar = t.calendar,
                 time_zone = t.time_zone, listed = t.listed, finishes_at = t.finishes_at, cuts = t.cuts,
                 uncut_finishes_at = t.uncut_finishes_at, cases = t.cases,
                 run_state = CASE WHEN campaign.run_state = 'finished' AND {is_left} THEN 'planned'
                                  WHEN campaign.run_state IN ('planned', 'waiting') AND NOT {is_left} THEN 'finished'
                                  ELSE campaign.run_state END
             FROM temp.campaign t WHERE campaign.id = ?1"
        ))?;
        // An edition of which nothing was planned to the end and sent is of no use to anybody.
        for sql in [
            "DELETE FROM main.edition WHERE campaign = ?1 AND number <> ?2
             AND number NOT IN (SELECT edition FROM main.message WHERE campaign = ?1)",
            "DELETE FROM main.frozen_file WHERE campaign = ?1 AND edition NOT IN
             (SELECT number FROM main.edition WHERE campaign = ?1)",
            "DELETE FROM main.content WHERE hash NOT IN (SELECT hash FROM main.frozen_file)",
        ] {
            self.run(sql)?;
        }
        Ok(())
    }
}
