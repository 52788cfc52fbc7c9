//! Planning: a proved campaign is frozen in the store, all of it or nothing.

use jiff::Timestamp;

use super::check::Checked;
use super::cutting::{Listed, cuts_of};
use super::error::Error;
use super::findings::{Finding, Findings};
use super::fingerprint;
use super::forecast::{Outlook, is_never};
use super::inputs::Inputs;
use super::packing::Grown;
use super::person::Person;
use super::prove::{Proved, files_of};
use super::ready::{self, Ready};
use super::sources::{CAMPAIGN, error};
use super::timetable::{Laid, Timetable};
use super::walk::{Progress, Sink, Walk};
use crate::clock::Reading;
use crate::limits::{self, Rule};
use crate::message::{Files, NewIds};
use crate::recipients::{Address, Domains, Row};
use crate::store::{
    CampaignRecord, Cut, NewCampaign, NewMessage, NewRecipient, Order, PlanWriter, Reason, Store,
};

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
    store: &Store,
    now: impl Into<Reading>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Frozen, Error> {
    let (written, checked) = write(inputs, store, None, now.into(), progress)?;
    // Without one, the draft was dropped: the store is as it was.
    let Some(written) = written else {
        return Ok(Frozen::Defective(checked));
    };
    let campaign = written
        .writer
        .commit(checked.rows.listed, written.finishes_at)?;
    Ok(Frozen::Planned(campaign, checked))
}

/// A plan that is a draft.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) writer: PlanWriter,
    pub(super) finishes_at: Option<Timestamp>,
}

/// Proves a campaign and writes its plan, or that of the next edition of one that is planned; none when it has
/// defects.
pub(super) fn write(
    inputs: &Inputs,
    store: &Store,
    of: Option<&CampaignRecord>,
    reading: Reading,
    progress: &mut dyn FnMut(Progress),
) -> Result<(Option<Written>, Checked), Error> {
    let mut findings = Findings::default();
    let outlook = Outlook::of(store, &inputs.accounts, inputs.calendar(), reading)?
        .behind_others(store, of.map(|record| record.id))?;
    let mut ready = match ready::read(inputs, &mut findings) {
        Ok(ready) => ready,
        Err(as_far) => {
            let checked = Checked::without_rows(inputs, findings, as_far);
            return Ok((None, checked));
        }
    };
    let list = Some(ready.list.reading().clone());
    let mut sink = Freezing::begin(inputs, store, of, &ready, reading.wall)?;
    let walk = Walk::new(inputs, &mut findings, &mut sink);
    tracing::info!(campaign = ?inputs.name, "planning: list and templates are read");
    let tally = walk.run(&mut ready, reading.wall, progress)?;
    tracing::info!(listed = tally.rows.listed, "planning: every row is proved");
    freeze_images(inputs, &mut sink.writer, &mut findings)?;
    let mut finishes_at = None;
    if !findings.has_errors() {
        match lay_out(&mut sink, &outlook, &ready.definition.internal)? {
            Ok(laid) => finishes_at = laid.finishes_at,
            Err(never) => findings.add(never.finding()),
        }
    }
    let is_sound = !findings.has_errors();
    if !is_sound {
        tracing::info!("planning: there are errors, nothing is kept");
    }
    sink.writer
        .note_cases(&serde_json::to_string(&tally.cases)?)?;
    let written = Written {
        writer: sink.writer,
        finishes_at,
    };
    let checked = Checked::new(inputs, findings, tally, list);
    Ok((is_sound.then_some(written), checked))
}

/// Why a campaign can never be sent to its end.
enum Never {
    /// A message is more than this rule ever allows.
    Fits(Rule),
    /// Its hours, holidays and start leave no moment in which anything may go.
    Opens,
    /// Its last message would go in more than a lifetime; what holds them back for the longest time.
    Finishes(Option<limits::Reason>),
}

