//! Everything that keeps a row from becoming a mail, where sending needs only the first.

use super::error::Error;
use super::renderer::{Renderer, mailbox};
use crate::recipients::Cells;

impl Renderer {
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
