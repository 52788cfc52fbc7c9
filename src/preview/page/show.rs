//! What the page is told, as JSON.

use serde_json::{Value, json};

use super::desk::{Desk, Standing};
use super::edition::{Proof, note};
use super::frame;
use super::list::{Fate, Found};
use super::note::Note;
use crate::plan::Mode;
use crate::preview::{Mail, Part};

/// So many findings are listed; the rest are counted.
const LISTED: usize = 200;

/// So many recipients of a shared message are named.
const NAMED: usize = 50;

/// Where the campaign stands: everything but rows and findings.
pub(super) fn state(desk: &Desk, standing: &Standing) -> Value {
    let notes = notes(standing);
    let of = |severity: &str| {
        let alike = notes.iter().filter(|note| note.severity == severity);
        alike.count()
    };
    let list = standing.edition.list.as_deref();
    let (phase, percent) = match &*standing.proof {
        _ if standing.edition.number == 0 => ("reading", None),
        Proof::Running(progress) => {
            let percent = progress.map(|progress| progress.read * 100 / progress.size.max(1));
            ("checking", percent)
        }
        Proof::Done(_) => ("checked", None),
    };
    let proved = match &*standing.proof {
        Proof::Done(proved) => Some(proved),
        Proof::Running(_) => None,
    };
    let cases: Vec<Value> = proved
        .iter()
        .flat_map(|proved| &proved.cases)
        .filter_map(|case| {
            let found = list?.row(case.row)?;
            Some(json!({ "line": found.line, "place": found.place, "shows": case.shows }))
        })
        .collect();
    json!({
        "serial": standing.serial,
        "edition": standing.edition.number,
        "campaign": standing.edition.name,
        "planned": desk.is_planned,
        "edited": standing.edited,
        "phase": phase,
        "percent": percent,
        "rows": list.map(super::list::List::len),
        "messages": proved.and_then(|proved| proved.messages),
        "shared_messages": proved.and_then(|proved| proved.shared_messages),
        "recipients": proved.and_then(|proved| proved.recipients),
        "errors": of("error"),
        "warnings": of("warning"),
        "notes": of("note"),
        "cases": cases,
    })
}

/// What is known of the campaign by now: the full check's findings hold those of reading alone.
fn notes(standing: &Standing) -> &[Note] {
    match &*standing.proof {
        Proof::Done(proved) if !proved.notes.is_empty() => &proved.notes,
        _ => &standing.edition.notes,
    }
}

/// The findings: of one row, or of the campaign as a whole and then of all rows.
pub(super) fn findings(standing: &Standing) -> Value {
    let notes = notes(standing);
    let (rows, campaign): (Vec<&Note>, Vec<&Note>) =
        notes.iter().partition(|note| note.row.is_some());
    json!({
        "campaign": campaign.iter().take(LISTED).collect::<Vec<_>>(),
        "rows": rows.iter().take(LISTED).collect::<Vec<_>>(),
        "more": campaign.len().saturating_sub(LISTED) + rows.len().saturating_sub(LISTED),
    })
}

/// A row: its mail, or why it has none.
pub(super) fn row(desk: &Desk, standing: &Standing, row: u64) -> Option<Value> {
    let list = standing.edition.list.as_deref()?;
    let found = list.row(row)?;
    let own = notes(standing).iter().filter(|note| note.row == Some(row));
    let mut own: Vec<Note> = own.cloned().collect();
    let cells: Vec<(&String, &&str)> = list.columns().iter().zip(&found.cells).collect();
    let made = match found.fate {
        // A person's further rows are in the mail of the first one.
        Fate::Mail | Fate::Grouped { .. } => desk.mail(standing, row),
        _ => None,
    };
    let (mail, none) = match made {
        Some(Ok(mail)) => (Some(self::mail(desk, standing, &found, &mail)), None),
        Some(Err(cause)) => {
            if own.is_empty() {
                own.push(Note {
                    row: Some(row),
                    ..note(&cause)
                });
            }
            let why = "This mail cannot be shown yet: what is wrong stands under Findings.";
            (None, Some(why.to_owned()))
        }
        None => (None, Some(why_none(standing, found.fate))),
    };
    Some(json!({
        "edition": standing.edition.number,
        "line": found.line,
        "place": found.place,
        "cells": cells,
        "mail": mail,
        "none": none,
        "findings": own,
    }))
}

