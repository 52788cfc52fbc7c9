//! What each address answers.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, Request, State};
use axum::http::header::{HeaderName, HeaderValue};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use super::desk::Desk;
use super::guard::{self, Keys, Verdict};
use super::{frame, show};
use crate::preview::Mail;
use crate::preview::anatomy::{self, Stretch};

const PAGE: &str = include_str!("assets/page.html");
const STYLE: &str = concat!(
    include_str!("assets/base.css"),
    include_str!("assets/page.css")
);
const SCRIPT: &str = include_str!("assets/page.js");
const LIST: &str = include_str!("assets/list.js");
const MESSAGE: &str = include_str!("assets/message.js");
const ICON: &str = include_str!("assets/icon.svg");

/// How long a question for what is new stays open.
const PATIENCE: Duration = Duration::from_secs(20);

/// The most rows that are given at once, and of a search.
const MOST_ROWS: usize = 200;

/// The most bytes of a folded body that are shown.
const UNFOLDED: usize = 256 << 10;

/// HTML that was shown before, to mark what changed since.
const REMEMBERED: usize = 4;

/// What the handlers share.
#[derive(Debug)]
pub(super) struct Served {
    pub(super) desk: Arc<Desk>,
    pub(super) keys: Keys,
    pub(super) shown: Mutex<VecDeque<(String, Arc<Mail>)>>,
}

type Shared = State<Arc<Served>>;

pub(super) fn router(served: Arc<Served>) -> Router {
    let page = Router::new()
        .route(
            "/",
            get(async || typed("text/html; charset=utf-8", guard::PAGE_POLICY, PAGE)),
        )
        .route(
            "/page.css",
            get(async || typed("text/css; charset=utf-8", "", STYLE)),
        )
        .route(
            "/page.js",
            get(async || typed("text/javascript; charset=utf-8", "", SCRIPT)),
        )
        .route(
            "/list.js",
            get(async || typed("text/javascript; charset=utf-8", "", LIST)),
        )
        .route(
            "/message.js",
            get(async || typed("text/javascript; charset=utf-8", "", MESSAGE)),
        )
        // An icon is shown by the browser, which knows no sandbox for it.
        .route(
            "/icon.svg",
            get(async || typed("image/svg+xml", "default-src 'none'", ICON)),
        )
        .route("/api/state", get(state))
        .route("/api/findings", get(findings))
        .route("/api/rows", get(rows))
        .route("/api/search", get(search))
        .route("/api/find", get(find))
        .route("/api/row/{row}", get(row))
        .route("/api/row/{row}/source", get(source))
        .route("/api/row/{row}/unfolded", get(unfolded))
        .route("/mail/{row}/html", get(html))
        .route("/mail/{row}/part/{part}", get(part))
        .route("/mail/{row}/mail.eml", get(eml));
    Router::new()
        .nest(&served.keys.path(), page)
        .fallback(async || plain(StatusCode::NOT_FOUND, "There is nothing here."))
        .layer(from_fn_with_state(Arc::clone(&served), guarded))
        .with_state(served)
}

async fn guarded(State(served): Shared, request: Request, next: Next) -> Response {
    let verdict = served
        .keys
        .judge(request.method(), request.uri(), request.headers());
    let mut response = match verdict {
        Verdict::Welcome => next.run(request).await,
        Verdict::Forward => {
            let place = [(header::LOCATION, served.keys.path())];
            (StatusCode::SEE_OTHER, place).into_response()
        }
        Verdict::Refused(status, words) => plain(status, words),
    };
    guard::protect(response.headers_mut());
    response
}

fn typed(kind: &'static str, policy: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if !policy.is_empty() {
        headers.insert(
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(policy),
        );
    }
    response
}

fn plain(status: StatusCode, words: &'static str) -> Response {
    let mut response = typed("text/plain; charset=utf-8", "", words);
    *response.status_mut() = status;
    response
}

fn json_of(value: &Value) -> Response {
    typed("application/json", "", value.to_string())
}

fn or_nothing(value: Option<Response>) -> Response {
    value.unwrap_or_else(|| plain(StatusCode::NOT_FOUND, "There is nothing here."))
}

/// Runs what reads, renders or searches beside the server's own threads.
async fn aside(work: impl FnOnce() -> Option<Response> + Send + 'static) -> Response {
    match tokio::task::spawn_blocking(work).await {
        Ok(response) => or_nothing(response),
        Err(_) => plain(
            StatusCode::INTERNAL_SERVER_ERROR,
            "This is a defect of Postroom.",
        ),
    }
}

#[derive(Deserialize)]
struct Seen {
    seen: Option<u64>,
}

/// Where the campaign stands; answered at once when it is not what was seen, else when it changes.
async fn state(State(served): Shared, Query(query): Query<Seen>) -> Response {
    let desk = &served.desk;
    if let Some(seen) = query.seen {
        // Whether something changed or the patience has ended: where it stands is told.
        let _ = desk.clock.within(PATIENCE, desk.changed_since(seen)).await;
    }
    json_of(&show::state(desk, &desk.standing()))
}

async fn findings(State(served): Shared) -> Response {
    json_of(&show::findings(&served.desk.standing()))
}

#[derive(Deserialize)]
struct Stretched {
    from: Option<usize>,
    count: Option<usize>,
    to: Option<usize>,
}

async fn rows(State(served): Shared, Query(query): Query<Stretched>) -> Response {
    let standing = served.desk.standing();
    let count = query.count.unwrap_or(MOST_ROWS).min(MOST_ROWS);
    let lines = standing.edition.list.as_deref();
    let lines = lines.map(|list| list.lines(query.from.unwrap_or(0), count));
    json_of(&json!({ "edition": standing.edition.number, "rows": lines.unwrap_or_default() }))
}

