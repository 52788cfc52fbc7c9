//! `postroom test`: a row's message, sent to somebody who looks at it before it goes out.

use std::path::Path;

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::args::Test;
use super::bar::Bar;
use super::check::{note_warnings, refuse};
use super::exit::Exit;
use super::failure::Failure;
use super::rehearse::make_private;
use super::sending::{exit_of, reason};
use super::setup::{self, Setup, accounts_words};
use super::store::claim_before_sending;
use super::{Context, connect, interrupt, send, starting, words};
use crate::config::{SANDBOX, Sender};
use crate::message::Prepared;
use crate::plan::is_edited;
use crate::preview::{Previewer, RowCopy, Unplanned};
use crate::recipients::Address;
use crate::send::{Ended, SingleEvent, SingleOutcome, Singles, Stop, singly};

/// Somebody who wants more readers than this wants a campaign.
const MOST: usize = 5;

pub(super) fn run(context: &Context, args: &Test) -> Result<Exit, Failure> {
    let people = people(&args.to)?;
    let setup = Setup::read(&args.campaign.folder, &context.places)?;
    let (mut store, path) = setup::store(&context.places)?;
    if let Some(exit) = claim_before_sending(context, &mut store)? {
        return Ok(exit);
    }
    let record = store.campaign(&setup.campaign.name)?;
    starting::look_at_clock(context, &store, record.as_ref(), args.trust_clock)?;
    let previewer = match record {
        Some(record) => {
            if is_edited(&setup.inputs, &record.fingerprint) {
                context.screen.warning(
                    "the campaign was edited after it was planned: the test is of what was planned",
                );
            }
            Previewer::of_plan(&path, record)?
        }
        None => match of_folder(context, &setup)? {
            Ok(previewer) => *previewer,
            Err(exit) => return Ok(exit),
        },
    };
    let row = previewer
        .row_copy(args.row)?
        .ok_or_else(|| no_row(args.row))?;
    let errand = Errand {
        context,
        sender: sender(context, args, &previewer, &row)?,
        campaign: previewer.campaign(),
        row: &row,
        path: &path,
    };
    errand.run(&people)
}

/// Who gets it.
fn people(to: &[String]) -> Result<Vec<Address>, Failure> {
    let mut people: Vec<Address> = Vec::new();
    for text in to {
        let address = Address::parse(text).map_err(|error| {
            Failure::new(
                Exit::Usage,
                format!(
                    "'{}' is no address to send a test to: {error}",
                    text.escape_debug()
                ),
                "write it as in --to me@example.com",
            )
        })?;
        if !people.contains(&address) {
            people.push(address);
        }
    }
    if people.len() > MOST {
        return Err(Failure::new(
            Exit::Usage,
            format!(
                "a test goes to {MOST} addresses at most, and these are {}",
                people.len()
            ),
            "send it to fewer; what many are to see goes out as a campaign",
        ));
    }
    Ok(people)
}

/// A campaign that is not planned is proved as a plan is: what would be refused is not sent as a test either.
fn of_folder(context: &Context, setup: &Setup) -> Result<Result<Box<Previewer>, Exit>, Failure> {
    let bar = Bar::reading(&context.screen);
    let made = Previewer::of_folder(&setup.inputs, context.clock.now(), &mut |progress| {
        bar.read(progress);
    });
    bar.clear();
    Ok(match made? {
        Unplanned::Defective(checked) => Err(refuse(&context.screen, &checked)?),
        Unplanned::Ready(previewer, checked) => {
            note_warnings(&context.screen, &checked);
            Ok(previewer)
        }
    })
}

fn no_row(row: Option<u64>) -> Failure {
    let what = match row {
        Some(row) => {
            format!(
                "row {row} gets no mail: it is not in the list, only as a duplicate, left out by the filter, or on the suppression list"
            )
        }
        None => "no row of the list gets a mail".to_owned(),
    };
    Failure::new(
        Exit::NoInput,
        what,
        "rows are counted from 1 after the header; `postroom check` lists the duplicates",
    )
}

