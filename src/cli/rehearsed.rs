//! What a rehearsal came to, in words and as JSON.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;

use super::exit::Exit;
use super::failure::Failure;
use super::plan::{Day, batch_json, show_days};
use super::rehearse::Rehearsal;
use super::screen::Paint;
use super::sending::verdict;
use super::status::counts_line;
use super::{Context, words};
use crate::sandbox::Snapshot;
use crate::send::Ended;
use crate::store::{BatchProgress, Counts};

/// What a rehearsal came to.
pub(super) struct Summary {
    pub(super) ended: Ended,
    pub(super) seen: Snapshot,
    pub(super) counts: Counts,
    pub(super) batches: Vec<BatchProgress>,
    pub(super) start: Timestamp,
    pub(super) finished_at: Timestamp,
    pub(super) real: Duration,
    pub(super) zone: TimeZone,
}

impl Summary {
    pub(super) fn show(
        &self,
        context: &Context,
        rehearsal: &Rehearsal<'_>,
    ) -> Result<Exit, Failure> {
        if context.screen.is_json() {
            self.show_json(context, rehearsal)?;
        } else {
            self.show_text(context, rehearsal)?;
        }
        if !self.seen.breaches.is_empty() {
            return Err(Failure::own(
                "the rehearsal went over a limit of the provider",
            ));
        }
        match verdict(&self.ended, &self.counts, &self.zone) {
            (_, Some(failure)) => Err(failure),
            // Refusing some is what a stand-in is asked for: the rehearsal itself went well.
            (Exit::SomeRefused, None) if self.counts.in_doubt == 0 => Ok(Exit::Done),
            (exit, None) => Ok(exit),
        }
    }

    fn show_json(&self, context: &Context, rehearsal: &Rehearsal<'_>) -> Result<(), Failure> {
        let breaches: Vec<_> = self
            .seen
            .breaches
            .iter()
            .map(
                |breach| json!({ "limit": breach.limit, "at": breach.at, "detail": breach.detail }),
            )
            .collect();
        context.screen.json(&json!({
            "event": "ended",
            "campaign": rehearsal.record.name,
            "received": { "messages": self.seen.messages, "recipients": self.seen.recipients },
            "refused": self.counts.refused,
            "breaches": breaches,
            "batches": self.batches.iter().map(batch_json).collect::<Vec<_>>(),
            "finishes_at": self.finished_at,
            "maildir": rehearsal.maildir,
        }))
    }

    fn show_text(&self, context: &Context, rehearsal: &Rehearsal<'_>) -> Result<(), Failure> {
        let screen = &context.screen;
        let line = |name: &str, value: &str| screen.result(&format!("  {name:<12}{value}"));
        let title = format!(
            "Rehearsal of '{}' on a stand-in for {}",
            rehearsal.record.name, rehearsal.setup.senders[0].preset.title
        );
        screen.result(&screen.painted(Paint::Bold, &title))?;
        screen.result("")?;
        line(
            "messages",
            &format!("{} received", words::number(self.seen.messages)),
        )?;
        line(
            "recipients",
            &format!("{} received it", words::number(self.seen.recipients)),
        )?;
        line("refused", &self.refused(rehearsal))?;
        line("in all", &counts_line(&self.counts))?;
        let days = self.days();
        let span = words::span(self.finished_at.duration_since(self.start));
        let count = words::count(days.len().max(1) as u64, "day", "days");
        line(
            "days",
            &format!(
                "{count}: {span} of the provider's time, rehearsed in {:.1} s",
                self.real.as_secs_f32()
            ),
        )?;
        let limits = rehearsal
            .setup
            .senders
            .iter()
            .flat_map(|sender| &sender.provider_rules);
        let kept: Vec<String> = limits.map(words::rule).collect();
        if !kept.is_empty() {
            line(
                "limits",
                &format!("kept, as the stand-in counted them: {}", kept.join(", ")),
            )?;
        }
        let days = days.iter().map(|(date, day)| Day { date, ..*day });
        show_days(screen, days, &self.zone)?;
        line(
            "the mail",
            &format!("lies in {}", rehearsal.maildir.display()),
        )
    }

    fn refused(&self, rehearsal: &Rehearsal<'_>) -> String {
        if self.counts.refused == 0 {
            return "0".to_owned();
        }
        let patterns = rehearsal.refuse.join(", ");
        format!(
            "{} (the stand-in refuses {patterns})",
            words::number(self.counts.refused)
        )
    }

    /// What the stand-in received on each day, by its own records.
    fn days(&self) -> BTreeMap<String, Day<'static>> {
        let mut days: BTreeMap<String, Day<'static>> = BTreeMap::new();
        for received in &self.seen.records {
            let date = self.zone.to_datetime(received.at).date().to_string();
            let day = days.entry(date).or_insert(Day {
                date: "",
                account: None,
                messages: 0,
                recipients: 0,
                first: received.at,
                last: received.at,
            });
            day.messages += 1;
            day.recipients += received.recipients.len() as u64;
            day.first = day.first.min(received.at);
            day.last = day.last.max(received.at);
        }
        days
    }
}
