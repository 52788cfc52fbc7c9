//! `[message]`: what is sent.

use std::path::PathBuf;

use toml::Spanned;

use super::confined::{confined, file};
use super::section::{Section, Text};

/// The keys of `[message]`.
pub(super) const KEYS: &[&str] = &[
    "from",
    "to",
    "reply_to",
    "cc",
    "bcc",
    "subject",
    "html",
    "text",
    "inline_css",
    "data",
    "attach",
    "inline",
    "headers",
    "list_unsubscribe",
    "unsubscribe",
];

/// What is sent. Texts are templates as typed; none is empty or has a control character. Paths are
/// relative to the campaign's folder and inside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageOptions {
    /// The From address.
    pub from: String,
    /// The To header; the recipient by default, in a shared message the From address.
    pub to: Option<String>,
    /// The Reply-To address.
    pub reply_to: Option<String>,
    /// Carbon copies; each counts against the limits.
    pub cc: Vec<String>,
    /// Blind copies; each counts against the limits.
    pub bcc: Vec<String>,
    /// The subject.
    pub subject: String,
    /// The HTML template; it or `text` is there.
    pub html: Option<PathBuf>,
    /// Whether the rules of `<style>` blocks in the HTML are inlined.
    pub inline_css: bool,
    /// The text template; derived from the HTML when absent.
    pub text: Option<PathBuf>,
    /// Values shared by all recipients: a .json or .toml file.
    pub data: Option<PathBuf>,
    /// Attachments: paths, which may be templates.
    pub attach: Vec<String>,
    /// Inline images: content identifier (`cid:`) and path, in the file's order.
    pub inline: Vec<(String, PathBuf)>,
    /// Further headers: name and template, in the file's order; no name twice in any case of letters.
    pub headers: Vec<(String, String)>,
    /// Where to unsubscribe (RFC 2369, RFC 8058): a `mailto:` or `https://` address.
    pub list_unsubscribe: Option<String>,
    /// Templates of addresses to unsubscribe by.
    pub unsubscribe: Option<UnsubscribeOptions>,
}

/// Where to unsubscribe, by templates (RFC 2369, RFC 8058); one of the two is there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UnsubscribeOptions {
    /// An address to write to, with or without `mailto:` before it.
    pub mailto: Option<String>,
    /// An https:// address.
    pub url: Option<String>,
}

/// Reads the table; none when something required is missing or wrong.
pub(super) fn read(section: &Section<'_>) -> Option<MessageOptions> {
    let line = |key| section.text(key).map(Spanned::into_inner);
    let lines = |key| {
        section
            .texts(key)
            .into_iter()
            .map(Spanned::into_inner)
            .collect()
    };
    let (from, subject) = (line("from"), line("subject"));
    section.require(
        "from",
        "add from = \"Your Name <you@example.com>\" under [message]",
    );
    section.require("subject", "add subject = \"…\" under [message]");
    let (html, text) = (file(section, "html", &[]), file(section, "text", &[]));
    if section.value("html").is_none() && section.value("text").is_none() {
        section.require(
            "html",
            "add html = \"newsletter.html.hbs\" or text = \"newsletter.txt.hbs\" under [message]",
        );
    }
    let rest = MessageOptions {
        from: String::new(),
        to: line("to"),
        reply_to: line("reply_to"),
        cc: lines("cc"),
        bcc: lines("bcc"),
        subject: String::new(),
        html,
        text,
        inline_css: section.switch("inline_css").unwrap_or(true),
        data: file(section, "data", &["json", "toml"]),
        attach: attachments(section),
        inline: inline(section),
        headers: headers(section),
        list_unsubscribe: list_unsubscribe(section),
        unsubscribe: unsubscribe(section),
    };
    Some(MessageOptions {
        from: from?,
        subject: subject?,
        ..rest
    })
}

