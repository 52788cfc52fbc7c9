//! The keys of an account that say which server it uses and how; each replaces the preset's.

use std::net::IpAddr;
use std::time::Duration;

use toml::Spanned;

use super::account::{Deadlines, Tls};
use super::section::Section;
use super::typed::NO_MAX;
use crate::delivery::Backoff;
use crate::limits::{Rule, Unit};
use crate::provider::Preset;
use crate::recipients::Mailbox;

/// The keys of an entry of `limits`.
pub(super) const LIMIT_KEYS: &[&str] = &["max", "per", "unit"];

/// The keys of `deadlines`.
pub(super) const DEADLINE_KEYS: &[&str] = &["connect", "command", "data", "final"];

/// The preset: named, or else the one that the mail domain belongs to.
pub(super) fn provider(account: &Section<'_>) -> Option<String> {
    if account.value("provider").is_some() {
        return account.text("provider").map(Spanned::into_inner);
    }
    let found = ["username", "from"].into_iter().find_map(|key| {
        // What is wrong with these is said elsewhere.
        let text = account.value(key)?.get_ref().as_str()?;
        let mailbox = Mailbox::parse(text).ok()?;
        let (_, domain) = mailbox.address.as_str().rsplit_once('@')?;
        Preset::for_domain(domain).ok().flatten()
    });
    if found.is_none() {
        account.require(
            "provider",
            "add provider = \"microsoft365\", another preset that `postroom providers` lists, or \"custom\"; \
             it can be left out only where the domain of username or from belongs to a preset, as outlook.com does",
        );
    }
    found.map(|preset| preset.name.clone())
}

/// The name that everybody signs in with at this provider.
pub(super) fn fixed_username(provider: &str) -> Option<String> {
    Preset::find(provider).ok()?.username.clone()
}

/// A host name or IP address, without scheme or port.
pub(super) fn host(account: &Section<'_>) -> Option<String> {
    let text = account.text("host")?;
    let name = text.get_ref();
    let is_address = name.parse::<IpAddr>().is_ok();
    if is_address
        || !name.contains(|c: char| c.is_whitespace() || matches!(c, '/' | ':' | '@' | '['))
    {
        return Some(text.into_inner());
    }
    account.refuse(
        "host",
        Some(text.span()),
        "is not a host name",
        "write the name alone, such as host = \"smtp.example.com\"; the port has a key of its own",
    );
    None
}

/// Whether nothing sent to this host leaves the machine.
pub(super) fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// How the connection is encrypted; `none` only to this machine.
pub(super) fn tls(account: &Section<'_>, host: Option<&str>) -> Option<Tls> {
    let choices = [
        ("starttls", Tls::StartTls),
        ("implicit", Tls::Implicit),
        ("none", Tls::None),
    ];
    let tls = account.choice("tls", &choices)?;
    let host_is_wrong = host.is_none() && account.value("host").is_some();
    if tls == Tls::None && !host_is_wrong && !host.is_some_and(is_loopback) {
        let span = account.value("tls").map(Spanned::span);
        account.refuse(
            "tls",
            span,
            "would send mail and password over the network unencrypted",
            "write tls = \"starttls\" or \"implicit\"; \"none\" is for a server on this machine, with host = \"localhost\"",
        );
        return None;
    }
    Some(tls)
}

/// No provider counts over more than a year; what is longer is a slip.
const LONGEST_WINDOW: Duration = Duration::from_hours(366 * 24);

/// Rules in place of the preset's.
pub(super) fn limits(account: &Section<'_>) -> Option<Vec<Rule>> {
    let tables = account.tables("limits")?;
    let mut rules: Vec<Rule> = Vec::new();
    for table in &tables {
        let Some(rule) = rule(table) else { continue };
        if let Some(known) = rules
            .iter()
            .find(|known| (known.unit, known.per) == (rule.unit, rule.per))
        {
            table.refuse(
                "max",
                table.value("max").map(Spanned::span),
                format!("stands beside another rule for the same window, '{known}'"),
                "keep one rule for each window and unit: the smaller one is the one that holds",
            );
        }
        if let Some((idle, other)) = never_binds(&rules, rule) {
            table.refuse(
                "max",
                table.value("max").map(Spanned::span),
                format!("makes '{idle}' a rule that can never hold anything back: '{other}' allows less in a longer time"),
                "correct one of them: a longer window has a larger max",
            );
        }
        rules.push(rule);
    }
    Some(rules)
}

/// Of the new rule and one of the others of its unit: the one that can never bind, and the one because of which.
fn never_binds(rules: &[Rule], new: Rule) -> Option<(Rule, Rule)> {
    let binds_first = |one: &Rule, other: &Rule| one.per > other.per && one.max < other.max;
    let mut same = rules.iter().filter(|known| known.unit == new.unit);
    same.find_map(|known| {
        if binds_first(known, &new) {
            Some((new, *known))
        } else {
            binds_first(&new, known).then_some((*known, new))
        }
    })
}

fn rule(section: &Section<'_>) -> Option<Rule> {
    let remedy = "write limits = [{ max = 30, per = \"1m\", unit = \"messages\" }]";
    for key in LIMIT_KEYS {
        section.require(key, remedy);
    }
    let units = [Unit::Messages, Unit::Recipients, Unit::ExternalRecipients];
    let max = section.whole("max", 1, NO_MAX);
    let per = section.duration("per");
    if per.is_some_and(|per| per > LONGEST_WINDOW) {
        section.refuse(
            "per",
            section.value("per").map(Spanned::span),
            "is longer than a year",
            "write the window of the provider's own words, such as per = \"24h\"; the longest is 366d",
        );
    }
    let unit = section.choice("unit", &units.map(|unit| (unit.as_str(), unit)));
    Some(Rule {
        max: max?,
        per: per?,
        unit: unit?,
    })
}

/// When a deferred message is tried again.
pub(super) fn retry(account: &Section<'_>) -> Option<Backoff> {
    let items = account.list(
        "retry",
        "a list of durations",
        "write retry = [\"30s\", \"2m\"]",
    )?;
    let waits: Vec<Duration> = items
        .iter()
        .filter_map(|item| account.as_duration("retry", item))
        .collect();
    Some(Backoff::new(waits))
}

/// How long each phase may take.
pub(super) fn deadlines(account: &Section<'_>) -> Deadlines {
    let section = account.table("deadlines");
    Deadlines {
        connect: section.duration("connect"),
        command: section.duration("command"),
        data: section.duration("data"),
        final_: section.duration("final"),
    }
}
