//! Composing: parts and headers in their places, as bytes.

use std::time::SystemTime;

use jiff::Timestamp;
use lettre::Address as WireAddress;
use lettre::address::Envelope;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName};
use lettre::message::{Body, Mailbox as WireMailbox, MultiPart, MultiPartKind, SinglePart};

use super::attachments::{Encoded, Files};
use super::error::Error;
use super::unsubscribe::{self, Unsubscribe};
use super::{headers, text_part};
use crate::recipients::{Address, Mailbox};
use crate::template::Rendered;

/// Asks Exchange not to answer with out-of-office, auto-replies, delivery and read receipts. Never
/// `All`: that would suppress non-delivery reports too ([MS-OXCMAIL] 2.1.3.2.19).
const SUPPRESSED: &str = "OOF, AutoReply, DR, RN, NRN";

/// RFC 5322 2.1.1: without the CRLF.
const MAX_LINE: usize = 998;

/// What is the same in all messages of a campaign.
pub(super) struct Frame {
    pub(super) from: Mailbox,
    pub(super) inline: Vec<(String, String)>,
    pub(super) list_unsubscribe: Option<String>,
    pub(super) unsubscribe: Option<Unsubscribe>,
    pub(super) header_names: Vec<HeaderName>,
    pub(super) encoded: Encoded,
}

/// What is a message's own beside its content.
pub(super) struct Addressing<'a> {
    pub(super) to: Mailbox,
    pub(super) cc: &'a [Mailbox],
    pub(super) reply_to: Option<&'a Mailbox>,
    pub(super) message_id: &'a str,
    pub(super) date: Timestamp,
    /// Several share it, as blind copies.
    pub(super) shared: bool,
    /// It is a copy for somebody who looks at it: of what.
    pub(super) test_of: Option<&'a str>,
}

/// A new Message-ID with 128 random bits in the sender's domain, with its angle brackets (RFC 5322 3.6.4).
pub fn new_message_id(domain: &str) -> Result<String, Error> {
    NewIds::new(domain, 1).next_id()
}

/// New Message-IDs for many messages: asking the system for chance takes longer than what is asked for.
#[derive(Debug)]
pub struct NewIds {
    domain: String,
    /// How many are asked for at once.
    at_once: usize,
    random: Vec<u8>,
}

impl NewIds {
    /// In the sender's domain.
    pub fn new(domain: &str, at_once: usize) -> Self {
        Self {
            domain: domain.to_owned(),
            at_once: at_once.max(1),
            random: Vec::new(),
        }
    }

    /// The next one, with its angle brackets.
    pub fn next_id(&mut self) -> Result<String, Error> {
        if self.random.is_empty() {
            self.random.resize(16 * self.at_once, 0);
            getrandom::fill(&mut self.random).map_err(|cause| Error::Build(cause.to_string()))?;
        }
        let mut random = [0_u8; 16];
        let left = self.random.len().saturating_sub(random.len());
        random.copy_from_slice(&self.random[left..]);
        self.random.truncate(left);
        let Self { domain, .. } = self;
        Ok(format!("<{:032x}@{domain}>", u128::from_be_bytes(random)))
    }
}

/// An address as it goes on the wire: with an ASCII domain, so that only a local part can need
/// SMTPUTF8.
pub(super) fn wire(address: &Address) -> String {
    format!("{}@{}", address.local(), address.domain())
}

fn wire_mailbox(part: &'static str, mailbox: &Mailbox) -> Result<WireMailbox, Error> {
    if let Some(name) = &mailbox.name {
        headers::check_value(part, name)?;
    }
    let address = wire_address(part, &mailbox.address)?;
    Ok(WireMailbox::new(mailbox.name.clone(), address))
}

pub(super) fn wire_address(part: &'static str, address: &Address) -> Result<WireAddress, Error> {
    let text = wire(address);
    text.parse().map_err(|cause| Error::Address {
        part,
        reason: format!("{cause}"),
        value: text.clone(),
    })
}