fn attachments(section: &Section<'_>) -> Vec<String> {
    let texts = section.texts("attach").into_iter();
    texts
        .filter(|text| confined(section, "attach", text).is_some())
        .map(Spanned::into_inner)
        .collect()
}

fn inline(section: &Section<'_>) -> Vec<(String, PathBuf)> {
    let mut images = Vec::new();
    for (name, path) in section.named_texts("inline") {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        if name.get_ref().is_empty() || !name.get_ref().bytes().all(plain) {
            section.refuse(
                "inline",
                Some(name.span()),
                "a name has other characters than letters, digits, dot, hyphen and underscore",
                "write inline = { logo = \"images/logo.png\" } and src=\"cid:logo\" in the HTML",
            );
        } else if let Some(path) = confined(section, &format!("inline.{}", name.get_ref()), &path) {
            images.push((name.into_inner(), path));
        }
    }
    images
}

fn headers(section: &Section<'_>) -> Vec<(String, String)> {
    let mut headers: Vec<(String, String)> = Vec::new();
    for (name, value) in section.named_texts("headers") {
        let problem = header_problem(&headers, &name);
        match problem {
            Some((message, remedy)) => {
                section.refuse("headers", Some(name.span()), message, remedy);
            }
            None => headers.push((name.into_inner(), value.into_inner())),
        }
    }
    headers
}

/// RFC 5322 section 2.2: a field name is printable US-ASCII without the colon.
fn header_problem(
    before: &[(String, String)],
    name: &Text,
) -> Option<(&'static str, &'static str)> {
    let name = name.get_ref();
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_graphic() && b != b':') {
        return Some((
            "a header's name has a space, a colon or another character that headers cannot have",
            "write headers = { \"X-Campaign\" = \"december\" }",
        ));
    }
    let twice = before
        .iter()
        .any(|(other, _)| other.eq_ignore_ascii_case(name));
    twice.then_some(("a header is given twice", "keep one of the two"))
}

fn list_unsubscribe(section: &Section<'_>) -> Option<String> {
    let text = section.text("list_unsubscribe")?;
    let address = text.get_ref();
    let scheme = ["mailto:", "https://"];
    let known = scheme
        .iter()
        .any(|s| address.len() > s.len() && address.starts_with(s));
    if known && !address.contains(['<', '>']) {
        return Some(text.into_inner());
    }
    section.refuse(
        "list_unsubscribe",
        Some(text.span()),
        "is neither a mailto: nor an https:// address",
        "write list_unsubscribe = \"mailto:leave@example.com\", without angle brackets",
    );
    None
}

fn unsubscribe(section: &Section<'_>) -> Option<UnsubscribeOptions> {
    let remedy = "write unsubscribe = { mailto = \"leave@example.com\", url = \"https://example.com/leave?id={{id}}\" }, or \
                  one of the two";
    let value = section.value("unsubscribe")?;
    let mut options = UnsubscribeOptions::default();
    for (name, text) in section.named_texts("unsubscribe") {
        let written = text.get_ref().trim();
        match name.get_ref().as_str() {
            "mailto" => options.mailto = Some(written.to_owned()),
            "url" if !written.starts_with("https://") => {
                let message = "has a url that does not begin with https://, which one-click unsubscribing needs";
                section.refuse("unsubscribe", Some(text.span()), message, remedy);
            }
            "url" => options.url = Some(written.to_owned()),
            _ => section.refuse(
                "unsubscribe",
                Some(name.span()),
                "knows mailto and url only",
                remedy,
            ),
        }
    }
    if section.value("list_unsubscribe").is_some() {
        let message = "is given beside list_unsubscribe";
        section.refuse(
            "unsubscribe",
            Some(value.span()),
            message,
            "keep one of the two",
        );
    }
    if options == UnsubscribeOptions::default() {
        section.refuse(
            "unsubscribe",
            Some(value.span()),
            "names no address",
            remedy,
        );
        return None;
    }
    Some(options)
}
