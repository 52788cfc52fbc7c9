//! What can go wrong in a rehearsal: how the stand-in is set up for it, and what it came to.

use std::ops::Range;

use jiff::{SignedDuration, Timestamp};

use crate::limits::{Rule, Unit};
use crate::sandbox::{
    Act, Fault, Flood, NO_SUCH_RECIPIENT, Options, Phase, Snapshot, Then, Use, When,
};

/// Something that goes wrong on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scenario {
    /// The server throttles a stretch of the campaign.
    Throttle,
    /// Somebody else used the mailbox: a day's cap is reached early.
    Cap,
    /// Connections drop: while the envelope or the content goes out, and once before the verdict.
    Drop,
    /// Answers make no sense: garbage, replies without end, half replies; once before the verdict.
    Garble,
    /// One recipient in fifty is refused.
    Refuse,
    /// The sender is killed in the middle, and started again.
    Kill,
}

/// How large a campaign is, by its plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// Messages.
    pub messages: u64,
    /// Recipients of the list.
    pub recipients: u64,
    /// Recipients outside the internal domains, copies included, of all accounts' shares together.
    pub external: u64,
    /// When the first message goes.
    pub starts_at: Timestamp,
}

/// A scenario that the stand-in is set up for.
#[derive(Debug, Clone)]
pub struct Staged {
    /// Which.
    pub scenario: Scenario,
    /// Its faults among the stand-in's.
    faults: Range<usize>,
    /// The rule whose window is used, how much of it, and how long before the start.
    used: Option<(Rule, u64, SignedDuration)>,
    /// After so many messages sent the sender is killed for the first time.
    kill_after: Option<u64>,
}

/// One recipient in so many is refused.
const REFUSED: u64 = 50;
/// The most messages that are throttled.
const THROTTLED: u64 = 30;

/// Sets a stand-in up for a scenario. Where in the campaign things go wrong depends on its extent alone.
pub fn stage(scenario: Scenario, extent: &Extent, options: &mut Options) -> Staged {
    let first = options.faults.list.len();
    let mut used = None;
    let mut kill_after = None;
    match scenario {
        Scenario::Throttle => options.faults.list.push(throttle(extent, options)),
        Scenario::Cap => used = use_mailbox(extent, options),
        Scenario::Drop => options.faults.list.extend(drops(extent)),
        Scenario::Garble => options.faults.list.extend(babble(extent)),
        Scenario::Refuse => options.faults.list.push(refusals(extent)),
        Scenario::Kill => {
            kill_after = Some(part(extent.messages, 1, 6));
            options.faults.list.extend(hangs(extent));
        }
    }
    Staged {
        scenario,
        faults: first..options.faults.list.len(),
        used,
        kill_after,
    }
}

/// The time, counted from 1, at which this part of `total` is over.
fn part(total: u64, numerator: u64, denominator: u64) -> u64 {
    total.saturating_mul(numerator) / denominator + 1
}

fn throttle(extent: &Extent, options: &Options) -> Fault {
    let (code, text) = options.profile.throttled();
    let first = part(extent.messages, 1, 4);
    let length = (extent.messages / 10).clamp(1, THROTTLED);
    Fault {
        phase: Phase::Verdict,
        when: When::Between(first, first + length - 1),
        act: Act::Reply(code, text.to_owned()),
    }
}

