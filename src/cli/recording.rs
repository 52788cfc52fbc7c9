//! What the store keeps of one run of a send: its start, its long waits, its end.
//!
//! A wait is worth a line when it lasts; a limit a minute makes thousands of short ones. The end is written while
//! the campaign is still held, so that the next run's start comes after it.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use super::failure::Failure;
use super::sending::reason;
use super::setup::{accounts_words, zone_of};
use super::who::who;
use super::words;
use crate::clock::Clock;
use crate::send::{Ended, Event, Waiting};
use crate::store::{CampaignRecord, Counts, Deed, Happening, Store};

/// A wait that is shorter than this is not worth a line.
const WORTH: SignedDuration = SignedDuration::from_mins(5);

/// Waits for the same reason, one after the other, are told as often as this.
const AGAIN: SignedDuration = SignedDuration::from_hours(1);

/// The record of a run.
pub(super) struct Recording {
    store: Store,
    campaign: i64,
    clock: Clock,
    zone: jiff::tz::TimeZone,
    by: String,
    waits: Waits,
    sent: u64,
    refused: u64,
    in_doubt: u64,
}

impl Recording {
    /// Writes down that this process begins. The campaign's lock is held.
    pub(super) fn begin(
        path: &Path,
        record: &CampaignRecord,
        left: &Counts,
        clock: &Clock,
    ) -> Result<Self, Failure> {
        let mut recording = Self {
            store: Store::open(path)?,
            campaign: record.id,
            clock: clock.clone(),
            zone: zone_of(record),
            by: who(),
            waits: Waits::default(),
            sent: 0,
            refused: 0,
            in_doubt: 0,
        };
        let started = Happening {
            recipients: Some(left.pending + left.deferred),
            by: Some(recording.by.clone()),
            detail: format!(
                "by {}, process {}",
                accounts_words(&record.accounts),
                std::process::id()
            ),
            ..Happening::new(clock.now(), Deed::Started)
        };
        recording.store.note_start(record.id, &started)?;
        Ok(recording)
    }

    /// Looks at what happens, and writes down what is worth it.
    pub(super) fn event(&mut self, event: &Event) {
        let now = self.clock.now();
        if let Some(wait) = self.waits.event(event, now) {
            self.note(&wait);
        }
        match event {
            Event::Sent { recipients, .. } => self.sent += recipients,
            Event::Refused { .. } => self.refused += 1,
            Event::InDoubt { recipients, .. } => self.in_doubt += recipients,
            Event::Ended(ended) => self.ends(ended),
            _ => {}
        }
    }

    fn ends(&mut self, ended: &Result<Ended, String>) {
        let how = match ended {
            Ok(ended) => self.how(ended),
            Err(what) => format!("stopped: {what}"),
        };
        self.note(&Happening {
            recipients: Some(self.sent),
            by: Some(self.by.clone()),
            detail: format!("{how}; {}", self.outcome()),
            ..Happening::new(self.clock.now(), Deed::Ended)
        });
    }

    fn how(&self, ended: &Ended) -> String {
        match ended {
            Ended::Finished => "finished".to_owned(),
            Ended::Interrupted => "interrupted".to_owned(),
            Ended::Halted(halt) if halt.by.is_empty() => "halted".to_owned(),
            Ended::Halted(halt) => format!("halted by {}", halt.by),
            Ended::AsAsked => "as asked, by --max or --until".to_owned(),
            Ended::AtCanary { .. } => {
                "after the first messages, by --canary; the others wait for a word".to_owned()
            }
            Ended::WouldWait(until, why) => format!(
                "rather than wait until {} for {}, by --no-wait",
                words::time(*until, &self.zone),
                reason(why)
            ),
            Ended::Stopped(trouble) => format!("stopped: {} ({})", trouble.meaning, trouble.reply),
        }
    }

    /// What became of recipients in this run.
    fn outcome(&self) -> String {
        let others = [(self.refused, "refused"), (self.in_doubt, "in doubt")];
        let others = others.into_iter().filter(|(count, _)| *count > 0);
        let parts = std::iter::once((self.sent, "sent")).chain(others);
        let parts = parts.map(|(count, what)| format!("{} {what}", words::number(count)));
        format!("in this run {}", parts.collect::<Vec<_>>().join(", "))
    }

    /// A record that cannot be written stops no mail: the marks, which can, go through the same store.
    fn note(&mut self, happening: &Happening) {
        let _unwritten = self.store.note(self.campaign, happening);
    }
}

