//! The days of a campaign on its screen: those of the plan with a bar each, and those to come.

use super::page::{Page, is_near};
use super::standing::Standing;
use crate::cli::words;
use crate::store::{BatchProgress, Counts};

/// At least so many days are shown one by one, however low the terminal is; those for which there is no room are
/// summed up.
pub(super) const DAYS: usize = 2;

/// So many of those to come are.
const DAYS_TO_COME: usize = 3;

impl Page<'_> {
    /// The days of the plan, each with what has become of its recipients; so many one by one, from the last one
    /// that is done on.
    pub(super) fn days(&mut self, batches: &[BatchProgress], room: usize) {
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
        let filled = if settled == total {
            columns
        } else {
            share(settled).min(columns - 1)
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
    pub(super) fn days_to_come(&mut self, standing: &Standing) {
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
            days.len().min(DAYS_TO_COME)
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
}

/// Not sent, and still to be tried.
fn left(outcomes: &Counts) -> u64 {
    outcomes.pending + outcomes.deferred
}
