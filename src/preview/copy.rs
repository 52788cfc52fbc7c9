//! A row's message as a copy for somebody who looks at it in a mailbox of their own.

use jiff::Timestamp;

use super::{Error, Previewer};
use crate::message::{Identity, Prepared, TestCopy, new_message_id};
use crate::recipients::Address;
use crate::store::MessageRecord;

/// A row of a plan whose message is sent to somebody to look at.
#[derive(Debug)]
pub struct RowCopy<'a> {
    previewer: &'a Previewer,
    row: u64,
    message: MessageRecord,
    cells: String,
}

impl Previewer {
    /// The campaign's name.
    pub fn campaign(&self) -> &str {
        &self.record.name
    }

    /// The accounts that send the campaign.
    pub fn accounts(&self) -> &[String] {
        &self.record.accounts
    }

    /// A row of the list, or the first one that gets a message; none when it gets none.
    pub fn row_copy(&self, row: Option<u64>) -> Result<Option<RowCopy<'_>>, Error> {
        let campaign = self.record.id;
        let row = match row {
            Some(row) => Some(row),
            None => self.store.first_row(campaign)?,
        };
        let Some(row) = row else { return Ok(None) };
        let number = self.number_of_row(row)?;
        let message = match number {
            Some(number) => self.store.message(campaign, number)?,
            None => None,
        };
        let Some(message) = message else {
            return Ok(None);
        };
        // Where rows are grouped, a person's further rows are in the mail of the first one.
        let first = self.store.recipient_of_row(campaign, row)?;
        let recipient = message.recipients.iter().find(|known| known.row == first);
        let Some(cells) = recipient.map(|recipient| recipient.cells.clone()) else {
            return Ok(None);
        };
        Ok(Some(RowCopy {
            previewer: self,
            row,
            message,
            cells,
        }))
    }
}

impl RowCopy<'_> {
    /// Which row of the list it is.
    pub fn row(&self) -> u64 {
        self.row
    }

    /// The account that sends its message.
    pub fn account(&self) -> Option<&str> {
        let planned = self.message.account.as_deref();
        planned.or_else(|| self.previewer.record.accounts.first().map(String::as_str))
    }

    /// The copy for one person, as this account sends it, and its Message-ID; how many copies (cc, bcc) the
    /// message itself has, which this one leaves out.
    pub fn for_person(
        &self,
        to: &Address,
        account: &str,
        now: Timestamp,
    ) -> Result<(Prepared, String, usize), Error> {
        let record = &self.previewer.record;
        let lane = |name: &str| record.accounts.iter().position(|known| known == name);
        let lane = lane(account).or_else(|| self.account().and_then(lane));
        let editions = self.previewer.renderers.get(lane.unwrap_or(0));
        let editions = editions.ok_or(Error::Differs(self.row))?;
        let renderer = editions.of(self.message.edition)?;
        let message_id = new_message_id(renderer.sender().domain())?;
        let identity = Identity {
            message_id: &message_id,
            date: now,
            shared: self.message.shared,
        };
        let of = format!("{} row {}", record.name, self.row);
        let prepared = renderer.prepare_test(&self.cells, &TestCopy { to, of: &of }, &identity)?;
        if prepared.digest != self.message.digest {
            return Err(Error::Differs(self.row));
        }
        let left_out = renderer.page_of_frozen(&self.cells)?.copies().count();
        Ok((prepared, message_id, left_out))
    }
}
