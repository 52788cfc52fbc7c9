//! What commands begin with: the campaign, its sender, the store.

use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;

use super::args::Places;
use super::exit::Exit;
use super::failure::Failure;
use crate::clock::{Clock, Reading};
use crate::config::{Accounts, Campaign, Sender, accounts_path, store_path};
use crate::limits::Calendar;
use crate::plan::{AccountLimits, Inputs, Outlook};
use crate::store::{CampaignRecord, Store};

/// A campaign's folder and the accounts that it names, all read and checked.
pub(super) struct Setup {
    pub(super) campaign: Campaign,
    pub(super) senders: Vec<Sender>,
    pub(super) inputs: Inputs,
}

impl Setup {
    pub(super) fn read(folder: &Path, places: &Places) -> Result<Self, Failure> {
        let campaign = Campaign::load(folder)?;
        let senders = senders(&campaign.accounts, places)?;
        campaign.check_from(&senders)?;
        let inputs = campaign.inputs(&senders);
        Ok(Self {
            campaign,
            senders,
            inputs,
        })
    }
}

/// The accounts of these names, which are to share a campaign.
pub(super) fn senders(names: &[String], places: &Places) -> Result<Vec<Sender>, Failure> {
    let accounts = Accounts::load(&accounts_path(places.accounts.as_deref())?)?;
    let sender = |name: &String| Ok::<_, Failure>(Sender::of(accounts.get(name)?)?);
    let senders = names.iter().map(sender).collect::<Result<Vec<_>, _>>()?;
    Sender::check_together(&senders)?;
    Ok(senders)
}

/// How a campaign's accounts and its calendar stand now.
pub(super) fn outlook(
    store: &Store,
    record: &CampaignRecord,
    senders: &[Sender],
    now: impl Into<Reading>,
) -> Result<Outlook, Failure> {
    let limits: Vec<AccountLimits> = senders.iter().map(Sender::limits).collect();
    let outlook = Outlook::of(store, &limits, calendar_of(record), now)?;
    Ok(outlook.behind_others(store, Some(record.id))?)
}

/// When a planned campaign may be sent.
pub(super) fn calendar_of(record: &CampaignRecord) -> Calendar {
    Calendar::new(record.schedule.clone(), zone_of(record))
}

/// `account 'comms'`, `accounts 'comms' and 'comms-2'`.
pub(super) fn accounts_words(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
    match quoted.split_last() {
        Some((last, [])) => format!("account {last}"),
        Some((last, others)) => format!("accounts {} and {last}", others.join(", ")),
        None => "no account".to_owned(),
    }
}

/// Opens the store.
pub(super) fn store(places: &Places) -> Result<(Store, PathBuf), Failure> {
    let path = store_path(places.store.as_deref())?;
    Ok((Store::open(&path)?, path))
}

/// A campaign that is planned, for commands that only look at the store.
pub(super) struct Planned {
    pub(super) record: CampaignRecord,
    pub(super) store: Store,
    pub(super) zone: TimeZone,
}

impl Planned {
    /// Finds the plan of the campaign in `folder`.
    pub(super) fn find(folder: &Path, places: &Places) -> Result<Self, Failure> {
        let campaign = Campaign::load(folder)?;
        let (store, _) = store(places)?;
        let record = store
            .campaign(&campaign.name)?
            .ok_or_else(|| not_planned(&campaign.name))?;
        Ok(Self {
            zone: zone_of(&record),
            record,
            store,
        })
    }

    /// Puts right what a sender that is gone left in hand, so that what is shown is true. A sender at
    /// work is left alone.
    pub(super) fn settle(&mut self, clock: &Clock) -> Result<(), Failure> {
        if !self.store.has_in_hand(self.record.id)? {
            return Ok(());
        }
        if let Ok(_lock) = self.store.lock_for_a_moment(&self.record.name, clock.now()) {
            self.store.recover(self.record.id, clock)?;
        }
        self.look_again()
    }

    /// Reads again what the campaign is doing.
    pub(super) fn look_again(&mut self) -> Result<(), Failure> {
        let name = &self.record.name;
        self.record = self
            .store
            .campaign(name)?
            .ok_or_else(|| not_planned(name))?;
        Ok(())
    }
}

/// The time zone of a plan's dates.
pub(super) fn zone_of(record: &CampaignRecord) -> TimeZone {
    TimeZone::get(&record.time_zone).unwrap_or(TimeZone::UTC)
}

fn not_planned(name: &str) -> Failure {
    Failure::new(
        Exit::NoInput,
        format!("the campaign '{name}' is not planned in this store"),
        "run `postroom plan` or `postroom send` first; if it was planned elsewhere, name that store with --store",
    )
}
