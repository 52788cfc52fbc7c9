//! The browser on this machine: authorisation code with PKCE, coming back to a loopback port (RFC 8252).

use std::borrow::Cow;

use oauth2::{AuthUrl, AuthorizationCode, CsrfToken, PkceCodeChallenge, RedirectUrl};

use super::error::{Error, ErrorKind};
use super::http::Http;
use super::record::Record;
use super::redirect::{Answer, Redirect};
use super::requests::{client, failure, granted, refused, scopes};
use super::settings::Settings;
use super::sign_in::Step;
use crate::clock::{Clock, SignedDuration};

/// How long a person may take: as long as Microsoft gives for a code on another device.
const PATIENCE: SignedDuration = SignedDuration::from_mins(15);

pub(super) async fn sign_in(
    settings: &Settings,
    http: &Http,
    clock: &Clock,
    show: &mut (dyn FnMut(Step) + Send),
) -> Result<Record, Error> {
    let failed = |kind| Error::new(&settings.account, kind);
    let listen = |error: std::io::Error| failed(ErrorKind::Listen(error.to_string()));
    let redirect = Redirect::open().await.map_err(listen)?;
    // Microsoft lets the port of this address differ from the registered one, and only of this address.
    let address = format!("http://localhost:{}", redirect.port());
    let back = RedirectUrl::new(address).map_err(|_| failed(ErrorKind::Listen(String::new())))?;
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let page = AuthUrl::new(settings.authorize.clone().unwrap_or_default());
    let page = page.map_err(|_| {
        let reason = "there is no authorisation endpoint".to_owned();
        failed(ErrorKind::Settings(reason))
    })?;
    let client = client(settings)?.set_auth_uri(page);
    let (page, state) = client
        .authorize_url(CsrfToken::new_random)
        .add_scopes(scopes(settings))
        .set_pkce_challenge(challenge)
        .set_redirect_uri(Cow::Borrowed(&back))
        .add_extra_param("login_hint", settings.username.as_str())
        // A browser is often signed in as somebody else.
        .add_extra_param("prompt", "select_account")
        // Google's word for a refresh token; others ignore what they do not know (RFC 6749 3.1).
        .add_extra_param("access_type", "offline")
        .url();
    let until = clock.now() + PATIENCE;
    show(Step::Browser {
        address: page.into(),
        until,
    });
    let answer = tokio::select! {
        answer = redirect.answer(state.secret(), clock) => answer,
        () = clock.sleep_until(until) => return Err(failed(ErrorKind::TimedOut)),
    };
    let code = match answer {
        Answer::Code(code) => AuthorizationCode::new(code),
        Answer::Error { error, description } => {
            let kind = refused(&error, description.as_deref(), settings, &[state.secret()]);
            return Err(failed(kind));
        }
    };
    let sent = [code.secret().clone(), verifier.secret().clone()];
    let now = clock.now();
    let answer = client
        .exchange_code(code)
        .set_pkce_verifier(verifier)
        .set_redirect_uri(Cow::Borrowed(&back))
        .request_async(http)
        .await
        .map_err(|error| failure(error, settings, &[&sent[0], &sent[1]]))?;
    Ok(granted(&answer, settings, now))
}