#[derive(Deserialize)]
struct Wanted {
    q: String,
}

async fn search(State(served): Shared, Query(query): Query<Wanted>) -> Response {
    aside(move || {
        let standing = served.desk.standing();
        let hits = standing
            .edition
            .list
            .as_deref()?
            .search(&query.q, MOST_ROWS);
        let edition = standing.edition.number;
        Some(json_of(
            &json!({ "edition": edition, "rows": hits.lines, "count": hits.count }),
        ))
    })
    .await
}

async fn find(State(served): Shared, Query(query): Query<Wanted>) -> Response {
    aside(move || {
        let standing = served.desk.standing();
        let row = standing.edition.list.as_deref()?.row_of(&query.q)?;
        Some(json_of(&json!({ "row": row })))
    })
    .await
}

async fn row(State(served): Shared, Path(row): Path<u64>) -> Response {
    aside(move || {
        let standing = served.desk.standing();
        Some(json_of(&show::row(&served.desk, &standing, row)?))
    })
    .await
}

/// The mail of a row that gets one.
fn mail_of(served: &Served, row: u64) -> Option<Arc<Mail>> {
    let standing = served.desk.standing();
    let found = standing.edition.list.as_deref()?.row(row)?;
    if found.fate != super::list::Fate::Mail {
        return None;
    }
    served.desk.mail(&standing, row)?.ok()
}

async fn source(State(served): Shared, Path(row): Path<u64>) -> Response {
    aside(move || {
        let mail = mail_of(&served, row)?;
        let stretches = anatomy::source(&mail.content);
        let stretches: Vec<Value> = stretches
            .into_iter()
            .map(|stretch| match stretch {
                Stretch::Shown(text) => json!({ "text": text }),
                Stretch::Folded {
                    from,
                    to,
                    lines,
                    what,
                } => {
                    json!({ "from": from, "to": to, "lines": lines, "what": what })
                }
            })
            .collect();
        Some(json_of(
            &json!({ "stretches": stretches, "bytes": mail.content.len() }),
        ))
    })
    .await
}

/// A body that was folded away, as much of it as can be shown.
async fn unfolded(
    State(served): Shared,
    Path(row): Path<u64>,
    Query(query): Query<Stretched>,
) -> Response {
    aside(move || {
        let mail = mail_of(&served, row)?;
        let (from, to) = (query.from?, query.to?);
        let shown = mail
            .content
            .get(from..to.min(from.saturating_add(UNFOLDED)))?;
        let text = String::from_utf8_lossy(shown);
        Some(json_of(
            &json!({ "text": text, "left": (to - from).saturating_sub(UNFOLDED) }),
        ))
    })
    .await
}

#[derive(Deserialize)]
struct Look {
    dark: Option<u8>,
    /// What was shown before.
    was: Option<String>,
}

async fn html(State(served): Shared, Path(row): Path<u64>, Query(look): Query<Look>) -> Response {
    aside(move || {
        let mail = mail_of(&served, row)?;
        let html = mail.html.as_deref()?;
        let before = look.was.and_then(|was| remembered(&served, &was));
        let before = before.as_ref().and_then(|mail| mail.html.as_deref());
        let picture = |cid: &str| picture(&mail, cid);
        let framed = frame::framed(html, look.dark == Some(1), before, &picture);
        remember(&served, html, &mail);
        Some(typed(
            "text/html; charset=utf-8",
            guard::MAIL_POLICY,
            framed.html,
        ))
    })
    .await
}

fn remembered(served: &Served, digest: &str) -> Option<Arc<Mail>> {
    let shown = served.shown.lock().unwrap_or_else(PoisonError::into_inner);
    let mut known = shown.iter().filter(|(known, _)| known == digest);
    known.next().map(|(_, mail)| Arc::clone(mail))
}

fn remember(served: &Served, html: &str, mail: &Arc<Mail>) {
    let digest = show::digest(html);
    let mut shown = served.shown.lock().unwrap_or_else(PoisonError::into_inner);
    shown.retain(|(known, _)| *known != digest);
    shown.push_back((digest, Arc::clone(mail)));
    if shown.len() > REMEMBERED {
        shown.pop_front();
    }
}

/// An inline part as a data URI, so that the frame has nothing to fetch.
fn picture(mail: &Mail, cid: &str) -> Option<String> {
    let part = mail
        .inline
        .iter()
        .find(|part| part.cid.as_deref() == Some(cid))?;
    let (part, bytes) = anatomy::file(&mail.content, part.number)?;
    let kind = part
        .media_type
        .starts_with("image/")
        .then_some(part.media_type)?;
    Some(format!("data:{kind};base64,{}", STANDARD.encode(bytes)))
}

/// A file of the mail, to be kept or opened, never shown by the browser as a page.
async fn part(State(served): Shared, Path((row, part)): Path<(u64, usize)>) -> Response {
    aside(move || {
        let mail = mail_of(&served, row)?;
        let (part, bytes) = anatomy::file(&mail.content, part)?;
        Some(download(&part.name, &part.media_type, bytes))
    })
    .await
}

async fn eml(State(served): Shared, Path(row): Path<u64>) -> Response {
    aside(move || {
        let mail = mail_of(&served, row)?;
        Some(download(
            &format!("row-{row}.eml"),
            "message/rfc822",
            mail.content.clone(),
        ))
    })
    .await
}

fn download(name: &str, kind: &str, bytes: Vec<u8>) -> Response {
    let mut response = typed("application/octet-stream", "", bytes);
    let name = frame::header_encoded(name);
    let headers: [(HeaderName, String); 2] = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename*=UTF-8''{name}"),
        ),
    ];
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
