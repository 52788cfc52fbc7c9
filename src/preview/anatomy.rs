//! A mail read back from its bytes, by a reader that knows nothing of how they were made: what is shown is
//! what a mail program finds.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mail_parser::parsers::MessageStream;
use mail_parser::{Address, Encoding, Message, MessageParser, MessagePart, MimeHeaders, PartType};

/// A base64 body of more lines than this is folded away in the source.
const SHOWN_LINES: usize = 8;

/// A header field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Its name.
    pub name: String,
    /// What a mail program shows: unfolded, encoded words decoded (RFC 2047).
    pub value: String,
    /// As it goes out, its folding kept.
    pub raw: String,
}

/// A part that is a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its place among the mail's parts.
    pub number: usize,
    /// The file's name.
    pub name: String,
    /// Such as `image/png`.
    pub media_type: String,
    /// Bytes, decoded.
    pub size: u64,
    /// The Content-ID without its angle brackets, of an inline part.
    pub cid: Option<String>,
}

/// What a mail holds.
#[derive(Debug, Default)]
pub(super) struct Anatomy {
    pub(super) headers: Vec<Header>,
    pub(super) cc: Vec<String>,
    pub(super) reply_to: Option<String>,
    pub(super) html: Option<String>,
    pub(super) attached: Vec<Part>,
    pub(super) inline: Vec<Part>,
}

/// A stretch of a mail's source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stretch<'a> {
    /// Shown as it is.
    Shown(Cow<'a, str>),
    /// A long encoded body, folded away.
    Folded {
        /// Its first byte.
        from: usize,
        /// Behind its last byte.
        to: usize,
        /// How many lines.
        lines: usize,
        /// Whose body it is.
        what: String,
    },
}

fn parse(content: &[u8]) -> Option<Message<'_>> {
    MessageParser::default().parse(content)
}

/// Reads a mail.
pub(super) fn of(content: &[u8]) -> Anatomy {
    let Some(message) = parse(content) else {
        return Anatomy::default();
    };
    let mut found = Anatomy {
        headers: message.headers_raw().map(header).collect(),
        cc: message.cc().map(mailboxes).unwrap_or_default(),
        reply_to: message.reply_to().map(|to| mailboxes(to).join(", ")),
        html: html(&message),
        ..Anatomy::default()
    };
    for (number, raw) in message.parts.iter().enumerate() {
        let Some(disposition) = raw.content_disposition() else {
            continue;
        };
        let part = part(number, raw, content);
        if disposition.is_attachment() {
            found.attached.push(part);
        } else if part.cid.is_some() {
            found.inline.push(part);
        }
    }
    found
}

fn header((name, raw): (&str, &str)) -> Header {
    let mut stream = MessageStream::new(raw.as_bytes());
    let value = stream.parse_unstructured().into_text();
    Header {
        name: name.to_owned(),
        value: value.map_or_else(|| raw.trim().to_owned(), Cow::into_owned),
        raw: raw.trim().to_owned(),
    }
}

fn mailboxes(address: &Address<'_>) -> Vec<String> {
    let each = address.iter().map(|one| {
        let address = one.address().unwrap_or_default();
        match one.name() {
            Some(name) => format!("{name} <{address}>"),
            None => address.to_owned(),
        }
    });
    each.collect()
}

fn html(message: &Message<'_>) -> Option<String> {
    let mut bodies = message.html_bodies();
    bodies.find_map(|part| match &part.body {
        PartType::Html(html) => Some(html.clone().into_owned()),
        _ => None,
    })
}

fn part(number: usize, part: &MessagePart<'_>, content: &[u8]) -> Part {
    let kind = part.content_type();
    let body = body(part, content);
    let size = match part.encoding {
        Encoding::Base64 => {
            let digits = body.iter().filter(|byte| !byte.is_ascii_whitespace());
            digits.filter(|byte| **byte != b'=').count() as u64 * 3 / 4
        }
        Encoding::None | Encoding::QuotedPrintable => body.len() as u64,
    };
    Part {
        number,
        name: part.attachment_name().unwrap_or("unnamed").to_owned(),
        media_type: kind.map_or_else(
            || "application/octet-stream".to_owned(),
            |kind| {
                format!(
                    "{}/{}",
                    kind.ctype(),
                    kind.subtype().unwrap_or("octet-stream")
                )
            },
        ),
        size,
        cid: part.content_id().map(str::to_owned),
    }
}

fn body<'a>(part: &MessagePart<'_>, content: &'a [u8]) -> &'a [u8] {
    let (from, to) = (part.raw_body_offset(), part.raw_end_offset());
    content.get(from as usize..to as usize).unwrap_or_default()
}

/// The bytes of the file that is this part; none for a part that is no file.
pub(super) fn file(content: &[u8], number: usize) -> Option<(Part, Vec<u8>)> {
    let message = parse(content)?;
    let raw = message.parts.get(number)?;
    raw.content_disposition()?;
    let encoded = body(raw, content);
    let bytes = match raw.encoding {
        Encoding::Base64 => {
            let digits = encoded.iter().filter(|byte| !byte.is_ascii_whitespace());
            STANDARD.decode(digits.copied().collect::<Vec<u8>>()).ok()?
        }
        Encoding::None | Encoding::QuotedPrintable => raw.contents().to_vec(),
    };
    Some((part(number, raw, content), bytes))
}

/// The source from its first byte to its last, long encoded bodies folded away.
pub(super) fn source(content: &[u8]) -> Vec<Stretch<'_>> {
    let mut stretches = Vec::new();
    let mut at = 0;
    for fold in parse(content)
        .iter()
        .flat_map(|message| folds(message, content))
    {
        if let Stretch::Folded { from, to, .. } = fold
            && at <= from
        {
            stretches.push(shown(content, at, from));
            at = to;
            stretches.push(fold);
        }
    }
    stretches.push(shown(content, at, content.len()));
    stretches
}

fn shown(content: &[u8], from: usize, to: usize) -> Stretch<'_> {
    let bytes = content.get(from..to).unwrap_or_default();
    Stretch::Shown(String::from_utf8_lossy(bytes))
}

fn folds(message: &Message<'_>, content: &[u8]) -> Vec<Stretch<'static>> {
    let mut found: Vec<(usize, Stretch<'static>)> = Vec::new();
    for (number, raw) in message.parts.iter().enumerate() {
        let lines = body(raw, content).split(|byte| *byte == b'\n').count();
        if raw.encoding != Encoding::Base64 || lines <= SHOWN_LINES || raw.is_multipart() {
            continue;
        }
        let part = part(number, raw, content);
        let from = raw.raw_body_offset() as usize;
        let named = part.name != "unnamed";
        let fold = Stretch::Folded {
            from,
            to: raw.raw_end_offset() as usize,
            lines,
            what: if named { part.name } else { part.media_type },
        };
        found.push((from, fold));
    }
    found.sort_by_key(|(from, _)| *from);
    found.into_iter().map(|(_, fold)| fold).collect()
}
