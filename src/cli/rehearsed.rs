//! What a rehearsal came to, in words and as JSON.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::days::Days;
use super::exit::Exit;
use super::failure::Failure;
use super::faults::Told;
use super::rehearsing::{Rehearsal, Run};
use super::screen::Paint;
use super::sending::verdict;
use super::status::counts_line;
use super::timetable::batch_json;
use super::{Context, faults, words};
use crate::rehearsal::Compared;
use crate::store::{BatchProgress, Counts, Store};

/// What a rehearsal came to.
pub(super) struct Summary {
    pub(super) run: Run,
    pub(super) compared: Compared,
    pub(super) counts: Counts,
    pub(super) refusals: Vec<Refusals>,
    pub(super) batches: Vec<BatchProgress>,
    pub(super) start: Timestamp,
    pub(super) finished_at: Timestamp,
    pub(super) real: Duration,
    pub(super) zone: TimeZone,
}

/// Recipients who were refused with the same words.
pub(super) struct Refusals {
    reply: String,
    count: u64,
    /// The first of them.
    addresses: Vec<String>,
}

fn title(rehearsal: &Rehearsal<'_>) -> String {
    let senders = &rehearsal.setup.senders;
    let providers = senders.iter().map(|sender| sender.preset.title.as_str());
    let mut providers: Vec<&str> = providers.collect();
    providers.dedup();
    let stand_ins = match senders.len() {
        1 => "a stand-in".to_owned(),
        count => format!("{count} stand-ins"),
    };
    format!(
        "Rehearsal of '{}' on {stand_ins} for {}",
        rehearsal.record.name,
        providers.join(", ")
    )
}

/// So many addresses and so many different replies are named.
const NAMED: usize = 2;
/// What of a line of 80 columns is left for two sentences.
const ROOM: usize = 64;

/// Who was refused, by the server's words.
pub(super) fn refusals(store: &Store, campaign: i64) -> Result<Vec<Refusals>, Failure> {
    let mut by_reply: BTreeMap<String, Refusals> = BTreeMap::new();
    store.report(campaign, |row| -> Result<(), Failure> {
        if row.outcome != "refused" {
            return Ok(());
        }
        let reply = row.reply.unwrap_or_default();
        let refusals = by_reply.entry(reply.clone()).or_insert(Refusals {
            reply,
            count: 0,
            addresses: Vec::new(),
        });
        refusals.count += 1;
        if refusals.addresses.len() < NAMED {
            refusals.addresses.push(row.email);
        }
        Ok(())
    })?;
    let mut all: Vec<Refusals> = by_reply.into_values().collect();
    all.sort_by_key(|refusals| std::cmp::Reverse(refusals.count));
    Ok(all)
}

impl Summary {
    pub(super) fn show(
        &self,
        context: &Context,
        rehearsal: &Rehearsal<'_>,
    ) -> Result<Exit, Failure> {
        if context.screen.is_json() {
            context.screen.json(&self.json(rehearsal))?;
        } else {
            self.show_text(context, rehearsal)?;
        }
        self.defect()?;
        match verdict(&self.run.ended, &self.counts, &self.zone) {
            (_, Some(failure)) => Err(failure),
            // Refusing some is what a stand-in is asked for: the rehearsal itself went well.
            (Exit::SomeRefused, None) if self.counts.in_doubt == 0 => Ok(Exit::Done),
            (exit, None) => Ok(exit),
        }
    }

    /// What may never happen, whatever goes wrong: a limit that is broken, a log that is not the store's.
    fn defect(&self) -> Result<(), Failure> {
        let seen = &self.run.seen;
        let breaches = seen.breaches.iter().map(|breach| {
            format!(
                "the limit of {} was broken at {}: {}",
                breach.limit, breach.at, breach.detail
            )
        });
        let differences = self.compared.listed.iter().cloned();
        let all: Vec<String> = breaches.take(10).chain(differences).collect();
        if all.is_empty() {
            return Ok(());
        }
        Err(Failure::own(format!(
            "the rehearsal went wrong ({}, {}):\n  {}",
            words::count(
                seen.breaches.len() as u64,
                "limit broken",
                "breaches of limits"
            ),
            words::count(
                self.compared.differences,
                "difference between the stand-in's log and the store",
                "differences between the stand-in's log and the store"
            ),
            all.join("\n  ")
        )))
    }

