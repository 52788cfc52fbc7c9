//! What is still to go, for whoever lays it out: messages in their order, those that follow each other and are
//! alike told at once.
//!
//! A long campaign in which everybody gets a mail of their own is mostly one such run. Where the tally shows
//! that the order makes no difference, nobody reads the messages to learn it.
//!
//! Where it does, reading them is what `status` takes its time for: with 100,000 mails of people's own between 9,000
//! shared ones, half of some 50 ms is SQLite walking the index of what is pending, a fifth the forecast itself, a tenth the
//! start of the program. It was twice as much while each message was looked up for it.

use hashbrown::HashMap;
use jiff::Timestamp;
use rusqlite::params;

use super::{Error, Store, to_optional_timestamp};
use crate::limits::Weight;

/// Messages that are still to go, follow each other and are alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Remaining {
    /// How many.
    pub messages: u64,
    /// What each takes from the rules.
    pub weight: Weight,
    /// When they are due, if they were put off.
    pub due_at: Option<Timestamp>,
    /// How many of each one's recipients are of the list.
    pub listed: u64,
    /// When they were to go by the plan, where several share each and nobody has tried it.
    pub planned: Option<Timestamp>,
}

impl Remaining {
    /// The next one, if it is like these, is counted with them.
    fn joins(&mut self, next: &Self) -> bool {
        let alike = Self {
            messages: self.messages,
            ..*next
        } == *self;
        self.messages += if alike { next.messages } else { 0 };
        alike
    }
}

/// So few messages are read one by one.
const FEW: u64 = 2_000;

/// Messages of which the tally knows.
struct Class {
    shared: bool,
    weight: Weight,
    messages: u64,
}

impl Store {
    /// How many external recipients are still to be written to, each message again.
    pub fn externals_left(&self, campaign: i64) -> Result<u64, Error> {
        Ok(self
            .connection
            .prepare_cached(
                "SELECT coalesce(sum(messages * external), 0) FROM message_tally
                 WHERE campaign = ? AND state IN ('pending', 'deferred')",
            )?
            .query_row([campaign], |row| row.get(0))?)
    }

