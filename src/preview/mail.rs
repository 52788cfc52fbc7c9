//! One mail of a plan, as it would go out.

use std::path::Path;

use jiff::Timestamp;

use super::Error;
use crate::message::{Identity, Renderer};
use crate::plan::{self, Checked, Frozen, Inputs, Progress, frozen_renderer};
use crate::recipients::Address;
use crate::store::{CampaignRecord, MessageRecord, Store};

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
    /// The subject.
    pub subject: String,
    /// The text part, given or derived.
    pub text: String,
    /// Paths of what is attached.
    pub attachments: Vec<String>,
    /// Everybody of the list who gets it.
    pub recipients: Vec<String>,
    /// The bytes, as they go out.
    pub content: Vec<u8>,
}

/// Makes the mails of a plan.
#[derive(Debug)]
pub struct Previewer {
    pub(super) store: Store,
    pub(super) record: CampaignRecord,
    /// One for each account.
    pub(super) renderers: Vec<Renderer>,
    /// The plan is only for the preview, so its Message-IDs are not those that will go out.
    placeholder: bool,
    _temporary: Option<tempfile::TempDir>,
}

/// What came of planning for a preview alone.
#[derive(Debug)]
pub enum Unplanned {
    /// The mails can be seen. The findings are warnings.
    Ready(Box<Previewer>, Checked),
    /// The campaign has errors.
    Defective(Checked),
}

impl Previewer {
    /// Previews the plan in the store at `path`.
    pub fn of_plan(path: &Path, record: CampaignRecord) -> Result<Self, Error> {
        Ok(Self {
            store: Store::open(path)?,
            renderers: renderers(path, &record)?,
            record,
            placeholder: false,
            _temporary: None,
        })
    }

    /// Previews a campaign that is not planned yet.
    pub fn of_folder(
        inputs: &Inputs,
        now: Timestamp,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Unplanned, Error> {
        let temporary = tempfile::tempdir().map_err(|source| Error::Write {
            path: std::env::temp_dir(),
            source,
        })?;
        let path = temporary.path().join("preview.db");
        let store = Store::open(&path)?;
        let checked = match plan::plan(inputs, &store, now, progress)? {
            Frozen::Defective(checked) => return Ok(Unplanned::Defective(checked)),
            Frozen::Planned(_, checked) => checked,
        };
        let Some(record) = store.campaign(&inputs.name)? else {
            return Ok(Unplanned::Defective(checked));
        };
        let previewer = Self {
            renderers: renderers(&path, &record)?,
            store,
            record,
            placeholder: true,
            _temporary: Some(temporary),
        };
        Ok(Unplanned::Ready(Box::new(previewer), checked))
    }

    /// How many messages there are; they are numbered from 1.
    pub fn count(&self) -> Result<u64, Error> {
        Ok(self.store.message_counts(self.record.id)?.total())
    }

    /// True when the Message-IDs are not those that will go out.
    pub fn has_placeholders(&self) -> bool {
        self.placeholder
    }

    /// The number of the message that a data row of the list gets.
    pub fn number_of_row(&self, row: u64) -> Result<Option<u64>, Error> {
        Ok(self.store.message_of_row(self.record.id, row)?)
    }

    /// The number of the message that an address gets.
    pub fn number_of_address(&self, address: &str) -> Result<Option<u64>, Error> {
        match self.store.row_of_address(self.record.id, address)? {
            Some(row) => self.number_of_row(row),
            None => Ok(None),
        }
    }

    /// The message with this number.
    pub fn mail(&self, number: u64) -> Result<Option<Mail>, Error> {
        let message = self.store.message(self.record.id, number)?;
        message.map_or(Ok(None), |message| self.render(&message))
    }

    /// Makes the mails of the account that sends this message.
    fn renderer(&self, message: &MessageRecord) -> Option<&Renderer> {
        let account = message.account.as_deref().unwrap_or_default();
        let accounts = &self.record.accounts;
        let lane = accounts.iter().position(|known| known == account);
        self.renderers.get(lane.unwrap_or(0))
    }

    fn render(&self, message: &MessageRecord) -> Result<Option<Mail>, Error> {
        let Some(renderer) = self.renderer(message) else {
            return Ok(None);
        };
        let message_id = if self.placeholder {
            format!(
                "<not-planned-yet-{}@{}>",
                message.number,
                renderer.sender().domain()
            )
        } else {
            message.message_id.clone()
        };
        let identity = Identity {
            message_id: &message_id,
            date: message
                .dated_at
                .or(message.planned_for)
                .unwrap_or(self.record.planned_at),
            shared: message.shared,
        };
        let listed = message
            .recipients
            .iter()
            .map(|recipient| (recipient.address.as_str(), recipient.cells.as_str()));
        let prepared = renderer.prepare(listed, &identity)?;
        let first = message.recipients.first();
        let page = renderer.page_of_frozen(first.map_or("", |first| &first.cells))?;
        let to = match first.map(|first| Address::parse(&first.address)) {
            Some(Ok(address)) => renderer
                .addressee(&page, &address, message.shared)
                .to_string(),
            _ => String::new(),
        };
        Ok(Some(Mail {
            number: message.number,
            from: renderer.definition().from.clone(),
            to,
            subject: page.rendered.subject.clone(),
            text: renderer.text(&page)?,
            attachments: page.attachments().map(str::to_owned).collect(),
            recipients: message
                .recipients
                .iter()
                .map(|recipient| recipient.address.clone())
                .collect(),
            content: prepared.content,
            message_id,
        }))
    }
}

fn renderers(path: &Path, record: &CampaignRecord) -> Result<Vec<Renderer>, Error> {
    let accounts = record.accounts.iter();
    let renderer = |account: &String| Ok(frozen_renderer(path, record, account)?);
    accounts.map(renderer).collect()
}
