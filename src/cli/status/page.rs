//! Where a campaign stands, as one screen.

use jiff::SignedDuration;

use super::standing::Standing;
use crate::cli::screen::{Paint, Screen};
use crate::cli::setup::Planned;
use crate::cli::timetable::{limit_lines, others_lines};
use crate::cli::words;
use crate::limits::Quota;
use crate::plan::Forecast;
use crate::store::{BatchProgress, Counts, RunState};

/// The columns of the headings.
const HEADING: usize = 12;

/// At least so many days are shown one by one, however low the terminal is; those for which there is no room are
/// summed up.
const DAYS: usize = 3;

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
    let (mut above, mut days, mut below) = (page(), page(), page());
    above.state(standing);
    above.blank();
    above.counts(standing);
    above.blank();
    below.to_come(standing);
    below.times(standing);
    below.quotas(standing);
    below.refusals(standing);
    below.doubts(standing);
    // Headings, sums, and a row for what comes after.
    let taken = above.lines.len() + below.lines.len() + 5;
    let room = screen
        .rows()
        .map_or(usize::MAX, |rows| rows.saturating_sub(taken).max(DAYS));
    days.days(&standing.batches, room);
    [above.lines, days.lines, below.lines].concat()
}

struct Page<'a> {
    screen: &'a Screen,
    planned: &'a Planned,
    lines: Vec<String>,
}

