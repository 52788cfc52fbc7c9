//! The renderer of a frozen campaign: the plan's templates, values and files, never the folder's.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use crate::message::{self, Definition, Files, Renderer};
use crate::store::{self, CampaignRecord, Store};

/// Why a frozen campaign cannot be rendered.
#[derive(Debug, thiserror::Error)]
pub enum FrozenError {
    /// The store could not be read.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// What was frozen is no campaign.
    #[error("the frozen campaign cannot be read: {0}")]
    Definition(#[from] serde_json::Error),
    /// Its templates do not compile.
    #[error(transparent)]
    Message(#[from] message::Error),
}

/// Makes the renderer of the campaign that lies frozen in the store at `path`, as this account sends it.
pub fn frozen_renderer(
    path: &Path,
    record: &CampaignRecord,
    account: &str,
) -> Result<Renderer, FrozenError> {
    let definition: Definition = serde_json::from_str(&record.definition)?;
    let definition = definition.sent_by(account);
    let store = Mutex::new(Store::open(path)?);
    let campaign = record.id;
    let files: Files = Arc::new(move |path| {
        let store = store.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = store
            .frozen_file(campaign, path)
            .map_err(std::io::Error::other)?;
        bytes
            .map(Arc::from)
            .ok_or_else(|| std::io::Error::other("it is not part of the plan"))
    });
    Ok(Renderer::new(definition, files)?)
}
