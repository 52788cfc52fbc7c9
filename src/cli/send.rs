//! `postroom send`: sends, and goes on where an earlier run ended.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::Value;

use super::args::Send;
use super::canary::{self, Share};
use super::exit::Exit;
use super::failure::Failure;
use super::foresight::{Foresight, Question};
use super::intent::{dry_run, question};
use super::plan::{existing, freeze, planned_senders};
use super::recording::Recording;
use super::rehearse::make_private;
use super::sending::{Scene, Show, halted, verdict};
use super::setup::{self, Setup, calendar_of, zone_of};
use super::status::{Standing, counts_line, status_json};
use super::store::claim_before_sending;
use super::{Context, connect, interrupt, starting, words};
use crate::config::Sender;
use crate::message::Editions;
use crate::plan::frozen_editions;
use crate::send::{self, Ended, Job, Options, Stop};
use crate::store::{CampaignRecord, Counts, SenderLock, Store};

pub(super) fn run(context: &Context, args: &Send) -> Result<Exit, Failure> {
    let setup = Setup::read(&args.campaign.folder, &context.places)?;
    let (mut store, path) = setup::store(&context.places)?;
    if !args.dry_run
        && let Some(exit) = claim_before_sending(context, &mut store)?
    {
        return Ok(exit);
    }
    let known = existing(context, &setup, &store)?;
    let is_new = known.is_none();
    let record = match known {
        Some(record) => record,
        None => match freeze(&context.screen, &setup, &mut store, context.clock.reading())? {
            Ok(record) => record,
            Err(exit) => return Ok(exit),
        },
    };
    let senders = planned_senders(context, &setup, &record)?;
    let errand = Errand {
        context,
        args,
        senders: &senders,
        record: &record,
        path: &path,
    };
    let agreed = errand.agree(&mut store);
    if is_new && !matches!(agreed, Ok(Agreed::Yes(_))) {
        // What was planned only to be asked about is not kept: the campaign may still be edited.
        store.discard_plan(record.id)?;
    }
    match agreed? {
        Agreed::Yes(lock) => errand.run(&store, lock),
        Agreed::No(exit) => Ok(exit),
    }
}

/// Whether a send may begin.
enum Agreed {
    /// It may; nobody else sends the campaign.
    Yes(SenderLock),
    /// There is nothing to send, or it was not wanted.
    No(Exit),
}

/// With the lock held: what a sender that is gone left in hand is put right before anything is said.
fn recover(context: &Context, store: &mut Store, record: &CampaignRecord) -> Result<(), Failure> {
    if !store.has_in_hand(record.id)? {
        return Ok(());
    }
    let in_doubt = store.recover(record.id, &context.clock)?;
    if in_doubt > 0 {
        context.screen.warning(&format!(
            "an earlier send ended in the middle: {} in doubt and will not be sent again by itself; \
             `postroom resolve` settles that",
            words::count(in_doubt, "message is", "messages are")
        ));
    }
    Ok(())
}

fn nothing_left(
    context: &Context,
    store: &Store,
    record: &CampaignRecord,
) -> Result<Exit, Failure> {
    let counts = store.recipient_counts(record.id)?;
    if context.screen.is_json() {
        let standing = Standing::of(store, record, None, context.clock.reading())?;
        context.screen.json(&ended_json(record, &standing))?;
    } else {
        context.screen.result(&format!(
            "'{}' is finished; nothing is left to send",
            record.name
        ))?;
        context.screen.result(&counts_line(&counts))?;
    }
    Ok(verdict(&Ended::Finished, &counts, &zone_of(record)).0)
}

/// The event that ends a send: what `status --json` says.
fn ended_json(record: &CampaignRecord, standing: &Standing) -> Value {
    let mut value = status_json(record, standing);
    value["event"] = "ended".into();
    value
}

/// How far a send goes.
struct Stretch {
    max: Option<u64>,
    /// So many messages before a word.
    canary: Option<u64>,
    until: Option<Timestamp>,
}

/// One run of a send.
struct Errand<'a> {
    context: &'a Context,
    args: &'a Send,
    senders: &'a [Sender],
    record: &'a CampaignRecord,
    path: &'a Path,
}

