//! What a plan is made from, checked by `config`.

use std::path::PathBuf;

use jiff::tz::TimeZone;

use super::packing::Mode;
use crate::limits::Rule;

/// A campaign to check or plan. Paths are relative to the folder.
#[derive(Debug, Clone)]
pub struct Inputs {
    /// The campaign's folder.
    pub folder: PathBuf,
    /// Its identity in the store.
    pub name: String,
    /// The account that is to send it.
    pub account: AccountLimits,
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
    /// The list.
    pub list: PathBuf,
    /// The column of addresses; none: a column with a usual name.
    pub address_column: Option<String>,
    /// Domains that count as internal; empty: the From domain.
    pub internal: Vec<String>,
    /// How it is packed.
    pub mode: Mode,
    /// The time zone of its batches' dates; none: the machine's.
    pub time_zone: Option<TimeZone>,
}

/// What the plan must know of the account.
#[derive(Debug, Clone)]
pub struct AccountLimits {
    /// Its name in accounts.toml.
    pub name: String,
    /// What its quota is counted by.
    pub mailbox: String,
    /// The rules that hold, what is reserved for others taken off.
    pub rules: Vec<Rule>,
    /// The most envelope recipients of one message.
    pub max_recipients_per_message: u64,
    /// The most bytes of one message.
    pub max_message_size: Option<u64>,
}
