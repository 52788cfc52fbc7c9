//! `postroom rehearse`: the whole campaign against the stand-in of its provider, days in seconds.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::args::Rehearse;
use super::exit::Exit;
use super::failure::Failure;
use super::plan::freeze;
use super::rehearsed::Summary;
use super::sending::Show;
use super::setup::{Setup, calendar_of, zone_of};
use super::{Context, connect, interrupt};
use crate::clock::Clock;
use crate::config::cache_folder;
use crate::plan::frozen_renderer;
use crate::sandbox::Snapshot;
use crate::send::{self, Ended, Job, Options, Stop};
use crate::store::{CampaignRecord, Store};

pub(super) fn run(context: &Context, args: &Rehearse) -> Result<Exit, Failure> {
    let setup = Setup::read(&args.campaign.folder, &context.places)?;
    let home = Home::make(args.out.as_deref(), &setup.campaign.name)?;
    let path = home.folder.join("rehearsal.db");
    let mut store = Store::open(&path)?;
    let start = context.clock.now();
    let record = match freeze(&context.screen, &setup, &mut store, start)? {
        Ok(record) => record,
        Err(exit) => return Ok(exit),
    };
    let watch = context.clock.stopwatch();
    let rehearsal = Rehearsal {
        setup: &setup,
        record: &record,
        path: &path,
        maildir: home.folder.join("Maildir"),
        clock: Clock::simulated(start),
        refuse: &args.refuse,
    };
    let counts = store.recipient_counts(record.id)?;
    let zone = zone_of(&record);
    let show = Show::new(context, &counts, zone.clone(), true);
    let result = connect::runtime()?.block_on(rehearsal.send(&show));
    show.end();
    let (ended, seen) = result?;
    let summary = Summary {
        counts: store.recipient_counts(record.id)?,
        batches: store.batches(record.id)?,
        finished_at: rehearsal.clock.now(),
        real: watch.elapsed(),
        zone,
        start,
        ended,
        seen,
    };
    summary.show(context, &rehearsal)
}

/// Where a rehearsal's store and mails are kept, until the campaign's next one.
struct Home {
    folder: PathBuf,
    _lock: Option<File>,
}

impl Home {
    fn make(out: Option<&Path>, campaign: &str) -> Result<Self, Failure> {
        match out {
            Some(folder) => {
                make_private(folder)?;
                let taken = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
                if taken {
                    return Err(Failure::new(
                        Exit::CannotCreate,
                        format!("the folder {} is not empty", folder.display()),
                        "name a new or empty folder with --out",
                    ));
                }
                Ok(Self {
                    folder: folder.to_owned(),
                    _lock: None,
                })
            }
            None => Self::in_cache(campaign),
        }
    }

    /// One folder for each campaign, emptied at each rehearsal; the lock keeps two apart.
    fn in_cache(campaign: &str) -> Result<Self, Failure> {
        let base = cache_folder()?.join("rehearsals");
        make_private(&base)?;
        let name = folder_name(campaign);
        let lock_path = base.join(format!("{name}.lock"));
        let lock = File::create(&lock_path).map_err(|cause| cannot_make(&lock_path, &cause))?;
        if lock.try_lock().is_err() {
            return Err(Failure::new(
                Exit::NotFinished,
                format!("'{campaign}' is being rehearsed by another process"),
                "wait for it, or name another folder with --out",
            ));
        }
        let folder = base.join(name);
        match fs::remove_dir_all(&folder) {
            Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
                return Err(cannot_make(&folder, &cause));
            }
            _ => make_private(&folder)?,
        }
        Ok(Self {
            folder,
            _lock: Some(lock),
        })
    }
}

/// A campaign's name as a folder's: readable, and never another campaign's.
fn folder_name(campaign: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let readable: String = campaign.chars().filter(|c| safe(*c)).take(40).collect();
    if readable == campaign {
        return readable;
    }
    let digest = blake3::hash(campaign.as_bytes()).to_hex();
    format!("{readable}-{}", &digest[..12])
}

/// Makes a folder for its owner alone: there will be mail in it.
pub(super) fn make_private(folder: &Path) -> Result<(), Failure> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder
        .create(folder)
        .map_err(|cause| cannot_make(folder, &cause))
}

fn cannot_make(path: &Path, cause: &std::io::Error) -> Failure {
    Failure::new(
        Exit::CannotCreate,
        format!("{} cannot be made: {cause}", path.display()),
        "name a folder where you may write with --out",
    )
}

/// A campaign on its way to the stand-in.
pub(super) struct Rehearsal<'a> {
    pub(super) setup: &'a Setup,
    pub(super) record: &'a CampaignRecord,
    pub(super) path: &'a Path,
    pub(super) maildir: PathBuf,
    pub(super) clock: Clock,
    pub(super) refuse: &'a [String],
}

impl Rehearsal<'_> {
    async fn send(&self, show: &Show<'_>) -> Result<(Ended, Snapshot), Failure> {
        let senders = &self.setup.senders;
        let mut renderers = Vec::new();
        for account in &self.record.accounts {
            renderers.push(frozen_renderer(self.path, self.record, account)?);
        }
        let mut servers = Vec::new();
        let mut accounts = Vec::new();
        for (sender, renderer) in senders.iter().zip(&renderers) {
            let internal = &renderer.definition().internal;
            let mut options = connect::stand_in(sender, internal, self.refuse);
            options.maildir = Some(self.maildir.clone());
            options.keep_records = true;
            let server = connect::start(options, &self.clock).await?;
            accounts.push(connect::account_at(sender, &server)?);
            servers.push(server);
        }
        let (stop, handle) = Stop::new();
        interrupt::watch(handle, || {})?;
        let options = Options {
            accounts,
            calendar: calendar_of(self.record),
            store: self.path.to_owned(),
            wait: true,
            max_messages: None,
            until: None,
        };
        let store = Store::open(self.path)?;
        let job = Job {
            campaign: self.record.id,
            renderers,
            lock: store.lock_for_sending(&self.record.name, self.clock.now())?,
        };
        let ended = send::run(job, options, &self.clock, stop, &mut |event| {
            show.event(&event);
        })
        .await?;
        let mut seen = Snapshot::default();
        for server in servers {
            seen = seen.and(server.stop().await);
        }
        Ok((ended, seen))
    }
}
