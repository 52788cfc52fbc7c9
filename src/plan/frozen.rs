//! The renderers of a frozen campaign: the plan's templates, values and files, never the folder's.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::message::{self, Definition, Editions, Files, Renderer};
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
    /// There is no such edition.
    #[error("the campaign has no edition {0} in the store")]
    NoEdition(u64),
}

/// Makes the renderer of the campaign's current edition, which lies frozen in the store at `path`, as this account
/// sends it.
pub fn frozen_renderer(
    path: &Path,
    record: &CampaignRecord,
    account: &str,
) -> Result<Renderer, FrozenError> {
    let edition = Edition {
        path,
        campaign: record.id,
        number: record.edition,
    };
    edition.renderer(account)
}

/// The renderers of all of the campaign's editions, those that are still to come included, as this account sends
/// them.
pub fn frozen_editions(
    path: &Path,
    record: &CampaignRecord,
    account: &str,
) -> Result<Editions, FrozenError> {
    let current = frozen_renderer(path, record, account)?;
    let (path, campaign, account) = (PathBuf::from(path), record.id, account.to_owned());
    let make = move |number: u64| {
        let edition = Edition {
            path: &path,
            campaign,
            number,
        };
        edition.renderer(&account).map_err(|cause| match cause {
            FrozenError::Message(cause) => cause,
            other => message::Error::Edition {
                number,
                reason: other.to_string(),
            },
        })
    };
    Ok(Editions::new(record.edition, current, make))
}

/// Where an edition lies.
struct Edition<'a> {
    path: &'a Path,
    campaign: i64,
    number: u64,
}

impl Edition<'_> {
    fn renderer(&self, account: &str) -> Result<Renderer, FrozenError> {
        let (campaign, number) = (self.campaign, self.number);
        let store = Store::open(self.path)?;
        let definition = store
            .definition(campaign, number)?
            .ok_or(FrozenError::NoEdition(number))?;
        let definition: Definition = serde_json::from_str(&definition)?;
        let store = Mutex::new(store);
        let files: Files = Arc::new(move |path| {
            let store = store.lock().unwrap_or_else(PoisonError::into_inner);
            let bytes = store
                .frozen_file(campaign, number, path)
                .map_err(std::io::Error::other)?;
            bytes
                .map(Arc::from)
                .ok_or_else(|| std::io::Error::other("it is not part of the plan"))
        });
        Ok(Renderer::new(definition.sent_by(account), files)?)
    }
}
