//! Everything outside a sender, on one thread: time, network, servers, the disk's fate, and its own death.
//!
//! A sender acts on the outside by its connections alone. Whenever it is about to (and whenever it has nothing
//! more to do) it comes by here ([`World::enter`]): that is where commits are noticed and where it may die.
//! The moment at which it dies, the disk is as the image says and nothing that it does arrives anywhere any more,
//! though its runtime is dropped only when the poll under way has ended.

use std::future::Future;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use postroom::clock::Clock;
use postroom::sandbox::Portless;

use crate::dice::Dice;
use crate::disk::{self, Image};
use crate::sessions::Sessions;
use crate::tally::{Kind, Tally};

/// When a sender dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kill {
    Never,
    /// The nth time that it comes by.
    AtStep(u64),
    /// In its nth commit, or before anybody learns of that.
    AtCommit(u64),
}

/// A sender that comes by so often will never end.
const TOO_OFTEN: u64 = 400_000;

#[derive(Default)]
struct Life {
    is_on: bool,
    kill: Option<Kill>,
    steps: u64,
    commits: u64,
    stamp: Option<[u8; 48]>,
    /// The disk at the commit before the one in which it is to die.
    before: Option<Image>,
    /// What is left on the disk.
    left: Option<Image>,
    is_stuck: bool,
    root: Option<Waker>,
    /// After how many steps somebody does something elsewhere.
    errands: Vec<u64>,
}

pub(crate) struct World {
    pub(crate) clock: Clock,
    pub(crate) store: PathBuf,
    pub(crate) servers: Vec<Portless>,
    dice: Mutex<Dice>,
    quiet: AtomicBool,
    log: Mutex<Vec<String>>,
    tally: Mutex<Tally>,
    life: Mutex<Life>,
    pub(crate) sessions: Sessions,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("World")
    }
}

impl World {
    pub(crate) fn new(
        clock: Clock,
        store: PathBuf,
        servers: Vec<Portless>,
        dice: Dice,
    ) -> Arc<Self> {
        Arc::new(Self {
            clock,
            store,
            servers,
            dice: Mutex::new(dice),
            quiet: AtomicBool::new(false),
            log: Mutex::default(),
            tally: Mutex::default(),
            life: Mutex::default(),
            sessions: Sessions::default(),
        })
    }

