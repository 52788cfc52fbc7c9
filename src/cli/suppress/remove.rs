//! `postroom suppress remove`.

use serde_json::json;

use super::telling::for_whom;
use super::{Remove, list, subjects};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::{Context, setup, words};
use crate::recipients::{Nearest, Subject};
use crate::store::{Store, Suppression};

pub(super) fn run(context: &Context, args: &Remove) -> Result<Exit, Failure> {
    let (mut store, _) = setup::store_to_look_at(&context.places)?;
    let name = args.scope.name(&store)?;
    let subjects = subjects(&args.who)?;
    let known = store.suppressions()?;
    let is_of = |campaign: &Option<String>| *campaign == name;
    for (written, subject) in &subjects {
        let key = subject.key();
        if known
            .iter()
            .any(|one| is_of(&one.campaign) && one.subject == key)
        {
            continue;
        }
        return Err(not_on_list(&known, name.as_deref(), written, subject));
    }
    let mut removed = Vec::new();
    let mut left_out = Vec::new();
    for (_, subject) in &subjects {
        removed.extend(store.unsuppress(name.as_deref(), &subject.key())?);
        left_out.extend(store.left_out_for(name.as_deref(), &subject.key())?);
    }
    if context.screen.is_json() {
        let left_out = left_out.iter();
        context.screen.json(&json!({
            "campaign": name,
            "removed": removed.iter().map(list::entry_json).collect::<Vec<_>>(),
            "left_out": left_out
                .map(|(campaign, count)| json!({ "campaign": campaign, "recipients": count }))
                .collect::<Vec<_>>(),
        }))?;
        return Ok(Exit::Done);
    }
    for entry in &removed {
        context
            .screen
            .result(&format!("{} is off the list", entry.written))?;
    }
    for (campaign, count) in left_out {
        context.screen.note(&format!(
            "{} left out of '{campaign}' until `postroom retry --suppressed` queues them, or the next `postroom plan \
             --update` adds whoever of them is in the list",
            words::count(count, "recipient stays", "recipients stay")
        ));
    }
    still_on_list(context, &store, name.as_deref(), &subjects)
}

/// Whoever is on the list by another entry too is written to no more than before.
fn still_on_list(
    context: &Context,
    store: &Store,
    campaign: Option<&str>,
    subjects: &[(String, Subject)],
) -> Result<Exit, Failure> {
    let left = store.suppressions()?;
    for (written, subject) in subjects {
        let Subject::Person(address) = subject else {
            continue;
        };
        let keys = [subject.key(), format!("@{}", address.domain())];
        let holds = left.iter().filter(|one| {
            keys.contains(&one.subject) && (campaign.is_none() || one.campaign.is_none())
        });
        for one in holds {
            let for_whom = for_whom(one.campaign.as_deref());
            context.screen.warning(&format!(
                "{written} is still not written to {for_whom}: {} is on the list",
                one.written
            ));
        }
    }
    Ok(Exit::Done)
}

fn not_on_list(
    known: &[Suppression],
    campaign: Option<&str>,
    written: &str,
    subject: &Subject,
) -> Failure {
    let key = subject.key();
    let elsewhere = known.iter().find(|one| one.subject == key);
    let domain = match subject {
        Subject::Person(address) => Some(format!("@{}", address.domain())),
        Subject::Domain(_) => None,
    };
    let domain = known
        .iter()
        .find(|one| Some(&one.subject) == domain.as_ref());
    let remedy = match (elsewhere, domain) {
        (Some(one), _) => match &one.campaign {
            Some(name) => format!("it is there for the campaign '{name}': add --campaign '{name}'"),
            None => "it is there for all campaigns: leave --campaign out".to_owned(),
        },
        (None, Some(one)) => format!("its whole domain is there: {}", one.written),
        (None, None) => {
            let mut nearest = Nearest::address(&key);
            for one in known {
                nearest.look_at(&one.subject);
            }
            match nearest.found() {
                Some(near) => format!("if {near} is meant, write that"),
                None => "`postroom suppress list` shows the list".to_owned(),
            }
        }
    };
    let of = campaign.map_or_else(String::new, |name| format!(" of the campaign '{name}'"));
    Failure::new(
        Exit::Usage,
        format!("'{written}' is not on the list{of}"),
        format!("{remedy}; nothing was changed"),
    )
}
