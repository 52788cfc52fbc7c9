//! `postroom retry`: queues refused recipients again, or those who were left out for the suppression list.

use clap::Args;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::args::Folder;
use super::changing::{Care, Change, carry_out};
use super::exit::Exit;
use super::failure::Failure;
use super::screen::Screen;
use super::setup::Planned;
use super::whom::{goes_on, otherwise, person, shortened};
use super::{Context, words};
use crate::message::Definition;
use crate::plan::restored;
use crate::recipients::{Address, Domains};
use crate::store::{LeftOut, PersonState, Refusal};

#[derive(Debug, Args)]
#[command(
    after_help = "Refused means for good, as the server said: an address that does not exist stays refused unless \
    somebody has mended it. Whoever has the mail, or may have it, is never queued again. The recipients get the \
    mail that was planned for them, under the same Message-ID.\n\n\
    Examples:\n  \
    postroom retry my-news --dry-run\n  \
    postroom retry my-news --yes\n  \
    postroom retry my-news --reason 5.1.10 --yes\n  \
    postroom retry my-news --suppressed --yes   (after `postroom suppress remove`)"
)]
pub(super) struct Retry {
    #[command(flatten)]
    campaign: Folder,
    /// Only the recipient with this address
    #[arg(long, value_name = "ADDR")]
    to: Option<String>,
    /// Only who was refused with these words or this code in the reply, such as 5.2.2
    #[arg(long, value_name = "TEXT", conflicts_with = "suppressed")]
    reason: Option<String>,
    /// Instead of refused ones, those who were left out for the suppression list and are not on it any more
    #[arg(long)]
    suppressed: bool,
    #[command(flatten)]
    care: Care,
}

/// Who is to be queued again, and who cannot be.
struct Choice {
    /// They were left out for the suppression list, and not refused.
    were_left_out: bool,
    /// Row, address, and the reply or why they were left out.
    chosen: Vec<(u64, String, String)>,
    in_hand: u64,
    suppressed: u64,
}

pub(super) fn run(context: &Context, args: &Retry) -> Result<Exit, Failure> {
    let mut planned = Planned::find(&args.campaign.folder, &context.places)?;
    planned.settle(&context.clock)?;
    let choice = if args.suppressed {
        left_out(&planned, args)?
    } else {
        refused(&planned, args)?
    };
    carry_out(context, planned, &args.care, &choice)
}

/// The domains that count as internal, as the plan has them.
fn internal(planned: &Planned) -> Result<Domains, Failure> {
    let definition: Definition =
        serde_json::from_str(&planned.record.definition).map_err(Failure::own)?;
    Domains::parse(&definition.internal).map_err(Failure::own)
}

fn refused(planned: &Planned, args: &Retry) -> Result<Choice, Failure> {
    let mut refusals = planned.store.refusals(planned.record.id)?;
    if let Some(address) = &args.to {
        let (key, person) = listed_person(planned, address)?;
        refusals.retain(|one| one.key == key);
        if refusals.is_empty() {
            return Err(Failure::new(
                Exit::Usage,
                otherwise(&person, "was not refused"),
                "only refused recipients are queued again; nothing was changed",
            ));
        }
    }
    if let Some(reason) = &args.reason
        && !refusals.is_empty()
    {
        let replies = replies_of(&refusals);
        refusals.retain(|one| says(&one.reply, reason));
        if refusals.is_empty() {
            return Err(Failure::new(
                Exit::Usage,
                format!("nobody was refused with '{reason}' in the reply"),
                format!("the replies are: {}", shortened(&replies)),
            ));
        }
    }
    Ok(Choice {
        were_left_out: false,
        in_hand: refusals.iter().filter(|one| one.in_hand).count() as u64,
        suppressed: refusals.iter().filter(|one| one.suppressed).count() as u64,
        chosen: refusals
            .into_iter()
            .filter(|one| !one.in_hand && !one.suppressed)
            .map(|one| (one.row, one.address, one.reply))
            .collect(),
    })
}

/// The person of this address, who must still be in the list.
fn listed_person(planned: &Planned, address: &str) -> Result<(String, PersonState), Failure> {
    let (key, found) = person(planned, address)?;
    if found.row > planned.record.listed {
        return Err(Failure::new(
            Exit::Usage,
            format!(
                "{} is no longer in the list of '{}'",
                found.address, planned.record.name
            ),
            "put them into the list and run `postroom plan --update` if they are to get the mail; nothing was changed",
        ));
    }
    Ok((key, found))
}

fn left_out(planned: &Planned, args: &Retry) -> Result<Choice, Failure> {
    let mut people = planned.store.left_out(planned.record.id)?;
    if let Some(address) = &args.to {
        let (key, person) = listed_person(planned, address)?;
        people.retain(|one| one.key == key);
        if people.is_empty() {
            return Err(Failure::new(
                Exit::Usage,
                otherwise(&person, "was not left out for the suppression list"),
                "nothing was changed",
            ));
        }
    }
    let is_free = |one: &LeftOut| !one.suppressed;
    Ok(Choice {
        were_left_out: true,
        in_hand: 0,
        suppressed: people.iter().filter(|one| one.suppressed).count() as u64,
        chosen: people
            .into_iter()
            .filter(is_free)
            .map(|one| (one.row, one.address, String::new()))
            .collect(),
    })
}

