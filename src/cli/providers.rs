//! `postroom providers`: presets with their limits and sources.

use serde_json::json;

use super::Context;
use super::args::Providers;
use super::exit::Exit;
use super::failure::Failure;
use super::screen::{Paint, Screen};
use super::words;
use crate::provider::{Preset, PresetLimit, Tls, presets};

/// The width of the headings of one provider.
const HEADING: usize = 13;

/// From this width on the list has the providers' titles too.
const WIDE: usize = 115;

pub(super) fn run(context: &Context, args: &Providers) -> Result<Exit, Failure> {
    let chosen: Vec<&Preset> = match &args.name {
        Some(name) => vec![Preset::find(name)?],
        None => presets()?.iter().collect(),
    };
    if context.screen.is_json() {
        context.screen.json(&json!({ "providers": chosen }))?;
        return Ok(Exit::Done);
    }
    match (args.name.is_some(), chosen.as_slice()) {
        (true, [preset]) => show(&context.screen, preset)?,
        _ => list(&context.screen, &chosen)?,
    }
    Ok(Exit::Done)
}

/// A table with a few lines for each.
fn list(screen: &Screen, presets: &[&Preset]) -> Result<(), Failure> {
    let titles = screen.width().is_none_or(|width| width >= WIDE);
    let title_width = presets.iter().map(|preset| preset.title.len()).max();
    let title_width = title_width.filter(|_| titles).map_or(0, |width| width + 2);
    let row = |name: &str, title: &str, message: &str, limit: &str, sign_in: &str| {
        let title = if titles { title } else { "" };
        let line = format!("{name:<30}{title:<title_width$}{message:>9}  {limit:<27}{sign_in}");
        line.trim_end().to_owned()
    };
    let head = row("name", "title", "a message", "limits", "sign-in");
    screen.result(&screen.painted(Paint::Dim, &head))?;
    for preset in presets {
        let limits: Vec<String> = preset.limits.iter().map(in_short).collect();
        let sign_in = ways(preset);
        for at in 0..limits.len().max(sign_in.len()) {
            let none = if at == 0 { "none known" } else { "" };
            let first = |text: String| if at == 0 { text } else { String::new() };
            screen.result(&row(
                &first(preset.name.clone()),
                &first(preset.title.clone()),
                &first(words::number(preset.max_recipients_per_message.into())),
                limits.get(at).map_or(none, String::as_str),
                sign_in.get(at).copied().unwrap_or_default(),
            ))?;
        }
    }
    screen.result("")?;
    let limits = presets.iter().flat_map(|preset| &preset.limits);
    if limits.into_iter().any(|limit| limit.withdrawn.is_some()) {
        screen.field(
            "",
            0,
            "* withdrawn by the provider, and kept to be on the safe side: withdrawn_limits = false for the account lifts it",
        )?;
    }
    screen.field(
        "",
        0,
        "`postroom providers NAME` tells everything about one. An account whose username or from is at a domain such as \
         outlook.com or gmail.com finds its provider by it; any other names one: provider = \"NAME\".",
    )
}

/// A limit as the list has it.
fn in_short(limit: &PresetLimit) -> String {
    let mark = if limit.withdrawn.is_some() { " *" } else { "" };
    words::rule(&limit.rule).replace("external recipients", "external") + mark
}

fn ways(preset: &Preset) -> Vec<&'static str> {
    let oauth2 = preset.oauth2.as_ref().map(|_| "OAuth");
    oauth2.into_iter().chain(["password"]).collect()
}

/// Everything about one.
fn show(screen: &Screen, preset: &Preset) -> Result<(), Failure> {
    let name = screen.painted(Paint::Bold, &preset.name);
    screen.result(&format!("{name}  {}", preset.title))?;
    screen.result("")?;
    let field = |name: &str, text: &str| screen.field(name, HEADING, text);
    field("server", &server(preset))?;
    show_regions(screen, preset)?;
    field("a message", &a_message(preset))?;
    for limit in &preset.limits {
        let withdrawn = limit.withdrawn.as_deref().map(words::day);
        let withdrawn = withdrawn.map_or_else(String::new, |day| format!(" (withdrawn on {day})"));
        field("limit", &format!("{}{withdrawn}", words::rule(&limit.rule)))?;
        if let Some(note) = &limit.note {
            field("", note)?;
        }
    }
    if preset.limits.is_empty() {
        field("limit", "none is known")?;
    }
    field(
        "connections",
        &format!("{} at once", preset.max_connections),
    )?;
    show_sign_in(screen, preset)?;
    if !preset.domains.is_empty() {
        field(
            "found by",
            &format!(
                "{}: an account with such a username or from need not name its provider",
                preset.domains.join(", ")
            ),
        )?;
    }
    if !preset.aliases.is_empty() {
        field("other names", &preset.aliases.join(", "))?;
    }
    for note in &preset.notes {
        field("note", note)?;
    }
    field("source", &preset.source)?;
    field("as of", &words::day(&preset.checked_on))
}

fn server(preset: &Preset) -> String {
    let tls = match preset.tls {
        Tls::Starttls => "STARTTLS",
        Tls::Implicit => "TLS from the first byte",
        Tls::None => "no encryption",
    };
    let host = preset.host.as_deref().unwrap_or("the account's host");
    format!("{host}, port {}, {tls}", preset.port)
}

fn show_regions(screen: &Screen, preset: &Preset) -> Result<(), Failure> {
    let Some(first) = preset.regions.first() else {
        return Ok(());
    };
    let with_host = |host: &str| {
        preset
            .host
            .as_deref()
            .is_some_and(|own| !own.contains('{') && own != host)
    };
    let names: Vec<String> = preset
        .regions
        .iter()
        .map(|region| {
            if with_host(&region.host) {
                format!("{} ({})", region.name, region.host)
            } else {
                region.name.clone()
            }
        })
        .collect();
    let choice = match &preset.region {
        Some(usual) => format!("{usual} unless the account says otherwise"),
        None => format!(
            "the account must say one, such as region = \"{}\"",
            first.name
        ),
    };
    screen.field("regions", HEADING, &names.join(", "))?;
    screen.field("", HEADING, &choice)
}

fn a_message(preset: &Preset) -> String {
    let recipients = words::number(preset.max_recipients_per_message.into());
    match preset.max_message_size {
        Some(bytes) => format!(
            "{recipients} recipients and {} MB at most",
            words::number(bytes / (1024 * 1024))
        ),
        None => format!("{recipients} recipients at most; the server says how large it may be"),
    }
}

fn show_sign_in(screen: &Screen, preset: &Preset) -> Result<(), Failure> {
    if let Some(oauth2) = &preset.oauth2 {
        let flows: Vec<&str> = oauth2.flows.iter().map(|flow| flow.as_str()).collect();
        let scopes: Vec<&str> = [&oauth2.scopes, &oauth2.app_scopes]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect();
        screen.field(
            "sign-in",
            HEADING,
            &format!(
                "auth = \"oauth2\" with flow = \"{}\"",
                flows.join("\" or \"")
            ),
        )?;
        screen.field("", HEADING, &format!("scopes {}", scopes.join(", ")))?;
        if oauth2.public_clients_have_secrets {
            screen.field(
                "",
                HEADING,
                "the client has a secret too: [ACCOUNT.client_secret]",
            )?;
        }
    }
    screen.field("sign-in", HEADING, "auth = \"password\"")?;
    if let Some(username) = &preset.username {
        screen.field("", HEADING, &format!("username is always {username}"))?;
    }
    Ok(())
}
