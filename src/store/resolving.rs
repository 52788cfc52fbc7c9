//! Settling what is in doubt: only a person can say what became of it.

use jiff::Timestamp;
use rusqlite::{Connection, TransactionBehavior, params};

use super::history::{self, Deed, Happening};
use super::suppressing::{self, DOMAIN_OF_KEY};
use super::{Error, Store, to_timestamp, updating};
use crate::delivery::{Event, MessageState};

/// What a person says about messages in doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// They were delivered: found in Sent Items or at the recipient's.
    Delivered,
    /// They were not: send them again.
    Resend,
}

impl Resolution {
    /// What a report says of whoever was settled so.
    fn words(self) -> &'static str {
        match self {
            Self::Delivered => "marked as delivered by a person",
            Self::Resend => "to be sent again, as a person asked",
        }
    }
}

/// Which messages in doubt are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// All of the campaign.
    All,
    /// The one with this Message-ID (with or without angle brackets).
    MessageId(String),
    /// The one that the person with this key is a recipient of.
    Person(String),
    /// Those with these places in the plan.
    These(Vec<u64>),
}

/// A message in doubt, with what helps to look for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    /// Its place in the plan.
    pub number: u64,
    /// With its angle brackets: search for it in Sent Items.
    pub message_id: String,
    /// When the content began to go out.
    pub handed_over_at: Timestamp,
    /// The account that handed it over: its mailbox has the Sent Items to look into.
    pub account: String,
    /// Who is in doubt.
    pub recipients: Vec<String>,
    /// So many of them are on the suppression list: sent again or not, they get nothing more.
    pub suppressed: u64,
    /// So many others are no longer in the list, by an edition that was taken in: they get nothing more either.
    pub unlisted: u64,
    /// Other recipients were sent the same mail under the same Message-ID, so finding it somewhere does
    /// not prove that these got it.
    pub sent_to_others: bool,
}

impl Store {
    /// The messages in doubt that are meant, in the order of the plan.
    pub fn doubts(&self, campaign: i64, selection: &Selection) -> Result<Vec<Doubt>, Error> {
        let ids = selected(&self.connection, campaign, selection)?;
        ids.into_iter()
            .map(|id| doubt(&self.connection, id))
            .collect()
    }

    /// Settles the messages in doubt that are meant; returns those that were.
    pub fn resolve(
        &mut self,
        campaign: i64,
        selection: &Selection,
        resolution: Resolution,
        (by, now): (&str, Timestamp),
    ) -> Result<Vec<Doubt>, Error> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let ids = selected(&transaction, campaign, selection)?;
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let doubts = ids.iter().map(|id| doubt(&transaction, *id));
        let settled: Vec<Doubt> = doubts.collect::<Result<_, _>>()?;
        if resolution == Resolution::Resend {
            transaction.execute(
                "UPDATE campaign SET run_state = 'planned' WHERE id = ? AND run_state = 'finished'",
                [campaign],
            )?;
        }
        let people = settled.iter().map(|doubt| doubt.recipients.len() as u64);
        let happening = Happening {
            recipients: Some(people.sum()),
            by: Some(by.to_owned()),
            detail: resolution.words().to_owned(),
            ..Happening::new(now, Deed::Resolved)
        };
        history::note(&transaction, campaign, &happening)?;
        for id in ids {
            settle(&transaction, (campaign, id), resolution, now)?;
        }
        transaction.commit()?;
        Ok(settled)
    }
}

