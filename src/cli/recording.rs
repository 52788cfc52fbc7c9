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
    /// The wait that was written down last: until when, for what.
    told: Option<(Timestamp, String)>,
    /// A wait whose end nobody knows: since when, for what.
    open: Option<(Timestamp, String)>,
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
            told: None,
            open: None,
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
        match event {
            Event::Waiting {
                why: Waiting::OtherSender,
                ..
            } => self.opens(&reason(&Waiting::OtherSender)),
            Event::Reconnecting { because, .. } => {
                self.opens(&reason(&Waiting::Server(because.clone())));
            }
            Event::Waiting { until, why } => {
                self.closes();
                self.waits(*until, reason(why));
            }
            Event::Sent { recipients, .. } => {
                self.sent += recipients;
                self.closes();
            }
            Event::Refused { .. } => {
                self.refused += 1;
                self.closes();
            }
            Event::InDoubt { recipients, .. } => {
                self.in_doubt += recipients;
                self.closes();
            }
            Event::Deferred { .. } => self.closes(),
            Event::Ended(ended) => {
                self.closes();
                self.ends(ended);
            }
            Event::Recovered { .. }
            | Event::Paused { .. }
            | Event::AccountStopped { .. }
            | Event::AccountWaiting { .. } => {}
        }
    }

    fn waits(&mut self, until: Timestamp, why: String) {
        let now = self.clock.now();
        let is_told = |(told, what): &(Timestamp, String)| {
            *what == why && until.duration_since(*told) < AGAIN
        };
        if until.duration_since(now) < WORTH || self.told.as_ref().is_some_and(is_told) {
            return;
        }
        self.told = Some((until, why.clone()));
        self.note(Happening {
            until: Some(until),
            detail: format!("for {why}"),
            ..Happening::new(now, Deed::Waiting)
        });
    }

    fn opens(&mut self, why: &str) {
        if self.open.is_none() {
            self.open = Some((self.clock.now(), why.to_owned()));
        }
    }

    fn closes(&mut self) {
        let now = self.clock.now();
        if let Some((since, why)) = self.open.take()
            && now.duration_since(since) >= WORTH
        {
            self.note(Happening {
                until: Some(now),
                detail: format!("for {why}"),
                ..Happening::new(since, Deed::Waiting)
            });
        }
    }

    fn ends(&mut self, ended: &Result<Ended, String>) {
        let how = match ended {
            Ok(ended) => self.how(ended),
            Err(what) => format!("stopped: {what}"),
        };
        self.note(Happening {
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
        let mut words = format!("in this run {} sent", words::number(self.sent));
        for (count, what) in [(self.refused, "refused"), (self.in_doubt, "in doubt")] {
            if count > 0 {
                words.push_str(&format!(", {} {what}", words::number(count)));
            }
        }
        words
    }

    /// A record that cannot be written stops no mail: the marks, which can, go through the same store.
    fn note(&mut self, happening: Happening) {
        let _unwritten = self.store.note(self.campaign, &happening);
    }
}
