//! From a plan to its mails.

use std::collections::BTreeSet;
use std::path::Path;

use jiff::Timestamp;

use super::Error;
use super::mail::{Mail, placeholder_id};
use std::sync::Arc;

use crate::message::{Definition, Editions, Identity, Renderer};
use crate::plan::{self, Case, Checked, Frozen, Inputs, Progress, frozen_editions, planned_cases};
use crate::recipients::{self, Columns};
use crate::store::{CampaignRecord, ListedRow, MessageRecord, Store};

/// Makes the mails of a plan.
#[derive(Debug)]
pub struct Previewer {
    pub(super) store: Store,
    pub(super) record: CampaignRecord,
    /// One for each account.
    pub(super) renderers: Vec<Editions>,
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
        Self::of_folder_in(&std::env::temp_dir(), inputs, now, progress)
    }

    /// The same, with its store below this folder until the previewer is dropped.
    pub(super) fn of_folder_in(
        place: &Path,
        inputs: &Inputs,
        now: Timestamp,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Unplanned, Error> {
        let temporary = tempfile::tempdir_in(place).map_err(|source| Error::Write {
            path: place.to_owned(),
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

    /// What is previewed.
    pub fn record(&self) -> &CampaignRecord {
        &self.record
    }

    /// Everything but rows and files that decides the bytes.
    pub(super) fn definition(&self) -> Option<&Definition> {
        let editions = self.renderers.first();
        editions.map(|editions| editions.current().definition())
    }

    /// Calls `each` with every row of the list, in its order, and the cells of its current columns.
    pub(super) fn rows(&self, mut each: impl FnMut(&ListedRow, &[String])) -> Result<(), Error> {
        Ok(self.store.listed(self.record.id, |row| {
            each(&row, &self.cells(&row).unwrap_or_default());
        })?)
    }

    /// A row's cells in the order of the current columns, where that is known.
    fn cells(&self, row: &ListedRow) -> Option<Vec<String>> {
        let (cells, editions) = (row.cells.as_deref()?, self.renderers.first()?);
        let renderer = editions
            .of(row.edition.unwrap_or(self.record.edition))
            .ok()?;
        let theirs = renderer.definition();
        let cells = theirs.rows_of(cells).ok()?.into_iter().next()?;
        let current = &editions.current().definition().columns;
        Some(in_order_of(current, &theirs.columns, &cells))
    }

    /// The frozen files that these rows' mails carry and no other row's: edition and path. Files that
    /// campaign.toml names for everybody are nobody's own.
    pub fn files_only_of(&self, rows: &BTreeSet<u64>) -> Result<BTreeSet<(u64, String)>, Error> {
        let (mut theirs, mut others) = (BTreeSet::new(), BTreeSet::new());
        let mut failed = None;
        self.store.listed(self.record.id, |row| {
            let files = self.files_of(&row).unwrap_or_else(|cause| {
                failed.get_or_insert(cause);
                Vec::new()
            });
            if rows.contains(&row.row) {
                theirs.extend(files);
            } else {
                others.extend(files);
            }
        })?;
        match failed {
            Some(cause) => Err(cause),
            None => Ok(&theirs - &others),
        }
    }

    /// What a row's own mail carries of files that rows name, in every edition that is kept: rows may have been
    /// sent in one and planned in others.
    fn files_of(&self, row: &ListedRow) -> Result<Vec<(u64, String)>, Error> {
        let theirs = row.edition.unwrap_or(self.record.edition);
        let (Some(cells), Some(editions)) = (&row.cells, self.renderers.first()) else {
            return Ok(Vec::new());
        };
        let own = editions.of(theirs)?;
        let mut files = Vec::new();
        for edition in self.store.editions(self.record.id)? {
            let renderer = editions.of(edition)?;
            let (from, to) = (own.definition(), renderer.definition());
            let named = &to.sources.attach;
            if named.iter().all(|one| !one.text.contains("{{")) {
                continue;
            }
            let rows = from.rows_of(cells).unwrap_or_default();
            let rows = rows
                .iter()
                .map(|row| in_order_of(&to.columns, &from.columns, row));
            let rows: Vec<Vec<String>> = rows.collect();
            for paths in renderer.attachments_by_row(&to.cells_of(&rows)) {
                let own = named
                    .iter()
                    .zip(&paths)
                    .filter(|(one, _)| one.text.contains("{{"));
                let own = own
                    .map(|(_, path)| path.trim())
                    .filter(|path| !path.is_empty());
                files.extend(own.map(|path| (edition, path.to_owned())));
            }
        }
        Ok(files)
    }

    /// The rows that between them show every case.
    pub fn cases(&self) -> Result<Vec<Case>, Error> {
        Ok(planned_cases(&self.store, &self.record)?)
    }

    /// Up to which number there are messages, from 1; those that nobody is in any more have no mail.
    pub fn count(&self) -> Result<u64, Error> {
        Ok(self.store.last_number(self.record.id)?)
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
        let key = recipients::person_key(address);
        match self.store.row_of_person(self.record.id, &key)? {
            Some(row) => self.number_of_row(row),
            None => Ok(None),
        }
    }

    /// The message with this number.
    pub fn mail(&self, number: u64) -> Result<Option<Mail>, Error> {
        let message = self.store.message(self.record.id, number)?;
        message.map_or(Ok(None), |message| self.render(&message))
    }

    /// Makes the mails of the account that sends this message, and of its edition.
    pub(super) fn renderer(&self, message: &MessageRecord) -> Result<Option<Arc<Renderer>>, Error> {
        let account = message.account.as_deref().unwrap_or_default();
        let accounts = &self.record.accounts;
        let lane = accounts.iter().position(|known| known == account);
        let editions = self.renderers.get(lane.unwrap_or(0));
        Ok(editions
            .map(|editions| editions.of(message.edition))
            .transpose()?)
    }

    fn render(&self, message: &MessageRecord) -> Result<Option<Mail>, Error> {
        let Some(renderer) = self.renderer(message)? else {
            return Ok(None);
        };
        // All who were to get it have been withdrawn or forgotten.
        if message.recipients.is_empty() {
            return Ok(None);
        }
        let message_id = if self.placeholder {
            placeholder_id(message.number, &renderer)
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
        let recipients = &message.recipients;
        Mail::make(&renderer, message.number, recipients, &identity).map(Some)
    }
}

/// A row's cells in the order of other columns; what is not among its own is empty.
fn in_order_of(columns: &Columns, own: &Columns, row: &[String]) -> Vec<String> {
    if columns == own {
        return row.to_vec();
    }
    let cell = |name: &String| {
        let at = own.index_of(name);
        at.and_then(|at| row.get(at)).cloned().unwrap_or_default()
    };
    columns.names().iter().map(cell).collect()
}

fn renderers(path: &Path, record: &CampaignRecord) -> Result<Vec<Editions>, Error> {
    let accounts = record.accounts.iter();
    let editions = |account: &String| Ok(frozen_editions(path, record, account)?);
    accounts.map(editions).collect()
}
