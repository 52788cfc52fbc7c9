//! `postroom resolve`: settles messages in doubt.

use serde_json::{Value, json};

use super::args::Resolve;
use super::exit::Exit;
use super::failure::Failure;
use super::setup::Planned;
use super::who::who;
use super::whom::{goes_on, otherwise, person, shortened};
use super::{Context, words};
use crate::recipients::Nearest;
use crate::store::{Doubt, Resolution, Selection};

pub(super) fn run(context: &Context, args: &Resolve) -> Result<Exit, Failure> {
    let mut planned = Planned::find(&args.campaign.folder, &context.places)?;
    planned.settle(&context.clock)?;
    let doubts = planned.store.doubts(planned.record.id, &Selection::All)?;
    let doubts = match (&args.message, &args.to) {
        (Some(id), _) => of_message(&planned, &doubts, id)?,
        (None, Some(address)) => of_person(&planned, address)?,
        (None, None) => doubts,
    };
    let resolution = match (args.delivered, args.resend) {
        (true, _) => Resolution::Delivered,
        (false, true) => Resolution::Resend,
        (false, false) => return list(context, &planned, &doubts),
    };
    if doubts.is_empty() {
        return nothing(context, &planned);
    }
    if resolution == Resolution::Resend
        && let Some(gone) = gone(&doubts)
    {
        context
            .screen
            .note(&format!("sent again or not, {gone} no mail"));
    }
    if !context
        .screen
        .confirm(&question(&doubts, resolution), args.yes)?
    {
        context.screen.note("nothing was changed");
        return Ok(Exit::Done);
    }
    // Only what was shown: what has come into doubt since is another question.
    let shown = Selection::These(doubts.iter().map(|doubt| doubt.number).collect());
    let by = (who(), context.clock.now());
    let settled = planned
        .store
        .resolve(planned.record.id, &shown, resolution, (&by.0, by.1))?;
    if context.screen.is_json() {
        context.screen.json(&json!({
            "campaign": planned.record.name,
            "settled": settled.iter().map(doubt_json).collect::<Vec<_>>(),
        }))?;
        return Ok(Exit::Done);
    }
    let what = what(&settled);
    context.screen.result(&match resolution {
        Resolution::Delivered => format!("{what}: marked as delivered"),
        Resolution::Resend => resent(&planned, &settled),
    })?;
    Ok(Exit::Done)
}

/// What comes of those that are to be sent again.
fn resent(planned: &Planned, settled: &[Doubt]) -> String {
    let what = what(settled);
    let goes = match (gone(settled), people(settled) == gone_people(settled)) {
        (None, _) => format!("to be sent again: {}", goes_on(planned)),
        (Some(gone), false) => format!("to be sent again: {}, but {gone} none", goes_on(planned)),
        (Some(gone), true) => format!("no longer in doubt, and not sent again: {gone} no mail"),
    };
    format!("{what}: {goes}")
}

fn people(doubts: &[Doubt]) -> u64 {
    let people = doubts.iter().map(|doubt| doubt.recipients.len() as u64);
    people.sum()
}

/// How many get nothing, whatever is said of their message.
fn gone_people(doubts: &[Doubt]) -> u64 {
    doubts
        .iter()
        .map(|doubt| doubt.suppressed + doubt.unlisted)
        .sum()
}

/// `1 recipient who is on the suppression list gets`: who gets nothing, whatever is said of their message.
fn gone(doubts: &[Doubt]) -> Option<String> {
    let count = |of: fn(&Doubt) -> u64| doubts.iter().map(of).sum::<u64>();
    let groups = [
        (
            count(|doubt| doubt.suppressed),
            "who is on the suppression list",
            "who are on the suppression list",
        ),
        (
            count(|doubt| doubt.unlisted),
            "who is no longer in the list",
            "who are no longer in the list",
        ),
    ];
    let there = groups.iter().filter(|(count, ..)| *count > 0);
    let said: Vec<String> = there
        .map(|(count, one, many)| {
            let who = words::count(*count, "recipient", "recipients");
            format!("{who} {}", if *count == 1 { one } else { many })
        })
        .collect();
    let verb = if gone_people(doubts) == 1 {
        "gets"
    } else {
        "get"
    };
    (!said.is_empty()).then(|| format!("{} {verb}", said.join(" and ")))
}

