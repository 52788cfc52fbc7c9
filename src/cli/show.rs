//! `postroom show`: one person's story over all campaigns, and the very bytes that the person was sent.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::disk::cannot_write;
use super::exit::Exit;
use super::failure::Failure;
use super::made::write_private;
use super::screen::{Paint, Screen};
use super::setup;
use super::{Context, words};
use crate::config::Campaign;
use crate::preview::Previewer;
use crate::provider::ReplyTable;
use crate::recipients::{Nearest, person_key};
use crate::store::{Attempt, Chapter, Store, Suppression};

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    postroom show anna.kowalska@example.com\n  \
    postroom show anna.kowalska@example.com --campaign my-news --eml anna.eml")]
pub(super) struct Show {
    /// The person's address
    #[arg(value_name = "ADDR")]
    pub(super) address: String,
    /// Only what became of the person in the campaign of this folder
    #[arg(long, value_name = "CAMPAIGN_FOLDER")]
    pub(super) campaign: Option<PathBuf>,
    /// Writes the mail that the person was sent, to the byte, into this new file (`-`: prints it). Of several
    /// campaigns it is the latest one's
    #[arg(long, value_name = "FILE")]
    pub(super) eml: Option<PathBuf>,
}

pub(super) fn run(context: &Context, args: &Show) -> Result<Exit, Failure> {
    let (store, path) = setup::store_to_look_at(&context.places)?;
    let key = person_key(&args.address);
    let only = args.campaign.as_deref().map(Campaign::load).transpose()?;
    let mut told = store.story(&key)?;
    if let Some(campaign) = &only {
        if store.campaign(&campaign.name)?.is_none() {
            return Err(setup::not_planned(&store, campaign));
        }
        told.retain(|chapter| chapter.campaign == campaign.name);
    }
    let only = only.map(|campaign| campaign.name);
    let suppressions = suppressions_of(&store, &key)?;
    if told.is_empty() && (suppressions.is_empty() || only.is_some() || args.eml.is_some()) {
        return Err(not_found(&store, &args.address, &key, only.as_deref())?);
    }
    if let Some(file) = &args.eml {
        return write_mail(context, &store, &path, &told, file);
    }
    if context.screen.is_json() {
        let chapters: Vec<Value> = told.iter().map(chapter_json).collect();
        context.screen.json(&json!({
            "address": args.address,
            "campaigns": chapters,
            "suppressions": suppressions.iter().map(suppression_json).collect::<Vec<_>>(),
        }))?;
    } else {
        tell(&context.screen, &store, &args.address, &told)?;
        for one in &suppressions {
            context.screen.result("")?;
            context.screen.result(&suppression_words(one))?;
        }
    }
    Ok(Exit::Done)
}

/// What holds against writing to the person, or to their domain.
fn suppressions_of(store: &Store, key: &str) -> Result<Vec<Suppression>, Failure> {
    let domain = key.rfind('@').and_then(|at| key.get(at..));
    let mut all = store.suppressions()?;
    all.retain(|one| one.subject == key || Some(one.subject.as_str()) == domain);
    Ok(all)
}

fn suppression_words(one: &Suppression) -> String {
    let wide = one.campaign.as_ref().map_or_else(
        || "all campaigns".to_owned(),
        |name| format!("the campaign '{name}'"),
    );
    let why = match one.reason.as_str() {
        "" => String::new(),
        reason => format!(": {reason}"),
    };
    let since = words::time(one.added_at, &TimeZone::system());
    format!(
        "on the suppression list of {wide} as {}, since {since}{why}",
        one.written
    )
}

fn suppression_json(one: &Suppression) -> Value {
    json!({
        "campaign": one.campaign, "subject": one.subject, "reason": one.reason, "added_at": one.added_at,
    })
}

