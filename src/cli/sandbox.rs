//! `postroom sandbox`: the stand-in server on its own.

use std::path::Path;

use serde_json::json;

use super::args::{Sandbox as Args, SandboxTls};
use super::disk::cannot_create;
use super::exit::Exit;
use super::failure::Failure;
use super::{Context, connect, interrupt, words};
use crate::provider::Preset;
use crate::sandbox::{Fault, Faults, Options, Snapshot, TlsMode};
use crate::store::refuse_foreign_link;

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let mut options = Options {
        listen: args.listen,
        tls: match args.tls {
            SandboxTls::Starttls => TlsMode::StartTls,
            SandboxTls::Implicit => TlsMode::Implicit,
            SandboxTls::None => TlsMode::None,
        },
        require_auth: !args.no_sign_in,
        internal_domains: args.internal.clone(),
        refuse: args
            .refuse
            .iter()
            .map(|pattern| connect::refusal(pattern))
            .collect(),
        maildir: args.maildir.clone(),
        strict: !args.lenient,
        faults: Faults {
            list: args.fault.clone(),
            ..Faults::default()
        },
        ..Options::default()
    };
    if let Some(name) = &args.provider {
        let preset = Preset::find(name)?;
        options.rules = preset.rules();
        options.max_recipients_per_message = Some(preset.max_recipients_per_message.into());
        options.max_message_size = preset.max_message_size;
        options.max_connections = usize::try_from(preset.max_connections).ok();
        options.profile = connect::profile(&preset.name);
    }
    let snapshot =
        connect::runtime()?.block_on(serve(context, options, args.certificate.as_deref()))?;
    show(context, &snapshot, &args.fault)?;
    Ok(Exit::Done)
}

async fn serve(
    context: &Context,
    options: Options,
    certificate: Option<&Path>,
) -> Result<Snapshot, Failure> {
    let mut signals = interrupt::Signals::catch()?;
    let server = connect::start(options, &context.clock).await?;
    if let Some(path) = certificate {
        refuse_foreign_link(path)
            .and_then(|()| std::fs::write(path, server.certificate_pem()))
            .map_err(|cause| cannot_create(path, &cause))?;
    }
    if context.screen.is_json() {
        context.screen.json(&json!({ "event": "listening", "address": server.address(), "certificate": certificate }))?;
    } else {
        context
            .screen
            .result(&format!("listening on {}", server.address()))?;
        context.screen.note("Ctrl-C ends it");
    }
    signals.next().await;
    Ok(server.stop().await)
}

fn show(context: &Context, snapshot: &Snapshot, faults: &[Fault]) -> Result<(), Failure> {
    let breaches: Vec<String> = snapshot
        .breaches
        .iter()
        .map(|breach| format!("{} at {}: {}", breach.limit, breach.at, breach.detail))
        .collect();
    if context.screen.is_json() {
        return context.screen.json(&json!({
            "event": "ended",
            "received": { "messages": snapshot.messages, "recipients": snapshot.recipients },
            "refused_recipients": snapshot.refused_recipients,
            "refused_messages": snapshot.refused_messages,
            "connections": snapshot.connections,
            "breaches": breaches,
            "faults": faults
                .iter()
                .zip(&snapshot.faults)
                .map(|(fault, times)| json!({ "fault": fault.to_string(), "times": times }))
                .collect::<Vec<_>>(),
        }));
    }
    context.screen.result(&format!(
        "received {} for {} over {}; refused {}",
        words::count(snapshot.messages, "message", "messages"),
        words::count(snapshot.recipients, "recipient", "recipients"),
        words::count(snapshot.connections, "connection", "connections"),
        words::count(snapshot.refused_recipients, "recipient", "recipients"),
    ))?;
    for breach in &breaches {
        context.screen.result(&format!("limit broken: {breach}"))?;
    }
    for (fault, times) in faults.iter().zip(&snapshot.faults) {
        let times = words::count(*times, "time", "times");
        context.screen.result(&format!("fault {fault}: {times}"))?;
    }
    Ok(())
}
