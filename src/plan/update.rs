//! Taking an edited campaign in: it is proved whole, as a new one is, and planned for everybody who is still to be
//! sent to. Until it is taken in ([`Update::take_in`]) the store is as it was, and a sender at work goes on.

use jiff::Timestamp;

use super::check::Checked;
use super::error::Error;
use super::freeze::{Written, write};
use super::inputs::Inputs;
use super::walk::Progress;
use crate::clock::Reading;
use crate::recipients::person_key;
use crate::store::{CampaignRecord, Difference, PlanWriter, Store};

/// What came of planning an edited campaign.
#[derive(Debug)]
pub enum Updating {
    /// It has errors; the store is as it was.
    Defective(Checked),
    /// The folder is what the campaign was planned from.
    Unchanged(Checked),
    /// It can be taken in. The findings are warnings.
    Ready(Box<Update>, Checked),
}

/// The next edition of a campaign, as a draft.
#[derive(Debug)]
pub struct Update {
    /// What it makes of the campaign, as that stood when it was planned.
    pub difference: Difference,
    /// When the last message goes then; none when nothing is left to go.
    pub finishes_at: Option<Timestamp>,
    writer: PlanWriter,
    listed: u64,
}

/// Plans the next edition of a campaign from its folder. A process may be sending it.
///
/// # Errors
/// Only what is not the campaign's fault; its defects are [`Updating::Defective`].
pub fn update(
    inputs: &Inputs,
    store: &mut Store,
    record: &CampaignRecord,
    now: impl Into<Reading>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Updating, Error> {
    store.find_by(record.id, person_key)?;
    let (written, checked) = write(inputs, store, Some(record), now.into(), progress)?;
    let Some(Written {
        mut writer,
        finishes_at,
    }) = written
    else {
        return Ok(Updating::Defective(checked));
    };
    let difference = writer.difference()?;
    // The fingerprint knows nothing of files that single rows name, the difference nothing of hours.
    if difference.is_none() && writer.fingerprint()? == record.fingerprint {
        return Ok(Updating::Unchanged(checked));
    }
    let update = Update {
        difference,
        finishes_at,
        writer,
        listed: checked.rows.listed,
    };
    Ok(Updating::Ready(Box::new(update), checked))
}

impl Update {
    /// Takes it in, all of it or nothing, as the campaign stands at that moment. `words` tells what was done, for
    /// the record of the campaign.
    ///
    /// # Errors
    /// [`crate::store::Error::UpdatedMeanwhile`] when another process was quicker.
    pub fn take_in(
        self,
        now: Timestamp,
        by: &str,
        words: impl FnOnce(&Difference) -> String,
    ) -> Result<Difference, Error> {
        let finishes_at = self.finishes_at;
        Ok(self
            .writer
            .update(self.listed, finishes_at, (now, by), words)?)
    }
}