/// Nobody of this address is in the campaign, or in any.
pub(super) fn not_found(
    store: &Store,
    address: &str,
    key: &str,
    campaign: Option<&str>,
) -> Result<Failure, Failure> {
    let place = campaign.map_or_else(
        || "any campaign of this store".to_owned(),
        |name| format!("the campaign '{name}'"),
    );
    let mut nearest = Nearest::address(key);
    for known in store.addresses_like(key, 1000)? {
        nearest.look_at(&known);
    }
    let nearest = nearest.found();
    let remedy = nearest.map_or_else(
        || "look at the spelling; `postroom report` lists a campaign's addresses".to_owned(),
        |nearest| format!("is {nearest} meant?"),
    );
    Ok(Failure::new(
        Exit::NoInput,
        format!("{} is not in {place}", address.escape_debug()),
        remedy,
    ))
}

fn tell(screen: &Screen, store: &Store, address: &str, told: &[Chapter]) -> Result<(), Failure> {
    let table = ReplyTable::of_all_providers()?;
    let meaning = |reply: &str| table.explain(reply).map(|known| known.meaning);
    let campaigns: BTreeSet<&str> = told.iter().map(|one| one.campaign.as_str()).collect();
    let places = words::count(campaigns.len() as u64, "campaign", "campaigns");
    screen.result(&screen.painted(
        Paint::Bold,
        &format!("{}: in {places}", address.escape_debug()),
    ))?;
    for chapter in told {
        let record = store.campaign(&chapter.campaign)?;
        let zone = record.map_or(TimeZone::UTC, |record| setup::zone_of(&record));
        screen.result("")?;
        let outcome = chapter.outcome.replace('_', " ");
        let when = chapter
            .sent_at
            .map(|at| format!(", {}", words::time(at, &zone)));
        screen.result(&format!(
            "'{}', row {}: {}{}",
            chapter.campaign,
            chapter.row,
            screen.painted(Paint::Bold, &outcome),
            when.unwrap_or_default()
        ))?;
        if !chapter.joined.is_empty() {
            let rows: Vec<String> = chapter.joined.iter().map(ToString::to_string).collect();
            screen.field("rows", 10, &format!("{} in the same mail", rows.join(", ")))?;
        }
        let own = chapter.message.as_ref();
        if let Some(message) = own {
            let shared = if message.shared {
                ", shared with others"
            } else {
                ""
            };
            let what = format!("{}, {}{shared}", message.number, message.message_id);
            screen.field("message", 10, &what)?;
        }
        let own = own.map(|message| message.message_id.as_str());
        for attempt in &chapter.attempts {
            screen.field("", 10, &attempt_words(attempt, own, &zone))?;
        }
        // What became of a person may be something else than the last reply.
        let last = chapter.attempts.last().and_then(|one| one.reply.as_ref());
        if let Some(reply) = chapter.reply.as_ref().filter(|reply| Some(*reply) != last) {
            screen.field("told", 10, reply)?;
        }
        let not_sent = matches!(
            chapter.outcome.as_str(),
            "refused" | "deferred" | "in_doubt"
        );
        if let Some(words) = chapter
            .reply
            .as_deref()
            .filter(|_| not_sent)
            .and_then(meaning)
        {
            screen.field("meaning", 10, words)?;
        }
    }
    Ok(())
}

/// An attempt in a line; under which Message-ID it was made, where that is not the one of the mail that they get.
fn attempt_words(attempt: &Attempt, own: Option<&str>, zone: &TimeZone) -> String {
    let outcome = match attempt.outcome.as_deref() {
        None => "under way".to_owned(),
        Some("released") => "given back untried".to_owned(),
        Some(outcome) => outcome.replace('_', " "),
    };
    let phase = attempt.phase.as_ref().filter(|_| outcome != "sent");
    let id = attempt.message_id.as_str();
    let id = Some(id).filter(|id| own != Some(*id));
    format!(
        "attempt {}, {}, by '{}'{}: {outcome}{}{}",
        attempt.number,
        words::time(attempt.claimed_at, zone),
        attempt.account,
        id.map_or_else(String::new, |id| format!(", as {id}")),
        phase.map_or_else(String::new, |phase| format!(" at {phase}")),
        attempt
            .reply
            .as_ref()
            .map_or_else(String::new, |reply| format!(": {reply}")),
    )
}