    fn days(&self) -> Days {
        let log = &self.run.seen.records;
        Days::of(&self.batches, log, &self.compared.people, &self.zone)
    }

    fn json(&self, rehearsal: &Rehearsal<'_>) -> Value {
        let seen = &self.run.seen;
        let breaches: Vec<_> = seen
            .breaches
            .iter()
            .map(
                |breach| json!({ "limit": breach.limit, "at": breach.at, "detail": breach.detail }),
            )
            .collect();
        let faults: Vec<_> = self
            .run
            .staged
            .iter()
            .map(|staged| {
                let Told { done, coped } = faults::told(self, staged);
                json!({ "name": faults::name(staged.scenario), "done": done, "coped": coped })
            })
            .collect();
        json!({
            "event": "ended",
            "campaign": rehearsal.record.name,
            "received": { "messages": seen.messages, "recipients": seen.recipients },
            "refused": self.counts.refused,
            "in_doubt": self.counts.in_doubt,
            "breaches": breaches,
            "batches": self.batches.iter().map(batch_json).collect::<Vec<_>>(),
            "days": self.days().json(),
            "faults": faults,
            "kills": self.run.kills,
            "compared": {
                "messages": self.compared.messages,
                "recipients": self.compared.recipients,
                "in_doubt": self.compared.in_doubt,
                "arrived": self.compared.arrived,
                "differences": self.compared.differences,
            },
            "finishes_at": self.finished_at,
            "maildir": rehearsal.maildir,
        })
    }

    fn show_text(&self, context: &Context, rehearsal: &Rehearsal<'_>) -> Result<(), Failure> {
        let screen = &context.screen;
        let line = |name: &str, value: &str| screen.field(name, 12, value);
        let title = title(rehearsal);
        let seen = &self.run.seen;
        screen.result(&screen.painted(Paint::Bold, &title))?;
        screen.result("")?;
        for staged in &self.run.staged {
            let Told { done, coped } = faults::told(self, staged);
            let name = faults::name(staged.scenario);
            if done.len() + coped.len() <= ROOM {
                line(&name, &format!("{done}; {coped}"))?;
            } else {
                line(&name, &format!("{done};"))?;
                line("", &coped)?;
            }
        }
        line(
            "messages",
            &format!("{} received", words::number(seen.messages)),
        )?;
        line(
            "recipients",
            &format!("{} received it", words::number(seen.recipients)),
        )?;
        for (name, value) in self.refused() {
            line(name, &value)?;
        }
        line("in all", &counts_line(&self.counts))?;
        line("compared", &self.agreement())?;
        let days = self.days();
        line("days", &self.took(&days))?;
        let senders = &rehearsal.setup.senders;
        let limits = senders.iter().flat_map(|sender| &sender.provider_rules);
        let mut kept: Vec<String> = limits.map(words::rule).collect();
        kept.sort();
        kept.dedup();
        if !kept.is_empty() && seen.breaches.is_empty() {
            line(
                "limits",
                &format!("kept, as the stand-in counted them: {}", kept.join(", ")),
            )?;
        }
        days.show(screen, &self.zone)?;
        line(
            "the mail",
            &format!("lies in {}", rehearsal.maildir.display()),
        )
    }

    fn took(&self, days: &Days) -> String {
        let count = words::count(days.received().max(1) as u64, "day", "days");
        let span = words::span(self.finished_at.duration_since(self.start));
        let real = self.real.as_secs_f32();
        format!("{count}: {span} of the provider's time, rehearsed in {real:.1} s")
    }

    fn agreement(&self) -> String {
        match self.compared.differences {
            0 => "the stand-in's log and the store agree: same recipients, same bytes".to_owned(),
            count => format!(
                "the stand-in's log and the store differ {}",
                words::count(count, "time", "times")
            ),
        }
    }

    /// How many were refused; then who, by the server's words.
    fn refused(&self) -> Vec<(&'static str, String)> {
        let mut lines = vec![("refused", words::number(self.counts.refused))];
        for refusals in self.refusals.iter().take(NAMED) {
            let reply = format!("{} × {}", words::number(refusals.count), refusals.reply);
            let mut names = refusals.addresses.join(", ");
            let others = refusals.count - refusals.addresses.len() as u64;
            if others > 0 {
                names = format!("{names} and {} more", words::number(others));
            }
            lines.extend([("", reply), ("", format!("  {names}"))]);
        }
        lines
    }
}
