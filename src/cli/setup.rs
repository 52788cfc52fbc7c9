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
use crate::recipients::{Nearest, SuppressedPeople};
use crate::store::{CampaignRecord, Store, is_remembered};

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
        let inputs = Inputs {
            suppressed: suppressed(places, &campaign.name)?,
            ..campaign.inputs(&senders)
        };
        Ok(Self {
            campaign,
            senders,
            inputs,
        })
    }
}

/// Whom a campaign of this name must not write to, by the store, where there is one.
fn suppressed(places: &Places, campaign: &str) -> Result<SuppressedPeople, Failure> {
    let (Some(store), _) = store_if_any(places)? else {
        return Ok(SuppressedPeople::default());
    };
    Ok(SuppressedPeople::of(store.suppressed_subjects(campaign)?))
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
    let store = Store::open(&path)?;
    tracing::info!(path = ?path, "store opened");
    Ok((store, path))
}

/// The store where there is one already, and where it is or would be: whoever only looks makes none.
pub(super) fn store_if_any(places: &Places) -> Result<(Option<Store>, PathBuf), Failure> {
    let path = store_path(places.store.as_deref())?;
    // One that is lost is not as good as none.
    let is_any = path.exists() || is_remembered(&path);
    let store = is_any.then(|| Store::open(&path)).transpose()?;
    Ok((store, path))
}

/// The store, for whoever only looks: one that was named and is not there is a slip, and none is made.
pub(super) fn store_to_look_at(places: &Places) -> Result<(Store, PathBuf), Failure> {
    match store_if_any(places)? {
        (Some(store), path) => Ok((store, path)),
        (None, path) if places.store.is_some() => Err(Failure::new(
            Exit::NoInput,
            format!("there is no store at {}", path.display()),
            "correct --store, or POSTROOM_STORE in the environment",
        )),
        (None, _) => store(places),
    }
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
        let (store, _) = store_to_look_at(places)?;
        let record = store
            .campaign(&campaign.name)?
            .ok_or_else(|| not_planned(&store, &campaign))?;
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
        self.record = self.store.campaign(name)?.ok_or_else(|| {
            let what = format!("the plan of '{name}' was dropped meanwhile");
            Failure::new(Exit::NoInput, what, "run `postroom plan` to make one")
                .named("not-planned")
        })?;
        Ok(())
    }
}

/// The time zone of a plan's dates.
pub(super) fn zone_of(record: &CampaignRecord) -> TimeZone {
    TimeZone::get(&record.time_zone).unwrap_or(TimeZone::UTC)
}

/// A campaign whose name has changed since is the one that was meant.
pub(super) fn not_planned(store: &Store, campaign: &Campaign) -> Failure {
    let name = &campaign.name;
    let meant = store.planned_from(&campaign.folder).ok().flatten();
    let meant = meant.map(|meant| (meant, "was planned from this folder"));
    let meant = meant.or_else(|| Some((like(store, name)?, "is planned, which has a like name")));
    let first = meant.map_or_else(String::new, |(meant, what)| {
        format!("'{meant}' {what}: if that is meant, put its name into campaign.toml; otherwise ")
    });
    Failure::new(
        Exit::NoInput,
        format!("the campaign '{name}' is not planned in this store"),
        format!(
            "{first}run `postroom plan` or `postroom send` first; if it was planned elsewhere, name that store with \
             --store"
        ),
    )
    .named("not-planned")
}

/// The planned campaign whose name is most like this one, if one is like it.
fn like(store: &Store, name: &str) -> Option<String> {
    let names = store.campaign_names().ok()?;
    let names = names.iter().map(String::as_str);
    Nearest::name(name).among(names).found()
}