/// Lays out the messages and writes their batches down: as they are, or with shared ones cut smaller
/// where that ends the campaign earlier. Why that cannot be, if it cannot.
fn lay_out(
    sink: &mut Freezing<'_>,
    outlook: &Outlook,
    internal: &[String],
) -> Result<Result<Laid, Never>, Error> {
    if outlook.opens_at().is_none() {
        return Ok(Err(Never::Opens));
    }
    let (mut laid, shared) = match lay_out_in(sink, outlook, outlook.table(), Order::Planned)? {
        Ok(laid) => laid,
        Err(never) => return Ok(Err(never)),
    };
    // Those who have a rule of their own to wait for should not begin late.
    if outlook.counts_external()
        && laid.limited_by.is_some()
        && let Ok((other, _)) = lay_out_in(sink, outlook, outlook.table(), Order::ExternalFirst)?
        && other.finishes_at < laid.finishes_at
    {
        sink.writer.put_in_order(Order::ExternalFirst)?;
        laid = other;
    }
    if shared && let Some((cuts, cut)) = cut_up_if_earlier(sink, outlook, internal, &laid)? {
        sink.writer.cut(&cuts)?;
        if let Some(uncut) = laid.finishes_at {
            sink.writer.note_cuts(cuts.len() as u64, uncut)?;
        }
        laid = cut;
    }
    for batch in &laid.batches {
        sink.writer.batch(batch)?;
    }
    sink.writer.assign(&laid.runs);
    Ok(Ok(laid))
}

/// The messages in this order, and whether several people share one; or why they cannot all go.
fn lay_out_in(
    sink: &Freezing<'_>,
    outlook: &Outlook,
    mut table: Timetable,
    order: Order,
) -> Result<Result<(Laid, bool), Never>, Error> {
    let mut never = None;
    let mut shared = false;
    sink.writer.planned(order, |message| {
        shared |= message.listed > 1;
        if never.is_none() {
            never = match table.add(message.weight, message.listed, None) {
                Err(rule) => Some(Never::Fits(rule)),
                Ok(()) if is_never(table.now(), outlook.now()) => Some(Never::Finishes(None)),
                Ok(()) => None,
            };
        }
    })?;
    Ok(match never {
        Some(Never::Finishes(_)) => Err(Never::Finishes(table.finish().limited_by)),
        Some(never) => Err(never),
        None => Ok((table.finish(), shared)),
    })
}

fn cut_up_if_earlier(
    sink: &mut Freezing<'_>,
    outlook: &Outlook,
    internal: &[String],
    uncut: &Laid,
) -> Result<Option<(Vec<Cut>, Laid)>, Error> {
    // Where nothing has to wait, or nobody counts people, nothing is left of a window of them.
    if uncut.limited_by.is_none() || !outlook.counts_recipients() {
        return Ok(None);
    }
    let table = outlook.table().with_cuts();
    let Ok((laid, _)) = lay_out_in(sink, outlook, table, Order::Planned)? else {
        return Ok(None);
    };
    if laid.cuts.is_empty() || laid.finishes_at >= uncut.finishes_at {
        return Ok(None);
    }
    let internal = Domains::parse(internal).unwrap_or_default();
    let mut messages = Vec::new();
    sink.writer
        .planned(Order::Planned, |message| messages.push(message))?;
    let listed = |message| -> Result<Vec<Listed>, Error> {
        let all = sink.writer.recipients_of(message)?;
        let one = |(row, address): (u64, String)| Listed {
            row,
            external: Address::parse(&address).is_ok_and(|known| !internal.contains(&known)),
        };
        Ok(all.into_iter().map(one).collect())
    };
    let ids = &mut sink.ids;
    let new_id = || Ok(ids.next_id()?);
    let cuts = cuts_of(&laid.cuts, &messages, listed, new_id)?;
    Ok(Some((cuts, laid)))
}

impl Never {
    fn finding(&self) -> Finding {
        let (code, message, remedy) = match self {
            Self::Fits(rule) => (
                "never-fits",
                format!(
                    "a message with its copies is more than the account's rule '{rule}' ever allows"
                ),
                "take addresses out of cc and bcc, or correct the account's limits in accounts.toml",
            ),
            Self::Opens => (
                "never-opens",
                "its hours, holidays and start never let anything go".to_owned(),
                "correct hours, holidays and not_before under [delivery] in campaign.toml",
            ),
            Self::Finishes(reason) => (
                "never-finishes",
                match reason {
                    Some(limits::Reason::Rule(rule)) => format!(
                        "by the account's rule '{rule}' the last message would go in more than 100 years"
                    ),
                    _ => "the last message would go in more than 100 years".to_owned(),
                },
                "correct the account's limits in accounts.toml, or hours and holidays under [delivery] in campaign.toml",
            ),
        };
        error(code, CAMPAIGN.as_ref(), message, remedy)
    }
}

