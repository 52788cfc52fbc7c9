//! Planning: a proved campaign is frozen in the store, all of it or nothing.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::check::Checked;
use super::error::Error;
use super::findings::Findings;
use super::forecast::limiter_of;
use super::inputs::Inputs;
use super::packing::Grown;
use super::prove::{Proved, files_of};
use super::sources::{CAMPAIGN, error};
use super::timetable::Timetable;
use super::walk::{Progress, Sink, Tally, Walk};
use super::{fingerprint, ready};
use crate::limits::{Rule, Weight};
use crate::message::{self, Files};
use crate::recipients::Row;
use crate::store::{NewBatch, NewCampaign, NewMessage, PlanWriter, Reason, Store};

/// What came of planning.
#[derive(Debug)]
pub enum Frozen {
    /// It is in the store under this id. The findings are warnings.
    Planned(i64, Checked),
    /// It has errors; the store is as it was.
    Defective(Checked),
}

/// Plans a campaign under a name that has no plan yet.
///
/// # Errors
/// Only what is not the campaign's fault; its defects are [`Frozen::Defective`].
pub fn plan(
    inputs: &Inputs,
    store: &mut Store,
    now: Timestamp,
    progress: &mut dyn FnMut(Progress),
) -> Result<Frozen, Error> {
    let mut findings = Findings::default();
    let limiter = limiter_of(&inputs.account.rules, &inputs.account.mailbox, store, now)?;
    let Some(mut ready) = ready::read(inputs, &mut findings) else {
        return Ok(Frozen::Defective(Checked::new(findings, Tally::default())));
    };
    let definition = serde_json::to_string(&ready.definition)?;
    let mark = fingerprint::of(inputs, &ready.definition).unwrap_or_default();
    let sender_domain = ready
        .renderer
        .as_ref()
        .map(|renderer| renderer.sender().domain().to_owned());
    let zone = inputs.time_zone.clone().unwrap_or_else(TimeZone::system);
    let writer = store.begin_plan(&NewCampaign {
        name: &inputs.name,
        folder: &inputs.folder.to_string_lossy(),
        account: &inputs.account.name,
        mode: inputs.mode.as_str(),
        definition: &definition,
        fingerprint: mark,
        time_zone: zone.iana_name().unwrap_or("UTC"),
        planned_at: now,
    })?;
    let mut sink = Freezing {
        writer,
        domain: sender_domain.unwrap_or_default(),
        files: files_of(inputs.folder.clone()),
        cells: String::new(),
    };
    let tally = Walk::new(inputs, &mut findings, &mut sink).run(&mut ready, now, progress)?;
    let mut writer = sink.writer;
    freeze_images(inputs, &mut writer, &mut findings)?;
    let mut finishes_at = None;
    if !findings.has_errors() {
        let table = Timetable::new(&inputs.account.name, limiter, now, zone);
        match lay_out(&writer, table)? {
            Ok(batches) => {
                for batch in &batches {
                    writer.batch(batch)?;
                }
                finishes_at = batches.last().map(|batch| batch.ends_at);
            }
            Err(rule) => findings.add(never_fits(&rule)),
        }
    }
    if findings.has_errors() {
        // The writer is dropped with its transaction: the store is as it was.
        return Ok(Frozen::Defective(Checked::new(findings, tally)));
    }
    let campaign = writer.commit(tally.rows.listed, finishes_at)?;
    Ok(Frozen::Planned(campaign, Checked::new(findings, tally)))
}

/// The batches, or the rule that some message can never meet.
fn lay_out(
    writer: &PlanWriter<'_>,
    mut table: Timetable,
) -> Result<Result<Vec<NewBatch>, Rule>, Error> {
    let mut impossible = None;
    writer.weights(|recipients, external, listed| {
        let weight = Weight {
            recipients,
            external,
        };
        if impossible.is_none() {
            impossible = table.add(weight, listed).err();
        }
    })?;
    Ok(match impossible {
        Some(rule) => Err(rule),
        None => Ok(table.finish().0),
    })
}

fn never_fits(rule: &Rule) -> super::findings::Finding {
    let message =
        format!("a message with its copies is more than the account's rule '{rule}' ever allows");
    let remedy =
        "take addresses out of cc and bcc, or correct the account's limits in accounts.toml";
    error("never-fits", CAMPAIGN.as_ref(), message, remedy)
}

fn freeze_images(
    inputs: &Inputs,
    writer: &mut PlanWriter<'_>,
    findings: &mut Findings,
) -> Result<(), Error> {
    let files = files_of(inputs.folder.clone());
    for (_, path) in &inputs.inline {
        let name = path.to_string_lossy();
        match files(&name) {
            Ok(bytes) => writer.file(&name, &bytes)?,
            // A missing image has been found before; this one has vanished since.
            Err(cause) => {
                let message = format!("the image cannot be read: {cause}");
                findings.add(error(
                    "missing-file",
                    path,
                    message,
                    "put the image back and plan again",
                ));
            }
        }
    }
    Ok(())
}

/// Writes a pass into the store.
struct Freezing<'a> {
    writer: PlanWriter<'a>,
    domain: String,
    files: Files,
    cells: String,
}

impl Sink for Freezing<'_> {
    fn message(&mut self, number: u64, proved: &Proved) -> Result<i64, Error> {
        let message_id = message::new_message_id(&self.domain)?;
        Ok(self.writer.message(&NewMessage {
            number,
            message_id: &message_id,
            digest: proved.digest,
            recipients: 1 + proved.copies,
            external: u64::from(proved.external) + proved.external_copies,
        })?)
    }

    fn share(&mut self, grown: Grown) -> Result<(), Error> {
        Ok(self
            .writer
            .share(grown.message, grown.recipients, grown.external)?)
    }

    fn recipient(&mut self, proved: &Proved, message: i64) -> Result<(), Error> {
        self.cells = serde_json::to_string(&proved.row.cells)?;
        let address = proved.address.as_str();
        Ok(self
            .writer
            .recipient(proved.row.number, address, &self.cells, message)?)
    }

    fn left_out(&mut self, row: &Row, address: &str, reason: Reason) -> Result<(), Error> {
        Ok(self.writer.left_out(row.number, address.trim(), reason)?)
    }

    fn attachment(&mut self, path: &str) -> Result<(), std::io::Error> {
        let bytes = (self.files)(path)?;
        self.writer
            .file(path, &bytes)
            .map_err(std::io::Error::other)
    }
}
