//! The requests of RFC 6749 that need no person, and what comes of every request.

use std::time::Duration;

use oauth2::basic::{BasicClient, BasicErrorResponse, BasicTokenResponse};
use oauth2::{
    AuthType, ClientId, ClientSecret, EndpointNotSet, EndpointSet, ErrorResponse, RefreshToken,
    RequestTokenError, Scope, TokenResponse, TokenUrl,
};
use secrecy::{ExposeSecret, SecretString};

use super::error::{Error, ErrorKind, Refusal, fit};
use super::http::{Http, HttpError, host};
use super::record::{AccessToken, Record};
use super::settings::{Settings, is_safe_address};
use crate::clock::{SignedDuration, Timestamp};
use crate::delivery::Verdict;
use crate::provider::ReplyTable;

/// How long before its end an access token is renewed: a session that is signed in just before the end must
/// not be cut in the middle.
const EARLY: SignedDuration = SignedDuration::from_mins(10);

/// How long a token is taken to hold where the provider does not say: what is usual.
const USUAL: Duration = Duration::from_hours(1);

/// No provider's token holds longer.
const LONGEST: Duration = Duration::from_hours(24 * 366);

/// The crate's client with the endpoints that every flow needs.
pub(super) type Client =
    BasicClient<EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

/// The client of these settings.
pub(super) fn client(settings: &Settings) -> Result<Client, Error> {
    let endpoints = [&settings.authorize, &settings.device];
    let mut endpoints = endpoints.into_iter().flatten().chain([&settings.token]);
    if let Some(address) = endpoints.find(|address| !is_safe_address(address)) {
        let kind = ErrorKind::Settings(format!("{address} is not an https:// address"));
        return Err(Error::new(&settings.account, kind));
    }
    let token = TokenUrl::new(settings.token.clone()).map_err(|_| {
        let kind = ErrorKind::Settings("the token endpoint is no address".to_owned());
        Error::new(&settings.account, kind)
    })?;
    let mut client = BasicClient::new(ClientId::new(settings.client_id.clone()));
    if let Some(secret) = &settings.client_secret {
        client = client.set_client_secret(ClientSecret::new(secret.expose_secret().to_owned()));
    }
    Ok(client
        // As Microsoft's and Google's pages have it; without a secret there is no other way.
        .set_auth_type(AuthType::RequestBody)
        .set_token_uri(token))
}

/// What is asked for.
pub(super) fn scopes(settings: &Settings) -> impl Iterator<Item = Scope> {
    settings.scopes.iter().cloned().map(Scope::new)
}

/// Asks for a token in the application's own name (RFC 6749 4.4).
pub(super) async fn as_application(
    settings: &Settings,
    http: &Http,
    now: Timestamp,
) -> Result<AccessToken, Error> {
    let client = client(settings)?;
    let request = client.exchange_client_credentials();
    let answer = request
        .add_scopes(scopes(settings))
        .request_async(http)
        .await;
    let answer = answer.map_err(|error| failure(error, settings, &[]))?;
    Ok(access_token(&answer, settings, now))
}

/// Renews with a refresh token (RFC 6749 6), for what was granted: naming scopes there could only ask for less,
/// or for one that the provider has left out.
pub(super) async fn refresh(
    token: &SecretString,
    settings: &Settings,
    http: &Http,
    now: Timestamp,
) -> Result<(AccessToken, Option<SecretString>), Error> {
    let client = client(settings)?;
    let refresh_token = RefreshToken::new(token.expose_secret().to_owned());
    let answer = client
        .exchange_refresh_token(&refresh_token)
        .request_async(http)
        .await
        .map_err(|error| failure(error, settings, &[token.expose_secret()]))?;
    Ok((access_token(&answer, settings, now), rotated(&answer)))
}

/// What was granted to a person that has just signed in.
pub(super) fn granted(answer: &BasicTokenResponse, settings: &Settings, now: Timestamp) -> Record {
    Record {
        refresh_token: rotated(answer),
        access: Some(access_token(answer, settings, now)),
        granted_at: now,
        ended: None,
    }
}