fn freeze_images(
    inputs: &Inputs,
    writer: &mut PlanWriter,
    findings: &mut Findings,
) -> Result<(), Error> {
    let files = files_of(inputs.folder.clone());
    for (_, path) in &inputs.inline {
        let name = path.to_string_lossy();
        match files(&name) {
            Ok(bytes) => writer.file(&name, &bytes)?,
            // A missing image has been found before; this one has vanished since.
            Err(_) if findings.is_about(path) => {}
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
    writer: PlanWriter,
    ids: NewIds,
    files: Files,
    cells: String,
    /// Of the campaign whose next edition it is: where people stand.
    standing: Option<(&'a Store, i64)>,
}

impl<'a> Freezing<'a> {
    fn begin(
        inputs: &Inputs,
        store: &'a Store,
        of: Option<&CampaignRecord>,
        ready: &Ready,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let renderer = ready.renderer.as_ref();
        let domain = renderer.map(|renderer| renderer.sender().domain().to_owned());
        let accounts = inputs.accounts.iter();
        let accounts: Vec<&str> = accounts.map(|one| one.name.as_str()).collect();
        let calendar = inputs.calendar();
        let new = NewCampaign {
            name: &inputs.name,
            folder: &inputs.folder.to_string_lossy(),
            accounts: &accounts,
            schedule: &inputs.schedule,
            mode: inputs.mode.as_str(),
            definition: &serde_json::to_string(&ready.definition)?,
            fingerprint: fingerprint::of(inputs, &ready.definition).unwrap_or_default(),
            time_zone: calendar.zone().iana_name().unwrap_or("UTC"),
            planned_at: now,
        };
        let writer = match of {
            None => store.begin_plan(&new)?,
            Some(record) => store.begin_update(&new, record)?,
        };
        Ok(Self {
            writer,
            ids: NewIds::new(domain.as_deref().unwrap_or_default(), 256),
            files: files_of(inputs.folder.clone()),
            cells: String::new(),
            standing: of.map(|record| (store, record.id)),
        })
    }
}

impl Sink for Freezing<'_> {
    fn is_settled(&mut self, person: &Person) -> Result<bool, Error> {
        let Some((store, campaign)) = self.standing else {
            return Ok(false);
        };
        let key = person.address.key();
        let Some(known) = store.kept_as(campaign, &key)? else {
            return Ok(false);
        };
        self.writer.keep(person.row.number, &known)?;
        Ok(true)
    }

    fn message(&mut self, number: u64, proved: &Proved) -> Result<i64, Error> {
        let message_id = self.ids.next_id()?;
        Ok(self.writer.message(&NewMessage {
            number,
            message_id: &message_id,
            digest: proved.content.digest,
            recipients: 1 + proved.content.copies,
            external: u64::from(proved.external) + proved.content.external_copies,
        })?)
    }

    fn share(&mut self, grown: Grown) -> Result<(), Error> {
        Ok(self
            .writer
            .share(grown.message, grown.recipients, grown.external)?)
    }

    fn recipient(&mut self, proved: &Proved, message: i64) -> Result<(), Error> {
        let person = &proved.person;
        self.cells = serde_json::to_string(&person.cells())?;
        let new = NewRecipient {
            row: person.row.number,
            address: person.address.as_str(),
            key: &person.address.key(),
            cells: &self.cells,
        };
        if self.standing.is_some() && proved.external {
            self.writer.outside(new.row)?;
        }
        Ok(self.writer.recipient(&new, message)?)
    }

    fn suppressed(&mut self, person: &Person) -> Result<(), Error> {
        let cells = serde_json::to_string(&person.cells())?;
        Ok(self.writer.suppressed(&NewRecipient {
            row: person.row.number,
            address: person.address.as_str(),
            key: &person.address.key(),
            cells: &cells,
        })?)
    }

    fn joined(&mut self, row: &Row, address: &str, first: u64) -> Result<(), Error> {
        Ok(self.writer.joined(row.number, address.trim(), first)?)
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
