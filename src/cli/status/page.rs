//! Where a campaign stands, as one screen.

use jiff::SignedDuration;

use super::days;
use super::standing::Standing;
use crate::cli::screen::{Paint, Screen};
use crate::cli::setup::Planned;
use crate::cli::timetable::{limit_lines, others_lines};
use crate::cli::words;
use crate::limits::Quota;
use crate::plan::Forecast;
use crate::store::{Counts, RunState};

/// The columns of the headings.
const HEADING: usize = 12;

/// So many reasons are told.
const REASONS: usize = 4;

/// A window that is shorter than this is free again before it is read that it is.
const SHORT: SignedDuration = SignedDuration::from_mins(10);

/// All outcomes that there are, in one line that adds up.
pub(in crate::cli) fn counts_line(counts: &Counts) -> String {
    format!(
        "{}: {}",
        words::count(counts.total(), "recipient", "recipients"),
        outcomes(counts).join(", ")
    )
}

/// `5,000 sent`, `12 refused`: all that there are.
pub(super) fn outcomes(counts: &Counts) -> Vec<String> {
    let there = by_outcome(counts).into_iter();
    let there = there.filter(|(name, count)| *count > 0 && *name != "total");
    there
        .map(|(name, count)| format!("{} {name}", words::number(count)))
        .collect()
}

fn by_outcome(counts: &Counts) -> [(&'static str, u64); 8] {
    [
        ("sent", counts.sent),
        ("pending", counts.pending),
        ("deferred", counts.deferred),
        ("refused", counts.refused),
        ("in doubt", counts.in_doubt),
        ("suppressed", counts.suppressed),
        ("cancelled", counts.cancelled),
        ("total", counts.total()),
    ]
}

/// The page, line by line.
pub(super) fn lines(screen: &Screen, planned: &Planned, standing: &Standing) -> Vec<String> {
    let page = || Page {
        screen,
        planned,
        lines: Vec::new(),
    };
    let [mut above, mut between, mut coming, mut below] = [page(), page(), page(), page()];
    above.state(standing);
    above.blank();
    above.counts(standing);
    above.blank();
    coming.days_to_come(standing);
    below.times(standing);
    below.quotas(standing);
    below.refusals(standing);
    below.doubts(standing);
    let rows = screen.rows().unwrap_or(usize::MAX);
    // Headings, sums, and a row for what comes after.
    let taken = above.lines.len() + below.lines.len() + 5;
    if taken + days::DAYS + coming.lines.len() > rows {
        // When it ends is told below.
        coming.lines.clear();
    }
    let room = rows.saturating_sub(taken + coming.lines.len());
    between.days(&standing.batches, room.max(days::DAYS));
    [above.lines, between.lines, coming.lines, below.lines].concat()
}

/// Lines that are put together.
pub(super) struct Page<'a> {
    pub(super) screen: &'a Screen,
    pub(super) planned: &'a Planned,
    lines: Vec<String>,
}

