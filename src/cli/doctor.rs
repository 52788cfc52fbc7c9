//! `postroom doctor`: whether an account can send, stage by stage, with what to do where it cannot.

mod slot;

use serde_json::json;

use super::args::Doctor;
use super::examination::Examination;
use super::exit::Exit;
use super::failure::Failure;
use super::screen::{Paint, Screen};
use super::stages::{Finding, Stage, State};
use super::{Context, connect, interrupt};
use crate::config::{Accounts, Sender, accounts_path};
use crate::recipients::Mailbox;
use crate::send::{Account, SignIn};
use slot::{Slot, User};

/// The width of a stage's name and of its state.
const NAME: usize = 10;
const STATE: usize = 8;

pub(super) fn run(context: &Context, args: &Doctor) -> Result<Exit, Failure> {
    let accounts = Accounts::load(&accounts_path(context.places.accounts.as_deref())?)?;
    let sender = Sender::of(accounts.get(&args.account)?)?;
    let from = match &args.from {
        Some(from) => Some(address(from, "--from")?),
        None => own_address(&sender),
    };
    let rcpt = args.rcpt.as_deref();
    let rcpt = rcpt.map(|rcpt| address(rcpt, "--rcpt")).transpose()?;
    if rcpt.is_some() && from.is_none() {
        return Err(Failure::new(
            Exit::Usage,
            "a recipient can only be named after a sender, and the account has no address of its own",
            "add --from with the address to send from",
        ));
    }
    // A password is asked for before anything is shown.
    let account = if sender.is_sandbox() {
        None
    } else {
        Some(connect::account(context, &sender)?)
    };
    connect::runtime()?.block_on(async {
        let _slot = match slot::take(context, &sender).await? {
            Slot::NotNeeded => None,
            Slot::Taken(slot) => Some(slot),
            Slot::InUse(users) => return in_use(context, &sender, &users),
        };
        examine(context, &sender, account, from, rcpt).await
    })
}

/// The address that it sends from.
fn own_address(sender: &Sender) -> Option<String> {
    let own = sender
        .whose()
        .from
        .or_else(|| sender.username().map(str::to_owned));
    let own = own.or_else(|| {
        sender
            .is_sandbox()
            .then(|| "sandbox@postroom.invalid".to_owned())
    });
    address(&own?, "").ok()
}

/// An address as it stands in an envelope.
fn address(text: &str, flag: &str) -> Result<String, Failure> {
    let mailbox = Mailbox::parse(text).map_err(|error| {
        Failure::new(
            Exit::Usage,
            format!("{flag}: {error}"),
            format!("write {flag} you@example.com"),
        )
    })?;
    let address = mailbox.address;
    Ok(address.to_ascii().unwrap_or_else(|| address.to_string()))
}

async fn examine(
    context: &Context,
    sender: &Sender,
    account: Option<Account>,
    from: Option<String>,
    rcpt: Option<String>,
) -> Result<Exit, Failure> {
    let mut signals = interrupt::Signals::catch()?;
    let mut stand_in = None;
    let account = if let Some(account) = account {
        account
    } else {
        let options = connect::stand_in(sender, &[], &[connect::GONE.to_owned()]);
        let server = stand_in.insert(connect::start(options, &context.clock).await?);
        connect::account_at(sender, server)?
    };
    let screen = &context.screen;
    let mut broken = Ok(());
    if !screen.is_json() {
        screen.result(&title(screen, sender, &account))?;
    }
    let examination = Examination {
        clock: &context.clock,
        account: &account,
        preset: sender.preset,
        from,
        rcpt,
    };
    let mut tell = |stage: &Stage| {
        if !screen.is_json() && broken.is_ok() {
            broken = show(screen, stage);
        }
    };
    let stages = tokio::select! {
        stages = examination.run(&mut tell) => stages,
        () = signals.next() => {
            screen.note("interrupted; nothing was sent");
            return Ok(Exit::Interrupted);
        }
    };
    if let Some(server) = stand_in {
        server.stop().await;
    }
    broken?;
    conclude(screen, sender, &examination, &stages)
}

