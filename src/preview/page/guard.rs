//! Who may ask for what: nobody but the page itself, opened by the person who started it.
//!
//! The port is open to every program and every user of the machine, and every website that is open in the
//! browser can make it knock. So: the Host must be this server (DNS rebinding), what comes from another site is
//! refused, the path holds a key that cannot be guessed, and nothing is kept in a cache.

use std::sync::atomic::{AtomicBool, Ordering};

use axum::http::header::{HeaderName, HeaderValue};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::preview::Error;

/// The page itself: its own script and style, its own frame, nothing else.
pub(super) const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A mail in the frame: no script, no form, no origin, nothing fetched; its own pictures are in it.
pub(super) const MAIL_POLICY: &str = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

/// Everything else is shown nowhere.
const DATA_POLICY: &str = "sandbox; default-src 'none'; frame-ancestors 'none'";

/// How long a key is, in random bits.
const BITS: usize = 192;

/// The keys to the page.
#[derive(Debug)]
pub(super) struct Keys {
    port: u16,
    key: String,
    /// Leads to the key once: a browser's command line can be read by others.
    opening: String,
    is_opened: AtomicBool,
}

/// What a request may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// What it asks for.
    Welcome,
    /// The way to the page.
    Forward,
    /// Nothing.
    Refused(StatusCode, &'static str),
}

fn random() -> Result<String, Error> {
    let mut bytes = [0_u8; BITS / 8];
    getrandom::fill(&mut bytes)
        .map_err(|cause| Error::Serve(std::io::Error::other(cause.to_string())))?;
    // 24 bytes are 32 letters of the URL-safe alphabet (RFC 4648 5).
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

impl Keys {
    pub(super) fn new(port: u16) -> Result<Self, Error> {
        Ok(Self {
            port,
            key: random()?,
            opening: random()?,
            is_opened: AtomicBool::new(false),
        })
    }

    /// The page's address.
    pub(super) fn address(&self) -> String {
        format!("http://127.0.0.1:{}{}", self.port, self.path())
    }

    /// An address that leads there once.
    pub(super) fn opening(&self) -> String {
        format!("http://127.0.0.1:{}/{}", self.port, self.opening)
    }

    /// The page's path.
    pub(super) fn path(&self) -> String {
        format!("/{}/", self.key)
    }

    /// Judges a request by its method, its headers and its path.
    pub(super) fn judge(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Verdict {
        if !self.is_own(headers, &header::HOST, "") {
            return Verdict::Refused(StatusCode::MISDIRECTED_REQUEST, "This is not its address.");
        }
        if method != Method::GET {
            return Verdict::Refused(StatusCode::METHOD_NOT_ALLOWED, "This can only be read.");
        }
        let mut parts = uri.path().trim_start_matches('/').splitn(2, '/');
        let (first, rest) = (parts.next().unwrap_or_default(), parts.next());
        let is_page = rest.is_none_or(str::is_empty);
        let is_at_home = !headers.contains_key(header::ORIGIN)
            || self.is_own(headers, &header::ORIGIN, "http://");
        let may_ask = comes_from_here(headers) || is_page && is_opened_by_hand(headers);
        if !is_at_home || !may_ask {
            return Verdict::Refused(StatusCode::FORBIDDEN, "Another site may not ask.");
        }
        if same(first, &self.key) {
            return Verdict::Welcome;
        }
        if rest.is_some() || !same(first, &self.opening) {
            return Verdict::Refused(StatusCode::NOT_FOUND, "There is nothing here.");
        }
        if self.is_opened.swap(true, Ordering::SeqCst) {
            return Verdict::Refused(
                StatusCode::GONE,
                "This address has been used already. Start `postroom preview` again.",
            );
        }
        Verdict::Forward
    }

    /// Whether a header names this server, once, after this scheme.
    fn is_own(&self, headers: &HeaderMap, name: &HeaderName, scheme: &str) -> bool {
        let mut values = headers.get_all(name).iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            return false;
        };
        let own = ["127.0.0.1", "localhost"];
        own.iter()
            .any(|host| value == format!("{scheme}{host}:{}", self.port).as_str())
    }
}

/// What browsers say about who asks (Fetch Metadata); other programs say nothing.
fn comes_from_here(headers: &HeaderMap) -> bool {
    let sites = headers.get_all("sec-fetch-site");
    sites
        .iter()
        .all(|site| site == "same-origin" || site == "none")
}

/// The page in a window of its own, as from a link in a terminal or a note; who sent the browser there learns
/// nothing of it.
fn is_opened_by_hand(headers: &HeaderMap) -> bool {
    let says = |name: &str, value: &str| headers.get(name).is_some_and(|found| found == value);
    says("sec-fetch-mode", "navigate") && says("sec-fetch-dest", "document")
}

/// In the same time wherever they differ.
fn same(given: &str, key: &str) -> bool {
    blake3::hash(given.as_bytes()) == blake3::hash(key.as_bytes())
}

/// What every answer says.
pub(super) fn protect(headers: &mut HeaderMap) {
    let always = [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (HeaderName::from_static("x-dns-prefetch-control"), "off"),
    ];
    for (name, value) in always {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static(DATA_POLICY));
}
