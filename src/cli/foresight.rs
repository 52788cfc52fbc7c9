//! When a send will be finished, reckoned beside it and never in its way.
//!
//! A forecast of a long list takes seconds, and whoever gives leave to messages has none to spare: a thread of its
//! own asks the same forecast as `status`, now and then, when it is asked to.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::Timestamp;

use super::failure::Failure;
use super::pulse::lock;
use super::setup;
use crate::clock::{Clock, Stopwatch};
use crate::config::Sender;
use crate::store::{CampaignRecord, Store};

/// A forecast serves for so long, at least.
const SERVES: Duration = Duration::from_secs(30);

/// It serves so many times as long as it took.
const SHARE: u32 = 20;

/// What is reckoned with.
pub(super) struct Question {
    pub(super) path: PathBuf,
    pub(super) record: CampaignRecord,
    pub(super) senders: Vec<Sender>,
    pub(super) clock: Clock,
}

impl Question {
    /// The same forecast as `status`.
    pub(super) fn answer(&self) -> Result<Option<Timestamp>, Failure> {
        let store = Store::open(&self.path)?;
        let outlook = setup::outlook(&store, &self.record, &self.senders, self.clock.reading())?;
        let forecast = outlook.forecast(&store, self.record.id)?;
        Ok(forecast.map(|forecast| forecast.finishes_at))
    }
}

/// The last answer, and how long it took. Clones are the same one.
#[derive(Clone, Default)]
pub(super) struct Known(Arc<Mutex<(Option<Timestamp>, Duration)>>);

impl Known {
    /// By the last answer.
    pub(super) fn finishes_at(&self) -> Option<Timestamp> {
        lock(&self.0).0
    }
}

/// Knows when a send will be finished.
pub(super) struct Foresight {
    known: Known,
    asking: Option<(SyncSender<()>, JoinHandle<()>)>,
    /// Since it was asked last.
    watch: Stopwatch,
}

impl Foresight {
    /// Asks again now and then.
    pub(super) fn new(question: Question) -> Self {
        let watch = question.clock.stopwatch();
        let known = Known::default();
        let (asks, asked) = sync_channel(1);
        let answer = known.clone();
        let thread = std::thread::spawn(move || reckon(&question, &asked, &answer));
        let foresight = Self {
            known,
            asking: Some((asks, thread)),
            watch,
        };
        foresight.ask();
        foresight
    }

    /// Knows one answer for good.
    pub(super) fn fixed(at: Option<Timestamp>, clock: &Clock) -> Self {
        Self {
            known: Known(Arc::new(Mutex::new((at, Duration::ZERO)))),
            asking: None,
            watch: clock.stopwatch(),
        }
    }

    fn ask(&self) {
        if let Some((asks, _)) = &self.asking {
            // One that is still to be heard serves for both.
            let _asked = asks.try_send(());
        }
    }

    /// Asks again when the last answer has served its time; cheap otherwise.
    pub(super) fn keep_up(&mut self, clock: &Clock) {
        if self.asking.is_none() || self.watch.elapsed() < SERVES {
            return;
        }
        let (_, took) = *lock(&self.known.0);
        if self.watch.elapsed() >= took.saturating_mul(SHARE) {
            self.watch = clock.stopwatch();
            self.ask();
        }
    }

    /// What it knows, now and later.
    pub(super) fn known(&self) -> Known {
        self.known.clone()
    }
}

impl Drop for Foresight {
    fn drop(&mut self) {
        if let Some((asks, thread)) = self.asking.take() {
            drop(asks);
            // So that it has closed the store.
            let _ended = thread.join();
        }
    }
}

fn reckon(question: &Question, asked: &Receiver<()>, answer: &Known) {
    while asked.recv().is_ok() {
        let watch = question.clock.stopwatch();
        // A figure that cannot be had is not shown; the send meets the same trouble and tells it.
        let at = question.answer().unwrap_or(None);
        *lock(&answer.0) = (at, watch.elapsed());
    }
}
