//! `postroom status --watch`: follows a campaign that another process sends.
//!
//! It looks once a second, and only then: nothing is locked or kept open in between. It ends when there is nothing
//! more to see.

use jiff::SignedDuration;

use super::page::{self, outcomes};
use super::standing::Standing;
use super::status_json;
use crate::cli::connect;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::interrupt::Signals;
use crate::cli::setup::Planned;
use crate::cli::{Context, words};
use crate::config::Sender;
use crate::store::{AtWork, Counts, RunState};

/// The time between two looks.
const PAUSE: SignedDuration = SignedDuration::from_secs(1);

/// After so many looks at which nothing had changed the times are told anew.
const STALE: u32 = 10;

pub(super) fn run(
    context: &Context,
    planned: Planned,
    senders: Option<&[Sender]>,
) -> Result<Exit, Failure> {
    let mut watch = Watch {
        context,
        senders,
        planned,
        shown: 0,
        told: None,
        version: None,
        stale: 0,
        was_sent: false,
    };
    connect::runtime()?.block_on(async {
        let mut signals = Signals::catch()?;
        while watch.look()? {
            let next = context.clock.now().saturating_add(PAUSE);
            tokio::select! {
                () = context.clock.sleep_until(next.unwrap_or(jiff::Timestamp::MAX)) => {}
                () = signals.next() => break,
            }
        }
        Ok(Exit::Done)
    })
}

/// What is worth a line when it changes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    state: RunState,
    people: Counts,
    messages: Counts,
    sent_by: Option<AtWork>,
}

struct Watch<'a> {
    context: &'a Context,
    senders: Option<&'a [Sender]>,
    planned: Planned,
    /// How many lines are on the screen.
    shown: usize,
    told: Option<Seen>,
    /// The store's when it was looked at last, and who sent then.
    version: Option<(i64, bool)>,
    stale: u32,
    /// Somebody has sent it since it is watched.
    was_sent: bool,
}

impl Watch<'_> {
    /// Looks, and shows what there is; true when there may be more to see.
    fn look(&mut self) -> Result<bool, Failure> {
        let is_being_sent = self.planned.store.is_being_sent(&self.planned.record.name);
        let version = Some((self.planned.store.version()?, is_being_sent));
        self.stale += 1;
        if version == self.version && self.stale < STALE {
            return Ok(true);
        }
        (self.version, self.stale) = (version, 0);
        self.planned.look_again()?;
        if !is_being_sent {
            self.planned.settle(&self.context.clock)?;
        }
        let planned = &self.planned;
        let now = self.context.clock.reading();
        let standing = Standing::of(&planned.store, &planned.record, self.senders, now)?;
        self.show(&standing)?;
        let goes_on = self.goes_on(&standing);
        self.was_sent |= standing.sent_by.is_some();
        Ok(goes_on)
    }

    /// As long as somebody sends it, or may yet.
    fn goes_on(&self, standing: &Standing) -> bool {
        if standing.sent_by.is_some() {
            return true;
        }
        match standing.state {
            RunState::Finished | RunState::Halted | RunState::Stopped(_) => false,
            // It waits for its next run.
            RunState::Waiting => true,
            // Whoever sent it has ended; who has not begun may.
            RunState::Planned | RunState::Sending => !self.was_sent,
        }
    }

    fn show(&mut self, standing: &Standing) -> Result<(), Failure> {
        let screen = &self.context.screen;
        if !screen.is_json() && screen.can_redraw() {
            let lines = page::lines(screen, &self.planned, standing);
            self.shown = screen.redraw(&lines, self.shown)?;
            return Ok(());
        }
        let seen = Seen {
            state: standing.state.clone(),
            people: standing.people,
            messages: standing.messages,
            sent_by: standing.sent_by.clone(),
        };
        if self.told.as_ref() == Some(&seen) {
            return Ok(());
        }
        self.told = Some(seen);
        if screen.is_json() {
            return screen.json(&status_json(&self.planned.record, standing));
        }
        screen.result_at_once(&self.line(standing))
    }

    fn line(&self, standing: &Standing) -> String {
        let zone = &self.planned.zone;
        let now = zone.to_datetime(self.context.clock.now());
        let ends = [
            ("next", standing.next_send_at),
            ("finishes", standing.finishes_at),
        ];
        let ends = ends.into_iter().filter_map(|(what, at)| {
            at.map(|at| format!("; {what} {}", words::short_time(at, zone)))
        });
        let gone = match &standing.gone {
            Some(_) => "; its sender ended without a word: `postroom send` goes on",
            None => "",
        };
        format!(
            "{}  {}: {}{}{gone}",
            now.strftime("%H:%M:%S"),
            standing.state.as_str(),
            outcomes(&standing.people).join(", "),
            ends.collect::<String>()
        )
    }
}
