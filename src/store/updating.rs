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
//! Whoever is in hand and no longer listed is marked, and cancelled as soon as they are in hand no longer and were
//! not sent ([`drop_marked`]). Nobody has two records, and totals add up at every moment.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};

use super::draft::{self, Shift};
use super::history::{self, Deed, Happening};
use super::planning::Of;
use super::{CampaignRecord, Error, NewCampaign, PlanWriter, Store};
use crate::delivery::{Event, MessageState};

/// What a report says of whoever was cancelled because the list no longer has them.
const NO_LONGER_LISTED: &str =
    "cancelled: no longer in the list when the edited campaign was taken in";

/// How many of a group are named.
const NAMED: usize = 3;

/// Where people stand: `before` holds everybody with a record, `kept` those of the draft's list who are not planned
/// again, `outside` the draft's rows with external recipients.
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

    /// Whether an update is to plan the person who is found by this key: not who has a record that stays.
    pub fn is_to_plan(&self, campaign: i64, key: &str) -> Result<bool, Error> {
        let standing = self
            .connection
            .prepare_cached(&format!(
                "SELECT {STANDING} FROM recipient r LEFT JOIN message m ON m.id = r.message
                 WHERE r.key = ? AND r.campaign = ?"
            ))?
            .query_row(params![key, campaign], |row| row.get::<_, String>(0))
            .optional()?;
        // Who is in hand may be given back until the end of the planning.
        Ok(standing.is_none_or(|standing| !matches!(standing.as_str(), "sent" | "settled")))
    }

    /// Makes sure that everybody is found as `key` says: an earlier version may have written other keys.
    pub fn find_by(&mut self, campaign: i64, key: impl Fn(&str) -> String) -> Result<(), Error> {
        let mut other = Vec::new();
        {
            let mut statement = self
                .connection
                .prepare("SELECT row, address, key FROM recipient WHERE campaign = ?")?;
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
        draft::settle(&self.draft)?;
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
        draft::settle(&self.draft)?;
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

/// Compares the draft with where everybody stands.
fn compare(transaction: &Transaction<'_>, of: Of) -> Result<Difference, Error> {
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
                 JOIN main.message old ON old.id = b.message LEFT JOIN temp.message new ON new.id = t.message";
    let same = "new.digest IS old.digest";
    let same = match is_framed_alike(transaction, of)? {
        true => same.to_owned(),
        false => "0".to_owned(),
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

/// Of a row of `before`: the draft's list does not have the person.
const NOT_LISTED: &str = "NOT EXISTS (SELECT 1 FROM temp.recipient t WHERE t.key = b.key)
    AND NOT EXISTS (SELECT 1 FROM temp.kept k WHERE k.key = b.key)";

/// Whether what surrounds the rendered content is as it was.
fn is_framed_alike(transaction: &Transaction<'_>, of: Of) -> Result<bool, Error> {
    let around =
        "json_extract(definition, '$.from', '$.senders', '$.inline', '$.list_unsubscribe')";
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

/// The transaction that makes the store what the draft says.
struct Update<'a> {
    connection: &'a Connection,
    campaign: i64,
    edition: u64,
    listed: u64,
}

impl Update<'_> {
    fn take_in(&self) -> Result<(), Error> {
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
        let sql = "UPDATE main.recipient SET dropped = ?2,
                 state = CASE WHEN b.standing = 'going' THEN 'cancelled' ELSE state END,
                 reply = CASE WHEN b.standing = 'going' THEN ?3 ELSE reply END
             FROM temp.before b JOIN temp.placed p ON p.row = b.row
             WHERE recipient.campaign = ?1 AND recipient.row = b.row
             AND b.standing IN ('going', 'in_hand') AND p.place > ?4";
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
        let cancelled = MessageState::Pending.after(Event::Cancel)?;
        debug_assert_eq!(cancelled, MessageState::Cancelled);
        let is_left = "EXISTS (SELECT 1 FROM main.recipient r WHERE r.message = message.id
             AND r.state IN ('pending', 'deferred'))";
        let to_go = "campaign = ?1 AND state IN ('pending', 'deferred')";
        self.run(&format!(
            "DELETE FROM main.message WHERE campaign = ?1 AND state IN ('pending', 'cancelled') AND attempts = 0
             AND NOT EXISTS (SELECT 1 FROM main.recipient r WHERE r.message = message.id)"
        ))?;
        self.run(&format!(
            "UPDATE main.message SET state = 'cancelled', due_at = NULL WHERE {to_go} AND NOT {is_left}"
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
            "UPDATE main.message SET batch = NULL WHERE campaign = ?1 AND state = 'cancelled' AND attempts = 0",
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

/// Cancels whoever of a message is to go no more, now that nobody has it in hand: an edition that was taken in
/// meanwhile does not list them.
pub(super) fn drop_marked(connection: &Connection, message: i64) -> Result<(), Error> {
    let dropped = connection
        .prepare_cached(
            "UPDATE recipient SET state = 'cancelled', reply = ?1
             WHERE message = ?2 AND dropped IS NOT NULL AND state IN ('pending', 'deferred')",
        )?
        .execute(params![NO_LONGER_LISTED, message])?;
    if dropped == 0 {
        return Ok(());
    }
    let is_left = connection
        .prepare_cached("SELECT 1 FROM recipient WHERE message = ? AND state IN ('pending', 'deferred') LIMIT 1")?
        .exists([message])?;
    if is_left {
        connection
            .prepare_cached(
                "UPDATE message SET recipients = recipients - ?1, external = min(external, recipients - ?1) WHERE id = ?2",
            )?
            .execute(params![dropped, message])?;
    } else {
        let cancelled = MessageState::Pending.after(Event::Cancel)?;
        connection
            .prepare_cached("UPDATE message SET state = ?, due_at = NULL WHERE id = ?")?
            .execute(params![cancelled.as_str(), message])?;
    }
    Ok(())
}