impl Page<'_> {
    pub(super) fn line(&mut self, line: &str) {
        self.lines.push(line.trim_end().to_owned());
    }

    pub(super) fn blank(&mut self) {
        self.lines.push(String::new());
    }

    pub(super) fn head(&mut self, line: &str) {
        self.lines
            .push(self.screen.painted(Paint::Dim, line.trim_end()));
    }

    pub(super) fn field(&mut self, heading: &str, text: &str) {
        let lines = self.screen.field_lines(heading, HEADING, text);
        self.lines.extend(lines);
    }

    pub(super) fn on_terminal(&self) -> bool {
        self.screen.width().is_some()
    }

    pub(super) fn time(&self, at: jiff::Timestamp) -> String {
        words::time(at, &self.planned.zone)
    }

    /// `  by comms`, where there are several.
    pub(super) fn by(&self, account: &str) -> String {
        let several = self.planned.record.accounts.len() > 1;
        let told = several.then(|| format!("  by {account}"));
        told.unwrap_or_default()
    }

    fn counts(&mut self, standing: &Standing) {
        self.head(&format!(
            "  {:<12}{:>12}{:>12}",
            "", "recipients", "messages"
        ));
        let messages = by_outcome(&standing.messages);
        for ((name, people), (_, messages)) in
            by_outcome(&standing.people).into_iter().zip(messages)
        {
            if people + messages > 0 || name == "total" {
                self.line(&format!(
                    "  {name:<12}{:>12}{:>12}",
                    words::number(people),
                    words::number(messages)
                ));
            }
        }
    }

    fn times(&mut self, standing: &Standing) {
        if let Some(at) = standing.next_send_at {
            let text = self.time(at);
            self.field("next", &text);
        }
        if let Some(at) = standing.finishes_at {
            let planned = self.planned.record.finishes_at;
            let moved = planned.map_or_else(String::new, |planned| {
                moved_words(at.duration_since(planned))
            });
            let text = format!("{} at the earliest{moved}", self.time(at));
            self.field("finishes", &text);
        }
        let forecast: Option<&Forecast> = standing.forecast.as_ref();
        self.lines.extend(others_lines(self.screen, forecast));
        let withdrawn = standing.withdrawn.as_ref();
        let zone = &self.planned.zone;
        self.lines
            .extend(limit_lines(self.screen, forecast, withdrawn, zone));
    }

    /// How much of each account's limits is left, and when there is more.
    fn quotas(&mut self, standing: &Standing) {
        if standing.state == RunState::Finished {
            return;
        }
        let several = standing.quotas.len() > 1;
        for account in &standing.quotas {
            let whose = if several {
                format!("{}: ", account.account)
            } else {
                String::new()
            };
            for quota in &account.quotas {
                let text = format!("{whose}{}", self.quota_words(quota));
                self.field("quota", &text);
            }
            if let Some(hold) = &account.hold {
                let until = self.time(hold.until);
                let text = format!(
                    "{whose}the provider asked to wait until {until}: {}",
                    hold.reply
                );
                self.field("pause", &text);
            }
        }
    }

    fn quota_words(&self, quota: &Quota) -> String {
        let left = quota.rule.max.saturating_sub(quota.used);
        let left = format!(
            "{} of {} left",
            words::number(left),
            words::rule(&quota.rule)
        );
        let is_short = SignedDuration::try_from(quota.rule.per).is_ok_and(|per| per < SHORT);
        if is_short {
            return left;
        }
        let zone = &self.planned.zone;
        let all = quota.full_at.map(|at| words::short_time(at, zone));
        let next = quota
            .next
            .map(|(at, share)| (words::short_time(at, zone), share))
            .filter(|(at, _)| all.as_ref() != Some(at));
        let next = next.map(|(at, share)| format!("{} more free {at}", words::number(share)));
        let all = all.map(|at| format!("all free {at}"));
        let parts = [Some(left), next, all].into_iter().flatten();
        parts.collect::<Vec<_>>().join("; ")
    }

    fn refusals(&mut self, standing: &Standing) {
        let refused = &standing.refused;
        if refused.reasons.is_empty() {
            return;
        }
        if refused.looked_at < standing.people.refused {
            let text = format!("the last {} of them:", words::number(refused.looked_at));
            self.field("refused", &text);
        }
        for (at, reason) in refused.reasons.iter().take(REASONS).enumerate() {
            let heading = match at {
                0 if refused.looked_at == standing.people.refused => "refused",
                _ => "",
            };
            let such_as = match reason.recipients {
                1 => format!("({})", reason.example.address),
                _ => format!("(such as {})", reason.example.address),
            };
            let meaning = reason.meaning.trim_end_matches('.');
            let count = words::number(reason.recipients);
            self.field(heading, &format!("{count} {such_as}: {meaning}"));
        }
        let more = refused.reasons.iter().skip(REASONS);
        let more: u64 = more.map(|reason| reason.recipients).sum();
        if more > 0 {
            let text = format!(
                "{} for other reasons: `postroom report` has them all",
                words::number(more)
            );
            self.field("", &text);
        }
    }

    fn doubts(&mut self, standing: &Standing) {
        let doubts = standing.messages.in_doubt;
        if standing.people.in_doubt == 0 {
            return;
        }
        let what = match doubts {
            1 => {
                "1 message may have arrived; it is not sent again by itself. Look for it".to_owned()
            }
            many => format!(
                "{} messages may have arrived; they are not sent again by themselves. Look for them",
                words::number(many)
            ),
        };
        let text = format!(
            "{what} in the mailbox's Sent Items; `postroom resolve` lists what is in doubt, and how to settle it"
        );
        self.field("in doubt", &text);
    }
}

pub(super) fn is_near(by: SignedDuration) -> bool {
    by.abs() < SignedDuration::from_mins(1)
}

/// How far the end has moved from the plan's.
fn moved_words(by: SignedDuration) -> String {
    if is_near(by) {
        return String::new();
    }
    let way = if by.is_negative() { "earlier" } else { "later" };
    format!(" ({} {way} than planned)", words::span(by.abs()))
}
