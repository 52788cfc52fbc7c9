//! Everything that keeps a row from becoming a mail, where sending needs only the first.

use super::error::Error;
use super::renderer::{Renderer, mailbox};
use crate::recipients::Cells;

impl Renderer {
    /// The paths that each row of a person gives the mail, one of each template of an attachment, in the rows'
    /// order.
    pub fn attachments_by_row(&self, cells: &Cells<'_>) -> Vec<Vec<String>> {
        let all = self.data_of(cells);
        let rows = match cells {
            Cells::Row(row) => std::slice::from_ref(row),
            Cells::Rows(rows) => rows.as_slice(),
        };
        let of_row = |row: &&[String]| {
            let mut data = all.clone();
            data.extend(self.fields_of(row));
            self.templates().attachments_for(data)
        };
        rows.iter().map(of_row).collect()
    }

    /// All that is wrong with a row which [`Renderer::page`] refuses: each part that cannot be rendered, or
    /// else each address that is none.
    pub fn problems(&self, cells: &Cells<'_>) -> Vec<Error> {
        let data = self.data_of(cells);
        let failures = self.templates().failures(data.clone());
        if !failures.is_empty() {
            return failures.into_iter().map(Error::Render).collect();
        }
        let Ok(rendered) = self.templates().render(data) else {
            return Vec::new();
        };
        let may_be_empty = |text: &&String| !text.trim().is_empty();
        let to = rendered.to.iter().map(|text| ("to", text));
        let reply_to = rendered.reply_to.iter().filter(may_be_empty);
        let cc = rendered.cc.iter().filter(may_be_empty);
        let bcc = rendered.bcc.iter().filter(may_be_empty);
        to.chain(reply_to.map(|text| ("reply_to", text)))
            .chain(cc.map(|text| ("cc", text)))
            .chain(bcc.map(|text| ("bcc", text)))
            .filter_map(|(part, text)| mailbox(part, text).err())
            .collect()
    }
}
