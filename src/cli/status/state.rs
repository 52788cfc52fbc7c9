//! The head of the page: what a campaign is doing, and who does it.

use super::page::Page;
use super::standing::{Gone, Standing};
use crate::cli::screen::Paint;
use crate::cli::words;
use crate::store::RunState;

impl Page<'_> {
    /// What it is doing, who does it, and who or what has ended it.
    pub(super) fn state(&mut self, standing: &Standing) {
        let record = &self.planned.record;
        let title = format!("'{}' is {}", record.name, standing.state.as_str());
        self.line(&self.screen.painted(Paint::Bold, &title));
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
        if let Some(gone) = &standing.gone {
            self.gone(gone);
        }
    }

    /// Of a sender that could not say how it ended.
    fn gone(&mut self, gone: &Gone) {
        let began = self.time(gone.since);
        let text = format!(
            "began {began} ({}) and ended without a word: it was killed, or its machine or disk failed",
            gone.who
        );
        self.field("sender", &text);
        let in_hand = match gone.in_hand {
            0 => String::new(),
            count => format!(
                "{} that it had in hand {} settled at the next start, and at most so many are in doubt then. ",
                words::count(count, "message", "messages"),
                if count == 1 { "is" } else { "are" }
            ),
        };
        let next = if self.planned.record.halted.is_some() {
            "`postroom resume`, then `postroom send`, goes on"
        } else {
            "`postroom send` goes on"
        };
        let text = format!("Nothing is lost. {in_hand}{next} where it was");
        self.field("", &text);
    }
}