/// The waits of a run, of which only some are worth a line.
#[derive(Debug, Default)]
struct Waits {
    /// The one that was written down last: until when, for what.
    told: Option<(Timestamp, String)>,
    /// One whose end nobody knows: since when, for what.
    open: Option<(Timestamp, String)>,
}

impl Waits {
    /// The wait that is to be written down now: one that begins, or one of unknown end that was long.
    fn event(&mut self, event: &Event, now: Timestamp) -> Option<Happening> {
        match event {
            Event::Waiting {
                why: why @ Waiting::OtherSender,
                ..
            } => self.open(reason(why), now),
            Event::Reconnecting { because, .. } => {
                self.open(reason(&Waiting::Server(because.clone())), now)
            }
            Event::Waiting { until, why } => {
                let former = self.close(now);
                self.begin(*until, reason(why), now).or(former)
            }
            Event::Sent { .. }
            | Event::Refused { .. }
            | Event::InDoubt { .. }
            | Event::Deferred { .. }
            | Event::Ended(_) => self.close(now),
            Event::Recovered { .. }
            | Event::Paused { .. }
            | Event::AccountStopped { .. }
            | Event::AccountWaiting { .. } => None,
        }
    }

    fn begin(&mut self, until: Timestamp, why: String, now: Timestamp) -> Option<Happening> {
        let is_told = |(told, what): &(Timestamp, String)| {
            *what == why && until.duration_since(*told) < AGAIN
        };
        if until.duration_since(now) < WORTH || self.told.as_ref().is_some_and(is_told) {
            return None;
        }
        let detail = format!("for {why}");
        self.told = Some((until, why));
        Some(Happening {
            until: Some(until),
            detail,
            ..Happening::new(now, Deed::Waiting)
        })
    }

    fn open(&mut self, why: String, now: Timestamp) -> Option<Happening> {
        self.open.get_or_insert((now, why));
        None
    }

    fn close(&mut self, now: Timestamp) -> Option<Happening> {
        let (since, why) = self.open.take()?;
        (now.duration_since(since) >= WORTH).then(|| Happening {
            until: Some(now),
            detail: format!("for {why}"),
            ..Happening::new(since, Deed::Waiting)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{Closed, Rule, Unit};

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(minute * 60).unwrap()
    }

    /// How many of these waits are written down: each from when until when, in minutes.
    fn lines(why: &Waiting, waits: &[(i64, i64)]) -> usize {
        let mut known = Waits::default();
        let event = |until: i64| Event::Waiting {
            until: at(until),
            why: why.clone(),
        };
        let told = waits
            .iter()
            .filter_map(|(from, until)| known.event(&event(*until), at(*from)));
        told.count()
    }

    #[test]
    fn a_limit_a_minute_leaves_no_lines_and_one_of_minutes_a_line_an_hour() {
        let rule = Waiting::Rule(Rule {
            max: 30,
            per: std::time::Duration::from_mins(1),
            unit: Unit::Messages,
        });
        let minutes: Vec<(i64, i64)> = (0..600).map(|minute| (minute, minute + 1)).collect();
        assert_eq!(lines(&rule, &minutes), 0);
        let tens: Vec<(i64, i64)> = (0..60).map(|ten| (ten * 10, ten * 10 + 10)).collect();
        assert_eq!(lines(&rule, &tens), 10);
        let nights: Vec<(i64, i64)> = (0..5).map(|day| (day * 1440, day * 1440 + 800)).collect();
        assert_eq!(lines(&Waiting::Calendar(Closed::Hours), &nights), 5);
    }

    #[test]
    fn a_server_that_is_away_is_told_once_and_afterwards() {
        let mut waits = Waits::default();
        let away = |minute: i64| Event::Reconnecting {
            account: "comms".to_owned(),
            because: "no route".to_owned(),
            until: at(minute + 2),
        };
        for minute in 0..60 {
            assert_eq!(waits.event(&away(minute), at(minute)), None);
        }
        let ended = Event::Ended(Ok(Ended::Interrupted));
        let told = waits.event(&ended, at(60)).unwrap();
        assert_eq!((told.at, told.until), (at(0), Some(at(60))));
        assert_eq!(waits.event(&away(61), at(61)), None);
        assert_eq!(waits.event(&ended, at(62)), None);
    }
}