impl Frame {
    pub(super) fn new(
        from: Mailbox,
        inline: Vec<(String, String)>,
        list_unsubscribe: Option<String>,
        unsubscribe: Option<Unsubscribe>,
        header_names: &[String],
        files: Files,
    ) -> Result<Self, Error> {
        Ok(Self {
            from,
            inline,
            list_unsubscribe,
            unsubscribe,
            header_names: header_names
                .iter()
                .skip(unsubscribe.map_or(0, |one| one.addresses))
                .map(|name| headers::check_name(name))
                .collect::<Result<_, _>>()?,
            encoded: Encoded::new(files),
        })
    }

    /// So many of the campaign's own headers are addresses to unsubscribe by.
    pub(super) fn addresses(&self) -> usize {
        self.unsubscribe.map_or(0, |one| one.addresses)
    }

    /// The bytes of a message, with CRLF; the same for the same input.
    pub(super) fn compose(
        &self,
        rendered: &Rendered,
        addressing: &Addressing<'_>,
    ) -> Result<Vec<u8>, Error> {
        let parts = self.parts(rendered, addressing.message_id)?;
        self.finish(rendered, addressing, parts)
    }

    fn finish(
        &self,
        rendered: &Rendered,
        addressing: &Addressing<'_>,
        parts: Part,
    ) -> Result<Vec<u8>, Error> {
        headers::check_value("Subject", &rendered.subject)?;
        let date = SystemTime::try_from(addressing.date)
            .map_err(|cause| Error::Build(cause.to_string()))?;
        let mut builder = lettre::Message::builder()
            .from(wire_mailbox("From", &self.from)?)
            .to(wire_mailbox("To", &addressing.to)?)
            .subject(rendered.subject.clone())
            .date(date)
            .message_id(Some(addressing.message_id.to_owned()));
        for copy in addressing.cc {
            builder = builder.cc(wire_mailbox("Cc", copy)?);
        }
        if let Some(reply_to) = addressing.reply_to {
            builder = builder.reply_to(wire_mailbox("Reply-To", reply_to)?);
        }
        // lettre reads the envelope from the headers unless it is given one, and cannot read quoted local
        // parts there. Ours is made elsewhere, so any will do.
        let unused = Envelope::new(None, vec![wire_address("From", &self.from.address)?])
            .map_err(|cause| Error::Build(cause.to_string()))?;
        builder = builder.envelope(unused);
        let built = match parts {
            Part::Single(part) => builder.singlepart(part),
            Part::Multi(part) => builder.multipart(part),
        };
        let mut message = built.map_err(|cause| Error::Build(cause.to_string()))?;
        self.set_headers(message.headers_mut(), rendered, addressing.shared)?;
        if let Some(what) = addressing.test_of {
            headers::set_own(message.headers_mut(), "X-Postroom-Test", what)?;
        }
        let mut bytes = message.formatted();
        if !bytes.ends_with(b"\r\n") {
            bytes.extend_from_slice(b"\r\n");
        }
        check_wire(&bytes)?;
        Ok(bytes)
    }

    /// The same with empty bodies, and without images and attachments.
    pub(super) fn compose_frame(
        &self,
        rendered: &Rendered,
        addressing: &Addressing<'_>,
    ) -> Result<Vec<u8>, Error> {
        let empty = Rendered {
            subject: rendered.subject.clone(),
            headers: rendered.headers.clone(),
            html: rendered.html.as_ref().map(|_| String::new()),
            text: Some(String::new()),
            ..Rendered::default()
        };
        let bodies = Self::bodies(&empty, addressing.message_id)?;
        self.finish(&empty, addressing, bodies)
    }

    fn set_headers(
        &self,
        into: &mut lettre::message::header::Headers,
        rendered: &Rendered,
        shared: bool,
    ) -> Result<(), Error> {
        // In the place where the builder has put it.
        headers::set_own(into, "Subject", &rendered.subject)?;
        headers::set_own(into, "Auto-Submitted", "auto-generated")?;
        headers::set_own(into, "X-Auto-Response-Suppress", SUPPRESSED)?;
        if let Some(target) = &self.list_unsubscribe {
            headers::set_own(into, "List-Unsubscribe", &format!("<{target}>"))?;
        }
        let (addresses, others) = rendered
            .headers
            .split_at(self.addresses().min(rendered.headers.len()));
        if let Some(unsubscribe) = self.unsubscribe {
            unsubscribe::set(into, unsubscribe, addresses, shared)?;
        }
        for (name, (_, value)) in self.header_names.iter().zip(others) {
            headers::set(into, name.clone(), value)?;
        }
        Ok(())
    }

