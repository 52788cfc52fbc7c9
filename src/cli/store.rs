//! `postroom store claim`: makes a store that was copied or restored the one that sends.

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::args::StoreClaim;
use super::exit::Exit;
use super::failure::Failure;
use super::{Context, setup, words};
use crate::config::store_path;
use crate::store::{Away, Displacement, Store, Whereabouts};

pub(super) fn claim(context: &Context, args: &StoreClaim) -> Result<Exit, Failure> {
    let path = store_path(context.places.store.as_deref())?;
    if !path.exists() {
        return Err(Failure::new(
            Exit::NoInput,
            format!("there is no store at {}", path.display()),
            "name the store's file with --store",
        ));
    }
    let (mut store, _) = setup::store(&context.places)?;
    let screen = &context.screen;
    let Whereabouts::Away(away) = store.whereabouts()? else {
        if screen.is_json() {
            screen.json(&claimed_json(&store, false, None))?;
        } else {
            screen.result(&format!(
                "the store {} is at home: there is nothing to claim",
                path.display()
            ))?;
        }
        return Ok(Exit::Done);
    };
    screen.warning(&explanation(&away));
    if !screen.confirm("Claim this store?", args.yes)? {
        screen.note("nothing was changed");
        return Ok(Exit::Done);
    }
    store.claim(context.clock.now())?;
    if screen.is_json() {
        screen.json(&claimed_json(&store, true, Some(&away)))?;
    } else {
        screen.result(&format!(
            "the store {} is claimed: `postroom send` sends from it",
            path.display()
        ))?;
    }
    Ok(Exit::Done)
}

/// Before a send: a store that is not at home is explained and asked about. None when the send may go
/// on. A yes to sending is no yes to this, so `--yes` does not answer it.
pub(super) fn claim_before_sending(
    context: &Context,
    store: &mut Store,
) -> Result<Option<Exit>, Failure> {
    let Whereabouts::Away(away) = store.whereabouts()? else {
        return Ok(None);
    };
    let screen = &context.screen;
    if !screen.can_ask() {
        return Err(crate::store::Error::Elsewhere(Box::new(away)).into());
    }
    // It must be read before the question is answered, quiet or not.
    screen.warning(&explanation(&away));
    if !screen.confirm("Claim this store, and send from it?", false)? {
        screen.note("nothing was sent");
        return Ok(Some(Exit::Done));
    }
    store.claim(context.clock.now())?;
    Ok(None)
}

/// What was found, and what claiming means.
fn explanation(away: &Away) -> String {
    let zone = TimeZone::system();
    let known = match away.known_until {
        Some(at) => format!(
            "The last message that it knows of was handed over {}. Whoever was sent a mail after that, it takes for not \
             yet written to: these people may get it twice, and the limits do not count it.",
            words::time(at, &zone)
        ),
        None => "It knows of no message that was handed over. Whoever was sent a mail by another copy may get it twice, \
                 and the limits do not count it."
            .to_owned(),
    };
    let other = match away.displacement {
        Displacement::OtherMachine => {
            "Once this one is claimed, the one on the other machine must not be used any more."
        }
        Displacement::Copied => {
            "Once this one is claimed, the one that it was copied from must not be used any more."
        }
        Displacement::Restored => {
            "If the newer file is still to be had, put that one back instead of claiming this one."
        }
    };
    format!("{away}.\n{known}\n{other}")
}

fn claimed_json(store: &Store, claimed: bool, away: Option<&Away>) -> Value {
    json!({
        "claimed": claimed,
        "store": store.path(),
        "found": away.map_or("home", |away| away.displacement.as_str()),
        "last_home": away.map(|away| &away.home),
        "last_home_since": away.map(|away| away.since),
        "known_until": away.and_then(|away| away.known_until),
    })
}