    /// The time that nobody sets.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.unset().now()
    }

    pub(crate) fn sleep_until(&self, until: Timestamp) -> impl Future<Output = ()> + Send + use<> {
        let clock = self.clock.unset();
        async move { clock.sleep_until(until).await }
    }

    /// Throws dice; says whether the network is to behave.
    pub(crate) fn dice<T>(&self, throw: impl FnOnce(&mut Dice, bool) -> T) -> T {
        throw(&mut self.dice.lock().unwrap(), self.is_quiet())
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet.load(Ordering::Relaxed)
    }

    pub(crate) fn be_quiet(&self) {
        self.quiet.store(true, Ordering::Relaxed);
    }

    pub(crate) fn note(&self, what: impl FnOnce() -> String) {
        let at = self
            .now()
            .duration_since(crate::campaign::start())
            .as_millis();
        let what = what();
        // Half an answer may be quoted, and the server's own name for a message in it, which is random.
        let steady = what.split('<').next().unwrap_or_default();
        self.log.lock().unwrap().push(format!("{at:>9} {steady}"));
    }

    pub(crate) fn take_log(&self) -> Vec<String> {
        std::mem::take(&mut self.log.lock().unwrap())
    }

    pub(crate) fn count(&self, kind: Kind) {
        self.tally(|tally| tally.add(kind, 1));
    }

    pub(crate) fn tally<T>(&self, change: impl FnOnce(&mut Tally) -> T) -> T {
        change(&mut self.tally.lock().unwrap())
    }

    /// A sender begins to live.
    pub(crate) fn begin(&self, kill: Kill, errands: Vec<u64>) {
        let before = (kill == Kill::AtCommit(1)).then(|| Image::take(&self.store));
        *self.life.lock().unwrap() = Life {
            is_on: true,
            kill: Some(kill),
            stamp: disk::stamp(&self.store),
            before,
            errands,
            ..Life::default()
        };
    }

    /// It has ended or died; what the disk has kept, if it died. Call it when nothing of it is left.
    pub(crate) fn end(&self) -> Option<Image> {
        let life = std::mem::take(&mut *self.life.lock().unwrap());
        self.tally(|tally| tally.commits += life.commits);
        life.left
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.life.lock().unwrap().left.is_some()
    }

    pub(crate) fn is_stuck(&self) -> bool {
        self.life.lock().unwrap().is_stuck
    }

    pub(crate) fn watch(&self, root: &Waker) {
        self.life.lock().unwrap().root = Some(root.clone());
    }

    /// Whether it is time to do something elsewhere.
    pub(crate) fn is_errand_due(&self) -> bool {
        let mut life = self.life.lock().unwrap();
        let steps = life.steps;
        let before = life.errands.len();
        life.errands.retain(|at| *at > steps);
        life.errands.len() < before
    }

    /// What somebody did elsewhere is no commit of the sender's.
    pub(crate) fn disregard(&self) {
        let mut life = self.life.lock().unwrap();
        life.stamp = disk::stamp(&self.store);
        if life.before.is_some() {
            life.before = Some(Image::take(&self.store));
        }
    }

    /// The sender comes by. True when it is dead.
    pub(crate) fn enter(&self) -> bool {
        let mut life = self.life.lock().unwrap();
        if life.left.is_some() || !life.is_on {
            return life.left.is_some();
        }
        life.steps += 1;
        let stamp = disk::stamp(&self.store);
        let has_written = stamp != life.stamp;
        if has_written {
            life.stamp = stamp;
            life.commits += 1;
        }
        let left = match life.kill {
            Some(Kill::AtStep(step)) if life.steps >= step => {
                self.count(Kind::Kill);
                let image = Image::take(&self.store);
                Some(self.dice(|dice, _| image.after_power_cut(None, dice)))
            }
            Some(Kill::AtCommit(commit)) if has_written && life.commits == commit => {
                let after = Image::take(&self.store);
                let before = life.before.take().unwrap_or_else(|| after.clone());
                let (kind, left) = self.dice(|dice, _| match dice.within(0..=2) {
                    0 => (Kind::Kill, after.after_power_cut(Some(&before), dice)),
                    _ => (Kind::Torn, Image::torn(&before, &after, dice)),
                });
                self.count(kind);
                Some(left)
            }
            Some(Kill::AtCommit(commit)) if has_written && life.commits + 1 == commit => {
                life.before = Some(Image::take(&self.store));
                None
            }
            _ => None,
        };
        life.is_stuck |= life.steps > TOO_OFTEN;
        if left.is_some() {
            let (steps, commits) = (life.steps, life.commits);
            self.note(|| format!("the sender dies: step {steps}, commit {commits}"));
        }
        let is_dead = left.is_some();
        life.left = left;
        let steps = life.steps;
        if (is_dead || life.is_stuck || life.errands.iter().any(|at| *at <= steps))
            && let Some(root) = life.root.as_ref()
        {
            root.wake_by_ref();
        }
        is_dead
    }

    /// The sender has nothing to do: the servers go on, and when they have nothing to do either, so does time.
    pub(crate) fn turn(&self) {
        let is_over = self.enter() || self.is_stuck();
        if !is_over && !self.sessions.go_on() && !self.clock.advance() {
            self.life.lock().unwrap().is_stuck = true;
        }
        // Whether anything of this is for the sender, only its runtime knows.
        if let Some(root) = self.life.lock().unwrap().root.as_ref() {
            root.wake_by_ref();
        }
    }

    /// So much time passes without a sender.
    pub(crate) fn pass(&self, length: Duration) {
        let length = SignedDuration::try_from(length).unwrap();
        let until = self.now() + length;
        let mut waiting = Box::pin(self.sleep_until(until));
        let nobody = Waker::noop();
        while waiting
            .as_mut()
            .poll(&mut Context::from_waker(nobody))
            .is_pending()
        {
            if !self.sessions.go_on() {
                self.clock.advance();
            }
        }
    }
}