/// The account that sends it: the row's own, or another one of the campaign's, or the stand-in.
fn sender(
    context: &Context,
    args: &Test,
    previewer: &Previewer,
    row: &RowCopy<'_>,
) -> Result<Sender, Failure> {
    let known = previewer.accounts();
    let name = match &args.account {
        Some(name) if name == SANDBOX || known.contains(name) => name.clone(),
        Some(name) => {
            return Err(Failure::new(
                Exit::Usage,
                format!(
                    "the campaign is not sent by an account '{}', so a test by it would show something else",
                    name.escape_debug()
                ),
                format!("name the {}, or 'sandbox'", accounts_words(known)),
            ));
        }
        None => row.account().unwrap_or_default().to_owned(),
    };
    let senders = setup::senders(&[name], &context.places)?;
    let sender = senders.into_iter().next();
    sender.ok_or_else(|| Failure::own("a test without an account"))
}

/// One run of a test.
struct Errand<'a> {
    context: &'a Context,
    sender: Sender,
    campaign: &'a str,
    row: &'a RowCopy<'a>,
    path: &'a Path,
}

impl Errand<'_> {
    fn run(&self, people: &[Address]) -> Result<Exit, Failure> {
        let (messages, ids) = self.prepare(people)?;
        // A password is asked for before anything else.
        let account = if self.sender.is_sandbox() {
            let maildir = send::maildir_beside(self.path);
            self.context.screen.note(&format!(
                "the stand-in keeps what it receives in {}, and refuses {}",
                maildir.display(),
                connect::GONE
            ));
            None
        } else {
            Some(connect::account(self.context, &self.sender)?)
        };
        let mut settled = Vec::new();
        let mut printed = Ok(());
        let ended =
            connect::runtime()?.block_on(self.send(
                account,
                messages,
                &mut |event| match event {
                    SingleEvent::Waiting { until, why } => self.context.screen.note(&format!(
                        "waiting until {} for {}",
                        words::time_of_day(until, &TimeZone::system()),
                        reason(&why)
                    )),
                    SingleEvent::Settled { place, outcome } => {
                        if let (Some(to), Some(id)) = (people.get(place), ids.get(place))
                            && printed.is_ok()
                        {
                            printed = self.show(to, id, &outcome);
                        }
                        settled.push(outcome);
                    }
                },
            ))?;
        printed?;
        match ended {
            Some(ended) => Err(self.unfinished(&ended, people.len() - settled.len())),
            None => Ok(verdict(&settled)),
        }
    }

    fn prepare(&self, people: &[Address]) -> Result<(Vec<Prepared>, Vec<String>), Failure> {
        let now = self.context.clock.now();
        let (mut messages, mut ids, mut copies) = (Vec::new(), Vec::new(), 0);
        for to in people {
            let (prepared, id, left_out) = self.row.for_person(to, &self.sender.name, now)?;
            messages.push(prepared);
            ids.push(id);
            copies = left_out;
        }
        if copies > 0 {
            self.context.screen.note(&format!(
                "the message has {} (cc, bcc): the test leaves them out",
                words::count(copies as u64, "copy", "copies")
            ));
        }
        Ok((messages, ids))
    }

    async fn send(
        &self,
        account: Option<crate::send::Account>,
        messages: Vec<Prepared>,
        report: &mut dyn FnMut(SingleEvent),
    ) -> Result<Option<Ended>, Failure> {
        let clock = &self.context.clock;
        let mut server = None;
        let account = if let Some(account) = account {
            account
        } else {
            let mut options = connect::stand_in(&self.sender, &[], &[connect::GONE.to_owned()]);
            let maildir = send::maildir_beside(self.path);
            make_private(&maildir)?;
            options.maildir = Some(maildir);
            let started = server.insert(connect::start(options, clock).await?);
            connect::account_at(&self.sender, started)?
        };
        let (stop, handle) = Stop::new();
        let quiet = self.context.screen.is_json();
        let _watch = interrupt::watch(handle, move || send::tell(quiet))?;
        let job = Singles {
            account,
            store: self.path.to_owned(),
            messages,
        };
        let ended = singly(job, clock, stop, report).await;
        if let Some(server) = server {
            server.stop().await;
        }
        Ok(ended?)
    }

    fn show(&self, to: &Address, id: &str, outcome: &SingleOutcome) -> Result<(), Failure> {
        let screen = &self.context.screen;
        if screen.is_json() {
            let mut value = outcome_json(outcome);
            value["campaign"] = self.campaign.into();
            value["row"] = self.row.row().into();
            value["to"] = to.as_str().into();
            value["account"] = self.sender.name.as_str().into();
            value["message_id"] = id.into();
            return screen.json(&value);
        }
        let row = self.row.row();
        match outcome {
            SingleOutcome::Sent { reply } => {
                screen.result(&format!("the message of row {row} was sent to {to}: {reply}"))
            }
            SingleOutcome::Refused {
                reply,
                meaning,
                remedy,
            } => screen.result(&format!("refused: {to}: {meaning}\n    {reply}\n  → {remedy}")),
            SingleOutcome::PutOff {
                reply,
                meaning,
                remedy,
            } => screen.result(&format!(
                "put off: {to}: {meaning}\n    {reply}\n  → {remedy} Then run the test again."
            )),
            SingleOutcome::InDoubt { reply } => screen.result(&format!(
                "in doubt: {to}: the message may have arrived, and no verdict came: {reply}\n  → look into the \
                 mailbox; a test may be sent again"
            )),
        }
    }

    /// What kept the test from going out, or from going to all.
    fn unfinished(&self, ended: &Ended, left: usize) -> Failure {
        let what = match left {
            1 => "the test was not sent".to_owned(),
            left => format!("{left} tests were not sent"),
        };
        match ended {
            Ended::WouldWait(until, why) => Failure::new(
                Exit::NotFinished,
                format!(
                    "{what}: the account '{}' may send again {}, because of {}",
                    self.sender.name,
                    words::time(*until, &TimeZone::system()),
                    reason(why)
                ),
                format!(
                    "run it again then ({until}); a test counts against the limits like any other message"
                ),
            ),
            Ended::Stopped(trouble) => Failure::new(
                exit_of(trouble),
                format!("{what}: {} ({})", trouble.meaning, trouble.reply),
                trouble.remedy.clone(),
            ),
            _ => Failure::new(
                Exit::Interrupted,
                format!("{what}: interrupted"),
                "run it again",
            ),
        }
    }
}

fn outcome_json(outcome: &SingleOutcome) -> Value {
    match outcome {
        SingleOutcome::Sent { reply } => json!({ "outcome": "sent", "reply": reply }),
        SingleOutcome::Refused {
            reply,
            meaning,
            remedy,
        } => json!({ "outcome": "refused", "reply": reply, "meaning": meaning, "remedy": remedy }),
        SingleOutcome::PutOff {
            reply,
            meaning,
            remedy,
        } => json!({ "outcome": "deferred", "reply": reply, "meaning": meaning, "remedy": remedy }),
        SingleOutcome::InDoubt { reply } => json!({ "outcome": "in_doubt", "reply": reply }),
    }
}

/// Something refused or in doubt is told before what only waits.
fn verdict(settled: &[SingleOutcome]) -> Exit {
    let is_over = |outcome: &SingleOutcome| {
        matches!(
            outcome,
            SingleOutcome::Refused { .. } | SingleOutcome::InDoubt { .. }
        )
    };
    if settled.iter().any(is_over) {
        Exit::SomeRefused
    } else if settled
        .iter()
        .any(|outcome| matches!(outcome, SingleOutcome::PutOff { .. }))
    {
        Exit::NotFinished
    } else {
        Exit::Done
    }
}
