//! Looking out, while a send waits, for what people do with its campaign.
//!
//! Who claims is told of a halt, and of an edited list, in the same transaction; who waits for hours, or for a
//! connection, claims nothing. This looks into the store every second of the time by which deadlines go: real time,
//! on a simulated clock too, so that days that pass there in milliseconds are not held up.

use std::path::PathBuf;
use std::time::Duration;

use crate::clock::{Clock, Stopwatch};
use crate::store::{Error, Halt, Store};

/// How often to look.
const LOOK: Duration = Duration::from_secs(1);

/// What somebody did with the campaign meanwhile.
#[derive(Debug)]
pub(super) enum News {
    /// Nothing more of it is to go.
    Halted(Halt),
    /// What is to go, or when, may be another than it was.
    Changed,
}

/// Looks into the store for what is done with a campaign.
#[derive(Debug)]
pub(super) struct Lookout {
    path: PathBuf,
    campaign: i64,
    /// Open from the first look on; a send that never waits needs none.
    store: Option<Store>,
    /// The last change that is known of.
    known: i64,
    /// Since the last look.
    watch: Stopwatch,
}

impl Lookout {
    /// Whatever changes from now on is news, also where it is only looked for later.
    pub(super) fn new(store: &Store, campaign: i64, clock: &Clock) -> Result<Self, Error> {
        Ok(Self {
            path: store.path().to_owned(),
            campaign,
            store: None,
            known: store.last_change(campaign)?,
            watch: clock.stopwatch(),
        })
    }

    /// Returns once there is news. It may be dropped at any time: many short waits are looked after as a long one
    /// is.
    pub(super) async fn news(&mut self, clock: &Clock) -> News {
        loop {
            let rest = LOOK.saturating_sub(self.watch.elapsed());
            let _elapsed = clock.within(rest, std::future::pending::<()>()).await;
            self.watch = clock.stopwatch();
            // A store that cannot be read just now has no news: the next claim meets that trouble, and tells it.
            if let Ok(Some(news)) = self.look() {
                return news;
            }
        }
    }

    fn look(&mut self) -> Result<Option<News>, Error> {
        let store = match &mut self.store {
            Some(store) => store,
            none => none.insert(Store::open(&self.path)?),
        };
        if let Some(halt) = store.halt_of(self.campaign)? {
            return Ok(Some(News::Halted(halt)));
        }
        let last = store.last_change(self.campaign)?;
        let is_news = std::mem::replace(&mut self.known, last) != last;
        Ok(is_news.then_some(News::Changed))
    }
}
