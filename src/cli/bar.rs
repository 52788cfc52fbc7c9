//! Progress bars, where there is a terminal to draw them on.

use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::screen::Screen;
use crate::plan::Progress;

/// A bar, or nothing.
pub(super) struct Bar(ProgressBar);

impl Bar {
    /// A bar of `total` units; `template` as indicatif has it.
    fn new(screen: &Screen, total: u64, template: &str) -> Self {
        let target = if screen.may_draw() {
            ProgressDrawTarget::stderr_with_hz(10)
        } else {
            ProgressDrawTarget::hidden()
        };
        let style =
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::with_draw_target(Some(total), target);
        bar.set_style(style.progress_chars("━╸ "));
        Self(bar)
    }

    /// For reading and proving a list: counted in bytes, told in rows.
    pub(super) fn reading(screen: &Screen) -> Self {
        Self::new(screen, 1, "{prefix:<10} {bar:28} {percent:>3}%  {msg}").named("proving")
    }

    /// For writing files.
    pub(super) fn writing(screen: &Screen, total: u64) -> Self {
        Self::new(
            screen,
            total,
            "{prefix:<10} {bar:28} {human_pos}/{human_len} mails",
        )
        .named("writing")
    }

    fn named(self, name: &'static str) -> Self {
        self.0.set_prefix(name);
        self
    }

    /// How far a list has been read.
    pub(super) fn read(&self, progress: Progress) {
        self.0.set_length(progress.size.max(1));
        self.0.set_position(progress.read);
        self.0
            .set_message(super::words::count(progress.rows, "row", "rows"));
    }

    pub(super) fn position(&self, position: u64) {
        self.0.set_position(position);
    }

    /// Takes the bar off the screen.
    pub(super) fn clear(&self) {
        self.0.finish_and_clear();
    }
}

/// The most columns for an account's name.
const NAME: usize = 16;

/// A send: a line for each account, and below them how far all of it is, in recipients. Clones are the same one.
#[derive(Clone)]
pub(super) struct Board {
    all: MultiProgress,
    accounts: Vec<ProgressBar>,
    total: ProgressBar,
    is_drawn: bool,
}

impl Board {
    /// Nothing where there is no terminal to draw on.
    pub(super) fn new(screen: &Screen, accounts: &[String], total: u64) -> Self {
        let is_drawn = screen.may_draw();
        let target = if is_drawn {
            ProgressDrawTarget::stderr_with_hz(10)
        } else {
            ProgressDrawTarget::hidden()
        };
        let all = MultiProgress::with_draw_target(target);
        let names: Vec<String> = accounts.iter().map(|name| short(name)).collect();
        let width = names
            .iter()
            .map(|name| name.width())
            .max()
            .unwrap_or(0)
            .max(5);
        let line = |name: &str, bar: ProgressBar, template: &str| {
            // Until it is one of several it would draw itself.
            let bar = all.add(bar);
            let style = ProgressStyle::with_template(template)
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            bar.set_style(style.progress_chars("━╸ "));
            let padding = " ".repeat(width.saturating_sub(name.width()));
            bar.set_prefix(format!("{name}{padding}"));
            bar
        };
        let accounts = names
            .iter()
            .map(|name| line(name, ProgressBar::no_length(), "{prefix}  {wide_msg}"));
        let accounts = accounts.collect();
        // When it ends has room beside it in 80 columns.
        let template = if width > 8 {
            "{prefix}  {bar:8} {human_pos}/{human_len} recipients  {wide_msg}"
        } else {
            "{prefix}  {bar:16} {human_pos}/{human_len} recipients  {wide_msg}"
        };
        let total = line("total", ProgressBar::new(total), template);
        if is_drawn {
            total.enable_steady_tick(Duration::from_millis(250));
        }
        Self {
            all,
            accounts,
            total,
            is_drawn,
        }
    }

    /// Whether anybody sees it: what nobody sees need not be put into words.
    pub(super) fn is_drawn(&self) -> bool {
        self.is_drawn
    }

    /// So many recipients are settled.
    pub(super) fn position(&self, position: u64) {
        self.total.set_position(position);
    }

    /// What each account does now, and what is said of all of it.
    pub(super) fn say(&self, accounts: Vec<String>, total: String) {
        for (line, words) in self.accounts.iter().zip(accounts) {
            line.set_message(words);
        }
        self.total.set_message(total);
    }

    /// Prints above it without tearing it.
    pub(super) fn suspend(&self, print: impl FnOnce()) {
        self.all.suspend(print);
    }

    /// Takes it off the screen.
    pub(super) fn clear(&self) {
        for line in &self.accounts {
            line.finish_and_clear();
        }
        self.total.finish_and_clear();
    }
}

/// A name that has room beside what is said of it.
fn short(name: &str) -> String {
    if name.width() <= NAME {
        return name.to_owned();
    }
    let mut short = String::new();
    for letter in name.chars() {
        if short.width() + letter.width().unwrap_or(0) >= NAME {
            break;
        }
        short.push(letter);
    }
    short.push('…');
    short
}
