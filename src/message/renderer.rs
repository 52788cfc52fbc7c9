//! From a row's cells to the bytes of its mail: the one path that checking, planning, previewing,
//! rehearsing and sending share.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::attachments::Files;
use super::body::Body;
use super::compose::{Addressing, Frame, wire};
use super::error::Error;
use super::text_part;
use crate::recipients::{Address, Columns, Domains, Mailbox};
use crate::template::{Language, Rendered, Sources, TemplateSet, merge};

/// Everything but the rows and the files that decides the bytes of a campaign's mails. It is frozen
/// with the plan.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Definition {
    /// The templates.
    pub sources: Sources,
    /// Campaign-wide values.
    pub data: Map<String, Value>,
    /// The list's columns.
    pub columns: Columns,
    /// The From header.
    pub from: String,
    /// The From header of what these accounts send, where it is another.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub senders: BTreeMap<String, String>,
    /// Content-ID and path of each inline image.
    pub inline: Vec<(String, String)>,
    /// The value of List-Unsubscribe.
    pub list_unsubscribe: Option<String>,
    /// Domains whose recipients do not count as external.
    pub internal: Vec<String>,
    /// Whether the rules of `<style>` blocks are inlined. What earlier versions froze says no.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub inline_css: bool,
}

impl Definition {
    /// Whether a `<style>` can ever come out of the HTML body: without one, inlining changes nothing.
    pub fn can_have_styles(&self) -> bool {
        let Sources {
            html,
            language,
            partials,
            ..
        } = &self.sources;
        let texts = html
            .iter()
            .chain(partials)
            .map(|source| source.text.to_ascii_lowercase());
        let mut texts = texts.filter(|text| {
            ["<style", "{{{", "{{&"]
                .iter()
                .any(|sign| text.contains(sign))
        });
        html.is_some() && (*language != Language::Html || texts.next().is_some())
    }

    /// The same, with the From header of what this account sends.
    #[must_use]
    pub fn sent_by(self, account: &str) -> Self {
        let from = self.senders.get(account).cloned();
        Self {
            from: from.unwrap_or(self.from),
            ..self
        }
    }
}

/// What makes a message this one: chosen once, the same in every attempt.
#[derive(Debug, Clone, Copy)]
pub struct Identity<'a> {
    /// With its angle brackets.
    pub message_id: &'a str,
    /// The Date header.
    pub date: Timestamp,
    /// Several share it, as blind copies.
    pub shared: bool,
}

/// A message that is ready to be offered.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// Of the rendered content: equal content has an equal digest.
    pub digest: [u8; 32],
    /// The envelope's sender.
    pub sender: String,
    /// The envelope's recipients as they go on the wire: the listed ones in their order, then copies.
    pub envelope: Vec<String>,
    /// Which of the listed ones are external.
    pub external: Vec<bool>,
    /// How many copies (cc, bcc) the envelope has.
    pub copies: u64,
    /// How many of them are external.
    pub external_copies: u64,
    /// A header holds an address beyond ASCII, so the content needs SMTPUTF8 (RFC 6531).
    pub smtputf8: bool,
    /// The bytes, with CRLF.
    pub content: Vec<u8>,
}

/// What a row renders to, with its addresses parsed.
#[derive(Debug, Clone)]
pub struct Page {
    /// What the templates gave.
    pub rendered: Rendered,
    /// Of the rendered content.
    pub digest: [u8; 32],
    to: Option<Mailbox>,
    reply_to: Option<Mailbox>,
    cc: Vec<Mailbox>,
    bcc: Vec<Mailbox>,
}

impl Page {
    /// The paths of what a message with this content carries: an empty one means nothing.
    pub fn attachments(&self) -> impl Iterator<Item = &str> {
        let paths = self.rendered.attach.iter().map(|path| path.trim());
        paths.filter(|path| !path.is_empty())
    }

    /// The copies that every message with this content has in its envelope.
    pub fn copies(&self) -> impl Iterator<Item = &Address> {
        self.cc.iter().chain(&self.bcc).map(|copy| &copy.address)
    }
}

/// Renders and composes a campaign's mails.
pub struct Renderer {
    definition: Definition,
    templates: TemplateSet,
    body: Body,
    frame: Frame,
    internal: Domains,
}

impl std::fmt::Debug for Renderer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Renderer")
            .field("from", &self.definition.from)
            .finish_non_exhaustive()
    }
}

fn mailbox(part: &'static str, text: &str) -> Result<Mailbox, Error> {
    Mailbox::parse(text).map_err(|error| Error::Address {
        part,
        value: text.to_owned(),
        reason: error.to_string(),
    })
}