/// `2 messages to 40 recipients`.
fn what(doubts: &[Doubt]) -> String {
    format!(
        "{} to {}",
        words::count(doubts.len() as u64, "message", "messages"),
        words::count(people(doubts), "recipient", "recipients")
    )
}

fn question(doubts: &[Doubt], resolution: Resolution) -> String {
    let what = what(doubts);
    match resolution {
        Resolution::Delivered => format!("Mark {what} as delivered?"),
        Resolution::Resend => {
            format!("Send {what} again? Whoever has the mail already would get it twice.")
        }
    }
}

/// The message in doubt with this Message-ID, and those that were split off from it.
fn of_message(planned: &Planned, doubts: &[Doubt], id: &str) -> Result<Vec<Doubt>, Failure> {
    let selection = Selection::MessageId(id.to_owned());
    let found = planned.store.doubts(planned.record.id, &selection)?;
    if !found.is_empty() {
        return Ok(found);
    }
    let mut nearest = Nearest::address(id);
    for doubt in doubts {
        nearest.look_at(&doubt.message_id);
    }
    let remedy = match (nearest.found(), doubts.len()) {
        (_, 0) => "nothing of the campaign is in doubt".to_owned(),
        (Some(known), _) => format!("did you mean {known}?"),
        (None, _) => {
            "`postroom resolve` without anything else lists all that are in doubt".to_owned()
        }
    };
    Err(Failure::new(
        Exit::Usage,
        format!("no message in doubt has the Message-ID '{id}'"),
        remedy,
    ))
}

fn of_person(planned: &Planned, address: &str) -> Result<Vec<Doubt>, Failure> {
    let (key, person) = person(planned, address)?;
    let selection = Selection::Person(key);
    let found = planned.store.doubts(planned.record.id, &selection)?;
    if !found.is_empty() {
        return Ok(found);
    }
    Err(Failure::new(
        Exit::Usage,
        otherwise(&person, "is not in doubt"),
        "`postroom resolve` without anything else lists all that are in doubt",
    ))
}

fn nothing(context: &Context, planned: &Planned) -> Result<Exit, Failure> {
    if context.screen.is_json() {
        let settled = json!({ "campaign": planned.record.name, "settled": [] });
        context.screen.json(&settled)?;
    } else {
        context.screen.result("nothing is in doubt")?;
    }
    Ok(Exit::Done)
}

fn list(context: &Context, planned: &Planned, doubts: &[Doubt]) -> Result<Exit, Failure> {
    let screen = &context.screen;
    if screen.is_json() {
        screen.json(&json!({
            "campaign": planned.record.name,
            "in_doubt": doubts.iter().map(doubt_json).collect::<Vec<_>>(),
        }))?;
        return Ok(Exit::Done);
    }
    if doubts.is_empty() {
        screen.result("nothing is in doubt")?;
        return Ok(Exit::Done);
    }
    for doubt in doubts {
        screen.result(&format!(
            "message {}, handed over {} by the account '{}', Message-ID {}",
            doubt.number,
            words::time(doubt.handed_over_at, &planned.zone),
            doubt.account,
            doubt.message_id
        ))?;
        screen.result(&format!("    to {}", shortened(&doubt.recipients)))?;
        if let Some(gone) = gone(std::slice::from_ref(doubt)) {
            screen.result(&format!("    with --resend too, {gone} no mail"))?;
        }
        if doubt.sent_to_others {
            screen.result(
                "    others were sent the same mail under this Message-ID: look for these recipients, not only for it",
            )?;
        }
    }
    screen.note(
        "\nLook for the Message-ID in the Sent Items of that account's mailbox, in the provider's message trace, or ask a recipient. Then:\n  \
         postroom resolve --delivered   it arrived\n  postroom resolve --resend      it did not: send it again\n\
         --message ID or --to ADDR settles one of them.",
    );
    Ok(Exit::Done)
}

fn doubt_json(doubt: &Doubt) -> Value {
    json!({
        "message": doubt.number,
        "message_id": doubt.message_id,
        "handed_over_at": doubt.handed_over_at,
        "account": doubt.account,
        "recipients": doubt.recipients,
        "sent_to_others": doubt.sent_to_others,
        "suppressed": doubt.suppressed,
        "unlisted": doubt.unlisted,
    })
}
