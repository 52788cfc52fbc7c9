//! `postroom rehearse`: the whole campaign against the stand-in of its provider, days in seconds.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use super::args::{Fault, Rehearse};
use super::disk::cannot_create;
use super::exit::Exit;
use super::failure::Failure;
use super::foresight::{Foresight, Question};
use super::plan::{existing, freeze, planned_senders};
use super::rehearsed::{Summary, refusals};
use super::rehearsing::Rehearsal;
use super::sending::{Scene, Show};
use super::setup::{Setup, zone_of};
use super::{Context, words};
use crate::clock::{Clock, Reading};
use crate::config::{Sender, cache_folder, store_path};
use crate::plan::frozen_editions;
use crate::rehearsal::{Extent, Renderers, compare};
use crate::sandbox::Use;
use crate::store::{CampaignRecord, Store};

/// No rule has a longer window.
const LONGEST_WINDOW: Duration = Duration::from_hours(367 * 24);

pub(super) fn run(context: &Context, args: &Rehearse) -> Result<Exit, Failure> {
    let mut setup = Setup::read(&args.campaign.folder, &context.places)?;
    let home = Home::make(args.out.as_deref(), &setup.campaign.name)?;
    let path = home.folder.join("rehearsal.db");
    let reading = context.clock.reading();
    let start = reading.wall;
    drop(Store::fleeting(&path)?);
    let planned = borrow(context, &mut setup, &path, reading)?;
    let mut store = Store::open(&path)?;
    let record = match planned {
        Some(planned) => store
            .campaign(&planned.name)?
            .ok_or_else(|| Failure::own("the plan is gone"))?,
        None => match freeze(&context.screen, &setup, &mut store, start)? {
            Ok(record) => record,
            Err(exit) => return Ok(exit),
        },
    };
    let watch = context.clock.stopwatch();
    let mut faults: Vec<Fault> = args.fault.clone();
    faults.sort_by_key(|fault| *fault as u8);
    faults.dedup();
    let rehearsal = Rehearsal {
        setup: &setup,
        record: &record,
        path: &path,
        maildir: home.folder.join("Maildir"),
        clock: Clock::simulated(start),
        refuse: &args.refuse,
        faults: &faults,
        extent: extent(&store, &record, start)?,
        used: used(&store, &setup, reading)?,
    };
    let zone = zone_of(&record);
    let counts = store.recipient_counts(record.id)?;
    let scene = Scene {
        accounts: &record.accounts,
        counts,
        zone: zone.clone(),
        clock: &rehearsal.clock,
        simulated: true,
        foresight: foresight(context, &rehearsal)?,
    };
    let show = Show::new(&context.screen, scene);
    // While it is sent nobody else has the store open: a killed sender is gone when it is closed.
    drop(store);
    let result = rehearsal.run(&show);
    show.end();
    drop(show);
    let run = result?;
    let store = Store::open(&path)?;
    let mut renderers = Renderers::new();
    for account in &record.accounts {
        let editions = frozen_editions(&path, &record, account)?;
        renderers.insert(account.clone(), editions);
    }
    let summary = Summary {
        compared: compare(&store, record.id, &renderers, &run.seen.records)?,
        counts: store.recipient_counts(record.id)?,
        refusals: refusals(&store, record.id)?,
        batches: store.batches(record.id)?,
        finished_at: rehearsal.clock.now(),
        real: watch.elapsed(),
        zone,
        start,
        run,
    };
    summary.show(context, &rehearsal)
}

/// Fills the rehearsal's store with what the mailboxes have used by now and, where the campaign is planned and
/// not at its end, with what is left of the plan: `send` goes by it, whatever became of the folder.
fn borrow(
    context: &Context,
    setup: &mut Setup,
    path: &Path,
    now: Reading,
) -> Result<Option<CampaignRecord>, Failure> {
    let lies_at = store_path(context.places.store.as_deref())?;
    if !lies_at.exists() {
        return Ok(None);
    }
    let mut store = Store::open(&lies_at)?;
    let mut planned = existing(context, setup, &store)?;
    if let Some(record) = &planned {
        // What a sender that is gone left in hand is put right; one at work is left alone.
        if store.has_in_hand(record.id)?
            && let Ok(_lock) = store.lock_for_sending(&record.name, now.wall)
        {
            store.recover(record.id, &context.clock)?;
        }
        let counts = store.recipient_counts(record.id)?;
        let left = counts.pending + counts.deferred;
        if store.has_left(record.id)? {
            setup.senders = planned_senders(context, setup, record)?;
            let gone = counts.total() - counts.suppressed - left;
            if gone > 0 {
                context.screen.note(&format!(
                    "what is left of the plan is rehearsed: {} of {}",
                    words::number(left),
                    words::count(left + gone, "recipient", "recipients")
                ));
            }
        } else {
            context.screen.note(
                "nothing is left of the campaign's plan; the folder is rehearsed as a new campaign",
            );
            planned = None;
        }
    }
    let campaign = planned.as_ref().map(|record| record.id);
    let mailboxes: Vec<String> = setup.senders.iter().map(Sender::mailbox).collect();
    let names: Vec<&str> = setup.senders.iter().map(|one| one.name.as_str()).collect();
    let own = store
        .campaign(&setup.campaign.name)?
        .map(|record| record.id);
    for other in store.underway(&names, own, now.wall)? {
        context.screen.note(&format!(
            "the campaign '{}' still has {} to go by the same accounts; it is not rehearsed, and both share the limits",
            other.name,
            words::count(other.messages, "message", "messages")
        ));
    }
    store.lend(path, &mailboxes, campaign, &now)?;
    Ok(planned)
}

