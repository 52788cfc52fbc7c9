//! What an account takes from its preset where it says nothing itself.

use std::time::Duration;

use super::account::{Account, Tls};
use super::error::SenderError;
use super::sender::Sender;
use crate::limits::{Rule, Unit};
use crate::provider::{self, Preset, PresetLimit};
use crate::smtp;

/// The shortest window that a reserve is taken off.
const DAY: Duration = Duration::from_hours(24);

/// The server: the account's, or its preset's in the account's region.
pub(super) fn host(account: &Account, preset: &Preset) -> Result<String, SenderError> {
    if let Some(host) = &account.host {
        return Ok(host.clone());
    }
    let host = preset.host_in(account.region.as_deref());
    let host = host.map_err(|cause| SenderError::Region {
        account: account.name.clone(),
        cause,
    })?;
    host.map(str::to_owned)
        .ok_or_else(|| SenderError::NoHost(account.name.clone()))
}

/// How the connection is encrypted.
pub(super) fn tls(account: &Account, preset: &Preset) -> smtp::Tls {
    match (account.tls, preset.tls) {
        (Some(Tls::StartTls), _) | (None, provider::Tls::Starttls) => smtp::Tls::StartTls,
        (Some(Tls::Implicit), _) | (None, provider::Tls::Implicit) => smtp::Tls::Implicit,
        (Some(Tls::None), _) | (None, provider::Tls::None) => smtp::Tls::None,
    }
}

/// The rules of the provider: the account's in place of all of the preset's.
pub(super) fn provider_rules(account: &Account, preset: &Preset) -> Vec<Rule> {
    match &account.limits {
        Some(rules) => rules.clone(),
        None if account.withdrawn_limits => preset.rules(),
        None => preset.rules_in_force(),
    }
}

/// The rules that are left when the account's reserve is taken off.
pub(super) fn after_reserve(account: &Account, rules: &[Rule]) -> Result<Vec<Rule>, SenderError> {
    let reserve = &account.reserve;
    let by_unit = [
        (Unit::Messages, reserve.messages),
        (Unit::Recipients, reserve.recipients),
        (Unit::ExternalRecipients, reserve.external_recipients),
    ];
    let is_taken_from = |unit| {
        let mut rules = rules.iter();
        rules.any(|rule| rule.unit == unit && rule.per >= DAY)
    };
    let of_nothing = |(unit, reserved): &(Unit, u64)| *reserved > 0 && !is_taken_from(*unit);
    if let Some((unit, _)) = by_unit.into_iter().find(of_nothing) {
        return Err(SenderError::ReserveOfNothing {
            account: account.name.clone(),
            unit,
        });
    }
    let take_off = |rule: &Rule| {
        let reserved = match rule.unit {
            _ if rule.per < DAY => 0,
            Unit::Messages => reserve.messages,
            Unit::Recipients => reserve.recipients,
            Unit::ExternalRecipients => reserve.external_recipients,
        };
        let max = rule.max.saturating_sub(reserved);
        if max == 0 {
            return Err(SenderError::AllReserved {
                account: account.name.clone(),
                rule: *rule,
            });
        }
        Ok(Rule { max, ..*rule })
    };
    rules.iter().map(take_off).collect()
}

impl Sender {
    /// The rule of the preset that this one is, if its provider has withdrawn it and the account keeps it.
    pub fn withdrawn(&self, rule: &Rule) -> Option<&'static PresetLimit> {
        if self.account.limits.is_some() || !self.rules.contains(rule) {
            return None;
        }
        // What is reserved is taken off its figure: the window and the unit tell which one it is.
        let is_it = |limit: &&PresetLimit| {
            limit.withdrawn.is_some() && (limit.rule.per, limit.rule.unit) == (rule.per, rule.unit)
        };
        self.preset.limits.iter().find(is_it)
    }
}