impl Renderer {
    /// Compiles the templates and reads the inline images.
    pub fn new(definition: Definition, files: Files) -> Result<Self, Error> {
        let templates = TemplateSet::compile(&definition.sources).map_err(Error::Templates)?;
        let sender = mailbox("from", &definition.from)?;
        let names: Vec<String> = definition
            .sources
            .headers
            .iter()
            .map(|(name, _)| name.clone())
            .collect();
        let frame = Frame::new(
            sender,
            definition.inline.clone(),
            definition.list_unsubscribe.clone(),
            &names,
            files,
        )?;
        let internal = Domains::parse(&definition.internal).map_err(|error| Error::Address {
            part: "internal",
            value: definition.internal.join(", "),
            reason: error.to_string(),
        })?;
        Ok(Self {
            body: Body::new(&definition),
            definition,
            templates,
            frame,
            internal,
        })
    }

    /// What decides the bytes.
    pub fn definition(&self) -> &Definition {
        &self.definition
    }

    /// The compiled templates.
    pub fn templates(&self) -> &TemplateSet {
        &self.templates
    }

    /// The From address.
    pub fn sender(&self) -> &Address {
        &self.frame.from.address
    }

    /// True for a recipient outside the internal domains.
    pub fn is_external(&self, address: &Address) -> bool {
        !self.internal.contains(address)
    }

    /// Renders a row.
    pub fn page(&self, cells: &[String]) -> Result<Page, Error> {
        let row = self.definition.columns.data_of(cells);
        let data = merge(&self.definition.data, row);
        let mut rendered = self.templates.render(data)?;
        self.body.finish(&mut rendered)?;
        let parse_all = |part, list: &[String]| -> Result<Vec<Mailbox>, Error> {
            list.iter()
                .filter(|text| !text.trim().is_empty())
                .map(|text| mailbox(part, text))
                .collect()
        };
        Ok(Page {
            to: rendered
                .to
                .as_deref()
                .map(|to| mailbox("to", to))
                .transpose()?,
            reply_to: rendered
                .reply_to
                .as_deref()
                .filter(|text| !text.trim().is_empty())
                .map(|text| mailbox("reply_to", text))
                .transpose()?,
            cc: parse_all("cc", &rendered.cc)?,
            bcc: parse_all("bcc", &rendered.bcc)?,
            digest: rendered.digest(),
            rendered,
        })
    }

    /// Composes a page: in an individual message To is the recipient, in a shared one the sender,
    /// unless the campaign says otherwise.
    pub fn compose(
        &self,
        page: &Page,
        recipient: &Address,
        identity: &Identity<'_>,
    ) -> Result<Vec<u8>, Error> {
        let addressing = Addressing {
            to: self.addressee(page, recipient, identity.shared),
            cc: &page.cc,
            reply_to: page.reply_to.as_ref(),
            message_id: identity.message_id,
            date: identity.date,
        };
        self.frame.compose(&page.rendered, &addressing)
    }

    /// Who the To header names.
    pub fn addressee(&self, page: &Page, recipient: &Address, shared: bool) -> Mailbox {
        match &page.to {
            Some(to) => to.clone(),
            None if shared => self.frame.from.clone(),
            None => Mailbox {
                name: None,
                address: recipient.clone(),
            },
        }
    }

    /// The text part, as the template gives it or as it is derived from the HTML.
    pub fn text(&self, page: &Page) -> Result<String, Error> {
        text_part::of(&page.rendered)
    }

    /// Prepares a message for its recipients, given as address and cells (a JSON array). All of them
    /// have the same content: the first one's cells are rendered.
    pub fn prepare<'a>(
        &self,
        listed: impl IntoIterator<Item = (&'a str, &'a str)>,
        identity: &Identity<'_>,
    ) -> Result<Prepared, Error> {
        let mut page = None;
        let mut addresses = Vec::new();
        for (address, cells) in listed {
            if page.is_none() {
                let cells: Vec<String> =
                    serde_json::from_str(cells).map_err(|error| Error::Cells(error.to_string()))?;
                page = Some(self.page(&cells)?);
            }
            addresses.push(Address::parse(address).map_err(|error| Error::Address {
                part: "recipient",
                value: address.to_owned(),
                reason: error.to_string(),
            })?);
        }
        let (Some(page), Some(first)) = (page, addresses.first()) else {
            return Err(Error::Cells("a message without recipients".to_owned()));
        };
        let content = self.compose(&page, first, identity)?;
        let copies: Vec<&Address> = page.copies().collect();
        Ok(Prepared {
            digest: page.digest,
            sender: wire(&self.frame.from.address),
            external: addresses
                .iter()
                .map(|address| self.is_external(address))
                .collect(),
            copies: copies.len() as u64,
            external_copies: copies.iter().filter(|copy| self.is_external(copy)).count() as u64,
            smtputf8: !content.is_ascii(),
            envelope: addresses.iter().chain(copies).map(wire).collect(),
            content,
        })
    }
}
