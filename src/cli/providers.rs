//! `postroom providers`: presets with their limits and sources.

use serde_json::json;

use super::Context;
use super::args::Providers;
use super::exit::Exit;
use super::failure::Failure;
use super::screen::Paint;
use super::words;
use crate::provider::{Preset, presets};

pub(super) fn run(context: &Context, args: &Providers) -> Result<Exit, Failure> {
    let chosen: Vec<&Preset> = match &args.name {
        Some(name) => vec![Preset::find(name)?],
        None => presets()?.iter().collect(),
    };
    if context.screen.is_json() {
        context.screen.json(&json!({ "providers": chosen }))?;
        return Ok(Exit::Done);
    }
    for preset in chosen {
        show(context, preset, args.name.is_some())?;
    }
    Ok(Exit::Done)
}

fn show(context: &Context, preset: &Preset, whole: bool) -> Result<(), Failure> {
    let screen = &context.screen;
    let name = screen.painted(Paint::Bold, &preset.name);
    let server = preset.host.as_ref().map_or_else(
        || "any server".to_owned(),
        |host| format!("{host}:{}", preset.port),
    );
    screen.result(&format!("{name}  {} ({server})", preset.title))?;
    let line = |name: &str, value: &str| screen.result(&format!("  {name:<12}{value}"));
    line(
        "a message",
        &format!(
            "{} recipients at most",
            words::number(preset.max_recipients_per_message.into())
        ),
    )?;
    for limit in &preset.limits {
        line("limit", &words::rule(&limit.rule))?;
        if let Some(note) = limit.note.as_ref().filter(|_| whole) {
            line("", note)?;
        }
    }
    line(
        "connections",
        &format!("{} at once", preset.max_connections),
    )?;
    if whole {
        for note in &preset.notes {
            line("note", note)?;
        }
    }
    line(
        "source",
        &format!("{} (as of {})", preset.source, preset.checked_on),
    )?;
    screen.result("")
}