impl Page<'_> {
    fn line(&mut self, line: &str) {
        self.lines.push(line.trim_end().to_owned());
    }

    fn blank(&mut self) {
        self.lines.push(String::new());
    }

    fn head(&mut self, line: &str) {
        self.lines
            .push(self.screen.painted(Paint::Dim, line.trim_end()));
    }

    fn field(&mut self, heading: &str, text: &str) {
        let lines = self.screen.field_lines(heading, HEADING, text);
        self.lines.extend(lines);
    }

    fn on_terminal(&self) -> bool {
        self.screen.width().is_some()
    }

    fn time(&self, at: jiff::Timestamp) -> String {
        words::time(at, &self.planned.zone)
    }

    /// `  by comms`, where there are several.
    fn by(&self, account: &str) -> String {
        let several = self.planned.record.accounts.len() > 1;
        let told = several.then(|| format!("  by {account}"));
        told.unwrap_or_default()
    }

    /// What it is doing, who does it, and who or what has ended it.
    fn state(&mut self, standing: &Standing) {
        let record = &self.planned.record;
        let title = format!("'{}' is {}", record.name, standing.state.as_str());
        self.lines.push(self.screen.painted(Paint::Bold, &title));
        if let RunState::Stopped(because) = &standing.state {
            self.field("because", because);
        }
        if let Some(halt) = &record.halted {
            let at = self.time(halt.at);
            let text = format!(
                "by {}, {at}: nothing more goes until `postroom resume` lifts it",
                halt.by
            );
            self.field("halted", &text);
        }
        if let Some(at_work) = &standing.sent_by {
            let since = at_work
                .since
                .map(|at| format!(", since {}", self.time(at)))
                .unwrap_or_default();
            self.field("sent by", &format!("{}{since}", at_work.who));
        }
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

    /// The days of the plan, each with what has become of its recipients; so many one by one, from the last one
    /// that is done on.
    fn days(&mut self, batches: &[BatchProgress], room: usize) {
        let bar = self.bar_width();
        let margin = " ".repeat(if bar > 0 { bar + 2 } else { 0 });
        self.head(&format!(
            "  {:<18}{margin}{:>11}{:>11}{:>10}{:>10}",
            "planned", "recipients", "sent", "refused", "left"
        ));
        let open = batches.iter().position(|batch| left(&batch.outcomes) > 0);
        let shown = if batches.len() <= room {
            0..batches.len()
        } else {
            let last = batches.len() - room;
            let from = open.map_or(last, |open| open.saturating_sub(1).min(last));
            from..from + room
        };
        let (before, after) = (&batches[..shown.start], &batches[shown.end..]);
        self.sum("earlier", before, bar);
        for batch in &batches[shown] {
            let name = words::day(&batch.date);
            let by = self.by(&batch.account);
            self.day(&name, &batch.outcomes, bar, &by);
        }
        self.sum("later", after, bar);
        self.blank();
    }

    /// Days that are not shown one by one.
    fn sum(&mut self, which: &str, batches: &[BatchProgress], bar: usize) {
        if batches.is_empty() {
            return;
        }
        let mut all = Counts::default();
        for batch in batches {
            all += batch.outcomes;
        }
        self.day(&format!("{} {which}", batches.len()), &all, bar, "");
    }

    fn day(&mut self, name: &str, outcomes: &Counts, bar: usize, by: &str) {
        let drawn = match bar {
            0 => String::new(),
            _ => format!("{}  ", self.bar(outcomes, bar)),
        };
        self.line(&format!(
            "  {name:<18}{drawn}{:>11}{:>11}{:>10}{:>10}{by}",
            words::number(outcomes.total()),
            words::number(outcomes.sent),
            words::number(outcomes.refused),
            words::number(left(outcomes)),
        ));
    }

    /// The columns of a bar: what a line leaves of the terminal; 0 where there is none.
    fn bar_width(&self) -> usize {
        const LINE: usize = 2 + 18 + 2 + 11 + 11 + 10 + 10;
        let accounts = self.planned.record.accounts.iter();
        let by = accounts.map(|name| self.by(name).chars().count()).max();
        let columns = self.screen.width().unwrap_or(0);
        let room = columns.saturating_sub(LINE + by.unwrap_or(0)).min(30);
        if room < 8 { 0 } else { room }
    }

    /// Sent, refused and what is left, in proportion; what is more than nothing can be seen.
    fn bar(&self, outcomes: &Counts, columns: usize) -> String {
        let [sent, refused, rest] = if self.screen.needs_ascii() {
            ["#", "x", "."]
        } else {
            ["█", "▒", "░"]
        };
        let total = outcomes.total();
        let settled = total - left(outcomes);
        let share = |count: u64| match count {
            0 => 0,
            count => ((count as usize * columns) / total as usize).max(1),
        };
        // It is full only when nothing is left.
        let filled = match settled == total {
            true => columns,
            false => share(settled).min(columns - 1),
        };
        let of_refused = share(outcomes.refused).min(filled);
        [
            sent.repeat(filled - of_refused),
            refused.repeat(of_refused),
            rest.repeat(columns - filled),
        ]
        .concat()
    }

    /// The days that what is left will take from now on; on a terminal only where they are not those of the plan.
    fn to_come(&mut self, standing: &Standing) {
        let Some(forecast) = &standing.forecast else {
            return;
        };
        let moved = standing.finishes_at.zip(self.planned.record.finishes_at);
        let moved = moved.is_some_and(|(at, planned)| !is_near(at.duration_since(planned)));
        if self.on_terminal() && !moved {
            return;
        }
        self.head(&format!(
            "  {:<18}{:>12}{:>12}   {:<7}to",
            "to come", "messages", "recipients", "from"
        ));
        let days = &forecast.laid.batches;
        let shown = if self.on_terminal() {
            days.len().min(DAYS)
        } else {
            days.len()
        };
        for batch in &days[..shown] {
            let zone = &self.planned.zone;
            let by = self.by(&batch.account);
            self.line(&format!(
                "  {:<18}{:>12}{:>12}   {:<7}{}{by}",
                words::day(&batch.date),
                words::number(batch.messages),
                words::number(batch.recipients),
                words::time_of_day(batch.starts_at, zone),
                words::time_of_day(batch.ends_at, zone),
            ));
        }
        if let (Some(last), true) = (days.last(), shown < days.len()) {
            let later = &days[shown..];
            let messages = later.iter().map(|day| day.messages).sum();
            let recipients = later.iter().map(|day| day.recipients).sum();
            self.line(&format!(
                "  {:<18}{:>12}{:>12}   until {}",
                format!("{} later", later.len()),
                words::number(messages),
                words::number(recipients),
                words::day(&last.date),
            ));
        }
        self.blank();
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
            let whose = match several {
                true => format!("{}: ", account.account),
                false => String::new(),
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
        let mut text = format!(
            "{} of {} left",
            words::number(left),
            words::rule(&quota.rule)
        );
        let is_short = SignedDuration::try_from(quota.rule.per).is_ok_and(|per| per < SHORT);
        if is_short {
            return text;
        }
        let zone = &self.planned.zone;
        let all = quota.full_at.map(|at| words::short_time(at, zone));
        let next = quota
            .next
            .map(|(at, share)| (words::short_time(at, zone), share));
        if let Some((at, share)) = next.filter(|(at, _)| all.as_ref() != Some(at)) {
            text.push_str(&format!("; {} more free {at}", words::number(share)));
        }
        if let Some(at) = all {
            text.push_str(&format!("; all free {at}"));
        }
        text
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

/// Not sent, and still to be tried.
fn left(outcomes: &Counts) -> u64 {
    outcomes.pending + outcomes.deferred
}

fn is_near(by: SignedDuration) -> bool {
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
