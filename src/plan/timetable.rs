//! The timetable: which message goes when, by the same limiter that the sender asks.
//!
//! It takes the network for infinitely fast: with a provider's rules those are what takes the time.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::limits::{Decision, Limiter, Rule, Weight};
use crate::store::NewBatch;

/// Puts messages, in order, on a calendar.
#[derive(Debug)]
pub struct Timetable {
    limiter: Limiter,
    now: Timestamp,
    time_zone: TimeZone,
    account: String,
    batches: Vec<NewBatch>,
    next_message: u64,
    /// How often each rule held a message back.
    held_back: Vec<u64>,
}

impl Timetable {
    /// A timetable that starts at `now` with what the account has already handed over.
    pub fn new(account: &str, limiter: Limiter, now: Timestamp, time_zone: TimeZone) -> Self {
        let rules = limiter.rules().count();
        Self {
            limiter,
            now,
            time_zone,
            account: account.to_owned(),
            batches: Vec::new(),
            next_message: 1,
            held_back: vec![0; rules],
        }
    }

    /// Adds the next message, `listed` of whose envelope are of the list. When the rules never allow it,
    /// that rule is returned.
    pub fn add(&mut self, weight: Weight, listed: u64) -> Result<(), Rule> {
        loop {
            match self.limiter.decide(self.now, weight) {
                Decision::Go => break,
                Decision::NotBefore(until, rule) => {
                    self.held_back[rule] += 1;
                    self.now = until;
                }
                // Nothing is reserved here, so only a message that never fits is left.
                Decision::AfterVerdict(rule) | Decision::Never(rule) => {
                    return match self.limiter.rules().nth(rule) {
                        Some(rule) => Err(*rule),
                        None => Ok(()),
                    };
                }
            }
        }
        self.limiter.record(self.now, weight);
        self.enter(listed);
        Ok(())
    }

    fn enter(&mut self, recipients: u64) {
        let date = self.time_zone.to_datetime(self.now).date().to_string();
        let number = self.next_message;
        self.next_message += 1;
        match self.batches.last_mut() {
            Some(batch) if batch.date == date => {
                batch.ends_at = self.now;
                batch.messages += 1;
                batch.recipients += recipients;
            }
            _ => self.batches.push(NewBatch {
                number: self.batches.len() as u64 + 1,
                account: self.account.clone(),
                date,
                starts_at: self.now,
                ends_at: self.now,
                first_message: number,
                messages: 1,
                recipients,
            }),
        }
    }

    /// The batches, and the rule that held messages back most often.
    pub fn finish(self) -> (Vec<NewBatch>, Option<Rule>) {
        let busiest = self
            .held_back
            .iter()
            .enumerate()
            .filter(|(_, count)| **count > 0)
            .max_by_key(|(_, count)| **count)
            .map(|(index, _)| index);
        let rule = busiest.and_then(|index| self.limiter.rules().nth(index).copied());
        (self.batches, rule)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Unit;
    use std::time::Duration;

    #[test]
    fn ten_thousand_individual_messages_take_five_and_a_half_hours_at_thirty_a_minute() {
        let rules = [
            Rule {
                max: 10_000,
                per: Duration::from_hours(24),
                unit: Unit::Recipients,
            },
            Rule {
                max: 30,
                per: Duration::from_mins(1),
                unit: Unit::Messages,
            },
        ];
        let start: Timestamp = "2026-12-01T00:00:00Z".parse().unwrap();
        let mut table = Timetable::new("comms", Limiter::new(&rules), start, TimeZone::UTC);
        for _ in 0..10_001 {
            table
                .add(
                    Weight {
                        recipients: 1,
                        external: 0,
                    },
                    1,
                )
                .unwrap();
        }
        let (batches, busiest) = table.finish();
        assert_eq!(batches.len(), 2);
        assert_eq!((batches[0].messages, batches[1].messages), (10_000, 1));
        let minutes = batches[0].ends_at.duration_since(start).as_secs() / 60;
        assert_eq!(
            minutes, 333,
            "the first thirty go at once, then thirty a minute"
        );
        assert_eq!(batches[1].date, "2026-12-02");
        assert_eq!(batches[1].first_message, 10_001);
        assert_eq!(busiest, Some(rules[1]));
    }

    #[test]
    fn what_can_never_go_is_said() {
        let rule = Rule {
            max: 10,
            per: Duration::from_mins(1),
            unit: Unit::Recipients,
        };
        let start: Timestamp = "2026-12-01T00:00:00Z".parse().unwrap();
        let mut table = Timetable::new("comms", Limiter::new(&[rule]), start, TimeZone::UTC);
        assert_eq!(
            table.add(
                Weight {
                    recipients: 11,
                    external: 0
                },
                11
            ),
            Err(rule)
        );
    }
}
