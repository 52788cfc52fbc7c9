//! What a plan is made from, checked by `config`.

use std::path::PathBuf;

use jiff::tz::TimeZone;

use super::packing::Mode;
use crate::limits::{Calendar, Rule, Schedule, Unit};
use crate::recipients::{Filter, ListOptions, SuppressedPeople};

/// A campaign to check or plan. Paths are relative to the folder.
#[derive(Debug, Clone)]
pub struct Inputs {
    /// The campaign's folder.
    pub folder: PathBuf,
    /// Its identity in the store.
    pub name: String,
    /// The accounts that are to send it; at least one.
    pub accounts: Vec<AccountLimits>,
    /// The From header.
    pub from: String,
    /// Template of the To header.
    pub to: Option<String>,
    /// Template of the Reply-To header.
    pub reply_to: Option<String>,
    /// Templates of the visible copies.
    pub cc: Vec<String>,
    /// Templates of the blind copies.
    pub bcc: Vec<String>,
    /// Template of the subject.
    pub subject: String,
    /// The HTML template's file.
    pub html: Option<PathBuf>,
    /// Whether the rules of `<style>` blocks are inlined.
    pub inline_css: bool,
    /// The text template's file.
    pub text: Option<PathBuf>,
    /// A JSON or TOML file of campaign-wide values.
    pub data: Option<PathBuf>,
    /// Templates of attachment paths.
    pub attach: Vec<String>,
    /// Content-ID and file of the inline images.
    pub inline: Vec<(String, PathBuf)>,
    /// Names and templates of further headers.
    pub headers: Vec<(String, String)>,
    /// The value of List-Unsubscribe.
    pub list_unsubscribe: Option<String>,
    /// Template of an address to write to for unsubscribing.
    pub unsubscribe_mailto: Option<String>,
    /// Template of an https address to unsubscribe at.
    pub unsubscribe_url: Option<String>,
    /// Who is never written to.
    pub suppressed: SuppressedPeople,
    /// The list.
    pub list: PathBuf,
    /// The column of addresses; none: a column with a usual name.
    pub address_column: Option<String>,
    /// Which rows are meant; none: all.
    pub filter: Option<Filter>,
    /// All rows of a person go into one message; otherwise their first row counts.
    pub grouped: bool,
    /// How the list is read, as far as the user says it; the column of addresses and what follows from the
    /// file's name stand elsewhere.
    pub reading: ListOptions,
    /// Domains that count as internal; empty: the From domain.
    pub internal: Vec<String>,
    /// How it is packed.
    pub mode: Mode,
    /// When it may be sent.
    pub schedule: Schedule,
    /// The time zone of its hours and its batches' dates; none: the machine's.
    pub time_zone: Option<TimeZone>,
}

impl Inputs {
    /// When it may be sent, in its time zone.
    pub fn calendar(&self) -> Calendar {
        let zone = self.time_zone.clone().unwrap_or_else(TimeZone::system);
        Calendar::new(self.schedule.clone(), zone)
    }

    /// The most envelope recipients of a message that every account can send.
    pub(super) fn max_recipients_per_message(&self) -> u64 {
        let caps = self.accounts.iter();
        caps.map(|account| account.max_recipients_per_message)
            .min()
            .unwrap_or(u64::MAX)
    }

    /// The most bytes of a message that every account can send.
    pub(super) fn max_message_size(&self) -> Option<u64> {
        let sizes = self.accounts.iter();
        sizes.filter_map(|account| account.max_message_size).min()
    }

    /// The most of this unit that a message may have.
    pub(super) fn cap(&self, unit: Unit) -> u64 {
        cap(&self.accounts, unit)
    }
}

/// The most of this unit that a message by any of these accounts may have: no more than the provider's cap of
/// it, nor than any account's rule.
pub(super) fn cap(accounts: &[AccountLimits], unit: Unit) -> u64 {
    let caps = accounts.iter().map(|account| match unit {
        Unit::Recipients => account.max_recipients_per_message,
        Unit::Messages | Unit::ExternalRecipients => u64::MAX,
    });
    let rules = accounts.iter().flat_map(|account| &account.rules);
    let rules = rules.filter(|rule| rule.unit == unit).map(|rule| rule.max);
    caps.chain(rules).min().unwrap_or(u64::MAX)
}

/// What the plan must know of the account.
#[derive(Debug, Clone)]
pub struct AccountLimits {
    /// Its name in accounts.toml.
    pub name: String,
    /// What its quota is counted by.
    pub mailbox: String,
    /// The From header of what it sends, where that is not the campaign's.
    pub from: Option<String>,
    /// The rules that hold, what is reserved for others taken off.
    pub rules: Vec<Rule>,
    /// The most envelope recipients of one message.
    pub max_recipients_per_message: u64,
    /// The most bytes of one message.
    pub max_message_size: Option<u64>,
}
