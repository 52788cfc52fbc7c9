//! What is answered about one mail: its source, its HTML for the frame, its files.

use std::fmt::Write as _;
use std::sync::{Arc, PoisonError};

use axum::extract::{Path, Query, State};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use super::list::Fate;
use super::routes::{Served, Shared, Stretched, aside, json_of, typed};
use super::{frame, guard, show};
use crate::preview::Mail;
use crate::preview::anatomy::{self, Stretch};

/// The most bytes of a folded body that are shown.
const UNFOLDED: usize = 256 << 10;

/// HTML that was shown before, to mark what changed since.
const REMEMBERED: usize = 4;

/// The mail of a row that gets one.
fn mail_of(served: &Served, row: u64) -> Option<Arc<Mail>> {
    let standing = served.desk.standing();
    let found = standing.edition.list.as_deref()?.row(row)?;
    if found.fate != Fate::Mail {
        return None;
    }
    served.desk.mail(&standing, row)?.ok()
}

pub(super) async fn source(State(served): Shared, Path(row): Path<u64>) -> Response {
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
pub(super) async fn unfolded(
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
pub(super) struct Look {
    dark: Option<u8>,
    /// What was shown before.
    was: Option<String>,
}

pub(super) async fn html(
    State(served): Shared,
    Path(row): Path<u64>,
    Query(look): Query<Look>,
) -> Response {
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
pub(super) async fn part(State(served): Shared, Path((row, part)): Path<(u64, usize)>) -> Response {
    aside(move || {
        let mail = mail_of(&served, row)?;
        let (part, bytes) = anatomy::file(&mail.content, part)?;
        Some(download(&part.name, &part.media_type, bytes))
    })
    .await
}

pub(super) async fn eml(State(served): Shared, Path(row): Path<u64>) -> Response {
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
    let name = header_encoded(name);
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

/// A file name for a header, as RFC 8187 has it.
fn header_encoded(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing into a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