impl Errand<'_> {
    /// True when it goes to the built-in stand-in.
    fn plays(&self) -> bool {
        self.senders.iter().any(Sender::is_sandbox)
    }

    fn renderers(&self) -> Result<Vec<Editions>, Failure> {
        let accounts = self.record.accounts.iter();
        let editions = |account: &String| Ok(frozen_editions(self.path, self.record, account)?);
        accounts.map(editions).collect()
    }

    /// Takes the campaign and asks.
    fn agree(&self, store: &mut Store) -> Result<Agreed, Failure> {
        let (context, record) = (self.context, self.record);
        if self.args.dry_run {
            let canary = self.args.canary;
            return dry_run(context, store, record, self.senders, canary).map(Agreed::No);
        }
        if let Some(halt) = store.halt_of(record.id)?
            && store.has_left(record.id)?
        {
            return self.refuse(store, halted(&halt, &zone_of(record)));
        }
        let lock = store.lock_for_sending(&record.name, context.clock.now())?;
        recover(context, store, record)?;
        if store.recipient_counts(record.id)?.is_finished() {
            return nothing_left(context, store, record).map(Agreed::No);
        }
        starting::look_at_clock(context, store, Some(record), self.args.trust_clock)?;
        if !starting::may_begin_late(context, store, record, self.args)? {
            context.screen.note("nothing was sent");
            return Ok(Agreed::No(Exit::Done));
        }
        if self.is_past_canary(store)? {
            // What goes now is what the canary was to tell of: that is the question.
            return if canary::may_go_on(context, store, record)? {
                Ok(Agreed::Yes(lock))
            } else {
                drop(lock);
                self.refuse(store, canary::waits(store, record)?)
            };
        }
        let question = question(context, store, record, self.senders, self.args.canary)?;
        if context.screen.confirm(&question, self.args.yes)? {
            return Ok(Agreed::Yes(lock));
        }
        context.screen.note("nothing was sent");
        Ok(Agreed::No(Exit::Done))
    }

    /// A send that may not begin: whoever reads events gets the last one, as from any other send.
    fn refuse(&self, store: &Store, why: Failure) -> Result<Agreed, Failure> {
        if !self.context.screen.is_json() {
            return Err(why);
        }
        self.print_end(store)?;
        self.context.screen.warning(&why.message);
        Ok(Agreed::No(why.exit))
    }

    /// The last event: where the campaign stands.
    fn print_end(&self, store: &Store) -> Result<(), Failure> {
        let record = store.campaign(&self.record.name)?;
        let record = record.as_ref().unwrap_or(self.record);
        let now = self.context.clock.reading();
        let standing = Standing::of(store, record, Some(self.senders), now)?;
        self.context.screen.json(&ended_json(record, &standing))
    }

    /// Says so when what was asked for lets nothing go.
    fn note_empty_errand(&self) {
        let now = self.context.clock.now();
        let until = self.args.until.map(|until| until.next(now));
        if self.args.max == Some(0) {
            self.context.screen.note("--max 0 lets no message go");
        } else if let Some(past) = until.filter(|until| *until <= now) {
            let past = words::time(past, &zone_of(self.record));
            self.context.screen.note(&format!(
                "--until names a time that has passed ({past}): no message goes"
            ));
        }
    }

    fn run(&self, store: &Store, lock: SenderLock) -> Result<Exit, Failure> {
        let screen = &self.context.screen;
        self.note_empty_errand();
        let counts = store.recipient_counts(self.record.id)?;
        let zone = zone_of(self.record);
        if self.plays() {
            let maildir = maildir_beside(self.path);
            screen.note(&format!(
                "the stand-in keeps what it receives in {}, and refuses {}",
                maildir.display(),
                connect::GONE
            ));
        }
        // A password is asked for before anything is drawn.
        let accounts = if self.plays() {
            None
        } else {
            let account = |sender| connect::account(self.context, sender);
            let accounts = self.senders.iter().map(account);
            Some(accounts.collect::<Result<Vec<_>, _>>()?)
        };
        let ended = self.stretches(store, lock, accounts.as_deref())?;
        let before = counts;
        let counts = store.recipient_counts(self.record.id)?;
        let (exit, mut failure) = verdict(&ended, &counts, &zone);
        if matches!(ended, Ended::AtCanary { .. }) {
            failure = Some(canary::waits(store, self.record)?);
        }
        if screen.is_json() {
            self.print_end(store)?;
        } else {
            screen.result(&format!("{}: {}", self.record.name, ended_words(&ended)))?;
            if let Some(why) = self.nothing_was_to_go(&ended, &before, &counts) {
                screen.note(&why);
            }
            screen.result(&counts_line(&counts))?;
            if counts.in_doubt > 0 {
                screen.note("`postroom resolve` lists what is in doubt, and how to settle it");
            }
        }
        if let Some(failure) = failure {
            if !screen.is_json() {
                return Err(failure);
            }
            // Its last line is the status, which says the same in fields.
            screen.warning(&failure.message);
        }
        Ok(exit)
    }

    /// The first ones have gone, and the others wait for a word.
    fn is_past_canary(&self, store: &Store) -> Result<bool, Failure> {
        Ok(canary::share(store, self.record, self.args.canary)? == Share::Nothing)
    }

    /// Sends; with a canary, what goes before the word, and then the rest if the word is given.
    fn stretches(
        &self,
        store: &Store,
        mut lock: SenderLock,
        accounts: Option<&[send::Account]>,
    ) -> Result<Ended, Failure> {
        let (context, record) = (self.context, self.record);
        let runtime = connect::runtime()?;
        let canary = match canary::share(store, record, self.args.canary)? {
            Share::First(first) => Some(first),
            Share::All | Share::Nothing => None,
        };
        if let (Some(first), None, false) = (self.args.canary, canary, self.is_past_canary(store)?)
        {
            context.screen.note(&format!(
                "the campaign has no more than {}: --canary holds none of them back",
                words::count(first, "message", "messages")
            ));
        }
        let mut stretch = Stretch {
            max: self.args.max,
            canary,
            until: self.args.until.map(|until| until.next(context.clock.now())),
        };
        loop {
            let counts = store.recipient_counts(record.id)?;
            let show = self.show(&counts);
            let accounts = accounts.map(<[_]>::to_vec);
            let ended = runtime.block_on(self.send(lock, accounts, (&show, &counts), &stretch));
            show.end();
            let ended = ended?;
            let Ended::AtCanary { handed_over } = ended else {
                return Ok(ended);
            };
            let watch = runtime.block_on(async { interrupt::watch_question() })?;
            if !canary::may_go_on(context, store, record)? {
                return Ok(ended);
            }
            drop(watch);
            stretch.max = stretch.max.map(|max| max.saturating_sub(handed_over));
            stretch.canary = None;
            // While the question was open the campaign was anybody's.
            lock = store.lock_for_sending(&record.name, context.clock.now())?;
        }
    }

    /// What is shown of a stretch; where nobody looks, it is not reckoned when that ends.
    fn show(&self, counts: &Counts) -> Show<'_> {
        let (screen, clock) = (&self.context.screen, &self.context.clock);
        let question = || Question {
            path: self.path.to_owned(),
            record: self.record.clone(),
            senders: self.senders.to_vec(),
            clock: clock.clone(),
        };
        let scene = Scene {
            accounts: &self.record.accounts,
            counts: *counts,
            zone: zone_of(self.record),
            clock,
            simulated: false,
            foresight: screen.may_note().then(|| Foresight::new(question())),
        };
        Show::new(screen, scene)
    }

    /// Why a send that ended as asked has sent nothing.
    fn nothing_was_to_go(&self, ended: &Ended, before: &Counts, after: &Counts) -> Option<String> {
        if !matches!(ended, Ended::AsAsked) || before != after {
            return None;
        }
        if self.args.max == Some(0) {
            return Some("nothing was sent: --max 0 allows no message".to_owned());
        }
        Some(
            "nothing was sent: --until is over before the next message may go (`postroom status` says when)"
                .to_owned(),
        )
    }

    async fn send(
        &self,
        lock: SenderLock,
        accounts: Option<Vec<send::Account>>,
        (show, left): (&Show<'_>, &Counts),
        stretch: &Stretch,
    ) -> Result<Ended, Failure> {
        let renderers = self.renderers()?;
        let mut server = None;
        let accounts = match (accounts, self.senders, renderers.first()) {
            (Some(accounts), ..) => accounts,
            (None, [sender, ..], Some(editions)) => {
                let internal = &editions.current().definition().internal;
                let mut options = connect::stand_in(sender, internal, &[connect::GONE.to_owned()]);
                let maildir = maildir_beside(self.path);
                make_private(&maildir)?;
                options.maildir = Some(maildir);
                let started = server.insert(connect::start(options, &self.context.clock).await?);
                vec![connect::account_at(sender, started)?]
            }
            _ => return Err(Failure::own("a campaign without an account")),
        };
        let (stop, handle) = Stop::new();
        let quiet = self.context.screen.is_json();
        let _watch = interrupt::watch(handle, move || tell(quiet))?;
        let options = Options {
            accounts,
            calendar: calendar_of(self.record),
            store: self.path.to_owned(),
            wait: !self.args.no_wait,
            max_messages: stretch.max,
            canary: stretch.canary,
            until: stretch.until,
        };
        let job = Job {
            campaign: self.record.id,
            renderers,
            lock,
        };
        let clock = &self.context.clock;
        let mut recording = Recording::begin(self.path, self.record, left, clock)?;
        let ended = send::run(job, options, clock, stop, &mut |event| {
            recording.event(&event);
            show.event(&event);
        })
        .await;
        if let Some(server) = server {
            server.stop().await;
        }
        Ok(ended?)
    }
}

/// What a send to the stand-in server leaves: beside the store, for its owner alone.
pub(super) fn maildir_beside(store: &Path) -> PathBuf {
    store.with_file_name("sandbox").join("Maildir")
}

pub(super) fn tell(quiet: bool) {
    use std::io::Write as _;
    if !quiet {
        let _ = writeln!(
            std::io::stderr(),
            "\nfinishing what is in hand; press Ctrl-C again to end at once (a message may then be in doubt)"
        );
    }
}

fn ended_words(ended: &Ended) -> &'static str {
    match ended {
        Ended::Finished => "finished",
        Ended::Interrupted => "interrupted; `postroom send` goes on where it was",
        Ended::Halted(_) => "halted",
        Ended::AsAsked => "ended as asked; `postroom send` goes on where it was",
        Ended::AtCanary { .. } => "not finished; the others wait for a word",
        Ended::WouldWait(..) => "not finished",
        Ended::Stopped(_) => "stopped",
    }
}
