//! From a row's cells to the bytes of its mail: the one path that checking, planning, previewing,
//! rehearsing and sending share.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash as _, Hasher};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::attachments::{FilePart, Files};
use super::body::Body;
use super::compose::{Addressing, Frame, wire};
use super::content::Content;
use super::error::Error;
use super::headers;
use super::text_part;
use super::unsubscribe::{self, Unsubscribe};
use crate::recipients::{Address, Cells, Columns, Domains, Mailbox};
use crate::template::{
    Arm, Known, Language, ROWS, Rendered, Sources, TemplateSet, TracedSet, merge,
};

/// A boundary of 32 characters with its dashes and line ends.
const BOUNDARY: u64 = 40;

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
    /// All rows of a person go into one message, where templates see them as [`ROWS`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub grouped: bool,
    /// The From header.
    pub from: String,
    /// The From header of what these accounts send, where it is another.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub senders: BTreeMap<String, String>,
    /// Content-ID and path of each inline image.
    pub inline: Vec<(String, String)>,
    /// The value of List-Unsubscribe.
    pub list_unsubscribe: Option<String>,
    /// How people unsubscribe by addresses of the campaign's templates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsubscribe: Option<Unsubscribe>,
    /// Domains whose recipients do not count as external.
    pub internal: Vec<String>,
    /// Whether the rules of `<style>` blocks are inlined. What earlier versions froze says no.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub inline_css: bool,
}

impl Definition {
    /// The rows that are frozen of a person: one, or several where rows are grouped.
    pub fn rows_of(&self, cells: &str) -> Result<Vec<Vec<String>>, serde_json::Error> {
        if self.grouped {
            serde_json::from_str(cells)
        } else {
            Ok(vec![serde_json::from_str(cells)?])
        }
    }

    /// What the templates see of a person's rows.
    pub fn cells_of<'a>(&self, rows: &'a [Vec<String>]) -> Cells<'a> {
        match rows {
            [row] if !self.grouped => Cells::Row(row),
            rows => Cells::Rows(rows.iter().map(Vec::as_slice).collect()),
        }
    }

    /// Looks into templates with what is known of the list: its fields, and whether rows are grouped.
    pub fn known<T>(&self, look: impl FnOnce(Known<'_>) -> T) -> T {
        let fields = self.columns.fields().map(str::to_owned).collect();
        look(Known {
            fields: &fields,
            grouped: self.grouped,
        })
    }

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

/// Whom a message goes to that is sent only to be looked at.
#[derive(Debug, Clone, Copy)]
pub struct TestCopy<'a> {
    /// Who looks at it.
    pub to: &'a Address,
    /// Which message it is a copy of, for the header `X-Postroom-Test`.
    pub of: &'a str,
}

/// What the subject of such a copy begins with.
const TEST: &str = "[Test] ";

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
    pub content: Content,
}

/// What a row renders to, with its addresses parsed.
#[derive(Debug, Clone)]
pub struct Page {
    /// What the templates gave.
    pub rendered: Rendered,
    /// Of the rendered content.
    pub digest: [u8; 32],
    plain_html: Option<String>,
    to: Option<Mailbox>,
    reply_to: Option<Mailbox>,
    cc: Vec<Mailbox>,
    bcc: Vec<Mailbox>,
}

impl Page {
    /// The HTML before rules of style sheets were written into its tags: as its author knows it.
    pub fn plain_html(&self) -> Option<&str> {
        let html = self.plain_html.as_deref();
        html.or(self.rendered.html.as_deref())
    }

    /// The paths of what a message with this content carries: an empty one means nothing.
    pub fn attachments(&self) -> impl Iterator<Item = &str> {
        let paths = self.rendered.attach.iter().map(|path| path.trim());
        paths.filter(|path| !path.is_empty())
    }

    /// The same, each with the part that names it: `cc` or `bcc`.
    pub fn named_copies(&self) -> impl Iterator<Item = (&'static str, &Address)> {
        let cc = self.cc.iter().map(|copy| ("cc", &copy.address));
        cc.chain(self.bcc.iter().map(|copy| ("bcc", &copy.address)))
    }

