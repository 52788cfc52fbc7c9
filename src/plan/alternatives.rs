//! What the same campaign would come to, were it packed otherwise.

use jiff::Timestamp;

use super::error::Error;
use super::forecast::{Outlook, is_never};
use super::inputs::{AccountLimits, cap};
use crate::limits::{Unit, Weight};
use crate::message::Definition;
use crate::recipients::{Address, Domains};
use crate::store::{CampaignRecord, Store};

/// A way to pack a campaign, and what it comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alternative {
    /// `shared` or `individual`.
    pub mode: &'static str,
    /// How many messages.
    pub messages: u64,
    /// When the last one goes; none when the rules never allow it.
    pub finishes_at: Option<Timestamp>,
}

/// To whom a campaign goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct People {
    /// Recipients of the list.
    pub listed: u64,
    /// Those of them outside the internal domains.
    pub external: u64,
    /// The copies that each message brings in beside them.
    pub copies: Weight,
}

impl People {
    /// Of a planned campaign. Copies are those of its first message.
    ///
    /// # Errors
    /// The store cannot be read, or what is frozen in it is no campaign.
    pub fn of(store: &Store, record: &CampaignRecord) -> Result<Self, Error> {
        let shape = store.shape(record.id)?;
        let definition: Definition = serde_json::from_str(&record.definition)?;
        let internal = Domains::parse(&definition.internal).unwrap_or_default();
        let is_external =
            |text: &&String| Address::parse(text).is_ok_and(|address| !internal.contains(&address));
        let of_list = shape.first_listed.iter().filter(is_external).count() as u64;
        let first = shape.first;
        let copies = Weight {
            recipients: first
                .recipients
                .saturating_sub(shape.first_listed.len() as u64),
            external: first.external.saturating_sub(of_list),
        };
        let of_copies = shape.messages.saturating_mul(copies.external);
        Ok(Self {
            listed: shape.listed,
            external: shape.external.saturating_sub(of_copies).min(shape.listed),
            copies,
        })
    }

    /// One after the other, the external ones spread evenly.
    fn each(self) -> impl Iterator<Item = Weight> {
        let so_far = move |n: u64| {
            u128::from(n) * u128::from(self.external) / u128::from(self.listed.max(1))
        };
        (0..self.listed).map(move |n| Weight {
            recipients: 1,
            external: (so_far(n + 1) - so_far(n)) as u64,
        })
    }
}

/// Both extremes: everybody shares (only possible when nothing is personal), and everybody gets their own.
pub fn alternatives(
    people: &People,
    accounts: &[AccountLimits],
    outlook: &Outlook,
) -> [Alternative; 2] {
    let most = Weight {
        recipients: cap(accounts, Unit::Recipients),
        external: cap(accounts, Unit::ExternalRecipients),
    };
    ["shared", "individual"].map(|mode| {
        let (messages, finishes_at) = lay_out(people, most, mode == "individual", outlook);
        Alternative {
            mode,
            messages,
            finishes_at,
        }
    })
}

/// Messages of up to `most`, copies included.
fn lay_out(
    people: &People,
    most: Weight,
    individual: bool,
    outlook: &Outlook,
) -> (u64, Option<Timestamp>) {
    let mut table = outlook.table();
    let (mut messages, mut possible) = (0, true);
    let mut send = |weight: Weight, listed: u64| {
        messages += 1;
        possible = possible && table.add(weight, listed, None).is_ok();
    };
    let (mut open, mut listed) = (people.copies, 0);
    for one in people.each() {
        let is_full =
            open.recipients >= most.recipients || open.external + one.external > most.external;
        if listed > 0 && (individual || is_full) {
            send(open, listed);
            (open, listed) = (people.copies, 0);
        }
        open.recipients += one.recipients;
        open.external += one.external;
        listed += 1;
    }
    if listed > 0 {
        send(open, listed);
    }
    let finishes_at = table.finish().finishes_at;
    let is_told = |at: &Timestamp| possible && !is_never(*at, outlook.now());
    (messages, finishes_at.filter(is_told))
}
