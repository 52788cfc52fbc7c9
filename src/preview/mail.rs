//! One mail, as it would go out, and what a person wants to see of it.

use super::Error;
use super::anatomy::{self, Header, Part};
use crate::message::{Identity, Renderer};
use crate::recipients::Address;
use crate::store::Claimed;

/// A mail, and what a person wants to see of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Its place in the plan.
    pub number: u64,
    /// With its angle brackets.
    pub message_id: String,
    /// The From header.
    pub from: String,
    /// The To header.
    pub to: String,
    /// The Cc header, an address each.
    pub cc: Vec<String>,
    /// Who gets a blind copy that no list names.
    pub bcc: Vec<String>,
    /// The Reply-To header.
    pub reply_to: Option<String>,
    /// The subject.
    pub subject: String,
    /// The text part, given or derived.
    pub text: String,
    /// The HTML part, as a mail program decodes it.
    pub html: Option<String>,
    /// Paths of what is attached.
    pub attachments: Vec<String>,
    /// What is attached, as it lies in the mail.
    pub attached: Vec<Part>,
    /// What the HTML shows as `cid:`.
    pub inline: Vec<Part>,
    /// All headers, in their order.
    pub headers: Vec<Header>,
    /// Several get it, as blind copies.
    pub shared: bool,
    /// Everybody of the list who gets it.
    pub recipients: Vec<String>,
    /// The bytes, as they go out.
    pub content: Vec<u8>,
}

impl Mail {
    /// Makes the mail that these people of the list get.
    pub(super) fn make(
        renderer: &Renderer,
        number: u64,
        recipients: &[Claimed],
        identity: &Identity<'_>,
    ) -> Result<Self, Error> {
        let listed = recipients
            .iter()
            .map(|recipient| (recipient.address.as_str(), recipient.cells.as_str()));
        let prepared = renderer.prepare(listed, identity)?;
        let first = recipients.first();
        let page = renderer.page_of_frozen(first.map_or("", |first| &first.cells))?;
        let to = match first.map(|first| Address::parse(&first.address)) {
            Some(Ok(address)) => renderer
                .addressee(&page, &address, identity.shared)
                .to_string(),
            _ => String::new(),
        };
        let content = prepared.content.into_bytes();
        let seen = anatomy::of(&content);
        // The envelope holds the listed ones, then cc, then bcc.
        let named = recipients.len() + seen.cc.len();
        Ok(Self {
            number,
            from: renderer.definition().from.clone(),
            to,
            cc: seen.cc,
            bcc: prepared.envelope.iter().skip(named).cloned().collect(),
            reply_to: seen.reply_to,
            subject: page.rendered.subject.clone(),
            text: renderer.text(&page)?,
            html: seen.html,
            attachments: page.attachments().map(str::to_owned).collect(),
            attached: seen.attached,
            inline: seen.inline,
            headers: seen.headers,
            shared: identity.shared,
            recipients: recipients
                .iter()
                .map(|recipient| recipient.address.clone())
                .collect(),
            content,
            message_id: identity.message_id.to_owned(),
        })
    }
}

/// The Message-ID of a mail that is not planned: what goes out has another one.
pub(super) fn placeholder_id(number: u64, renderer: &Renderer) -> String {
    format!("<not-planned-yet-{number}@{}>", renderer.sender().domain())
}