    /// Takes in all that headers have of it but values that are plain; how many bytes those have.
    pub(super) fn frame(&self, into: &mut impl Hasher) -> u64 {
        let mut plain = 0;
        let mut value = |text: &str, into: &mut _| {
            let is_plain = headers::is_plain(text);
            plain += if is_plain { text.len() as u64 } else { 0 };
            (!is_plain).then_some(text).hash(into);
        };
        let rendered = &self.rendered;
        value(&rendered.subject, into);
        for (name, text) in &rendered.headers {
            name.hash(into);
            value(text, into);
        }
        rendered.html.is_some().hash(into);
        for (number, list) in (0..).zip([self.to.as_slice(), self.reply_to.as_slice(), &self.cc]) {
            for mailbox in list {
                let Mailbox { name, address } = mailbox;
                (number, name, address.as_str()).hash(into);
            }
        }
        plain
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

pub(super) fn mailbox(part: &'static str, text: &str) -> Result<Mailbox, Error> {
    Mailbox::parse(text).map_err(|error| Error::Address {
        part,
        value: text.to_owned(),
        reason: error.to_string(),
    })
}

/// What a part takes of a message, with a boundary before it.
fn size_of(part: &FilePart) -> u64 {
    part.len() as u64 + BOUNDARY
}

/// What was rendered, with its addresses parsed.
fn page(rendered: Rendered) -> Result<Page, Error> {
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
        plain_html: None,
        rendered,
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
            definition.unsubscribe,
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

    /// Renders a row, or a person's rows.
    pub fn page(&self, cells: &Cells<'_>) -> Result<Page, Error> {
        self.finish(self.render(&self.templates, cells)?)
    }

    /// Renders as [`Renderer::page`] does, with a set traced from [`Renderer::templates`], and says which arms
    /// of their branches are taken.
    pub fn traced_page(
        &self,
        templates: &TracedSet,
        cells: &Cells<'_>,
    ) -> Result<(Page, BTreeSet<Arm>), Error> {
        let (rendered, taken) = templates.trace(|templates| self.render(templates, cells));
        Ok((self.finish(rendered?)?, taken))
    }

    /// Makes of what the templates gave what is sent.
    fn finish(&self, mut rendered: Rendered) -> Result<Page, Error> {
        let plain_html = self.body.finish(&mut rendered)?;
        for (_, address) in rendered.headers.iter().take(self.frame.addresses()) {
            unsubscribe::check(address)?;
        }
        Ok(Page {
            plain_html,
            ..page(rendered)?
        })
    }

    /// Renders what is frozen of a row, or of a person's rows: [`Cells`] as JSON.
    pub fn page_of_frozen(&self, cells: &str) -> Result<Page, Error> {
        let corrupt = |error: serde_json::Error| Error::Cells(error.to_string());
        let rows = self.definition.rows_of(cells).map_err(corrupt)?;
        if rows.is_empty() {
            return Err(Error::Cells("a person without rows".to_owned()));
        }
        self.page(&self.definition.cells_of(&rows))
    }

    fn render(&self, templates: &TemplateSet, cells: &Cells<'_>) -> Result<Rendered, Error> {
        let data = self.data_of(cells);
        let Cells::Rows(rows) = cells else {
            return Ok(templates.render(data)?);
        };
        let further = rows.iter().skip(1).map(|row| self.fields_of(row));
        Ok(templates.render_grouped(data, further)?)
    }

    /// The fields of a row among others of its person.
    pub(super) fn fields_of(&self, row: &[String]) -> Map<String, Value> {
        let mut fields = self.definition.columns.data_of(row);
        if self.definition.grouped {
            // A column of this name must not hide the rows.
            fields.remove(ROWS);
        }
        fields
    }

    /// What the templates see.
    pub(super) fn data_of(&self, cells: &Cells<'_>) -> Map<String, Value> {
        let Definition { columns, data, .. } = &self.definition;
        let mut fields = columns.data_of(cells.first());
        if let Cells::Rows(rows) = cells {
            let of_rows = rows.iter().map(|row| Value::Object(columns.data_of(row)));
            fields.insert(ROWS.to_owned(), of_rows.collect());
        }
        merge(data, fields)
    }

    /// Composes a page: in an individual message To is the recipient, in a shared one the sender,
    /// unless the campaign says otherwise.
    pub fn compose(
        &self,
        page: &Page,
        recipient: &Address,
        identity: &Identity<'_>,
    ) -> Result<Vec<u8>, Error> {
        let content = self.content(page, recipient, identity)?;
        Ok(content.into_bytes())
    }

    /// The same in pieces.
    fn content(
        &self,
        page: &Page,
        recipient: &Address,
        identity: &Identity<'_>,
    ) -> Result<Content, Error> {
        let addressing = self.addressing(page, recipient, identity);
        self.frame.compose(&page.rendered, &addressing)
    }

    /// How long everything of a page is but what its parts hold: its headers, and empty bodies.
    pub(super) fn size_of_frame(
        &self,
        page: &Page,
        recipient: &Address,
        identity: &Identity<'_>,
    ) -> Result<u64, Error> {
        let addressing = self.addressing(page, recipient, identity);
        Ok(self.frame.measure(&page.rendered, &addressing)? as u64)
    }

    /// How many bytes all inline images take as parts.
    pub(super) fn size_of_images(&self) -> Result<u64, Error> {
        let images = self.frame.inline.iter();
        let sizes = images.map(|(cid, path)| Ok(size_of(&self.frame.encoded.inline(cid, path)?)));
        sizes.sum()
    }

    /// How many bytes an attachment takes as a part.
    pub(super) fn size_of_attachment(&self, path: &str) -> Result<u64, Error> {
        Ok(size_of(&self.frame.encoded.attachment(path)?))
    }

    fn addressing<'p>(
        &self,
        page: &'p Page,
        recipient: &Address,
        identity: &Identity<'p>,
    ) -> Addressing<'p> {
        Addressing {
            to: self.addressee(page, recipient, identity.shared),
            cc: &page.cc,
            reply_to: page.reply_to.as_ref(),
            message_id: identity.message_id,
            date: identity.date,
            shared: identity.shared,
            test_of: None,
        }
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
        text_part::of(&page.rendered).map(Cow::into_owned)
    }