/// The different replies, the most frequent first.
fn replies_of(refusals: &[Refusal]) -> Vec<String> {
    let mut counts = std::collections::BTreeMap::new();
    for one in refusals {
        *counts.entry(one.reply.as_str()).or_insert(0_u64) += 1;
    }
    let mut replies: Vec<(&str, u64)> = counts.into_iter().collect();
    replies.sort_by_key(|(reply, count)| (std::cmp::Reverse(*count), *reply));
    replies
        .into_iter()
        .map(|(reply, _)| format!("'{}'", reply.replace(char::is_control, " ")))
        .collect()
}

/// Whether a reply has these words, whatever their case. What begins or ends with a digit is a code: `5.1.1` is
/// not in `5.1.10`.
fn says(reply: &str, wanted: &str) -> bool {
    let (reply, wanted) = (reply.to_lowercase(), wanted.trim().to_lowercase());
    let is_digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    let follows = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit() || c == '.');
    reply.match_indices(&wanted).any(|(at, found)| {
        let before = reply.get(..at).and_then(|text| text.chars().next_back());
        let after = reply.get(at + found.len()..).unwrap_or_default();
        let next = after.chars().next();
        // A full stop ends a sentence; one with a digit after it goes on with a code.
        let goes_on = is_digit(next) || (next == Some('.') && is_digit(after.chars().nth(1)));
        let begins_within = is_digit(found.chars().next()) && follows(before);
        let ends_within = is_digit(found.chars().next_back()) && goes_on;
        !begins_within && !ends_within
    })
}

impl Change for Choice {
    fn say(&self, screen: &Screen) {
        if !self.chosen.is_empty() && !screen.is_json() {
            let quoted = |reply: &str| reply.replace(char::is_control, " ");
            let named = |(_, address, reply): &(u64, String, String)| match quoted(reply) {
                reply if reply.is_empty() => address.clone(),
                reply => format!("{address} ({reply})"),
            };
            let who: Vec<String> = self.chosen.iter().map(named).collect();
            let count = words::count(self.count(), "recipient", "recipients");
            screen.note(&format!("{count}: {}", shortened(&who)));
        }
        if self.suppressed > 0 {
            screen.note(&format!(
                "{} on the suppression list: {}",
                words::count(self.suppressed, "recipient is", "recipients are"),
                if self.were_left_out {
                    "`postroom suppress remove` comes first"
                } else {
                    "they stay as they are"
                }
            ));
        }
        if self.in_hand > 0 {
            screen.note(&format!(
                "the message of {} is in a sender's hands at this moment: run it again when it is done",
                words::count(self.in_hand, "recipient", "recipients")
            ));
        }
    }

    fn count(&self) -> u64 {
        self.chosen.len() as u64
    }

    fn question(&self, people: &str, campaign: &str) -> String {
        format!("Queue {people} of '{campaign}' again?")
    }

    fn make(&self, planned: &mut Planned, by: (&str, Timestamp)) -> Result<u64, Failure> {
        let rows: Vec<u64> = self.chosen.iter().map(|(row, ..)| *row).collect();
        let campaign = planned.record.id;
        if self.were_left_out {
            let messages = restored(&planned.store, &planned.record, &rows, by.1)?;
            return Ok(planned.store.restore(campaign, &messages, by)?);
        }
        let internal = internal(planned)?;
        let is_external =
            |address: &str| !Address::parse(address).is_ok_and(|known| internal.contains(&known));
        Ok(planned.store.retry(campaign, &rows, &is_external, by)?)
    }

    fn nobody(&self) -> &'static str {
        match (self.were_left_out, self.in_hand + self.suppressed) {
            (_, 1..) => "nobody can be queued again now",
            (false, 0) => "nobody was refused: there is nothing to queue again",
            (true, 0) => "nobody was left out for the suppression list",
        }
    }

    fn participle(&self) -> &'static str {
        "queued again"
    }

    fn made(&self, planned: &Planned, changed: u64) -> String {
        let queued = words::count(changed, "recipient is", "recipients are");
        format!("{queued} queued again: {}", goes_on(planned))
    }

    fn json(&self, changed: u64) -> Value {
        let recipients = self.chosen.iter();
        json!({
            "recipients": recipients
                .map(|(row, email, reply)| json!({ "row": row, "email": email, "reply": reply }))
                .collect::<Vec<_>>(),
            "queued": changed,
            "in_hand": self.in_hand,
            "suppressed": self.suppressed,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::says;

    #[test]
    fn a_code_is_not_found_in_a_longer_one() {
        let reply = "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found";
        assert!(says(reply, "5.1.10"));
        assert!(says(reply, "recipient NOT found"));
        assert!(says(reply, "550"));
        assert!(!says(reply, "5.1.1"));
        assert!(!says(reply, "1.10"));
        assert!(!says(reply, "50"));
        assert!(says("550 5.1.1. Unknown", "5.1.1"));
    }
}
