//! What the page shows now: read again when a file is saved, checked in the background meanwhile.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use jiff::SignedDuration;
use tokio::sync::watch;

use super::edition::{Edition, Proof, Proved};
use super::watch::Stamps;
use super::{ReadInputs, Source};
use crate::clock::Clock;
use crate::plan::Inputs;
use crate::preview::{Error, Mail};

/// How often the folder is looked at. A file is read once it was left alone that long.
const PACE: SignedDuration = SignedDuration::from_millis(250);

/// What is shown, as a whole.
#[derive(Debug, Clone)]
pub(super) struct Standing {
    /// Rises with every change.
    pub(super) serial: u64,
    pub(super) edition: Arc<Edition>,
    pub(super) proof: Arc<Proof>,
    /// A plan whose folder was edited afterwards.
    pub(super) edited: bool,
}

/// A mail that was asked for last, with what it was made from.
type Kept = Option<(u64, u64, Arc<Mail>)>;

/// Keeps what is shown.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) clock: Clock,
    pub(super) folder: PathBuf,
    pub(super) is_planned: bool,
    /// Where the stores of previews lie.
    place: PathBuf,
    /// Removes that, with everything in it.
    temporary: Mutex<Option<tempfile::TempDir>>,
    standing: watch::Sender<Standing>,
    kept: Mutex<Kept>,
}

/// Has the full check made, the newest edition first.
type Checks = mpsc::Sender<(u64, Inputs)>;

impl Desk {
    pub(super) fn new(folder: PathBuf, is_planned: bool, clock: Clock) -> Result<Self, Error> {
        let place = tempfile::tempdir().map_err(|source| Error::Write {
            path: std::env::temp_dir(),
            source,
        })?;
        let standing = Standing {
            serial: 0,
            edition: Arc::default(),
            proof: Arc::new(Proof::Running(None)),
            edited: false,
        };
        Ok(Self {
            clock,
            folder,
            is_planned,
            place: place.path().to_owned(),
            temporary: Mutex::new(Some(place)),
            standing: watch::Sender::new(standing),
            kept: Mutex::new(None),
        })
    }

    pub(super) fn standing(&self) -> Standing {
        self.standing.borrow().clone()
    }

    /// Waits until what is shown is another than the one with this serial.
    pub(super) async fn changed_since(&self, serial: u64) {
        let mut standing = self.standing.subscribe();
        // The sender lives as long as this does.
        let _ = standing
            .wait_for(|standing| standing.serial != serial)
            .await;
    }

    /// Waits until the list was read once.
    pub(super) async fn read(&self) {
        let mut standing = self.standing.subscribe();
        let _ = standing
            .wait_for(|standing| standing.edition.number > 0)
            .await;
    }

    fn publish(&self, change: impl FnOnce(&mut Standing)) {
        self.standing.send_modify(|standing| {
            change(standing);
            standing.serial += 1;
        });
    }

    /// Reads the source, and again whenever its folder changes. Never ends.
    pub(super) async fn keep(self: Arc<Self>, source: Source) {
        match source {
            Source::Folder(read) => self.keep_folder(read).await,
            Source::Plan { previewer, edited } => {
                let desk = Arc::clone(&self);
                // Whether it worked shows on the page.
                let _ = tokio::task::spawn_blocking(move || desk.show_plan(*previewer)).await;
                let mut known = None;
                loop {
                    known = Some(self.settled(known).await);
                    let (desk, edited) = (Arc::clone(&self), Arc::clone(&edited));
                    let judge = move || {
                        let edited = edited();
                        if edited != desk.standing().edited {
                            desk.publish(|standing| standing.edited = edited);
                        }
                    };
                    let _ = tokio::task::spawn_blocking(judge).await;
                }
            }
        }
    }

    fn show_plan(&self, previewer: crate::preview::Previewer) {
        let (edition, proved) = match Edition::of_plan(&previewer) {
            Ok(edition) => (edition, Proved::of_plan(previewer)),
            Err(cause) => {
                let edition = Edition {
                    number: 1,
                    notes: vec![super::edition::note(&cause)],
                    ..Edition::default()
                };
                (edition, Proved::default())
            }
        };
        self.publish(|standing| {
            standing.edition = Arc::new(edition);
            standing.proof = Arc::new(Proof::Done(Box::new(proved)));
        });
    }

