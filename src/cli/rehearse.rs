//! `postroom rehearse`: the whole campaign against the stand-in of its provider, days in seconds.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;

use super::args::Rehearse;
use super::exit::Exit;
use super::failure::Failure;
use super::plan::{batch_json, freeze};
use super::screen::Paint;
use super::sending::{Show, verdict};
use super::setup::{Setup, zone_of};
use super::status::counts_line;
use super::{Context, connect, interrupt, words};
use crate::clock::Clock;
use crate::config::cache_folder;
use crate::plan::frozen_renderer;
use crate::sandbox::Snapshot;
use crate::send::{self, Ended, Job, Options, Stop};
use crate::store::{BatchProgress, CampaignRecord, Counts, Store};

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
    let show = Show::new(&context.screen, &counts, zone.clone(), true);
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

fn make_private(folder: &Path) -> Result<(), Failure> {
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

struct Rehearsal<'a> {
    setup: &'a Setup,
    record: &'a CampaignRecord,
    path: &'a Path,
    maildir: PathBuf,
    clock: Clock,
    refuse: &'a [String],
}

impl Rehearsal<'_> {
    async fn send(&self, show: &Show<'_>) -> Result<(Ended, Snapshot), Failure> {
        let sender = &self.setup.sender;
        let renderer = frozen_renderer(self.path, self.record)?;
        let mut options = connect::stand_in(sender, &renderer.definition().internal, self.refuse);
        options.maildir = Some(self.maildir.clone());
        options.keep_records = true;
        let server = connect::start(options, &self.clock).await?;
        let (stop, handle) = Stop::new();
        interrupt::watch(handle, || {})?;
        let options = Options {
            account: connect::account_at(sender, &server)?,
            store: self.path.to_owned(),
            wait: true,
            max_messages: None,
            until: None,
        };
        let store = Store::open(self.path)?;
        let job = Job {
            campaign: self.record.id,
            renderer,
            lock: store.lock_for_sending(&self.record.name, self.clock.now())?,
        };
        let ended = send::run(job, options, &self.clock, stop, &mut |event| {
            show.event(&event)
        })
        .await?;
        Ok((ended, server.stop().await))
    }
}

/// What a rehearsal came to.
struct Summary {
    ended: Ended,
    seen: Snapshot,
    counts: Counts,
    batches: Vec<BatchProgress>,
    start: Timestamp,
    finished_at: Timestamp,
    real: Duration,
    zone: TimeZone,
}

impl Summary {
    fn show(&self, context: &Context, rehearsal: &Rehearsal<'_>) -> Result<Exit, Failure> {
        if context.screen.is_json() {
            self.show_json(context, rehearsal)?;
        } else {
            self.show_text(context, rehearsal)?;
        }
        if !self.seen.breaches.is_empty() {
            return Err(Failure::own(
                "the rehearsal went over a limit of the provider",
            ));
        }
        match verdict(&self.ended, &self.counts, &self.zone) {
            (_, Some(failure)) => Err(failure),
            // Refusing some is what a stand-in is asked for: the rehearsal itself went well.
            (Exit::SomeRefused, None) if self.counts.in_doubt == 0 => Ok(Exit::Done),
            (exit, None) => Ok(exit),
        }
    }

    fn show_json(&self, context: &Context, rehearsal: &Rehearsal<'_>) -> Result<(), Failure> {
        let breaches: Vec<_> = self
            .seen
            .breaches
            .iter()
            .map(
                |breach| json!({ "limit": breach.limit, "at": breach.at, "detail": breach.detail }),
            )
            .collect();
        context.screen.json(&json!({
            "event": "ended",
            "campaign": rehearsal.record.name,
            "received": { "messages": self.seen.messages, "recipients": self.seen.recipients },
            "refused": self.counts.refused,
            "breaches": breaches,
            "batches": self.batches.iter().map(batch_json).collect::<Vec<_>>(),
            "finishes_at": self.finished_at,
            "maildir": rehearsal.maildir,
        }))
    }

    fn show_text(&self, context: &Context, rehearsal: &Rehearsal<'_>) -> Result<(), Failure> {
        let screen = &context.screen;
        let line = |name: &str, value: &str| screen.result(&format!("  {name:<12}{value}"));
        let title = format!(
            "Rehearsal of '{}' on a stand-in for {}",
            rehearsal.record.name, rehearsal.setup.sender.preset.title
        );
        screen.result(&screen.painted(Paint::Bold, &title))?;
        screen.result("")?;
        line(
            "messages",
            &format!("{} received", words::number(self.seen.messages)),
        )?;
        line(
            "recipients",
            &format!("{} received it", words::number(self.seen.recipients)),
        )?;
        line("refused", &self.refused(rehearsal))?;
        line("in all", &counts_line(&self.counts))?;
        let days = self.days();
        let span = words::span(self.finished_at.duration_since(self.start));
        let count = words::count(days.len().max(1) as u64, "day", "days");
        line(
            "days",
            &format!(
                "{count}: {span} of the provider's time, rehearsed in {:.1} s",
                self.real.as_secs_f32()
            ),
        )?;
        let limits = &rehearsal.setup.sender.provider_rules;
        let kept: Vec<String> = limits.iter().map(ToString::to_string).collect();
        if !kept.is_empty() {
            line(
                "limits",
                &format!("kept, as the stand-in counted them: {}", kept.join(", ")),
            )?;
        }
        screen.result("")?;
        let head = format!(
            "  {:<18}{:>10}{:>12}   {:<7}to",
            "day", "messages", "recipients", "from"
        );
        screen.result(&screen.painted(Paint::Dim, &head))?;
        for (date, day) in &days {
            screen.result(&format!(
                "  {:<18}{:>10}{:>12}   {:<7}{}",
                words::day(date),
                words::number(day.messages),
                words::number(day.recipients),
                words::time_of_day(day.first, &self.zone),
                words::time_of_day(day.last, &self.zone),
            ))?;
        }
        screen.result("")?;
        line(
            "the mail",
            &format!("lies in {}", rehearsal.maildir.display()),
        )
    }

    fn refused(&self, rehearsal: &Rehearsal<'_>) -> String {
        if self.counts.refused == 0 {
            return "0".to_owned();
        }
        let patterns = rehearsal.refuse.join(", ");
        format!(
            "{} (the stand-in refuses {patterns})",
            words::number(self.counts.refused)
        )
    }

    /// What the stand-in received on each day, by its own records.
    fn days(&self) -> BTreeMap<String, Day> {
        let mut days: BTreeMap<String, Day> = BTreeMap::new();
        for received in &self.seen.records {
            let date = self.zone.to_datetime(received.at).date().to_string();
            let day = days.entry(date).or_insert(Day {
                messages: 0,
                recipients: 0,
                first: received.at,
                last: received.at,
            });
            day.messages += 1;
            day.recipients += received.recipients.len() as u64;
            day.first = day.first.min(received.at);
            day.last = day.last.max(received.at);
        }
        days
    }
}

struct Day {
    messages: u64,
    recipients: u64,
    first: Timestamp,
    last: Timestamp,
}
