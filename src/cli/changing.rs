//! A change of what is to become of many people, as `retry` and `cancel` make it: whom it is about is said first, then
//! it is asked, then done, and what came of it told.

use clap::Args;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::exit::Exit;
use super::failure::Failure;
use super::screen::Screen;
use super::setup::Planned;
use super::who::who;
use super::{Context, words};

/// How much is asked before.
#[derive(Debug, Args)]
pub(super) struct Care {
    /// Changes nothing and says who it would be
    #[arg(long)]
    dry_run: bool,
    /// Does not ask
    #[arg(long, short)]
    yes: bool,
}

/// A change, once it is known whom it is about.
pub(super) trait Change {
    /// Says whom it is about, and whom it leaves out.
    fn say(&self, screen: &Screen);

    /// How many it is about.
    fn count(&self) -> u64;

    /// What is asked before so many of a campaign are changed.
    fn question(&self, people: &str, campaign: &str) -> String;

    /// Makes it, in somebody's name; of how many.
    fn make(&self, planned: &mut Planned, by: (&str, Timestamp)) -> Result<u64, Failure>;

    /// What is said where it is about nobody.
    fn nobody(&self) -> &'static str;

    /// What would become of them, after `would be`.
    fn participle(&self) -> &'static str;

    /// What is said of it once it was made of so many.
    fn made(&self, planned: &Planned, changed: u64) -> String;

    /// Its own part of the object for scripts.
    fn json(&self, changed: u64) -> Value;
}

pub(super) fn carry_out(
    context: &Context,
    mut planned: Planned,
    care: &Care,
    change: &impl Change,
) -> Result<Exit, Failure> {
    let screen = &context.screen;
    change.say(screen);
    let people = words::count(change.count(), "recipient", "recipients");
    let mut made = None;
    if !care.dry_run && change.count() > 0 {
        let question = change.question(&people, &planned.record.name);
        if !screen.confirm(&question, care.yes)? {
            screen.note("nothing was changed");
            return Ok(Exit::Done);
        }
        made = Some(change.make(&mut planned, (&who(), context.clock.now()))?);
    }
    if screen.is_json() {
        let mut value = json!({ "campaign": planned.record.name, "dry_run": care.dry_run });
        if let (Some(all), Value::Object(own)) =
            (value.as_object_mut(), change.json(made.unwrap_or_default()))
        {
            all.extend(own);
        }
        screen.json(&value)?;
        return Ok(Exit::Done);
    }
    screen.result(&match made {
        Some(changed) => change.made(&planned, changed),
        None if change.count() == 0 => change.nobody().to_owned(),
        None => format!(
            "{people} would be {}; nothing was changed",
            change.participle()
        ),
    })?;
    Ok(Exit::Done)
}