/// When it will be finished, reckoned once: nobody else may have the store open while it is sent.
fn foresight(context: &Context, rehearsal: &Rehearsal<'_>) -> Result<Option<Foresight>, Failure> {
    if !context.screen.may_note() {
        return Ok(None);
    }
    let question = Question {
        path: rehearsal.path.to_owned(),
        record: rehearsal.record.clone(),
        senders: rehearsal.setup.senders.clone(),
        clock: rehearsal.clock.clone(),
    };
    let at = question.answer()?;
    Ok(Some(Foresight::fixed(at, &rehearsal.clock)))
}

/// What each sender's mailbox has used, for its stand-in.
fn used(store: &Store, setup: &Setup, now: Reading) -> Result<Vec<Vec<Use>>, Failure> {
    let of = |sender: &Sender| -> Result<Vec<Use>, Failure> {
        let entries = store.ledger_since(&sender.mailbox(), LONGEST_WINDOW, now)?;
        let entries = entries.into_iter().map(|entry| Use {
            // A stamp from later is that of a clock that was wrong, or of a message in doubt.
            at: entry.stamped_at.unwrap_or(now.wall).min(now.wall),
            user: None,
            messages: 1,
            recipients: entry.weight.recipients,
            external: entry.weight.external,
        });
        Ok(entries.collect())
    };
    setup.senders.iter().map(of).collect()
}

/// How large the first account's share of the campaign is, by its plan.
fn extent(store: &Store, record: &CampaignRecord, start: Timestamp) -> Result<Extent, Failure> {
    let batches = store.batches(record.id)?;
    let first = record.accounts.first();
    let own = || batches.iter().filter(|batch| Some(&batch.account) == first);
    let starts = own().map(|batch| batch.starts_at);
    Ok(Extent {
        messages: own().map(|batch| batch.messages).sum(),
        recipients: own().map(|batch| batch.recipients).sum(),
        external: store.shape(record.id)?.external,
        starts_at: starts.min().unwrap_or(start).max(start),
    })
}

/// Where a rehearsal's store and mails are kept, until the campaign's next one.
struct Home {
    folder: PathBuf,
    /// What the campaign's last rehearsal left. It is deleted at the end: making many files right after
    /// deleting many is slow on common file systems.
    former: Option<PathBuf>,
    _lock: Option<File>,
}

impl Drop for Home {
    fn drop(&mut self) {
        if let Some(former) = &self.former {
            // What is left over is deleted by the next rehearsal.
            let _left = fs::remove_dir_all(former);
        }
    }
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
                    former: None,
                    _lock: None,
                })
            }
            None => Self::in_cache(campaign),
        }
    }

    /// One folder for each campaign, made anew at each rehearsal; the lock keeps two apart.
    fn in_cache(campaign: &str) -> Result<Self, Failure> {
        let base = cache_folder()?.join("rehearsals");
        make_private(&base)?;
        let name = folder_name(campaign);
        let lock_path = base.join(format!("{name}.lock"));
        let mut options = File::options();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let lock = options
            .open(&lock_path)
            .map_err(|cause| cannot_create(&lock_path, &cause))?;
        if lock.try_lock().is_err() {
            return Err(Failure::new(
                Exit::NotFinished,
                format!("'{campaign}' is being rehearsed by another process"),
                "wait for it, or name another folder with --out",
            ));
        }
        let former = base.join(format!("{name}.former"));
        let folder = base.join(name);
        let unless_missing = |result: std::io::Result<()>| match result {
            Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
                Err(cannot_create(&folder, &cause))
            }
            _ => Ok(()),
        };
        unless_missing(fs::remove_dir_all(&former))?;
        unless_missing(fs::rename(&folder, &former))?;
        make_private(&folder)?;
        Ok(Self {
            folder,
            former: Some(former),
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
        .map_err(|cause| cannot_create(folder, &cause))
}
