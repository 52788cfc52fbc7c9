//! The browser on this machine: authorisation code with PKCE, coming back to a loopback port (RFC 8252).

use std::borrow::Cow;

use oauth2::url::Url;
use oauth2::{
    AuthUrl, AuthorizationCode, CsrfToken, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl,
};

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
    let asked = Asked::new(settings, redirect.port()).map_err(failed)?;
    let until = clock.now() + PATIENCE;
    show(Step::Browser {
        address: asked.page.to_string(),
        until,
    });
    let answer = tokio::select! {
        answer = redirect.answer(asked.state.secret(), clock) => answer,
        () = clock.sleep_until(until) => return Err(failed(ErrorKind::TimedOut)),
    };
    match answer {
        Answer::Code(code) => {
            let code = AuthorizationCode::new(code);
            exchange(code, asked, settings, http, clock).await
        }
        Answer::Error { error, description } => {
            let secrets = [asked.state.secret().as_str()];
            let kind = refused(&error, description.as_deref(), settings, &secrets);
            Err(failed(kind))
        }
    }
}

/// What the browser is sent to ask.
struct Asked {
    page: Url,
    /// Told by nobody else than who was sent to the page.
    state: CsrfToken,
    verifier: PkceCodeVerifier,
    back: RedirectUrl,
}

impl Asked {
    fn new(settings: &Settings, port: u16) -> Result<Self, ErrorKind> {
        let unusable = |what: &str| ErrorKind::Settings(format!("there is no {what}"));
        // Microsoft lets the port of this address differ from the registered one, and only of this address.
        let back = RedirectUrl::new(format!("http://localhost:{port}"));
        let back = back.map_err(|_| unusable("address to come back to"))?;
        let page = AuthUrl::new(settings.authorize.clone().unwrap_or_default());
        let page = page.map_err(|_| unusable("authorisation endpoint"))?;
        let client = client(settings).map_err(|error| error.kind().clone())?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let (page, state) = client
            .set_auth_uri(page)
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
        Ok(Self {
            page,
            state,
            verifier,
            back,
        })
    }
}

/// Exchanges the code, with the proof that it was asked for here (RFC 7636 4.5).
async fn exchange(
    code: AuthorizationCode,
    asked: Asked,
    settings: &Settings,
    http: &Http,
    clock: &Clock,
) -> Result<Record, Error> {
    let sent = [code.secret().clone(), asked.verifier.secret().clone()];
    let now = clock.now();
    let answer = client(settings)?
        .exchange_code(code)
        .set_pkce_verifier(asked.verifier)
        .set_redirect_uri(Cow::Borrowed(&asked.back))
        .request_async(http)
        .await
        .map_err(|error| failure(error, settings, &[&sent[0], &sent[1]]))?;
    Ok(granted(&answer, settings, now))
}
