//! Whole mails: from templates and a row to bytes.

use std::collections::BTreeMap;
use std::sync::Arc;

use mail_parser::MessageParser;
use postroom::clock::Timestamp;
use postroom::message::{Definition, Files, Identity, Renderer};
use postroom::proof::{Judged, judge, look};
use postroom::recipients::{Address, Cells, Columns};
use postroom::template::{Language, Source};

use super::pieces;
use super::templates::sources;

/// The headers that such a campaign's mail may have.
const HEADERS: [&str; 11] = [
    "auto-submitted",
    "content-transfer-encoding",
    "content-type",
    "date",
    "from",
    "message-id",
    "mime-version",
    "subject",
    "to",
    "x-auto-response-suppress",
    "x-note",
];

/// A mail of any templates and cells: no header but those that the campaign has, no line that a server would refuse,
/// one addressee, the same bytes each time.
pub fn mails(data: &[u8]) {
    let mut pieces = pieces(data);
    let language = match pieces.next().unwrap_or_default().trim() {
        "markdown" => Language::Markdown,
        "mjml" => Language::Mjml,
        _ => Language::Html,
    };
    let note = pieces.next().unwrap_or_default();
    let header = pieces.next().unwrap_or_default();
    let (mut sources, data) = sources(&mut pieces);
    sources.language = language;
    sources.to = Some(Source::new("to", "{{name}} <{{email}}>"));
    sources.headers = vec![("X-Note".to_owned(), Source::new("note", header))];
    sources.text = sources.text.filter(|text| !text.text.trim().is_empty());
    let columns = ["email", "name", "office"].map(str::to_owned);
    let definition = Definition {
        sources,
        data,
        columns: Columns::new(columns).expect("these are columns"),
        grouped: false,
        from: "Contoso Comms <comms@contoso.com>".to_owned(),
        senders: BTreeMap::new(),
        inline: Vec::new(),
        list_unsubscribe: None,
        unsubscribe: None,
        internal: vec!["contoso.com".to_owned()],
        inline_css: true,
    };
    let files: Files = Arc::new(|_| Err(std::io::ErrorKind::NotFound.into()));
    let Ok(renderer) = Renderer::new(definition, files) else {
        return;
    };
    let cells = ["ann@contoso.com".to_owned(), note, "Oslo".to_owned()];
    let Ok(page) = renderer.page(&Cells::Row(&cells)) else {
        return;
    };
    if let Some(html) = &page.rendered.html {
        proved(html);
    }
    let identity = Identity {
        message_id: "<0123456789abcdef0123456789abcdef@contoso.com>",
        date: Timestamp::UNIX_EPOCH,
        shared: false,
    };
    let recipient = Address::parse("ann@contoso.com").expect("this is an address");
    let Ok(bytes) = renderer.compose(&page, &recipient, &identity) else {
        return;
    };
    assert_eq!(
        renderer.compose(&page, &recipient, &identity).ok(),
        Some(bytes.clone())
    );
    whole(&bytes);
}

/// What is said of HTML can be said of any.
fn proved(html: &str) {
    for tag in look(html).tags {
        let Judged { flaws, .. } = judge(tag, '\u{1}');
        assert!(
            flaws
                .iter()
                .all(|flaw| !flaw.message.is_empty() && !flaw.remedy.is_empty())
        );
    }
}

fn whole(bytes: &[u8]) {
    assert!(bytes.ends_with(b"\r\n"));
    let text = bytes.strip_suffix(b"\r\n").unwrap_or(bytes);
    for line in text.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        assert!(!line.contains(&b'\r'), "a bare CR");
        assert!(line.len() <= 998, "a line of {}", line.len());
    }
    let bare = bytes
        .windows(2)
        .any(|pair| pair[1] == b'\n' && pair[0] != b'\r');
    assert!(!bare && !bytes.contains(&0), "a bare LF, or NUL");
    let end = bytes
        .windows(4)
        .position(|run| run == b"\r\n\r\n")
        .expect("headers end");
    let headers = std::str::from_utf8(&bytes[..end]).expect("headers are text");
    for line in headers
        .split("\r\n")
        .filter(|line| !line.starts_with([' ', '\t']))
    {
        let (name, _) = line.split_once(':').expect("a header has a name");
        assert!(
            HEADERS.contains(&name.to_ascii_lowercase().as_str()),
            "{line}"
        );
    }
    let mail = MessageParser::new().parse(bytes).expect("it can be read");
    let to = mail
        .to()
        .and_then(|to| to.first())
        .and_then(|to| to.address());
    assert_eq!(to, Some("ann@contoso.com"));
    assert_eq!(mail.to().map(|to| to.iter().count()), Some(1));
}
