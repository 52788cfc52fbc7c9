//! `postroom login`: signs in, and keeps what is needed to sign in again.

use std::io::{self, BufRead, IsTerminal};

use jiff::tz::TimeZone;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::args::Login;
use super::exit::Exit;
use super::failure::Failure;
use super::screen::{Paint, Screen};
use super::{Context, connect, interrupt, secrets, signing, words};
use crate::config::{Account, Accounts, Auth, SecretSource, Sender, accounts_path};
use crate::oauth::{Granted, Settings, Step, sign_in};
use crate::provider::Flow;
use crate::vault::{Entry, Place};

pub(super) fn run(context: &Context, args: &Login) -> Result<Exit, Failure> {
    let accounts = Accounts::load(&accounts_path(context.places.accounts.as_deref())?)?;
    let mut account = accounts.get(&args.account)?.clone();
    if let Some(flow) = args.flow {
        let oauth2 = account
            .oauth2
            .as_mut()
            .filter(|_| account.auth == Auth::OAuth2);
        let oauth2 = oauth2.ok_or_else(|| no_flow(&args.account))?;
        oauth2.flow = Some(flow.into());
    }
    let sender = Sender::of(&account)?;
    match account.auth {
        Auth::OAuth2 => by_oauth2(context, args, &account, &sender),
        Auth::Password => by_password(context, &account),
        Auth::None => Err(Failure::new(
            Exit::Config,
            format!("the account '{}' does not sign in anywhere", account.name),
            "there is nothing to do; set auth in accounts.toml if its server does ask for a sign-in",
        )),
    }
}

fn no_flow(account: &str) -> Failure {
    Failure::new(
        Exit::Usage,
        format!("the account '{account}' does not sign in by OAuth 2.0, and has no flow"),
        "leave --flow out",
    )
}

/// Keeps a password, where the account says so.
fn by_password(context: &Context, account: &Account) -> Result<Exit, Failure> {
    let name = &account.name;
    if account.password != Some(SecretSource::Keyring) {
        let from = match &account.password {
            Some(SecretSource::Env(variable)) => format!("comes from the variable {variable}"),
            Some(SecretSource::Shell(_) | SecretSource::Program(_)) => {
                "comes from a command".to_owned()
            }
            _ => "is asked for at every send".to_owned(),
        };
        return Err(Failure::new(
            Exit::Config,
            format!("the password of '{name}' {from}: there is nothing to keep"),
            format!(
                "write keyring = true under [{name}.password] in accounts.toml to have it kept"
            ),
        ));
    }
    let whom = account.username.as_deref().unwrap_or(name);
    let password = typed(&context.screen, &format!("Password of {whom}: "))?;
    let place = store(name, secrets::PASSWORD, &password)?;
    if context.screen.is_json() {
        context.screen.json(&json!({
            "event": "kept",
            "account": name,
            "what": secrets::PASSWORD,
            "file": signing::file_of(&place),
        }))?;
    } else {
        context.screen.result(&format!(
            "the password of {whom} is kept {}; `postroom send` tries it",
            signing::place(&place)
        ))?;
    }
    Ok(Exit::Done)
}

fn by_oauth2(
    context: &Context,
    args: &Login,
    account: &Account,
    sender: &Sender,
) -> Result<Exit, Failure> {
    let name = &account.name;
    let failed = |error: &crate::oauth::Error| signing::failure(error, sender.preset);
    let fresh_secret = (sender.client_secret() == Some(&SecretSource::Keyring))
        .then(|| typed(&context.screen, "Client secret of the app: "))
        .transpose()?;
    let settings = match &fresh_secret {
        Some(secret) => sender.oauth2(Some(secret.clone()), connect::extra_roots(sender)?),
        None => signing::settings(sender)?,
    };
    let settings = settings.ok_or_else(|| Failure::own("an account without a sign-in"))?;
    let keep = signing::keep()?;
    let Some(granted) = connect::runtime()?.block_on(wait(context, args, sender, &settings))?
    else {
        context
            .screen
            .note("interrupted; what was kept before is kept still");
        return Ok(Exit::Interrupted);
    };
    let granted = granted.map_err(|error| failed(&error))?;
    let mut place = None;
    if let Some(secret) = &fresh_secret {
        place = Some(store(name, secrets::CLIENT_SECRET, secret)?);
    }
    // The application signs in anew each time: there is nothing else to keep.
    if settings.flow != Flow::ClientCredentials {
        let kept = keep.store(&settings, &granted);
        place = Some(kept.map_err(|error| failed(&error))?);
    }
    show_granted(&context.screen, &settings, &granted, place.as_ref())?;
    Ok(Exit::Done)
}

/// Waits for the person; none when interrupted.
async fn wait(
    context: &Context,
    args: &Login,
    sender: &Sender,
    settings: &Settings,
) -> Result<Option<Result<Granted, crate::oauth::Error>>, Failure> {
    let mut signals = interrupt::Signals::catch()?;
    let mut broken = None;
    let mut show = |step: Step| {
        if let Err(failure) = show_step(&context.screen, args, sender, &step) {
            broken = Some(failure);
        }
    };
    let granted = tokio::select! {
        granted = sign_in(settings, &context.clock, &mut show) => Some(granted),
        () = signals.next() => None,
    };
    match broken {
        Some(failure) => Err(failure),
        None => Ok(granted),
    }
}

