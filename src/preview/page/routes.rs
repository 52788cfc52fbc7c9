//! What each address answers.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, Request, State};
use axum::http::header::HeaderValue;
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;
use serde_json::{Value, json};

use super::desk::Desk;
use super::guard::{self, Keys, Verdict};
use super::{mails, show};
use crate::preview::Mail;

const PAGE: &str = include_str!("assets/page.html");
const STYLE: &str = concat!(
    include_str!("assets/base.css"),
    include_str!("assets/page.css")
);
const SCRIPT: &str = include_str!("assets/page.js");
const LIST: &str = include_str!("assets/list.js");
const MESSAGE: &str = include_str!("assets/message.js");
const ICON: &str = include_str!("assets/icon.svg");

const SCRIPT_KIND: &str = "text/javascript; charset=utf-8";

/// What the page is made of: address, type, policy, text.
const ASSETS: [(&str, &str, &str, &str); 6] = [
    ("/", "text/html; charset=utf-8", guard::PAGE_POLICY, PAGE),
    ("/page.css", "text/css; charset=utf-8", "", STYLE),
    ("/page.js", SCRIPT_KIND, "", SCRIPT),
    ("/list.js", SCRIPT_KIND, "", LIST),
    ("/message.js", SCRIPT_KIND, "", MESSAGE),
    // An icon is shown by the browser, which knows no sandbox for it.
    ("/icon.svg", "image/svg+xml", "default-src 'none'", ICON),
];

/// How long a question for what is new stays open.
const PATIENCE: Duration = Duration::from_secs(20);

/// The most rows that are given at once, and of a search.
const MOST_ROWS: usize = 200;

/// What the handlers share.
#[derive(Debug)]
pub(super) struct Served {
    pub(super) desk: Arc<Desk>,
    pub(super) keys: Keys,
    pub(super) shown: Mutex<VecDeque<(String, Arc<Mail>)>>,
}

pub(super) type Shared = State<Arc<Served>>;

pub(super) fn router(served: Arc<Served>) -> Router {
    let mut page = Router::new();
    for (path, kind, policy, text) in ASSETS {
        page = page.route(path, get(async move || typed(kind, policy, text)));
    }
    let page = page
        .route("/api/state", get(state))
        .route("/api/findings", get(findings))
        .route("/api/rows", get(rows))
        .route("/api/search", get(search))
        .route("/api/find", get(find))
        .route("/api/row/{row}", get(row))
        .route("/api/row/{row}/source", get(mails::source))
        .route("/api/row/{row}/unfolded", get(mails::unfolded))
        .route("/mail/{row}/html", get(mails::html))
        .route("/mail/{row}/part/{part}", get(mails::part))
        .route("/mail/{row}/mail.eml", get(mails::eml));
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

pub(super) fn typed(kind: &'static str, policy: &'static str, body: impl Into<Body>) -> Response {
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

pub(super) fn json_of(value: &Value) -> Response {
    typed("application/json", "", value.to_string())
}

fn or_nothing(value: Option<Response>) -> Response {
    value.unwrap_or_else(|| plain(StatusCode::NOT_FOUND, "There is nothing here."))
}

/// Runs what reads, renders or searches beside the server's own threads.
pub(super) async fn aside(work: impl FnOnce() -> Option<Response> + Send + 'static) -> Response {
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
pub(super) struct Stretched {
    pub(super) from: Option<usize>,
    pub(super) count: Option<usize>,
    pub(super) to: Option<usize>,
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
