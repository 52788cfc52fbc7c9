//! Days and what limits them, as `plan` and `status` show them.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::failure::Failure;
use super::screen::{Paint, Screen};
use super::words;
use crate::config::Sender;
use crate::limits::{Closed, Reason};
use crate::plan::{Forecast, Laid};
use crate::store::{BatchProgress, Underway};

/// Ends that are nearer to each other than this are the same to a person.
const SAME: SignedDuration = SignedDuration::from_mins(1);

/// The other campaigns of the accounts that are counted first.
pub(super) fn show_others(screen: &Screen, forecast: Option<&Forecast>) -> Result<(), Failure> {
    let lines = others_lines(screen, forecast);
    lines.iter().try_for_each(|line| screen.result(line))
}

/// The same in lines.
pub(super) fn others_lines(screen: &Screen, forecast: Option<&Forecast>) -> Vec<String> {
    let others = forecast.iter().flat_map(|forecast| &forecast.others);
    let lines = others.flat_map(|other| {
        let messages = words::count(other.messages, "message", "messages");
        let text = format!(
            "the campaign '{}' still has {messages} to go by the same account; they share its limits and are counted first",
            other.name
        );
        screen.field_lines("beside", 12, &text)
    });
    lines.collect()
}

/// The same, as `plan` and `status` have it.
pub(super) fn others_json(forecast: Option<&Forecast>) -> Vec<Value> {
    let others = forecast.iter().flat_map(|forecast| &forecast.others);
    let json = |other: &Underway| json!({ "campaign": other.name, "messages": other.messages, "recipients": other.recipients });
    others.map(json).collect()
}

/// What holds a campaign back, and whether one more account would help.
pub(super) fn show_limit(
    screen: &Screen,
    forecast: Option<&Forecast>,
    withdrawn: Option<&Withdrawn>,
    zone: &TimeZone,
) -> Result<(), Failure> {
    let lines = limit_lines(screen, forecast, withdrawn, zone);
    lines.iter().try_for_each(|line| screen.result(line))
}

/// The same in lines.
pub(super) fn limit_lines(
    screen: &Screen,
    forecast: Option<&Forecast>,
    withdrawn: Option<&Withdrawn>,
    zone: &TimeZone,
) -> Vec<String> {
    let Some(forecast) = forecast else {
        return Vec::new();
    };
    let mut lines = Vec::new();
    if let Some(reason) = &forecast.laid.limited_by {
        lines.push(format!("  limited by  {}", words::limit(reason)));
    }
    if let Some(rule) = withdrawn {
        let (provider, on, key) = (&rule.provider, words::day(&rule.on), &rule.lifted_by);
        lines.extend(screen.field_lines(
            "",
            12,
            &format!(
                "{provider}: this limit was withdrawn on {on} and is kept to be on the safe side; {key} lifts it"
            ),
        ));
    }
    let others = [
        ("with one more account", forecast.with_another_account),
        ("at any hour of any day", forecast.at_any_hour),
    ];
    for (what, at) in others {
        if let Some(at) = at.filter(|at| forecast.finishes_at.duration_since(*at) > SAME) {
            let at = words::time(at, zone);
            lines.push(format!("  compare     {what}: {at}"));
        }
    }
    lines
}

/// The plan's batches, a line for each.
pub(super) fn show_batches(
    screen: &Screen,
    batches: &[BatchProgress],
    zone: &TimeZone,
) -> Result<(), Failure> {
    let several = batches.iter().any(|batch| {
        batches
            .first()
            .is_some_and(|first| first.account != batch.account)
    });
    let days = batches.iter().map(|batch| Day {
        date: &batch.date,
        account: several.then_some(batch.account.as_str()),
        messages: batch.messages,
        recipients: batch.recipients,
        first: batch.starts_at,
        last: batch.ends_at,
    });
    show_days(screen, days, zone)
}

/// A day's share, planned or rehearsed.
pub(super) struct Day<'a> {
    pub(super) date: &'a str,
    /// Told where there are several.
    pub(super) account: Option<&'a str>,
    pub(super) messages: u64,
    pub(super) recipients: u64,
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
}

/// A table with a line for each day.
pub(super) fn show_days<'a>(
    screen: &Screen,
    days: impl Iterator<Item = Day<'a>>,
    zone: &TimeZone,
) -> Result<(), Failure> {
    screen.result("")?;
    let head = format!(
        "  {:<18}{:>10}{:>12}   {:<7}to",
        "day", "messages", "recipients", "from"
    );
    screen.result(&screen.painted(Paint::Dim, &head))?;
    for day in days {
        screen.result(&format!(
            "  {:<18}{:>10}{:>12}   {:<7}{}{}",
            words::day(day.date),
            words::number(day.messages),
            words::number(day.recipients),
            words::time_of_day(day.first, zone),
            words::time_of_day(day.last, zone),
            day.account
                .map(|account| format!("  by {account}"))
                .unwrap_or_default(),
        ))?;
    }
    screen.result("")
}

/// A rule that holds a campaign back although its provider has withdrawn it.
pub(super) struct Withdrawn {
    provider: String,
    /// The day, as the preset has it.
    on: String,
    /// The key that lifts it, and where it belongs.
    lifted_by: String,
}

impl Withdrawn {
    /// Whether it is such a rule that limits the campaign.
    pub(super) fn of(forecast: Option<&Forecast>, senders: &[Sender]) -> Option<Self> {
        let Some(Reason::Rule(rule)) = forecast?.laid.limited_by else {
            return None;
        };
        senders.iter().find_map(|sender| {
            let key = "withdrawn_limits = false";
            Some(Self {
                provider: sender.preset.title.clone(),
                on: sender.withdrawn(&rule)?.withdrawn.clone()?,
                // The built-in stand-in has no entry in accounts.toml.
                lifted_by: if sender.is_sandbox() {
                    format!(
                        "{key} in accounts.toml, for an account of your own in place of 'sandbox',"
                    )
                } else {
                    format!("{key} under [{}] in accounts.toml", sender.name)
                },
            })
        })
    }
}

/// What holds a campaign back, as `plan` and `status` have it.
pub(super) fn limit_json(laid: &Laid, withdrawn: Option<&Withdrawn>) -> Option<Value> {
    let (kind, rule) = match laid.limited_by? {
        Reason::Rule(rule) => ("rule", Some(rule)),
        Reason::Closed(Closed::Hours) => ("hours", None),
        Reason::Closed(Closed::Holiday) => ("holiday", None),
        Reason::Closed(Closed::NotBefore) => ("not_before", None),
        Reason::Provider => ("provider", None),
        Reason::Deferred => ("deferred", None),
    };
    let mut value = json!({ "kind": kind, "rule": rule });
    if let Some(rule) = withdrawn {
        value["withdrawn"] = rule.on.as_str().into();
        value["lifted_by"] = rule.lifted_by.as_str().into();
    }
    Some(value)
}

/// A batch as `plan` and `rehearse` have it.
pub(super) fn batch_json(batch: &BatchProgress) -> Value {
    json!({
        "number": batch.number,
        "account": batch.account,
        "date": batch.date,
        "messages": batch.messages,
        "recipients": batch.recipients,
        "starts_at": batch.starts_at,
        "ends_at": batch.ends_at,
    })
}