fn show_step(screen: &Screen, args: &Login, sender: &Sender, step: &Step) -> Result<(), Failure> {
    if screen.is_json() {
        screen.json(&step_json(sender, step))?;
    } else {
        show_words(screen, sender, step)?;
    }
    if let Step::Browser { address, .. } = step
        && !args.no_browser
        && let Err(cause) = open::that_detached(address)
    {
        screen.note(&format!("no browser could be opened ({cause})"));
    }
    Ok(())
}

fn show_words(screen: &Screen, sender: &Sender, step: &Step) -> Result<(), Failure> {
    let whom = sender.username().unwrap_or_default();
    let title = format!("Sign in as {whom} ({})", sender.preset.title);
    screen.result(&screen.painted(Paint::Bold, &title))?;
    let (what, lines, until) = match step {
        Step::Code {
            address,
            code,
            until,
            ..
        } => (
            "Open this address on any device and type this code:",
            vec![address, code],
            until,
        ),
        Step::Browser { address, until } => (
            "Open this address in a browser on this machine:",
            vec![address],
            until,
        ),
    };
    screen.result(what)?;
    screen.result("")?;
    for line in lines {
        screen.result(&format!("    {line}"))?;
    }
    screen.result("")?;
    let until = words::time_of_day(*until, &TimeZone::system());
    screen.result(&format!("Waiting until {until}; Ctrl-C ends it."))
}

fn step_json(sender: &Sender, step: &Step) -> Value {
    let mut value = match step {
        Step::Code {
            address,
            code,
            with_code,
            until,
        } => json!({
            "event": "code",
            "address": address,
            "code": code,
            "address_with_code": with_code,
            "until": until,
        }),
        Step::Browser { address, until } => json!({
            "event": "browser",
            "address": address,
            "until": until,
        }),
    };
    value["account"] = sender.name.as_str().into();
    value["sign_in_as"] = sender.username().into();
    value
}

fn show_granted(
    screen: &Screen,
    settings: &Settings,
    granted: &Granted,
    place: Option<&Place>,
) -> Result<(), Failure> {
    let token = granted.access_token();
    let until = token.map(crate::oauth::AccessToken::expires_at);
    let is_application = settings.flow == Flow::ClientCredentials;
    if screen.is_json() {
        return screen.json(&json!({
            "event": "signed_in",
            "account": settings.account,
            "sign_in_as": settings.username,
            "flow": settings.flow.as_str(),
            "until": until,
            "renews": granted.renews() || is_application,
            "scopes": token.map(crate::oauth::AccessToken::scopes),
            "kept": place.is_some(),
            "file": place.and_then(signing::file_of),
        }));
    }
    let until = until.map_or_else(String::new, |at| {
        format!(" until {}", words::time(at, &TimeZone::system()))
    });
    let kept = place.map_or_else(String::new, |place| {
        format!("; kept {}", signing::place(place))
    });
    if is_application {
        return screen.result(&format!(
            "the app can sign in as {}{until}, and does so anew at every send{kept}",
            settings.username
        ));
    }
    let renews = if granted.renews() {
        ", and renewed by itself"
    } else {
        ""
    };
    screen.result(&format!(
        "signed in as {}{until}{renews}{kept}",
        settings.username
    ))?;
    if !granted.renews() {
        screen.warning(
            "the provider gave nothing to renew this sign-in with: a longer campaign will stop when it ends",
        );
    }
    Ok(())
}

/// Keeps a secret of an account.
fn store(account: &str, kind: &'static str, secret: &SecretString) -> Result<Place, Failure> {
    let vault = secrets::vault()?;
    let store = || vault.lock(&Entry::new(account, kind))?.write(secret);
    store().map_err(|error: crate::vault::VaultError| {
        Failure::new(
            Exit::Io,
            format!("the {kind} cannot be kept: {error}"),
            "unlock the keyring, or set POSTROOM_TOKENS=file to keep it in a file that only you can read",
        )
    })
}

/// Asks on the terminal; without one, the first line of standard input.
fn typed(screen: &Screen, words: &str) -> Result<SecretString, Failure> {
    let unusable = |cause: io::Error| Failure::from(crate::config::SecretError::Prompt(cause));
    let secret = if io::stdin().is_terminal() && !screen.is_json() {
        rpassword::prompt_password(words)
            .map(SecretString::from)
            .map_err(unusable)?
    } else {
        let mut line = Zeroizing::new(String::new());
        io::stdin().lock().read_line(&mut line).map_err(unusable)?;
        SecretString::from(line.trim_end_matches(['\r', '\n']))
    };
    if secret.expose_secret().is_empty() {
        return Err(crate::config::SecretError::NothingTyped.into());
    }
    Ok(secret)
}
