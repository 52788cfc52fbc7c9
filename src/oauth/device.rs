//! A code typed on another device (RFC 8628).

use std::pin::Pin;
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use oauth2::basic::BasicErrorResponse;
use oauth2::{
    AsyncHttpClient, DeviceAuthorizationUrl, DeviceCodeErrorResponse, HttpRequest, HttpResponse,
    RequestTokenError, StandardDeviceAuthorizationResponse,
};

use super::error::{Error, ErrorKind, fit};
use super::http::{Http, HttpError, host};
use super::record::Record;
use super::requests::{client, failure, granted, refused, scopes, without_answer};
use super::settings::Settings;
use super::sign_in::Step;
use crate::clock::{Clock, SignedDuration};

/// The shortest pause between two requests, whatever the provider says.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);

/// No provider asks for longer pauses, or gives more time.
const LONGEST_PAUSE: Duration = Duration::from_mins(5);
const LONGEST: Duration = Duration::from_hours(24);

/// The longest pause after an answer that did not come.
const BACK_OFF: Duration = Duration::from_secs(30);

pub(super) async fn sign_in(
    settings: &Settings,
    http: &Http,
    clock: &Clock,
    show: &mut (dyn FnMut(Step) + Send),
) -> Result<Record, Error> {
    let codes = codes(settings, http).await?;
    let interval = codes.interval();
    let until = clock.now() + SignedDuration::try_from(codes.expires_in()).unwrap_or_default();
    let complete = codes.verification_uri_complete();
    show(Step::Code {
        address: fit(codes.verification_uri(), &[]),
        code: fit(codes.user_code().secret(), &[]),
        with_code: complete.map(|address| fit(address.secret(), &[])),
        until,
    });
    // Nobody types that fast, and a pause is due between any two requests.
    pause(clock, interval).await;
    let asking = Asking {
        http,
        trouble: Mutex::new(None),
    };
    let time = clock.clone();
    let client = client(settings)?;
    let answer = client
        .exchange_device_access_token(&codes)
        .set_time_fn(move || system_time(&time).into())
        .set_max_backoff_interval(BACK_OFF.max(interval))
        .request_async(&asking, |wait| pause(clock, wait), None)
        .await;
    let now = clock.now();
    let answer = answer.map_err(|error| {
        let trouble = asking.trouble.into_inner().ok().flatten();
        sorted(error, settings, codes.device_code().secret(), trouble)
    })?;
    Ok(granted(&answer, settings, now))
}

/// The library asks on whatever happens; what happened last is told if that was in vain.
struct Asking<'h> {
    http: &'h Http,
    trouble: Mutex<Option<HttpError>>,
}

impl<'c> AsyncHttpClient<'c> for Asking<'_> {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let answer = self.http.call(request).await;
            if let Ok(mut trouble) = self.trouble.lock() {
                *trouble = answer.as_ref().err().cloned();
            }
            answer
        })
    }
}

/// Asks for a device code and a code for the person.
async fn codes(
    settings: &Settings,
    http: &Http,
) -> Result<StandardDeviceAuthorizationResponse, Error> {
    let failed = |kind| Error::new(&settings.account, kind);
    let endpoint = settings.device.clone().unwrap_or_default();
    let url = DeviceAuthorizationUrl::new(endpoint.clone()).map_err(|_| {
        failed(ErrorKind::Settings(
            "there is no device authorisation endpoint".to_owned(),
        ))
    })?;
    let codes: StandardDeviceAuthorizationResponse = client(settings)?
        .set_device_authorization_url(url)
        .exchange_device_code()
        .add_scopes(scopes(settings))
        .request_async(http)
        .await
        .map_err(|error: RequestTokenError<_, BasicErrorResponse>| failure(error, settings, &[]))?;
    if codes.interval() > LONGEST_PAUSE || codes.expires_in() > LONGEST {
        return Err(failed(ErrorKind::Protocol {
            host: host(&endpoint),
            reason: "its times make no sense".to_owned(),
        }));
    }
    Ok(codes)
}

/// The clock's time in the form that the library takes.
fn system_time(clock: &Clock) -> SystemTime {
    let since = Duration::try_from(clock.now().as_duration()).unwrap_or_default();
    SystemTime::UNIX_EPOCH + since
}

async fn pause(clock: &Clock, wait: Duration) {
    let wait = SignedDuration::try_from(wait.max(SHORTEST_PAUSE)).unwrap_or_default();
    clock.sleep_until(clock.now() + wait).await;
}

fn sorted(
    error: RequestTokenError<HttpError, DeviceCodeErrorResponse>,
    settings: &Settings,
    device_code: &str,
    trouble: Option<HttpError>,
) -> Error {
    let kind = match error {
        RequestTokenError::ServerResponse(answer) => {
            let name = answer.error().to_string();
            let description = answer.error_description().map(String::as_str);
            let kind = refused(&name, description, settings, &[device_code]);
            let trouble = trouble.filter(|_| kind == ErrorKind::TimedOut);
            trouble.map_or(kind, |HttpError(kind)| kind)
        }
        other => without_answer(other, &settings.token),
    };
    Error::new(&settings.account, kind)
}