fn selected(
    connection: &Connection,
    campaign: i64,
    selection: &Selection,
) -> Result<Vec<i64>, Error> {
    let mut statement = connection
        .prepare("SELECT id, message_id, number FROM message WHERE campaign = ? AND state = 'in_doubt' ORDER BY number")?;
    let all: Vec<(i64, String, u64)> = statement
        .query_map([campaign], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?
        .collect::<Result<_, _>>()?;
    let mut ids = Vec::new();
    for (id, message_id, number) in all {
        let meant = match selection {
            Selection::All => true,
            Selection::MessageId(wanted) => bare(&message_id) == bare(wanted),
            Selection::Person(key) => connection
                .prepare_cached(
                    "SELECT 1 FROM recipient WHERE message = ? AND state = 'in_doubt' AND key = ?",
                )?
                .exists(params![id, key])?,
            Selection::These(numbers) => numbers.contains(&number),
        };
        if meant {
            ids.push(id);
        }
    }
    Ok(ids)
}

fn bare(message_id: &str) -> &str {
    message_id
        .trim()
        .trim_start_matches('<')
        .trim_end_matches('>')
}

fn addresses(connection: &Connection, message: i64) -> Result<Vec<String>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT address FROM recipient WHERE message = ? AND state = 'in_doubt' ORDER BY row",
    )?;
    let addresses = statement.query_map([message], |row| row.get(0))?;
    Ok(addresses.collect::<Result<_, _>>()?)
}

/// How many of those in doubt a condition holds for.
fn counted(connection: &Connection, message: i64, condition: &str) -> Result<u64, Error> {
    let sql = format!(
        "SELECT count(*) FROM recipient r WHERE message = ? AND state = 'in_doubt' AND {condition}"
    );
    Ok(connection
        .prepare_cached(&sql)?
        .query_row([message], |row| row.get(0))?)
}

fn doubt(connection: &Connection, message: i64) -> Result<Doubt, Error> {
    let (number, message_id, handed_over_at, account) = connection.query_row(
        "SELECT m.number, m.message_id, max(a.handover_at), a.account
         FROM message m JOIN attempt a ON a.message = m.id WHERE m.id = ?",
        [message],
        |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, i64>(2)?, row.get(3)?)),
    )?;
    let sent_to_others = connection.query_row(
        "SELECT EXISTS (SELECT 1 FROM message m JOIN message o ON o.campaign = m.campaign AND o.message_id = m.message_id
         WHERE m.id = ? AND o.id <> m.id AND o.state = 'sent')",
        [message],
        |row| row.get(0),
    )?;
    Ok(Doubt {
        sent_to_others,
        number,
        message_id,
        handed_over_at: to_timestamp(handed_over_at)?,
        account,
        recipients: addresses(connection, message)?,
        suppressed: counted(
            connection,
            message,
            &format!(
                "dropped IS NULL AND EXISTS (SELECT 1 FROM suppression s
                     WHERE s.campaign IN ('', (SELECT name FROM campaign WHERE id = r.campaign))
                     AND s.subject IN (r.key, {DOMAIN_OF_KEY}))"
            ),
        )?,
        unlisted: counted(connection, message, "dropped IS NOT NULL")?,
    })
}

fn settle(
    connection: &Connection,
    (campaign, message): (i64, i64),
    resolution: Resolution,
    now: Timestamp,
) -> Result<(), Error> {
    let (event, sent_at) = match resolution {
        Resolution::Delivered => (Event::ResolveDelivered, Some(now.as_millisecond())),
        Resolution::Resend => (Event::ResolveResend, None),
    };
    let reply = resolution.words();
    let state = MessageState::InDoubt.after(event)?;
    connection.execute(
        "UPDATE message SET state = ?, sent_at = ?, reply = ? WHERE id = ?",
        params![state.as_str(), sent_at, reply, message],
    )?;
    connection.execute(
        "UPDATE recipient SET state = ?, sent_at = ?, reply = ? WHERE message = ? AND state = 'in_doubt'",
        params![state.of_recipients().as_str(), sent_at, reply, message],
    )?;
    // Whoever an edition taken in meanwhile does not list gets nothing more, nor who is not to be written to.
    if resolution == Resolution::Resend {
        updating::drop_marked(connection, message)?;
        suppressing::withdraw_from(connection, campaign, message, now)?;
    }
    Ok(())
}
