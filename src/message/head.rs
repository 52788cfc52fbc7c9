//! The headers of a message, in their order.

use std::time::SystemTime;

use lettre::Address as WireAddress;
use lettre::address::Envelope;
use lettre::message::header::{self, Header, HeaderName, Headers, MailboxesHeader};
use lettre::message::{Mailbox as WireMailbox, Mailboxes, SinglePart};

use super::compose::{Addressing, wire};
use super::content::Writing;
use super::unsubscribe::{self, Unsubscribe};
use super::{Error, headers};
use crate::recipients::{Address, Mailbox};
use crate::template::Rendered;

/// Asks Exchange not to answer with out-of-office, auto-replies, delivery and read receipts. Never
/// `All`: that would suppress non-delivery reports too ([MS-OXCMAIL] 2.1.3.2.19).
const SUPPRESSED: &str = "OOF, AutoReply, DR, RN, NRN";

/// A line that is no longer than this is not folded (RFC 5322 2.1.1).
const SHORT: usize = 76;

/// The headers that are the same in all messages of a campaign, and what tells the others.
pub(super) struct Head {
    sender: Mailbox,
    /// The first line. None where no message can be built with it.
    from: Option<String>,
    /// The lines behind those of the message.
    fixed: String,
    list_unsubscribe: Option<String>,
    unsubscribe: Option<Unsubscribe>,
    names: Vec<HeaderName>,
    /// The campaign has headers of its own.
    has_own: bool,
}

impl Head {
    pub(super) fn new(
        from: &Mailbox,
        list_unsubscribe: Option<String>,
        unsubscribe: Option<Unsubscribe>,
        names: &[String],
    ) -> Result<Self, Error> {
        let own = unsubscribe.map_or(0, |one| one.addresses);
        Ok(Self {
            sender: from.clone(),
            from: from_line(from).ok(),
            fixed: fixed_lines()?,
            has_own: list_unsubscribe.is_some() || unsubscribe.is_some() || !names.is_empty(),
            list_unsubscribe,
            unsubscribe,
            names: (names.iter().skip(own))
                .map(|name| headers::check_name(name))
                .collect::<Result<_, _>>()?,
        })
    }

    /// So many of the campaign's own headers are addresses to unsubscribe by.
    pub(super) fn addresses(&self) -> usize {
        self.unsubscribe.map_or(0, |one| one.addresses)
    }

    /// Writes all headers but those of the message's first part, which stand right behind them.
    pub(super) fn write(
        &self,
        into: &mut Writing,
        rendered: &Rendered,
        addressing: &Addressing<'_>,
    ) -> Result<(), Error> {
        headers::check_value("Subject", &rendered.subject)?;
        match &self.from {
            Some(line) => into.push(line),
            None => into.push(&from_line(&self.sender)?),
        }
        write_own(into, rendered, addressing)?;
        into.push(&self.fixed);
        if self.has_own || addressing.test_of.is_some() {
            into.push(&self.of_campaign(rendered, addressing)?.to_string());
        }
        Ok(())
    }

    /// The campaign's own, as they come out for this message.
    fn of_campaign(
        &self,
        rendered: &Rendered,
        addressing: &Addressing<'_>,
    ) -> Result<Headers, Error> {
        let mut own = Headers::new();
        if let Some(target) = &self.list_unsubscribe {
            headers::set_own(&mut own, "List-Unsubscribe", &format!("<{target}>"))?;
        }
        let (addresses, others) = rendered
            .headers
            .split_at(self.addresses().min(rendered.headers.len()));
        if let Some(unsubscribe) = self.unsubscribe {
            unsubscribe::set(&mut own, unsubscribe, addresses, addressing.shared)?;
        }
        for (name, (_, value)) in self.names.iter().zip(others) {
            headers::set(&mut own, name.clone(), value)?;
        }
        if let Some(what) = addressing.test_of {
            headers::set_own(&mut own, "X-Postroom-Test", what)?;
        }
        Ok(own)
    }
}