/// Fills most of the longest rule's window, so that at most half of the campaign fits into what is left.
fn use_mailbox(extent: &Extent, options: &mut Options) -> Option<(Rule, u64, SignedDuration)> {
    // Everybody counts towards messages and recipients; a campaign may have nobody who is external.
    let of_all = |rule: &Rule| rule.unit != Unit::ExternalRecipients;
    // A rule that nobody here counts towards would have no effect.
    let counts = |rule: &&Rule| of_all(rule) || extent.external > 0;
    let rule = *options
        .rules
        .iter()
        .filter(counts)
        .max_by_key(|rule| (rule.per, of_all(rule)))?;
    let units = match rule.unit {
        Unit::Messages => extent.messages,
        Unit::Recipients => extent.recipients,
        Unit::ExternalRecipients => extent.external.min(extent.recipients),
    };
    let left = (rule.max / 5).min(units / 2);
    let taken = rule.max - left;
    let before = SignedDuration::try_from(rule.per / 4).ok()?;
    let of = |unit| if rule.unit == unit { taken } else { 0 };
    options.used.push(Use {
        at: extent.starts_at.checked_sub(before).ok()?,
        user: None,
        messages: of(Unit::Messages),
        recipients: of(Unit::Recipients),
        external: of(Unit::ExternalRecipients),
    });
    Some((rule, taken, before))
}

fn drops(extent: &Extent) -> Vec<Fault> {
    let Extent {
        messages,
        recipients,
        ..
    } = *extent;
    let places = [
        (Phase::Rcpt, part(recipients, 1, 8)),
        (Phase::Data, part(messages, 2, 8)),
        (Phase::Body, part(messages, 3, 8)),
        (Phase::Verdict, part(messages, 4, 8)),
        (Phase::Rcpt, part(recipients, 5, 8)),
        (Phase::Data, part(messages, 6, 8)),
        (Phase::Body, part(messages, 7, 8)),
    ];
    places
        .into_iter()
        .map(|place| once(place, Act::Drop))
        .collect()
}

/// A half reply is followed by the connection's end and not by silence, which would last for the client's
/// deadline in real time.
fn babble(extent: &Extent) -> Vec<Fault> {
    let Extent {
        messages,
        recipients,
        ..
    } = *extent;
    let (lines, cut) = (Act::Huge(Flood::Lines), Act::HalfLine(Then::Drop));
    let places = [
        ((Phase::Rcpt, part(recipients, 1, 8)), Act::Garbage),
        ((Phase::Data, part(messages, 2, 8)), lines),
        ((Phase::Mail, part(messages, 3, 8)), cut.clone()),
        ((Phase::Verdict, part(messages, 4, 8)), cut),
        (
            (Phase::Rcpt, part(recipients, 5, 8)),
            Act::Huge(Flood::Line),
        ),
        ((Phase::Data, part(messages, 6, 8)), Act::Garbage),
    ];
    places
        .into_iter()
        .map(|(place, act)| once(place, act))
        .collect()
}

fn refusals(extent: &Extent) -> Fault {
    let (code, text) = NO_SUCH_RECIPIENT;
    Fault {
        phase: Phase::Rcpt,
        when: When::Every(REFUSED.min(extent.recipients).max(1)),
        act: Act::Reply(code, text.to_owned()),
    }
}

/// The server falls silent, once in the middle of the content and once after the final dot: those are
/// the moments in which a killed sender leaves a message in doubt.
fn hangs(extent: &Extent) -> [Fault; 2] {
    let messages = extent.messages;
    [
        once((Phase::Body, part(messages, 3, 6)), Act::Hang),
        once((Phase::Verdict, part(messages, 5, 6)), Act::Hang),
    ]
}

fn once((phase, nth): (Phase, u64), act: Act) -> Fault {
    Fault {
        phase,
        when: When::Nth(nth),
        act,
    }
}

impl Staged {
    /// After how many messages sent the sender is killed for the first time, if it is to be killed.
    pub fn kill_after(&self) -> Option<u64> {
        self.kill_after
    }

    /// What others had used of a rule's window, and how long before the start.
    pub fn used(&self) -> Option<(Rule, u64, SignedDuration)> {
        self.used
    }

    /// How often it struck: answers, drops or refusals of the stand-in. Kills are not its doing.
    pub fn struck(&self, seen: &Snapshot) -> u64 {
        match self.scenario {
            Scenario::Cap => seen.over_for_others,
            _ => seen
                .faults
                .get(self.faults.clone())
                .unwrap_or_default()
                .iter()
                .sum(),
        }
    }
}
