//! `postroom explain`: what copied words mean, offline.

pub(super) mod codes;

use std::io::Read;

use serde_json::json;

use super::Context;
use super::args::Explain;
use super::exit::Exit;
use super::failure::Failure;
use super::screen::{Paint, Screen};
use crate::delivery::{Class, Verdict};
use crate::provider::{Explained, Preset, ReplyTable};

/// So much of standard input is read, in bytes; of a long text the end is looked at.
const MAX_INPUT: u64 = 64 * 1024 * 1024;

/// The width of the headings.
const HEADING: usize = 10;

pub(super) fn run(context: &Context, args: &Explain) -> Result<Exit, Failure> {
    let table = match &args.provider {
        Some(name) => ReplyTable::for_preset(Preset::find(name)?)?,
        None => ReplyTable::of_all_providers()?,
    };
    let text = match args.text.as_slice() {
        [dash] if dash == "-" => standard_input()?,
        words => words.join(" "),
    };
    let screen = &context.screen;
    if let Some((code, meaning)) = codes::code_in(&text) {
        if screen.is_json() {
            screen.json(&codes::json(code, meaning))?;
        } else {
            codes::show(screen, code, meaning)?;
        }
        return Ok(Exit::Done);
    }
    let Some(found) = table.explain_words(&text) else {
        unknown(screen, codes::nearest(&text).as_deref())?;
        return Ok(Exit::SomeRefused);
    };
    if screen.is_json() {
        screen.json(&known_json(&found))?;
    } else {
        show(screen, &found)?;
    }
    Ok(Exit::Done)
}

fn standard_input() -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let read = std::io::stdin()
        .lock()
        .take(MAX_INPUT)
        .read_to_end(&mut bytes);
    read.map_err(|cause| {
        Failure::new(
            Exit::Io,
            format!("standard input cannot be read: {cause}"),
            "give the words as an argument, in quotes",
        )
    })?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn known_json(found: &Explained) -> serde_json::Value {
    let judgement = &found.judgement;
    let remedies: Vec<_> = judgement
        .remedies
        .iter()
        .map(|remedy| json!({ "who": remedy.who.as_str(), "what": remedy.what }))
        .collect();
    json!({
        "known": true,
        "by": if found.by_words { "words" } else { "code" },
        "meaning": judgement.meaning,
        "verdict": judgement.verdict.as_str(),
        "class": judgement.class.as_str(),
        "remedies": remedies,
        "waiting": judgement.waiting.to_string(),
        "waiting_helps": judgement.waiting.helps.as_str(),
        "postroom": by_itself(found),
        "source": judgement.source,
    })
}

fn show(screen: &Screen, found: &Explained) -> Result<(), Failure> {
    let judgement = &found.judgement;
    if !found.by_words {
        screen.field(
            "",
            0,
            "No table has these words; by the code alone (RFC 5321):",
        )?;
    }
    screen.field("", 0, &screen.painted(Paint::Bold, judgement.meaning))?;
    screen.result("")?;
    for remedy in judgement.remedies {
        screen.field("", 0, &remedy.to_string())?;
    }
    screen.result("")?;
    let field = |name: &str, text: &str| screen.field(name, HEADING, text);
    field("waiting", &judgement.waiting.to_string())?;
    field("postroom", by_itself(found))?;
    field("source", judgement.source)?;
    let has = |word: &str| judgement.remedy.contains(word);
    let legend: Vec<&str> = [
        ("MAILBOX", "MAILBOX for the address that signs in"),
        ("ACCOUNT", "ACCOUNT for its name in accounts.toml"),
        ("FROM-ADDRESS", "FROM-ADDRESS for the address in From"),
        ("CLIENT-ID", "CLIENT-ID for the application that signs in"),
    ]
    .into_iter()
    .filter(|(word, _)| has(word))
    .map(|(_, words)| words)
    .collect();
    if !legend.is_empty() {
        screen.field("capitals", HEADING, &format!("{}.", legend.join(", ")))?;
    }
    Ok(())
}

/// What a send does at such a reply.
fn by_itself(found: &Explained) -> &'static str {
    let judgement = &found.judgement;
    match (judgement.verdict, judgement.class) {
        (Verdict::Accept, _) => "goes on.",
        (Verdict::RefuseRecipient, _) => {
            "marks this recipient as refused; the others get their mail."
        }
        (Verdict::RefuseMessage, Class::Recipient) => {
            "marks the one recipient as refused. A message to several is sent again in parts, so that only that one is refused."
        }
        (Verdict::RefuseMessage, _) => {
            "marks the recipients of this message as refused and goes on; after a run of such messages the account stops."
        }
        (Verdict::Defer, _) => {
            "tries it again: after 30 seconds, 2, 10 and 30 minutes, then every hour for a day. Nobody is marked as refused until then."
        }
        (Verdict::SlowDown(_), _) => {
            "pauses, then goes on more slowly. Nobody is marked as refused for it."
        }
        (Verdict::HoldAccount(_), _) => {
            "stops sending from this account until there is room, and goes on by itself. Nobody is marked as refused for it."
        }
        (Verdict::RefreshToken, _) => "fetches a new token and signs in again, once.",
        (Verdict::Reconnect, _) => "makes a new connection and goes on.",
        (Verdict::StopAccount, _) => {
            "stops the account at the first such reply. Nobody is marked as refused for it; other accounts of the campaign go on."
        }
    }
}

/// Nothing is known of these words.
fn unknown(screen: &Screen, nearest: Option<&str>) -> Result<(), Failure> {
    const LOOK: &str = "Look for the server's own line in what you have: it begins with three digits such as 550, often \
        followed by a code such as 5.7.139. A bounce has it after \"Diagnostic-Code\" or \"Remote server returned\", a \
        sign-in page's error begins with AADSTS or has a word such as invalid_grant. Then give that line.";
    if screen.is_json() {
        return screen.json(&json!({
            "known": false, "by": null, "meaning": null, "verdict": null, "class": null, "remedies": [],
            "waiting": null, "waiting_helps": null, "postroom": null, "source": null,
        }));
    }
    screen.field("", 0, "Nothing that is known stands in these words.")?;
    match nearest {
        Some(code) => screen.field(
            "",
            0,
            &format!("There is a code `{code}`: `postroom explain {code}`."),
        ),
        None => screen.field("", 0, LOOK),
    }
}
