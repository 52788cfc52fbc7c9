//! `postroom send`: sends, and goes on where an earlier run ended.

use std::path::{Path, PathBuf};

use super::args::Send;
use super::exit::Exit;
use super::failure::Failure;
use super::plan::{existing, freeze, planned_sender};
use super::rehearse::make_private;
use super::sending::{Show, verdict};
use super::setup::{self, Setup, zone_of};
use super::status::{Standing, counts_line, status_json};
use super::store::claim_before_sending;
use super::{Context, connect, interrupt, words};
use crate::config::Sender;
use crate::plan::{forecast, frozen_renderer};
use crate::send::{self, Ended, Job, Options, Stop};
use crate::store::{CampaignRecord, SenderLock, Store};

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
        None => match freeze(&context.screen, &setup, &mut store, context.clock.now())? {
            Ok(record) => record,
            Err(exit) => return Ok(exit),
        },
    };
    let sender = planned_sender(context, &setup, &record)?;
    let errand = Errand {
        context,
        args,
        sender: &sender,
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
    let in_doubt = store.recover(record.id, context.clock.now())?;
    if in_doubt > 0 {
        context.screen.warning(&format!(
            "an earlier send ended in the middle: {} in doubt and will not be sent again by itself; \
             `postroom resolve` settles that",
            words::count(in_doubt, "message is", "messages are")
        ));
    }
    Ok(())
}

fn question(
    context: &Context,
    store: &Store,
    record: &CampaignRecord,
    sender: &Sender,
) -> Result<String, Failure> {
    let people = store.recipient_counts(record.id)?;
    let messages = store.message_counts(record.id)?;
    let left = |counts: &crate::store::Counts| counts.pending + counts.deferred;
    let now = context.clock.now();
    let finish = match forecast(store, record.id, &sender.rules, &sender.mailbox(), now)? {
        Some(forecast) => format!(
            ", finished {} at the earliest",
            words::time(forecast.finishes_at, &zone_of(record))
        ),
        None => String::new(),
    };
    let server = sender
        .host
        .as_deref()
        .unwrap_or("the built-in stand-in server (nothing leaves this machine)");
    Ok(format!(
        "Send '{}': {} to {}, by account '{}' through {server}{finish}?",
        record.name,
        words::count(left(&messages), "message", "messages"),
        words::count(left(&people), "recipient", "recipients"),
        sender.name,
    ))
}

fn dry_run(
    context: &Context,
    store: &Store,
    record: &CampaignRecord,
    sender: &Sender,
) -> Result<Exit, Failure> {
    if context.screen.is_json() {
        let standing = Standing::of(store, record, Some(sender), context.clock.now())?;
        context.screen.json(&status_json(record, &standing))?;
    } else {
        let question = question(context, store, record, sender)?;
        context.screen.result(&format!(
            "Would {}",
            question.replacen("Send", "send", 1).trim_end_matches('?')
        ))?;
        context
            .screen
            .note("nothing was connected to and nothing was sent");
    }
    Ok(Exit::Done)
}

fn nothing_left(
    context: &Context,
    store: &Store,
    record: &CampaignRecord,
) -> Result<Exit, Failure> {
    let counts = store.recipient_counts(record.id)?;
    if context.screen.is_json() {
        let standing = Standing::of(store, record, None, context.clock.now())?;
        context.screen.json(&status_json(record, &standing))?;
    } else {
        context.screen.result(&format!(
            "'{}' is finished; nothing is left to send",
            record.name
        ))?;
        context.screen.result(&counts_line(&counts))?;
    }
    Ok(verdict(&Ended::Finished, &counts, &zone_of(record)).0)
}

/// One run of a send.
struct Errand<'a> {
    context: &'a Context,
    args: &'a Send,
    sender: &'a Sender,
    record: &'a CampaignRecord,
    path: &'a Path,
}

impl Errand<'_> {
    /// Takes the campaign and asks.
    fn agree(&self, store: &mut Store) -> Result<Agreed, Failure> {
        let (context, record) = (self.context, self.record);
        if self.args.dry_run {
            return dry_run(context, store, record, self.sender).map(Agreed::No);
        }
        let lock = store.lock_for_sending(&record.name, context.clock.now())?;
        recover(context, store, record)?;
        if store.recipient_counts(record.id)?.is_finished() {
            return nothing_left(context, store, record).map(Agreed::No);
        }
        let question = question(context, store, record, self.sender)?;
        if context.screen.confirm(&question, self.args.yes)? {
            return Ok(Agreed::Yes(lock));
        }
        context.screen.note("nothing was sent");
        Ok(Agreed::No(Exit::Done))
    }

    fn run(&self, store: &Store, lock: SenderLock) -> Result<Exit, Failure> {
        let screen = &self.context.screen;
        let counts = store.recipient_counts(self.record.id)?;
        let zone = zone_of(self.record);
        if self.sender.is_sandbox() {
            let maildir = maildir_beside(self.path);
            screen.note(&format!(
                "the stand-in keeps what it receives in {}, and refuses {}",
                maildir.display(),
                connect::GONE
            ));
        }
        // A password is asked for before anything is drawn.
        let account = if self.sender.is_sandbox() {
            None
        } else {
            Some(connect::account(self.sender)?)
        };
        let show = Show::new(self.context, &counts, zone.clone(), false);
        let ended = connect::runtime()?.block_on(self.send(lock, account, &show));
        show.end();
        let ended = ended?;
        let counts = store.recipient_counts(self.record.id)?;
        let (exit, failure) = verdict(&ended, &counts, &zone);
        let record = store
            .campaign(&self.record.name)?
            .unwrap_or_else(|| self.record.clone());
        if screen.is_json() {
            let standing =
                Standing::of(store, &record, Some(self.sender), self.context.clock.now())?;
            let mut value = status_json(&record, &standing);
            value["event"] = "ended".into();
            screen.json(&value)?;
        } else {
            screen.result(&format!("{}: {}", record.name, ended_words(&ended)))?;
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

    async fn send(
        &self,
        lock: SenderLock,
        account: Option<send::Account>,
        show: &Show<'_>,
    ) -> Result<Ended, Failure> {
        let renderer = frozen_renderer(self.path, self.record)?;
        let internal = &renderer.definition().internal;
        let mut server = None;
        let account = if let Some(account) = account {
            account
        } else {
            let mut options = connect::stand_in(self.sender, internal, &[connect::GONE.to_owned()]);
            let maildir = maildir_beside(self.path);
            make_private(&maildir)?;
            options.maildir = Some(maildir);
            let started = server.insert(connect::start(options, &self.context.clock).await?);
            connect::account_at(self.sender, started)?
        };
        let (stop, handle) = Stop::new();
        let quiet = self.context.screen.is_json();
        interrupt::watch(handle, move || tell(quiet))?;
        let options = Options {
            account,
            store: self.path.to_owned(),
            wait: !self.args.no_wait,
            max_messages: self.args.max,
            until: self.args.until,
        };
        let job = Job {
            campaign: self.record.id,
            renderer,
            lock,
        };
        let ended = send::run(job, options, &self.context.clock, stop, &mut |event| {
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
fn maildir_beside(store: &Path) -> PathBuf {
    store.with_file_name("sandbox").join("Maildir")
}

fn tell(quiet: bool) {
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
        Ended::AsAsked => "ended as asked; `postroom send` goes on where it was",
        Ended::WouldWait(..) => "not finished",
        Ended::Stopped(_) => "stopped",
    }
}