fn attempt_json(attempt: &Attempt) -> Value {
    json!({
        "number": attempt.number,
        "message_id": attempt.message_id,
        "account": attempt.account,
        "claimed_at": attempt.claimed_at,
        "handover_at": attempt.handover_at,
        "finished_at": attempt.finished_at,
        "outcome": attempt.outcome,
        "phase": attempt.phase,
        "reply": attempt.reply,
    })
}

fn chapter_json(chapter: &Chapter) -> Value {
    let message = chapter.message.as_ref().map(|message| {
        let attempts = chapter.attempts_of_message().map(attempt_json);
        json!({
            "number": message.number,
            "message_id": message.message_id,
            "shared": message.shared,
            "attempts": attempts.collect::<Vec<_>>(),
        })
    });
    json!({
        "campaign": chapter.campaign,
        "row": chapter.row,
        "joined": chapter.joined,
        "email": chapter.address,
        "outcome": chapter.outcome,
        "sent_at": chapter.sent_at,
        "reply": chapter.reply,
        "message": message,
        "attempts": chapter.attempts.iter().map(attempt_json).collect::<Vec<_>>(),
    })
}

/// No mail to the person can be built of which the content went out.
fn no_mail(told: &[Chapter]) -> Failure {
    let mut latest = told
        .iter()
        .rev()
        .flat_map(|chapter| chapter.attempts.iter().rev());
    let former = latest.find(|one| one.handover_at.is_some());
    match former {
        // Handed over in vain, and since then they were withdrawn or are to get another.
        Some(former) => Failure::new(
            Exit::NoInput,
            format!(
                "the mail to this address that was handed over, {}, is not the one that they are to get now, and is not kept",
                former.message_id
            ),
            "`postroom show ADDR` tells what became of it; search for its Message-ID in Sent Items",
        ),
        None => Failure::new(
            Exit::NoInput,
            "no mail to this address was handed over to a server yet",
            "`postroom preview --to ADDR` shows the mail that would go out",
        ),
    }
}

/// The mail of the latest chapter that was sent, may have been, or at least was tried.
fn write_mail(
    context: &Context,
    store: &Store,
    path: &Path,
    told: &[Chapter],
    file: &Path,
) -> Result<Exit, Failure> {
    let handed_over = |chapter: &&Chapter| {
        let mut attempts = chapter.attempts_of_message();
        attempts.any(|one| one.handover_at.is_some())
    };
    let chapter = told.iter().rev().find(handed_over);
    let found = chapter.and_then(|chapter| Some((chapter, chapter.message.as_ref()?)));
    let Some((chapter, message)) = found else {
        return Err(no_mail(told));
    };
    let record = store.campaign(&chapter.campaign)?;
    let record = record.ok_or_else(|| Failure::own("the campaign is gone"))?;
    let mail = Previewer::of_plan(path, record)?
        .mail(message.number)?
        .ok_or_else(|| Failure::own(format!("message {} is missing", message.number)))?;
    if file == Path::new("-") {
        let mut out = io::stdout().lock();
        return match out.write_all(&mail.content).and_then(|()| out.flush()) {
            Err(cause) if cause.kind() != io::ErrorKind::BrokenPipe => {
                Err(cannot_write("the mail", &cause))
            }
            _ => Ok(Exit::Done),
        };
    }
    write_private(file, &mail.content)?;
    let bytes = words::count(mail.content.len() as u64, "byte", "bytes");
    context.screen.result(&format!(
        "the mail of '{}' to {} is in {}: {bytes}, as they were sent",
        chapter.campaign,
        chapter.address,
        file.display()
    ))?;
    Ok(Exit::Done)
}
