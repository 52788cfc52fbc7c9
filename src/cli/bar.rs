//! Progress bars, where there is a terminal to draw them on.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

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

    /// For sending: counted in recipients.
    pub(super) fn sending(screen: &Screen, total: u64) -> Self {
        let bar = Self::new(
            screen,
            total,
            // What it waits for has room beside it in 80 columns.
            "{prefix:<10} {bar:16} {human_pos}/{human_len} recipients  {wide_msg}",
        )
        .named("sending");
        bar.0.enable_steady_tick(Duration::from_millis(250));
        bar
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

    pub(super) fn message(&self, message: String) {
        self.0.set_message(message);
    }

    /// Prints above the bar without tearing it.
    pub(super) fn suspend(&self, print: impl FnOnce()) {
        self.0.suspend(print);
    }

    /// Takes the bar off the screen.
    pub(super) fn clear(&self) {
        self.0.finish_and_clear();
    }
}
