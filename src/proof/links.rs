//! Where links and images lead, from a mail: it has no address of its own that a path could be relative to.

use super::{Flaw, shown};

const SCHEME: &str = "link-scheme";
const RELATIVE: &str = "link-relative";

/// What is wrong with the target of a link.
pub(super) fn link(href: &str) -> Option<Flaw> {
    let target = href.trim();
    let wrong = |message: String, remedy: &str| Some(Flaw::warning(SCHEME, message, remedy));
    if target.is_empty() || target == "#" {
        return wrong(
            "a link leads nowhere".to_owned(),
            "write its address, as in href=\"https://www.example.com/\", or take the link away",
        );
    }
    if target.starts_with('#') {
        return None;
    }
    let said = shown(target);
    if is_placeholder(target) {
        return wrong(
            format!("a link still has a placeholder: {said}"),
            "write the address in its place",
        );
    }
    let lower = target.to_ascii_lowercase();
    if let Some(flaw) = doubled(&lower, &said) {
        return Some(flaw);
    }
    match scheme(&lower) {
        Some("javascript" | "vbscript" | "data") => wrong(
            format!("mail programs block this link: {said}"),
            "link to a web page instead, https://…",
        ),
        Some("http" | "https") => bad_host(&lower, &said),
        Some(found) if is_slip(found) => wrong(
            format!(
                "the link '{said}' begins with {found}:, which is not an address that programs know"
            ),
            "write https:// if that is meant",
        ),
        Some("c" | "d" | "file")
            if !lower.starts_with("file://") || lower.starts_with("file:///") =>
        {
            wrong(
                format!("the link '{said}' leads to a file on your own computer"),
                "attach the file, or put it on a page and link to that",
            )
        }
        Some(_) => None,
        None => Some(without_scheme(target, &lower, &said)),
    }
}

/// What is wrong with the source of an image; `cid:` is looked at elsewhere.
pub(super) fn image(src: &str) -> Option<Flaw> {
    let target = src.trim();
    let lower = target.to_ascii_lowercase();
    let said = shown(target);
    let remedy = "put the file into the campaign's folder, name it under inline = { … } in campaign.toml, and write src=\"cid:…\"; or write the whole address, https://…";
    if target.is_empty() {
        return Some(Flaw::warning(SCHEME, "an image has no file", remedy));
    }
    if is_placeholder(target) {
        return Some(Flaw::warning(
            SCHEME,
            format!("an image still has a placeholder: {said}"),
            "write the address in its place",
        ));
    }
    if let Some(flaw) = doubled(&lower, &said) {
        return Some(flaw);
    }
    match scheme(&lower) {
        Some("http" | "https") => bad_host(&lower, &said),
        Some("data") => Some(Flaw::warning(
            "html-unsupported",
            "an image is written into the HTML itself (data:), which Gmail and Outlook do not show",
            remedy,
        )),
        Some("c" | "d" | "file") => Some(Flaw::warning(
            SCHEME,
            format!("the image '{said}' is a file on your own computer, which nobody else can see"),
            remedy,
        )),
        Some(_) => None,
        None if looks_like_host(&lower) => Some(Flaw::warning(
            SCHEME,
            format!("the image '{said}' lacks https:// before it"),
            "write https:// before it",
        )),
        None => Some(Flaw::warning(
            RELATIVE,
            format!(
                "the image '{said}' is named by a path, and a mail has no folder to find it in"
            ),
            remedy,
        )),
    }
}

fn without_scheme(target: &str, lower: &str, said: &str) -> Flaw {
    if target.contains('@') && !target.contains('/') {
        return Flaw::warning(
            SCHEME,
            format!("the link '{said}' lacks mailto: before it"),
            "write mailto: before the address",
        );
    }
    if looks_like_host(lower) || lower.starts_with("http") {
        return Flaw::warning(
            SCHEME,
            format!(
                "the link '{said}' lacks https:// before it, so mail programs open nothing or a wrong page"
            ),
            "write https:// before it",
        );
    }
    Flaw::warning(
        RELATIVE,
        format!("the link '{said}' is a path, and a mail has no page that it could start from"),
        "write the whole address, https://…",
    )
}

/// `https://https://…`, `https://http//…`.
fn doubled(lower: &str, said: &str) -> Option<Flaw> {
    let rest = lower
        .strip_prefix("https://")
        .or_else(|| lower.strip_prefix("http://"))?;
    let again = [
        "http://", "https://", "http//", "https//", "http:", "https:",
    ];
    again
        .into_iter()
        .any(|start| rest.starts_with(start))
        .then(|| {
            Flaw::warning(
                SCHEME,
                format!("'{said}' has https:// twice"),
                "write it once",
            )
        })
}

fn bad_host(lower: &str, said: &str) -> Option<Flaw> {
    let after = lower.split_once(':').map_or("", |(_, after)| after);
    let flaw = |message: String, remedy: &str| Some(Flaw::warning(SCHEME, message, remedy));
    let Some(rest) = after.strip_prefix("//") else {
        return flaw(
            format!("'{said}' lacks a slash after the colon"),
            "write https:// with two slashes",
        );
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if host.is_empty() || host.contains(char::is_whitespace) {
        return flaw(
            format!("'{said}' names no server"),
            "write the whole address, as in https://www.example.com/",
        );
    }
    None
}

/// What stands before the first colon, if it can be a scheme (RFC 3986 3.1).
fn scheme(lower: &str) -> Option<&str> {
    let (scheme, after) = lower.split_once(':')?;
    let fits = scheme.starts_with(|c: char| c.is_ascii_lowercase())
        && scheme
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    // `www.contoso.com:8080` is a host with its port.
    let is_port = after.starts_with(|c: char| c.is_ascii_digit()) && scheme.contains('.');
    (fits && !is_port).then_some(scheme)
}

fn is_slip(scheme: &str) -> bool {
    let known = ["ftp", "tel", "sms", "sip", "sips", "geo"];
    !known.contains(&scheme)
        && ["http", "https"]
            .into_iter()
            .any(|right| strsim::damerau_levenshtein(scheme, right) == 1)
}

/// `www.contoso.com/news`, but not `news.html`.
fn looks_like_host(lower: &str) -> bool {
    const FILES: [&str; 22] = [
        "html", "htm", "php", "asp", "aspx", "jsp", "pdf", "doc", "docx", "xls", "xlsx", "ppt",
        "pptx", "txt", "csv", "zip", "png", "jpg", "jpeg", "gif", "svg", "webp",
    ];
    let host = lower
        .trim_start_matches("//")
        .split(['/', '?', '#', ':'])
        .next()
        .unwrap_or_default();
    if lower.starts_with("//") || lower.starts_with("www.") {
        return true;
    }
    let Some((name, ending)) = host.rsplit_once('.') else {
        return false;
    };
    !name.is_empty()
        && !name.starts_with('.')
        && (2..=12).contains(&ending.len())
        && ending.bytes().all(|b| b.is_ascii_lowercase())
        && !FILES.contains(&ending)
}

/// Marks that other programs merge, and words that stand in for an address.
fn is_placeholder(target: &str) -> bool {
    let framed = [('[', ']'), ('%', '%'), ('<', '>'), ('{', '}'), ('«', '»')]
        .into_iter()
        .any(|(open, close)| {
            target.len() > 2 && target.starts_with(open) && target.ends_with(close)
        });
    let words = [
        "url",
        "link",
        "todo",
        "tbd",
        "xxx",
        "http://",
        "https://",
        "insert link",
    ];
    framed || words.iter().any(|word| target.eq_ignore_ascii_case(word))
}