    /// Text and, where there is one, HTML.
    fn bodies(rendered: &Rendered, message_id: &str) -> Result<Part, Error> {
        let text = text_body(&text_part::of(rendered)?, ContentType::TEXT_PLAIN)?;
        let Some(html) = &rendered.html else {
            return Ok(Part::Single(text));
        };
        let both = multipart(MultiPartKind::Alternative, "alternative", message_id);
        let html = text_body(html, ContentType::TEXT_HTML)?;
        Ok(Part::Multi(both.singlepart(text).singlepart(html)))
    }

    fn parts(&self, rendered: &Rendered, message_id: &str) -> Result<Part, Error> {
        let mut part = Self::bodies(rendered, message_id)?;
        if rendered.html.is_some() && !self.inline.is_empty() {
            let around = multipart(MultiPartKind::Related, "related", message_id);
            let mut related = part.into(around);
            for (cid, path) in &self.inline {
                related = related.singlepart(self.encoded.inline(cid, path)?);
            }
            part = Part::Multi(related);
        }
        let attached = rendered
            .attach
            .iter()
            .filter(|path| !path.trim().is_empty());
        let attached: Vec<SinglePart> = attached
            .map(|path| self.encoded.attachment(path.trim()))
            .collect::<Result<_, _>>()?;
        if !attached.is_empty() {
            let around = multipart(MultiPartKind::Mixed, "mixed", message_id);
            let mut mixed = part.into(around);
            for attachment in attached {
                mixed = mixed.singlepart(attachment);
            }
            part = Part::Multi(mixed);
        }
        Ok(part)
    }
}

/// A part of parts; its boundary comes from the Message-ID, so the same message has the same bytes.
fn multipart(
    kind: MultiPartKind,
    level: &str,
    message_id: &str,
) -> lettre::message::MultiPartBuilder {
    let digest = blake3::hash(format!("{level}{message_id}").as_bytes());
    let boundary = digest.to_hex()[..32].to_owned();
    MultiPart::builder().kind(kind).boundary(boundary)
}

enum Part {
    Single(SinglePart),
    Multi(MultiPart),
}

impl Part {
    fn into(self, around: lettre::message::MultiPartBuilder) -> MultiPart {
        match self {
            Self::Single(part) => around.singlepart(part),
            Self::Multi(part) => around.multipart(part),
        }
    }
}

/// A text as quoted-printable, or as base64 where that is shorter (most of it is not ASCII).
fn text_body(text: &str, content_type: ContentType) -> Result<SinglePart, Error> {
    let foreign = text.bytes().filter(|byte| !byte.is_ascii()).count();
    let encoding = if foreign * 5 > text.len() {
        ContentTransferEncoding::Base64
    } else {
        ContentTransferEncoding::QuotedPrintable
    };
    let body = Body::new_with_encoding(text.to_owned(), encoding)
        .map_err(|_| Error::Build("a text cannot be encoded".to_owned()))?;
    Ok(SinglePart::builder().header(content_type).body(body))
}

/// The last look: what a server could refuse or change must not leave (RFC 5321 4.5.3.1.6, RFC 5322
/// 2.1.1). Only an address that needs SMTPUTF8 may bring in something that is not ASCII.
fn check_wire(bytes: &[u8]) -> Result<(), Error> {
    for line in bytes.split(|byte| *byte == b'\n') {
        let line = match line.strip_suffix(b"\r") {
            Some(line) => line,
            None if line.is_empty() => line,
            None => return Err(Error::Build("a line does not end in CRLF".to_owned())),
        };
        if line.len() > MAX_LINE {
            return Err(Error::Build(format!(
                "a line has more than {MAX_LINE} octets"
            )));
        }
        if line.iter().any(|byte| matches!(byte, 0 | b'\r')) {
            return Err(Error::Build("a line holds a control character".to_owned()));
        }
    }
    Ok(())
}