    async fn keep_folder(self: Arc<Self>, read: ReadInputs) {
        let checks = Arc::clone(&self).checker();
        let mut known: Option<Stamps> = None;
        loop {
            let now = self.settled(known.clone()).await;
            let (desk, read, checks) = (Arc::clone(&self), Arc::clone(&read), checks.clone());
            let before = known.replace(now.clone());
            let load = move || desk.load(&read, before.as_ref(), &now, &checks);
            let _ = tokio::task::spawn_blocking(load).await;
        }
    }

    fn load(&self, read: &ReadInputs, before: Option<&Stamps>, now: &Stamps, checks: &Checks) {
        let old = self.standing().edition;
        // Only what stands in these two decides how the list is read.
        let same = |path: &Path| before.is_some_and(|before| before.agree_on(now, path));
        let same_list = same(&self.folder.join("campaign.toml")) && same(&old.list_file);
        let (edition, inputs) = Edition::read(read, &old, same_list);
        let number = edition.number;
        self.publish(|standing| {
            standing.proof = Arc::new(match &inputs {
                Some(_) => Proof::Running(None),
                None => Proof::Done(Box::default()),
            });
            standing.edition = Arc::new(edition);
        });
        if let Some(inputs) = inputs {
            // The checker lives as long as the desk.
            let _ = checks.send((number, inputs));
        }
    }

    /// Waits until the folder differs from what is known and was left alone for a moment.
    async fn settled(&self, known: Option<Stamps>) -> Stamps {
        let mut last: Option<Stamps> = None;
        loop {
            let folder = self.folder.clone();
            let now = tokio::task::spawn_blocking(move || Stamps::of(&folder)).await;
            let now = now.unwrap_or_default();
            match &known {
                None => return now,
                Some(known) if *known != now && last.as_ref() == Some(&now) => return now,
                Some(_) => last = Some(now),
            }
            self.clock.sleep_until(self.clock.now() + PACE).await;
        }
    }

    /// A thread of its own: the check of a long list must not keep anything else waiting, the end included.
    fn checker(self: Arc<Self>) -> Checks {
        let (sender, asked) = mpsc::channel::<(u64, Inputs)>();
        std::thread::spawn(move || {
            while let Ok(mut next) = asked.recv() {
                while let Ok(newer) = asked.try_recv() {
                    next = newer;
                }
                self.check(next.0, &next.1);
            }
        });
        sender
    }

    fn check(&self, number: u64, inputs: &Inputs) {
        let mut told = 0;
        let is_current = |standing: &Standing| standing.edition.number == number;
        let proved = Proved::of_folder(&self.place, inputs, self.clock.now(), &mut |progress| {
            let percent = progress.read * 100 / progress.size.max(1);
            if percent >= told + 5 && is_current(&self.standing()) {
                told = percent;
                self.publish(|standing| standing.proof = Arc::new(Proof::Running(Some(progress))));
            }
        });
        self.publish(|standing| {
            if is_current(standing) {
                standing.proof = Arc::new(Proof::Done(Box::new(proved)));
            }
        });
    }

    /// The mail that a row gets: as planned, or rendered by itself. None when it gets none, or when nothing
    /// can render it.
    pub(super) fn mail(&self, standing: &Standing, row: u64) -> Option<Result<Arc<Mail>, Error>> {
        let is_done = matches!(*standing.proof, Proof::Done(_));
        let made_from = standing.edition.number * 2 + u64::from(is_done);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((from, known, mail)) = &*kept
            && (*from, *known) == (made_from, row)
        {
            return Some(Ok(Arc::clone(mail)));
        }
        let planned = match &*standing.proof {
            // Whoever is in no message of it gets none.
            Proof::Done(proved) if proved.previewer.is_some() => Some(proved.mail(row)?),
            _ => None,
        };
        let made = match planned {
            Some(made) => made,
            None => standing.edition.mail(row, self.clock.now())?,
        };
        Some(made.map(|mail| {
            let mail = Arc::new(mail);
            *kept = Some((made_from, row, Arc::clone(&mail)));
            mail
        }))
    }

    /// Removes what was written for the preview. A check that is still under way, in a thread that nobody can
    /// stop, ends with the process.
    pub(super) fn close(&self) {
        let temporary = self
            .temporary
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(temporary) = temporary
            && let Err(_still_written_to) = temporary.close()
        {
            let _ = std::fs::remove_dir_all(&self.place);
        }
    }
}