fn why_none(standing: &Standing, fate: Fate) -> String {
    match fate {
        Fate::Duplicate { of: 0 } => {
            "This row gets no mail: an earlier row has its address.".to_owned()
        }
        Fate::Duplicate { of } => {
            format!("This row gets no mail: row {of} has the same address.")
        }
        Fate::LeftOut(why) => format!("This row gets no mail: it is {why}."),
        Fate::Mail | Fate::Grouped { .. } if standing.edition.notes.iter().any(Note::is_error) => {
            "Nothing can be shown until the errors under Findings are mended.".to_owned()
        }
        Fate::Mail | Fate::Grouped { .. } => "This row gets no mail.".to_owned(),
    }
}

fn mail(desk: &Desk, standing: &Standing, found: &Found<'_>, mail: &Mail) -> Value {
    let nothing = |_: &str| None;
    let framed = mail
        .html
        .as_deref()
        .map(|html| frame::framed(html, true, None, &nothing));
    let date = mail.headers.iter().find(|header| header.name == "Date");
    let headers: Vec<Value> = mail
        .headers
        .iter()
        .map(|header| json!({ "name": header.name, "value": header.value, "raw": header.raw }))
        .collect();
    json!({
        "number": mail.number,
        "from": mail.from,
        "to": mail.to,
        "to_note": to_note(standing, found, mail),
        "cc": mail.cc,
        "bcc": mail.bcc,
        "reply_to": mail.reply_to,
        "subject": mail.subject,
        "date": date.map(|date| &date.value),
        "date_note": if desk.is_planned { "as planned; set when it is first tried" } else { "set when it is first tried" },
        "text": mail.text,
        "html": mail.html.as_deref().map(digest),
        "remote": framed.as_ref().map_or(0, |framed| framed.remote),
        "dark": framed.as_ref().map(|framed| framed.dark.as_str()),
        "attached": mail.attached.iter().map(part).collect::<Vec<_>>(),
        "inline": mail.inline.iter().map(part).collect::<Vec<_>>(),
        "headers": headers,
        "bytes": mail.content.len(),
        "shared": mail.shared,
        "recipients": mail.recipients.iter().take(NAMED).collect::<Vec<_>>(),
        "recipient_count": mail.recipients.len(),
    })
}

/// Equal HTML has an equal name.
pub(super) fn digest(html: &str) -> String {
    blake3::hash(html.as_bytes()).to_hex()[..16].to_owned()
}

fn part(part: &Part) -> Value {
    json!({ "part": part.number, "name": part.name, "type": part.media_type, "size": part.size })
}

/// Who sees which address, in a sentence.
fn to_note(standing: &Standing, found: &Found<'_>, mail: &Mail) -> String {
    let proved = match &*standing.proof {
        Proof::Done(proved) => proved.previewer.is_some().then_some(proved),
        Proof::Running(_) => None,
    };
    let sets_to = proved.map_or_else(|| standing.edition.sets_to(), |proved| proved.sets_to);
    let person = found.line.person();
    let others = mail.recipients.len();
    match (proved, mail.shared) {
        (Some(_), true) if sets_to => format!(
            "The campaign sets this address. {others} recipients are in blind copy; none sees another."
        ),
        (Some(_), true) => format!(
            "To shows the sender's address; {others} recipients are in blind copy, and none sees another."
        ),
        (Some(_), false) if sets_to => {
            format!("The campaign sets this address. It goes to {person} alone.")
        }
        (Some(_), false) => format!("{person} sees their own address; nobody else's."),
        (None, true) => "To shows the sender's address; all recipients are in blind copy, and none sees another.".to_owned(),
        (None, false) if sets_to => "The campaign sets this address.".to_owned(),
        (None, false) if standing.edition.mode == Some(Mode::Individual) => {
            format!("{person} sees their own address; nobody else's.")
        }
        (None, false) if matches!(*standing.proof, Proof::Running(_)) => {
            "Still being checked: whoever gets the very same mail shares it in blind copy, with the sender's \
             address in To."
                .to_owned()
        }
        (None, false) => "Whether others share this mail is known once the errors are mended.".to_owned(),
    }
}