/// The refresh token, where there is one.
fn rotated(answer: &BasicTokenResponse) -> Option<SecretString> {
    let token = answer.refresh_token()?;
    Some(token.secret().as_str().into())
}

/// The access token; `now` is from before it was asked for, so that it is never believed too long.
fn access_token(answer: &BasicTokenResponse, settings: &Settings, now: Timestamp) -> AccessToken {
    let lifetime = answer.expires_in().unwrap_or(USUAL).min(LONGEST);
    let lifetime = SignedDuration::try_from(lifetime).unwrap_or(SignedDuration::ZERO);
    // One that holds for a few minutes only would else be renewed before each use.
    let early = EARLY.min(lifetime / 2);
    let scopes = answer.scopes();
    let scopes = scopes.map(|scopes| scopes.iter().map(|scope| scope.to_string()).collect());
    AccessToken {
        secret: answer.access_token().secret().as_str().into(),
        expires_at: now + lifetime,
        renew_at: now + lifetime - early,
        scopes: scopes.unwrap_or_else(|| settings.scopes.clone()),
    }
}

/// An answer that is no token, sorted. `secrets` were in the request and are shown to nobody.
pub(super) fn failure(
    error: RequestTokenError<HttpError, BasicErrorResponse>,
    settings: &Settings,
    secrets: &[&str],
) -> Error {
    let kind = match error {
        RequestTokenError::ServerResponse(answer) => refused(
            answer.error().as_ref(),
            answer.error_description().map(String::as_str),
            settings,
            secrets,
        ),
        other => without_answer(other, &settings.token),
    };
    Error::new(&settings.account, kind)
}

/// What is not in a provider's own words.
pub(super) fn without_answer<T: ErrorResponse + 'static>(
    error: RequestTokenError<HttpError, T>,
    endpoint: &str,
) -> ErrorKind {
    let reason = match error {
        RequestTokenError::Request(HttpError(kind)) => return kind,
        // The library's own words may quote the answer, and a token with it.
        RequestTokenError::Parse(..) | RequestTokenError::ServerResponse(_) => {
            "it is not what OAuth 2.0 asks for".to_owned()
        }
        RequestTokenError::Other(reason) => fit(&reason, &[]),
    };
    ErrorKind::Protocol {
        host: host(endpoint),
        reason,
    }
}

/// A provider's error by its name (RFC 6749 4.1.2.1 and 5.2, RFC 8628 3.5). Microsoft has a name of its
/// own for the person's no.
pub(super) fn refused(
    error: &str,
    description: Option<&str>,
    settings: &Settings,
    secrets: &[&str],
) -> ErrorKind {
    let own = settings.client_secret.as_ref();
    let own = own.map(ExposeSecret::expose_secret);
    let secrets: Vec<&str> = secrets.iter().copied().chain(own).collect();
    let refusal = Refusal::new(error, description, &secrets);
    let passes = ErrorKind::Unreachable {
        host: host(&settings.token),
        reason: refusal.to_string(),
    };
    if asks_for_patience(error, description) {
        return passes;
    }
    match error {
        "access_denied" | "authorization_declined" => ErrorKind::Declined(refusal),
        "expired_token" => ErrorKind::TimedOut,
        // The last three are OpenID Connect's (Core 3.1.2.6): a person is needed again.
        "invalid_grant" | "interaction_required" | "login_required" | "consent_required" => {
            ErrorKind::Revoked(refusal)
        }
        "temporarily_unavailable" | "server_error" => passes,
        _ => ErrorKind::Refused(refusal),
    }
}

/// Whether the words are known for trouble that passes, under whichever name: a sign-in is not over for it.
fn asks_for_patience(error: &str, description: Option<&str>) -> bool {
    let known = ReplyTable::of_all_providers()
        .map(|table| table.judge_sign_in_service(error, description.unwrap_or_default()));
    known.is_ok_and(|known| {
        matches!(
            known.verdict,
            Verdict::SlowDown(_) | Verdict::HoldAccount(_)
        )
    })
}