    /// Calls `each` with an account, a weight and how many messages of it a campaign still has to send by that
    /// account, in their order. External recipients are told only where that is asked for.
    pub fn remaining_of(
        &self,
        campaign: i64,
        tells_externals: bool,
        mut each: impl FnMut(&str, Weight, u64),
    ) -> Result<(), Error> {
        let mut tally = self.connection.prepare_cached(
            "SELECT a.account, m.recipients, iif(?2, m.external, 0), sum(m.messages)
             FROM message_tally m JOIN campaign_account a ON a.campaign = m.campaign AND a.lane = m.lane
             WHERE m.campaign = ?1 AND m.state IN ('pending', 'deferred') AND m.messages > 0
             GROUP BY 1, 2, 3 ORDER BY 1",
        )?;
        let weight = |row: &rusqlite::Row<'_>| -> rusqlite::Result<(String, Weight, u64)> {
            let weight = Weight {
                recipients: row.get(1)?,
                external: row.get(2)?,
            };
            Ok((row.get(0)?, weight, row.get(3)?))
        };
        let classes: Vec<(String, Weight, u64)> = tally
            .query_map(params![campaign, tells_externals], weight)?
            .collect::<Result<_, _>>()?;
        // Without two kinds of messages of one account there is no order.
        if classes.windows(2).all(|pair| pair[0].0 != pair[1].0) {
            for (account, weight, messages) in classes {
                each(&account, weight, messages);
            }
            return Ok(());
        }
        let mut statement = self.connection.prepare_cached(
            "SELECT a.account, m.recipients, iif(?2, m.external, 0), 1
             FROM message m JOIN campaign_account a ON a.campaign = m.campaign AND a.lane = m.lane
             WHERE m.campaign = ?1 AND m.state IN ('pending', 'deferred') ORDER BY m.number",
        )?;
        let mut rows = statement.query(params![campaign, tells_externals])?;
        let mut run: Option<(String, Weight, u64)> = None;
        while let Some(row) = rows.next()? {
            let next = weight(row)?;
            match &mut run {
                Some((account, weight, messages)) if *account == next.0 && *weight == next.1 => {
                    *messages += 1;
                }
                _ => {
                    if let Some((account, weight, messages)) = run.replace(next) {
                        each(&account, weight, messages);
                    }
                }
            }
        }
        if let Some((account, weight, messages)) = run {
            each(&account, weight, messages);
        }
        Ok(())
    }

    /// Calls `each` with what the messages that are still to go take from the rules, in their order, first
    /// those that were never put off. What is in hand is in the ledger. External recipients are told only
    /// where that is asked for.
    pub fn remaining(
        &self,
        campaign: i64,
        tells_externals: bool,
        mut each: impl FnMut(Remaining),
    ) -> Result<(), Error> {
        match self.pending_as_tallied(campaign, tells_externals)? {
            Some(runs) => runs.into_iter().for_each(&mut each),
            None => self.read_remaining(campaign, "pending", tells_externals, &mut each)?,
        }
        self.read_remaining(campaign, "deferred", tells_externals, &mut each)
    }

    /// The pending messages from the tally; none where it does not know enough: where several share one, or
    /// where messages of several weights come in an order of their own.
    pub(super) fn pending_as_tallied(
        &self,
        campaign: i64,
        tells_externals: bool,
    ) -> Result<Option<Vec<Remaining>>, Error> {
        let mut classes = self.pending_classes(campaign, tells_externals)?;
        let messages: u64 = classes.iter().map(|class| class.messages).sum();
        if messages <= FEW || classes.iter().any(|class| class.shared) {
            return Ok(None);
        }
        if let [one, other] = classes.as_slice()
            && (one.weight.external > 0) != (other.weight.external > 0)
        {
            if self.pending_ends(campaign, other)?.1 < self.pending_ends(campaign, one)?.0 {
                classes.reverse();
            } else if self.pending_ends(campaign, one)?.1 >= self.pending_ends(campaign, other)?.0 {
                return Ok(None);
            }
        } else if classes.len() > 1 {
            return Ok(None);
        }
        let run = |class: Class| Remaining {
            messages: class.messages,
            weight: class.weight,
            due_at: None,
            listed: 1,
            planned: None,
        };
        Ok(Some(classes.into_iter().map(run).collect()))
    }

    fn pending_classes(&self, campaign: i64, tells_externals: bool) -> Result<Vec<Class>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT shared, recipients, iif(?2, external, 0), sum(messages) FROM message_tally
             WHERE campaign = ?1 AND state = 'pending' AND messages > 0 GROUP BY 1, 2, 3",
        )?;
        let classes = statement.query_map(params![campaign, tells_externals], |row| {
            Ok(Class {
                shared: row.get(0)?,
                weight: Weight {
                    recipients: row.get(1)?,
                    external: row.get(2)?,
                },
                messages: row.get(3)?,
            })
        })?;
        Ok(classes.collect::<Result<_, _>>()?)
    }

    /// The numbers of the first and the last pending message with or without external recipients, as this
    /// class has them.
    fn pending_ends(&self, campaign: i64, class: &Class) -> Result<(u64, u64), Error> {
        let end = |function: &str| -> Result<Vec<u64>, Error> {
            let mut statement = self.connection.prepare_cached(&format!(
                "SELECT (SELECT {function}(number) FROM message WHERE campaign = a.campaign AND state = 'pending'
                         AND lane = a.lane AND (external > 0) = ?2)
                 FROM campaign_account a WHERE a.campaign = ?1"
            ))?;
            let numbers = statement
                .query_map(params![campaign, class.weight.external > 0], |row| {
                    row.get::<_, Option<u64>>(0)
                })?;
            Ok(numbers
                .filter_map(Result::transpose)
                .collect::<Result<_, _>>()?)
        };
        let first = end("min")?.into_iter().min().unwrap_or_default();
        let last = end("max")?.into_iter().max().unwrap_or_default();
        Ok((first, last))
    }

    pub(super) fn read_remaining(
        &self,
        campaign: i64,
        state: &'static str,
        tells_externals: bool,
        each: &mut impl FnMut(Remaining),
    ) -> Result<(), Error> {
        // Who of an untried message is still to get it are all that are in it. In no order, since putting so many rows
        // into one takes the database longer than reading them.
        // The state stands in the text: the indices are of one state each. What is pending and untried is
        // told by its index alone, which is a tenth of the messages themselves.
        let due_at = if state == "pending" { "NULL" } else { "due_at" };
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT number, recipients, iif(?2, external, 0), {due_at},
                    CASE WHEN shared = 0 THEN 1
                         WHEN attempts = 0 THEN recipients - copies
                         ELSE (SELECT count(*) FROM recipient r
                               WHERE r.message = m.id AND r.state IN ('pending', 'deferred')) END,
                    CASE WHEN shared = 1 AND attempts = 0 THEN
                         (SELECT ends_at FROM batch b WHERE b.campaign = m.campaign AND b.number = m.batch) END
             FROM message m WHERE campaign = ?1 AND state = '{state}'"
        ))?;
        let mut rows = statement.query(params![campaign, tells_externals])?;
        // Many are alike: each is a place in the order, and one of few kinds.
        let mut kinds: Vec<Remaining> = Vec::new();
        let mut known: HashMap<Remaining, u32> = HashMap::new();
        let mut places: Vec<(u64, u32)> = Vec::new();
        while let Some(row) = rows.next()? {
            let next = Remaining {
                messages: 1,
                weight: Weight {
                    recipients: row.get(1)?,
                    external: row.get(2)?,
                },
                due_at: to_optional_timestamp(row.get(3)?)?,
                listed: row.get(4)?,
                planned: to_optional_timestamp(row.get(5)?)?,
            };
            let last = places.last().map(|(_, kind)| *kind);
            let is_like_last = last.filter(|kind| kinds.get(*kind as usize) == Some(&next));
            let kind = is_like_last.unwrap_or_else(|| {
                *known.entry(next).or_insert_with(|| {
                    kinds.push(next);
                    kinds.len() as u32 - 1
                })
            });
            places.push((row.get(0)?, kind));
        }
        #[expect(
            clippy::stable_sort_primitive,
            reason = "they are in order but for a few long stretches, which this one finds"
        )]
        places.sort();
        let mut run: Option<Remaining> = None;
        for (_, kind) in places {
            let Some(next) = kinds.get(kind as usize) else {
                continue;
            };
            if run.as_mut().is_some_and(|run| run.joins(next)) {
                continue;
            }
            if let Some(done) = run.replace(*next) {
                each(done);
            }
        }
        if let Some(last) = run {
            each(last);
        }
        Ok(())
    }
}