    /// Prepares a row's message for somebody who looks at it before it goes out. It has the same parts and
    /// headers but for To, which is that person, Cc, which is left out (nobody else gets anything), a subject
    /// that begins with `[Test]`, and a header that says what it is a copy of. `cells` is [`Cells`] as
    /// JSON; the digest is that of the row's own message.
    pub fn prepare_test(
        &self,
        cells: &str,
        copy: &TestCopy<'_>,
        identity: &Identity<'_>,
    ) -> Result<Prepared, Error> {
        let page = self.page_of_frozen(cells)?;
        let marked = Rendered {
            subject: format!("{TEST}{}", page.rendered.subject),
            ..page.rendered
        };
        let addressing = Addressing {
            to: Mailbox {
                name: None,
                address: copy.to.clone(),
            },
            cc: &[],
            reply_to: page.reply_to.as_ref(),
            message_id: identity.message_id,
            date: identity.date,
            shared: identity.shared,
            test_of: Some(copy.of),
        };
        let content = self.frame.compose(&marked, &addressing)?;
        Ok(Prepared {
            digest: page.digest,
            sender: wire(&self.frame.from.address),
            envelope: vec![wire(copy.to)],
            external: vec![self.is_external(copy.to)],
            copies: 0,
            external_copies: 0,
            smtputf8: !content.is_ascii(),
            content,
        })
    }

    /// Prepares a message for its recipients, given as address and cells ([`Cells`] as JSON). All of them
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
                page = Some(self.page_of_frozen(cells)?);
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
        let content = self.content(&page, first, identity)?;
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
