//! The page that is handed on: one file, no script, nothing from elsewhere.
//!
//! It says what everybody wants to know first (how many, how far, what went wrong), then why, when, and who. A page
//! of a hundred thousand people still opens: those who were sent to are counted only, and of the others so many are
//! listed as [`summary::LISTED`](super::summary::LISTED) says. Everything that comes from a list or a server is text here, whatever it holds.

mod chart;
mod markup;
mod people;
mod reasons;
mod record;

use std::fmt::Write as _;
use std::io::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Destination, Outcome, Problem, Reasons, Summary};
use crate::cli::setup::{Planned, senders};
use crate::cli::status::Standing;
use crate::cli::{Context, words};
use crate::preview::BASE_STYLE;
use crate::store::{BatchProgress, Happening, RowCounts, RunState};
use markup::{foreign, prose};

const STYLE: &str = include_str!("page/report.css");

/// All that the page tells.
struct Facts<'a> {
    planned: &'a Planned,
    zone: &'a TimeZone,
    now: Timestamp,
    standing: Standing,
    summary: Summary,
    batches: Vec<BatchProgress>,
    history: Vec<Happening>,
    rows: RowCounts,
}

/// Writes the page; returns how many rows of the list it tells of.
pub(super) fn write(
    context: &Context,
    planned: &Planned,
    out: &mut Destination,
) -> Result<u64, Problem> {
    let store = &planned.store;
    let record = &planned.record;
    let senders = senders(&record.accounts, &context.places).ok();
    let reasons = Reasons::of(context, planned)?;
    let facts = Facts {
        planned,
        zone: &planned.zone,
        now: context.clock.now(),
        standing: Standing::of(store, record, senders.as_deref(), context.clock.reading())?,
        summary: Summary::of(planned, &reasons)?,
        batches: store.batches(record.id)?,
        history: store.history(record.id)?,
        rows: store.row_counts(record)?,
    };
    out.write_all(facts.page().as_bytes())?;
    out.flush()?;
    Ok(facts.summary.all_rows())
}

impl Facts<'_> {
    fn page(&self) -> String {
        let name = foreign(&self.planned.record.name);
        let title = markup::text(&self.planned.record.name);
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"robots\" content=\"noindex\">\n<title>Report of {title}</title>\n\
             <style>\n{BASE_STYLE}{STYLE}</style>\n</head>\n<body>\n<main>\n<header>\n\
             <p class=\"eyebrow\">Campaign report</p>\n<h1>{name}</h1>\n<p class=\"state\">{}</p>\n{}</header>\n\
             {}{}{}{}{}{}{}</main>\n</body>\n</html>\n",
            self.state(),
            self.facts(),
            self.outcomes(),
            reasons::section(&self.summary),
            chart::section(&self.summary.minutes, self.zone),
            record::batches(self),
            people::section(self),
            record::section(self),
            people::left_out(self),
        )
    }

    /// What it is doing, in a sentence or two.
    fn state(&self) -> String {
        let time = |at| words::time(at, self.zone);
        let sent = words::number(self.summary.people(Outcome::Sent));
        let all = words::count(self.summary.all_people(), "recipient", "recipients");
        let so_far = format!("{sent} of {all}");
        let text = match &self.standing.state {
            RunState::Planned if self.summary.people(Outcome::Sent) == 0 => {
                format!("Planned. None of {all} has been sent to yet.")
            }
            RunState::Planned => {
                format!("Not finished, and not being sent at the moment: {so_far} sent so far.")
            }
            RunState::Sending => format!("Being sent: {so_far} sent so far."),
            RunState::Waiting => match self.standing.next_send_at {
                Some(at) => format!("Waiting until {}: {so_far} sent so far.", time(at)),
                None => format!("Waiting: {so_far} sent so far."),
            },
            RunState::Halted => {
                let halted = self.planned.record.halted.as_ref();
                let by = halted.map_or_else(String::new, |halt| {
                    format!(" by {} on {}", halt.by, time(halt.at))
                });
                format!("Halted{by}: {so_far} sent so far.")
            }
            RunState::Stopped(because) => {
                format!("Stopped: {so_far} sent so far. {because}")
            }
            RunState::Finished => format!("Finished: sent to {so_far}."),
        };
        prose(&text)
    }

    /// When, by whom, as of when.
    fn facts(&self) -> String {
        let time = |at| words::time(at, self.zone);
        let record = &self.planned.record;
        let minutes = &self.summary.minutes;
        let minute = |key: Option<&i64>| Timestamp::from_second(key.copied()? * 60).ok().map(time);
        let mut rows = vec![("As of", Some(time(self.now)))];
        rows.push(("Planned", Some(time(record.planned_at))));
        rows.push(("First sent", minute(minutes.keys().next())));
        rows.push(("Last sent", minute(minutes.keys().next_back())));
        let finishes = self
            .standing
            .finishes_at
            .filter(|_| self.standing.state != RunState::Finished);
        rows.push((
            "Will be finished",
            finishes.map(|at| format!("{} at the earliest", time(at))),
        ));
        rows.push(("Sent by", Some(record.accounts.join(", "))));
        rows.push(("Times are in", Some(record.time_zone.clone())));
        let mut list = String::from("<dl class=\"facts\">\n");
        for (name, value) in rows {
            if let Some(value) = value {
                // Writing into a String cannot fail.
                let _ = writeln!(
                    list,
                    "<div><dt>{name}</dt><dd>{}</dd></div>",
                    foreign(&value)
                );
            }
        }
        list + "</dl>\n"
    }

    /// The figures, and a bar of them all.
    fn outcomes(&self) -> String {
        let all = self.summary.all_people();
        let shown = Outcome::ALL
            .into_iter()
            .filter(|outcome| outcome.is_recipient());
        let shown = shown.map(|outcome| (outcome, self.summary.people(outcome)));
        let shown: Vec<(Outcome, u64)> = shown
            .filter(|(outcome, count)| *count > 0 || *outcome == Outcome::Sent)
            .collect();
        let mut figures = String::new();
        for (outcome, count) in &shown {
            let _ = writeln!(
                figures,
                "<div class=\"figure {}\"><dt>{}</dt><dd>{}</dd><dd class=\"share\">{}</dd></div>",
                outcome.as_str(),
                markup::capital(outcome.word()),
                words::number(*count),
                markup::share(*count, all),
            );
        }
        let legend = shown.iter().map(|(outcome, _)| {
            let word = markup::capital(outcome.word());
            format!("<li><strong>{word}</strong> {}</li>\n", outcome.meaning())
        });
        format!(
            "<section aria-labelledby=\"outcomes\">\n<h2 id=\"outcomes\">{}</h2>\n{}<dl class=\"figures\">\n{figures}</dl>\n\
             <ul class=\"legend\">\n{}</ul>\n</section>\n",
            words::count(all, "recipient", "recipients"),
            chart::bar(&shown, all),
            legend.collect::<String>(),
        )
    }
}
