//! The small HTTP client that the sign-in goes through: no redirects, a deadline, an answer of bounded size.

use std::error::Error as StdError;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use oauth2::http::{Response, StatusCode, header::CONTENT_TYPE};
use oauth2::{AsyncHttpClient, HttpRequest, HttpResponse};
use reqwest::redirect::Policy;
use tokio_rustls::rustls;

use super::error::{Error, ErrorKind, fit};
use super::settings::Settings;
use crate::clock::Clock;
use crate::trust::{self, TlsProblem};

/// Look-up, TCP and TLS.
const CONNECT: Duration = Duration::from_secs(30);

/// A request and its whole answer.
const ANSWER: Duration = Duration::from_mins(1);

/// Answers of a sign-in service are a few kilobytes.
const MAX_BYTES: usize = 256 * 1024;

/// Asks the sign-in service of one account.
#[derive(Debug)]
pub(super) struct Http {
    client: reqwest::Client,
    clock: Clock,
}

/// No usable answer came.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub(super) struct HttpError(pub(super) ErrorKind);

impl Http {
    /// A client for this account's endpoints.
    pub(super) async fn new(settings: &Settings, clock: &Clock) -> Result<Self, Error> {
        let failed = |kind| Error::new(&settings.account, kind);
        let encrypted = settings.token.starts_with("https:");
        let config = if encrypted {
            trust::client(&settings.extra_roots, true).await
        } else {
            trust::nobody()
        };
        let config = config.map_err(|problem| {
            failed(ErrorKind::Untrusted {
                host: host(&settings.token),
                problem,
            })
        })?;
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(config)
            .redirect(Policy::none())
            .connect_timeout(CONNECT)
            .user_agent(concat!("postroom/", env!("CARGO_PKG_VERSION")));
        if !encrypted {
            // What is spoken in the clear stays on this machine, whatever proxy there is.
            builder = builder.no_proxy();
        }
        let client = builder
            .build()
            .map_err(|error| failed(ErrorKind::Settings(reason(&error))))?;
        Ok(Self {
            client,
            clock: clock.clone(),
        })
    }

    async fn ask(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let _working = self.clock.hold();
        let host = host(&request.uri().to_string());
        let unreachable = |reason: String| {
            let host = host.clone();
            HttpError(ErrorKind::Unreachable { host, reason })
        };
        let answer = self
            .clock
            .within(ANSWER, self.exchange(request, &host))
            .await;
        let answer = answer.map_err(|elapsed| unreachable(elapsed.to_string()))??;
        judge(answer, &host)
    }

    async fn exchange(&self, request: HttpRequest, host: &str) -> Result<HttpResponse, HttpError> {
        let failed = |error: reqwest::Error| HttpError(trouble(&error, host));
        let request = reqwest::Request::try_from(request).map_err(failed)?;
        let mut answer = self.client.execute(request).await.map_err(failed)?;
        let mut built = Response::builder().status(answer.status());
        if let Some(kind) = answer.headers().get(CONTENT_TYPE) {
            built = built.header(CONTENT_TYPE, kind);
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > MAX_BYTES {
                return Err(nonsense(host, "it does not end"));
            }
            body.extend_from_slice(&chunk);
        }
        built
            .body(body)
            .map_err(|_| nonsense(host, "it is no HTTP"))
    }
}

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.ask(request))
    }
}

/// The host that an address names, for people.
pub(super) fn host(address: &str) -> String {
    let url = oauth2::url::Url::parse(address).ok();
    let host = url.as_ref().and_then(|url| {
        let host = url.host_str()?;
        Some(match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        })
    });
    host.unwrap_or_else(|| "the sign-in service".to_owned())
}

fn nonsense(host: &str, reason: &str) -> HttpError {
    HttpError(ErrorKind::Protocol {
        host: host.to_owned(),
        reason: reason.to_owned(),
    })
}

/// Trouble at the other end is no refusal; a redirect is the work of somebody in between.
fn judge(answer: HttpResponse, host: &str) -> Result<HttpResponse, HttpError> {
    let status = answer.status();
    if status.is_redirection() {
        let reason = format!("it sends us elsewhere ({status})");
        return Err(nonsense(host, &reason));
    }
    if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
        let words = said(answer.body()).map_or_else(String::new, |said| format!(": {said}"));
        return Err(HttpError(ErrorKind::Unreachable {
            host: host.to_owned(),
            reason: format!("it answered {status}{words}"),
        }));
    }
    Ok(answer)
}

/// The error in an answer by its name and Microsoft's number, if it has them. Its other words may quote what was
/// sent, and what was sent is not known here.
fn said(body: &[u8]) -> Option<String> {
    let value: serde_json::Value = serde_json::from_slice(body).ok()?;
    let error = value.get("error")?.as_str()?;
    let is_name = |c: char| c.is_ascii_lowercase() || c == '_';
    let name = Some(error).filter(|name| name.len() <= 40 && name.chars().all(is_name))?;
    let description = value.get("error_description").and_then(|d| d.as_str());
    let number = description.and_then(|text| {
        let (_, after) = text.split_once("AADSTS")?;
        let digits = after.find(|c: char| !c.is_ascii_digit());
        let number = &after[..digits.unwrap_or(after.len())];
        (1..=10).contains(&number.len()).then_some(number)
    });
    Some(number.map_or_else(
        || name.to_owned(),
        |number| format!("{name}, AADSTS{number}"),
    ))
}

fn trouble(error: &reqwest::Error, host: &str) -> ErrorKind {
    let host = host.to_owned();
    if let Some(problem) = tls_problem(error, &host) {
        return ErrorKind::Untrusted { host, problem };
    }
    ErrorKind::Unreachable {
        host,
        reason: reason(error),
    }
}

/// The TLS library's error, however deep it lies.
fn tls_problem(error: &reqwest::Error, host: &str) -> Option<TlsProblem> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<rustls::Error>() {
            return Some(TlsProblem::of(error, host));
        }
        let inner = error.downcast_ref::<std::io::Error>();
        let inner = inner.and_then(std::io::Error::get_ref);
        cause = match inner {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

/// The innermost cause: the outer ones only say that something failed, and the outermost quotes the address.
fn reason(error: &reqwest::Error) -> String {
    let mut cause: &dyn StdError = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    if cause.is::<reqwest::Error>() {
        return "the request failed".to_owned();
    }
    fit(&cause.to_string(), &[])
}
