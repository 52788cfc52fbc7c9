//! `postroom resolve`: settles messages in doubt.

use serde_json::{Value, json};

use super::args::Resolve;
use super::exit::Exit;
use super::failure::Failure;
use super::setup::Planned;
use super::who::who;
use super::{Context, words};
use crate::store::{Deed, Doubt, Happening, Resolution, Selection};

pub(super) fn run(context: &Context, args: &Resolve) -> Result<Exit, Failure> {
    let now = context.clock.now();
    let mut planned = Planned::find(&args.campaign.folder, &context.places)?;
    planned.settle(&context.clock)?;
    let selection = match (&args.message, &args.to) {
        (Some(id), _) => Selection::MessageId(id.clone()),
        (None, Some(address)) => Selection::Address(address.clone()),
        (None, None) => Selection::All,
    };
    let doubts = planned.store.doubts(planned.record.id, &selection)?;
    let resolution = match (args.delivered, args.resend) {
        (true, _) => Resolution::Delivered,
        (false, true) => Resolution::Resend,
        (false, false) => return list(context, &planned, &doubts),
    };
    if doubts.is_empty() {
        return nothing(context, &selection);
    }
    let people: u64 = doubts
        .iter()
        .map(|doubt| doubt.recipients.len() as u64)
        .sum();
    let what = format!(
        "{} to {}",
        words::count(doubts.len() as u64, "message", "messages"),
        words::count(people, "recipient", "recipients")
    );
    let question = match resolution {
        Resolution::Delivered => format!("Mark {what} as delivered?"),
        Resolution::Resend => {
            format!("Send {what} again? Whoever has the mail already would get it twice.")
        }
    };
    if !context.screen.confirm(&question, args.yes)? {
        context.screen.note("nothing was changed");
        return Ok(Exit::Done);
    }
    let lock = planned.store.lock_for_a_moment(&planned.record.name, now)?;
    let settled = planned
        .store
        .resolve(planned.record.id, &selection, resolution, now)?;
    let happening = Happening {
        recipients: Some(people),
        by: Some(who()),
        detail: match resolution {
            Resolution::Delivered => format!("{what}: marked as delivered"),
            Resolution::Resend => format!("{what}: to be sent again"),
        },
        ..Happening::new(now, Deed::Resolved)
    };
    planned.store.note(planned.record.id, &happening)?;
    drop(lock);
    if context.screen.is_json() {
        context.screen.json(&json!({
            "campaign": planned.record.name,
            "settled": settled.iter().map(doubt_json).collect::<Vec<_>>(),
        }))?;
        return Ok(Exit::Done);
    }
    context.screen.result(&match resolution {
        Resolution::Delivered => format!("{what}: marked as delivered"),
        Resolution::Resend => format!("{what}: to be sent again by the next `postroom send`"),
    })?;
    Ok(Exit::Done)
}

fn nothing(context: &Context, selection: &Selection) -> Result<Exit, Failure> {
    match selection {
        Selection::All => {
            if context.screen.is_json() {
                context.screen.json(&json!({ "settled": [] }))?;
            } else {
                context.screen.result("nothing is in doubt")?;
            }
            Ok(Exit::Done)
        }
        Selection::MessageId(what) | Selection::Address(what) => Err(Failure::new(
            Exit::NoInput,
            format!("no message in doubt fits '{what}'"),
            "`postroom resolve` without anything else lists all that are in doubt",
        )),
    }
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
            "message {}, handed over {}, Message-ID {}",
            doubt.number,
            words::time(doubt.handed_over_at, &planned.zone),
            doubt.message_id
        ))?;
        screen.result(&format!("    to {}", shortened(&doubt.recipients)))?;
        if doubt.sent_to_others {
            screen.result(
                "    others were sent the same mail under this Message-ID: look for these recipients, not only for it",
            )?;
        }
    }
    screen.note(
        "\nLook for the Message-ID in the sender's Sent Items, in the provider's message trace, or ask a recipient. Then:\n  \
         postroom resolve --delivered   it arrived\n  postroom resolve --resend      it did not: send it again\n\
         --message ID or --to ADDR settles one of them.",
    );
    Ok(Exit::Done)
}

/// The first few addresses, and how many more.
pub(super) fn shortened(recipients: &[String]) -> String {
    match recipients {
        [first, second, third, rest @ ..] if !rest.is_empty() => {
            format!(
                "{first}, {second}, {third} and {} more",
                words::number(rest.len() as u64)
            )
        }
        few => few.join(", "),
    }
}

fn doubt_json(doubt: &Doubt) -> Value {
    json!({
        "message": doubt.number,
        "message_id": doubt.message_id,
        "handed_over_at": doubt.handed_over_at,
        "recipients": doubt.recipients,
        "sent_to_others": doubt.sent_to_others,
    })
}
