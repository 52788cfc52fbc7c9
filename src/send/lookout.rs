//! Looking out for a halt while a send waits.
//!
//! Who claims is told of a halt in the same transaction; who waits for hours, or for a connection, claims nothing.
//! This looks into the store every second of the time by which deadlines go: real time, on a simulated clock too, so
//! that days that pass there in milliseconds are not held up.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::clock::{Clock, Stopwatch};
use crate::store::{Halt, Store};

/// How often to look.
const LOOK: Duration = Duration::from_secs(1);

/// Looks into the store for a campaign's halt.
#[derive(Debug)]
pub(super) struct Lookout {
    path: PathBuf,
    campaign: i64,
    /// Open from the first look on; a send that never waits needs none.
    store: Option<Store>,
    /// Since the last look.
    watch: Stopwatch,
}

impl Lookout {
    pub(super) fn new(store: &Path, campaign: i64, clock: &Clock) -> Self {
        Self {
            path: store.to_owned(),
            campaign,
            store: None,
            watch: clock.stopwatch(),
        }
    }

    /// Returns once the campaign is halted. It may be dropped at any time: many short waits are looked after as
    /// a long one is.
    pub(super) async fn halted(&mut self, clock: &Clock) -> Halt {
        loop {
            let rest = LOOK.saturating_sub(self.watch.elapsed());
            let _elapsed = clock.within(rest, std::future::pending::<()>()).await;
            self.watch = clock.stopwatch();
            if let Some(halt) = self.look() {
                return halt;
            }
        }
    }

    /// A store that cannot be read just now is no halt: the next claim meets that trouble, and tells it.
    fn look(&mut self) -> Option<Halt> {
        if self.store.is_none() {
            self.store = Store::open(&self.path).ok();
        }
        self.store.as_ref()?.halt_of(self.campaign).ok()?
    }
}
