//! `postroom accounts`: who can send, how each signs in, and how much of its quota is left.

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::exit::Exit;
use super::failure::Failure;
use super::screen::{Paint, Screen};
use super::{Context, signing, words};
use crate::clock::Clock;
use crate::config::{Account, Accounts, Auth, SecretSource, Sender, accounts_path, store_path};
use crate::limits::Rule;
use crate::oauth::{ErrorKind, Keep, Standing};
use crate::plan::usage;
use crate::provider::Flow;
use crate::store::Store;

/// An account as it stands.
struct Row {
    account: Account,
    /// None when it cannot be used as it is set up; then `trouble` says why.
    sender: Option<Sender>,
    standing: Option<Standing>,
    /// What each rule allows, and what of that was used.
    used: Vec<(Rule, u64)>,
    trouble: Option<Failure>,
}

pub(super) fn run(context: &Context) -> Result<Exit, Failure> {
    let accounts = Accounts::load(&accounts_path(context.places.accounts.as_deref())?)?;
    let path = store_path(context.places.store.as_deref())?;
    // Looking makes no store.
    let store = path.exists().then(|| Store::open(&path)).transpose()?;
    let keep = signing::keep()?;
    let mut rows = Vec::new();
    for name in accounts.names() {
        rows.push(look(
            accounts.get(name)?,
            store.as_ref(),
            &keep,
            &context.clock,
        )?);
    }
    let screen = &context.screen;
    if screen.is_json() {
        let rows: Vec<Value> = rows.iter().map(json_of).collect();
        screen.json(&json!({ "accounts": rows }))?;
        return Ok(Exit::Done);
    }
    for row in &rows {
        show(screen, row)?;
    }
    if rows.len() == 1 {
        screen.note(&format!(
            "another account is added under [NAME] in {}",
            accounts.file().display()
        ));
    }
    Ok(Exit::Done)
}

fn look(
    account: &Account,
    store: Option<&Store>,
    keep: &Keep,
    clock: &Clock,
) -> Result<Row, Failure> {
    let mut row = Row {
        account: account.clone(),
        sender: None,
        standing: None,
        used: Vec::new(),
        trouble: None,
    };
    let sender = match Sender::of(account) {
        Ok(sender) => sender,
        Err(error) => {
            row.trouble = Some(error.into());
            return Ok(row);
        }
    };
    row.used = usage(store, &sender.limits(), clock.reading())?;
    // No secret is needed to see what is kept.
    let settings = sender.oauth2(None, Vec::new());
    let settings = settings.filter(|settings| settings.flow != Flow::ClientCredentials);
    if let Some(settings) = settings {
        match keep.standing(&settings) {
            Ok(standing) => row.standing = Some(standing),
            Err(error) if matches!(error.kind(), ErrorKind::NotSignedIn(_)) => {
                row.standing = Some(Standing::SignedOut);
            }
            Err(error) => row.trouble = Some(signing::failure(&error, sender.preset)),
        }
    }
    row.sender = Some(sender);
    Ok(row)
}

fn show(screen: &Screen, row: &Row) -> Result<(), Failure> {
    let name = screen.painted(Paint::Bold, &row.account.name);
    let line = |name: &str, value: &str| screen.result(&format!("  {name:<10}{value}"));
    match &row.sender {
        Some(sender) if sender.is_sandbox() => {
            screen.result(&format!(
                "{name}  the built-in stand-in server: nothing leaves this machine"
            ))?;
        }
        Some(sender) => {
            screen.result(&format!("{name}  {}", sender.preset.title))?;
            line("mailbox", sender.username().unwrap_or("none"))?;
            line("sign-in", &sign_in(row, sender))?;
        }
        None => screen.result(&format!("{name}  {}", row.account.provider))?,
    }
    if let Some(trouble) = &row.trouble {
        line("trouble", &trouble.message)?;
        line("", &format!("→ {}", trouble.remedy))?;
    }
    for (rule, used) in &row.used {
        let left = words::number(rule.max.saturating_sub(*used));
        line("quota", &format!("{left} left of {}", words::rule(rule)))?;
    }
    screen.result("")
}

/// How it signs in, and how that stands.
fn sign_in(row: &Row, sender: &Sender) -> String {
    let zone = TimeZone::system();
    match (row.account.auth, &row.account.password) {
        (Auth::None, _) => return "none".to_owned(),
        (Auth::Password, Some(SecretSource::Keyring)) => {
            return "password, kept by login".to_owned();
        }
        (Auth::Password, Some(SecretSource::Prompt) | None) => {
            return "password, asked for at every send".to_owned();
        }
        (Auth::Password, Some(SecretSource::Env(name))) => {
            return format!("password from the variable {name}");
        }
        (Auth::Password, Some(_)) => return "password from a command".to_owned(),
        (Auth::OAuth2, _) => {}
    }
    let login = format!("run `postroom login {}`", sender.name);
    match &row.standing {
        None if sender.flow() == Some(Flow::ClientCredentials) => {
            "the app signs in by itself at every send".to_owned()
        }
        None => "unknown".to_owned(),
        Some(Standing::SignedOut) => format!("not signed in: {login}"),
        Some(Standing::Ended { refusal, at }) => format!(
            "ended by the provider, {}: {refusal}; {login}",
            words::time(*at, &zone)
        ),
        Some(Standing::SignedIn {
            until,
            renews,
            place,
            ..
        }) => {
            let until = until.map_or_else(String::new, |at| {
                format!(" until {}", words::time(at, &zone))
            });
            let renews = if *renews {
                ", and renewed by itself"
            } else {
                ""
            };
            format!("signed in{until}{renews}; kept {}", signing::place(place))
        }
    }
}

fn json_of(row: &Row) -> Value {
    let sender = row.sender.as_ref();
    let limits = row.used.iter().map(|(rule, used)| {
        let mut limit = json!(rule);
        limit["used"] = json!(used);
        limit["left"] = json!(rule.max.saturating_sub(*used));
        limit
    });
    let (signed_in, until, renews, place) = match &row.standing {
        None => (None, None, None, None),
        Some(Standing::SignedIn {
            until,
            renews,
            place,
            ..
        }) => (Some(true), *until, Some(*renews), Some(place)),
        Some(Standing::SignedOut | Standing::Ended { .. }) => (Some(false), None, None, None),
    };
    json!({
        "name": row.account.name,
        "provider": sender.map_or(row.account.provider.as_str(), |sender| &sender.preset.name),
        "mailbox": row.account.username,
        "auth": match row.account.auth {
            Auth::OAuth2 => "oauth2",
            Auth::Password => "password",
            Auth::None => "none",
        },
        "flow": sender.and_then(Sender::flow).map(Flow::as_str),
        "signed_in": signed_in,
        "until": until,
        "renews": renews,
        "file": place.and_then(signing::file_of),
        "trouble": row.trouble.as_ref().map(|trouble| &trouble.message),
        "limits": limits.collect::<Vec<_>>(),
    })
}