/// Writes what every message has of its own, in the order in which lettre's builder has it.
fn write_own(
    into: &mut Writing,
    rendered: &Rendered,
    addressing: &Addressing<'_>,
) -> Result<(), Error> {
    let date =
        SystemTime::try_from(addressing.date).map_err(|cause| Error::Build(cause.to_string()))?;
    let to = wire_mailbox("To", &addressing.to)?;
    if to.name.is_some() || !write_plain(into, "To", to.email.as_ref()) {
        write_one(into, header::To::from(Mailboxes::from(to)));
    }
    if !write_plain(into, "Subject", &rendered.subject) {
        let mut subject = Headers::with_capacity(1);
        headers::set_own(&mut subject, "Subject", &rendered.subject)?;
        into.push(&subject.to_string());
    }
    write_one(into, header::Date::new(date));
    if !write_plain(into, "Message-ID", addressing.message_id) {
        let id = addressing.message_id.to_owned();
        write_one(into, header::MessageId::from(id));
    }
    let mut copies = Headers::new();
    for copy in addressing.cc {
        join(&mut copies, header::Cc::from(mailboxes("Cc", copy)?));
    }
    if let Some(reply_to) = addressing.reply_to {
        copies.set(header::ReplyTo::from(mailboxes("Reply-To", reply_to)?));
    }
    into.push(&copies.to_string());
    Ok(())
}

fn write_one<H: Header>(into: &mut Writing, header: H) {
    let mut one = Headers::with_capacity(1);
    one.set(header);
    into.push(&one.to_string());
}

/// Writes a header that nothing has to be done about: printable ASCII, in one line, no blank that could be lost, and
/// nothing that reads like an encoded word. False for any other.
fn write_plain(into: &mut Writing, name: &str, value: &str) -> bool {
    let is_printable = value.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    let is_short = name.len() + ": ".len() + value.len() <= SHORT;
    if !is_printable || !is_short || value.contains("=?") || has_odd_blanks(value) {
        return false;
    }
    for piece in [name, ": ", value, "\r\n"] {
        into.push(piece);
    }
    true
}

fn has_odd_blanks(value: &str) -> bool {
    value.starts_with(' ') || value.ends_with(' ') || value.contains("  ")
}

/// Puts an address behind those that the header has.
fn join<H: Header + MailboxesHeader>(headers: &mut Headers, header: H) {
    match headers.get::<H>() {
        Some(mut known) => {
            known.join_mailboxes(header);
            headers.set(known);
        }
        None => headers.set(header),
    }
}

/// The From header, where lettre would build a message with it.
fn from_line(from: &Mailbox) -> Result<String, Error> {
    let refused = |cause: lettre::error::Error| Error::Build(cause.to_string());
    let sender = wire_mailbox("From", from)?;
    let envelope = Envelope::new(None, vec![sender.email.clone()]).map_err(refused)?;
    // lettre reads the envelope from the headers unless it is given one, and cannot read quoted local parts there.
    lettre::Message::builder()
        .from(sender.clone())
        .envelope(envelope)
        .date(SystemTime::UNIX_EPOCH)
        .singlepart(SinglePart::plain(String::new()))
        .map_err(refused)?;
    let mut line = Headers::new();
    line.set(header::From::from(Mailboxes::from(sender)));
    Ok(line.to_string())
}

fn fixed_lines() -> Result<String, Error> {
    let mut fixed = Headers::new();
    fixed.set(header::MIME_VERSION_1_0);
    headers::set_own(&mut fixed, "Auto-Submitted", "auto-generated")?;
    headers::set_own(&mut fixed, "X-Auto-Response-Suppress", SUPPRESSED)?;
    Ok(fixed.to_string())
}

fn mailboxes(part: &'static str, mailbox: &Mailbox) -> Result<Mailboxes, Error> {
    wire_mailbox(part, mailbox).map(Mailboxes::from)
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