/// All connections that the mailbox may have are taken: nothing can be looked at, and nothing is wrong.
fn in_use(context: &Context, sender: &Sender, users: &[User]) -> Result<Exit, Failure> {
    let screen = &context.screen;
    if screen.is_json() {
        let users = users.iter();
        screen.json(&json!({
            "account": sender.name,
            "stages": [],
            "ok": null,
            "in_use": users
                .map(|user| json!({ "campaign": user.campaign, "who": user.who, "since": user.since }))
                .collect::<Vec<_>>(),
            "sent": 0,
        }))?;
        return Ok(Exit::NotFinished);
    }
    let most = match sender.max_connections {
        1 => "the only connection that the mailbox may have at once is".to_owned(),
        many => format!("all {many} connections that the mailbox may have at once are"),
    };
    let by: Vec<String> = users.iter().map(User::words).collect();
    let by = match by.as_slice() {
        [] => "another command, such as a test or another doctor".to_owned(),
        some => some.join(", and by "),
    };
    let title = format!("{}: {most} in use by {by}", sender.name);
    screen.field("", 0, &screen.painted(Paint::Bold, &title))?;
    let meaning = if users.is_empty() {
        "That is no fault. Nothing was looked at: run doctor again when the other one has ended."
    } else {
        "That is no fault: a provider counts connections, and the send has them for its messages. Nothing was looked at. \
         `postroom status` shows whether the send gets on; if it does, the account can send. Run doctor again when the \
         send has ended, or after `postroom halt`."
    };
    screen.field("", 0, meaning)?;
    Ok(Exit::NotFinished)
}

fn title(screen: &Screen, sender: &Sender, account: &Account) -> String {
    let endpoint = &account.endpoint;
    let whom = match &account.sign_in {
        SignIn::None => "without a sign-in".to_owned(),
        SignIn::Password(credentials) => format!("as {} by password", credentials.username),
        SignIn::OAuth2 { username, .. } => format!("as {username} by OAuth 2.0"),
    };
    let host = if sender.is_sandbox() {
        "the built-in stand-in server"
    } else {
        &endpoint.host
    };
    let title = format!("{}: {host}, port {}, {whom}", account.name, endpoint.port);
    screen.painted(Paint::Bold, &title)
}

fn show(screen: &Screen, stage: &Stage) -> Result<(), Failure> {
    let (word, paint) = match &stage.state {
        State::Passed(_) => ("passed", Paint::Dim),
        State::Failed(_) => ("failed", Paint::Red),
        State::Skipped => ("skipped", Paint::Dim),
    };
    let begin = format!(
        "{:<NAME$} {}{}",
        stage.name,
        screen.painted(paint, word),
        " ".repeat(STATE.saturating_sub(word.len()))
    );
    // Servers are quoted here, and must not steer the terminal.
    let said = stage
        .said
        .replace(|c: char| c.is_control() && c != '\n', " ");
    let mut lines = said.lines();
    let first = lines.next().unwrap_or_default();
    let indent = " ".repeat(NAME + STATE + 1);
    match &stage.state {
        State::Passed(took) => {
            let took = format!("{} ms", took.as_millis());
            screen.result(&format!("{begin} {first}  ({took})"))?;
        }
        State::Failed(_) => screen.result(&format!("{begin} {first}"))?,
        State::Skipped => screen.result(&format!("{begin} not tried"))?,
    }
    for line in lines {
        screen.result(&format!("{indent} {line}"))?;
    }
    if let State::Failed(finding) = &stage.state {
        show_finding(screen, stage, finding, &indent)?;
    }
    Ok(())
}

fn show_finding(
    screen: &Screen,
    stage: &Stage,
    finding: &Finding,
    indent: &str,
) -> Result<(), Failure> {
    let is_new = |line: &&str| !stage.said.contains(line);
    for line in finding.meaning.lines().filter(is_new) {
        screen.result(&format!("{indent} {line}"))?;
    }
    if finding.remedies.is_empty() {
        screen.result(&format!("{indent} → {}", finding.remedy))?;
    }
    for remedy in &finding.remedies {
        screen.result(&format!("{indent} → {remedy}"))?;
    }
    if let Some((_, words)) = &finding.waiting {
        screen.result(&format!("{indent} Waiting: {words}"))?;
    }
    Ok(())
}

fn conclude(
    screen: &Screen,
    sender: &Sender,
    examination: &Examination<'_>,
    stages: &[Stage],
) -> Result<Exit, Failure> {
    let failed = stages.iter().find_map(|stage| match &stage.state {
        State::Failed(finding) => Some(finding.exit),
        _ => None,
    });
    if screen.is_json() {
        let stages: Vec<_> = stages.iter().map(Stage::json).collect();
        screen.json(&json!({
            "account": sender.name,
            "stages": stages,
            "ok": failed.is_none(),
            "sent": 0,
        }))?;
        return Ok(failed.unwrap_or(Exit::Done));
    }
    if examination.from.is_none() && failed.is_none() {
        screen.note("no sender was named, as the account has no address of its own: add --from");
    }
    if failed.is_some() {
        screen.result("Nothing was sent.")?;
    } else {
        let later = if sender.preset.sends_as_itself {
            "the right to send as another (Send As), quotas, most recipients"
        } else {
            "the content itself, quotas, some recipients"
        };
        screen.result(&format!(
            "Nothing was sent. The server looks at some things only after a message's content: {later}."
        ))?;
    }
    Ok(failed.unwrap_or(Exit::Done))
}
