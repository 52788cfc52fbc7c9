//! What went wrong on purpose in a rehearsal, and how the campaign coped, in words.

use clap::ValueEnum as _;

use super::args::Fault;
use super::rehearsed::Summary;
use super::words;
use crate::rehearsal::{Compared, Scenario, Staged};

/// The scenario that a flag asks for.
pub(super) fn scenario(fault: Fault) -> Scenario {
    match fault {
        Fault::Throttle => Scenario::Throttle,
        Fault::Cap => Scenario::Cap,
        Fault::Drop => Scenario::Drop,
        Fault::Garble => Scenario::Garble,
        Fault::Refuse => Scenario::Refuse,
        Fault::Kill => Scenario::Kill,
    }
}

/// The word that asks for a scenario.
pub(super) fn name(scenario: Scenario) -> String {
    let is_it = |fault: &&Fault| self::scenario(**fault) == scenario;
    let fault = Fault::value_variants().iter().find(is_it);
    let value = fault.and_then(clap::ValueEnum::to_possible_value);
    value.map_or_else(String::new, |value| value.get_name().to_owned())
}

/// What was done to a campaign, and how it coped.
pub(super) struct Told {
    pub(super) done: String,
    pub(super) coped: String,
}

/// What a scenario did, and how the campaign coped.
pub(super) fn told(summary: &Summary, staged: &Staged) -> Told {
    let struck = staged.struck(&summary.run.seen);
    let went_on = if summary.counts.is_finished() {
        "it waited and went on to the end"
    } else {
        "it did not come to its end"
    };
    let in_doubt = doubts(&summary.compared);
    let (done, coped) = match staged.scenario {
        Scenario::Throttle => (
            format!(
                "the stand-in throttled {}",
                words::count(struck, "message", "messages")
            ),
            went_on.to_owned(),
        ),
        Scenario::Cap => (
            used(staged),
            match struck {
                0 => format!("that had no effect on this campaign; {went_on}"),
                _ => format!(
                    "refused for it {}; {went_on}",
                    words::count(struck, "time", "times")
                ),
            },
        ),
        Scenario::Drop => (
            format!(
                "{} dropped, in envelope, content and before the verdict",
                words::count(struck, "connection was", "connections were")
            ),
            in_doubt,
        ),
        Scenario::Garble => (
            format!(
                "{} made no sense, in envelope, content and before the verdict",
                words::count(struck, "answer", "answers")
            ),
            in_doubt,
        ),
        Scenario::Refuse => (
            format!(
                "{} refused as unknown",
                words::count(struck, "recipient was", "recipients were")
            ),
            "that cost nobody else their mail".to_owned(),
        ),
        Scenario::Kill => (
            format!(
                "killed {}",
                words::count(summary.run.kills, "time", "times")
            ),
            in_doubt,
        ),
    };
    Told { done, coped }
}

fn used(staged: &Staged) -> String {
    staged.used().map_or_else(
        || "the account has no limits that others could use up".to_owned(),
        |(rule, taken, before)| {
            format!(
                "others had used {} of {}, {} before the start",
                words::number(taken),
                words::rule(&rule),
                words::span(before),
            )
        },
    )
}

/// `2 messages in doubt, of which the stand-in has 1`.
fn doubts(compared: &Compared) -> String {
    if compared.in_doubt == 0 {
        return "nothing is in doubt".to_owned();
    }
    format!(
        "{} in doubt, of which the stand-in has {}",
        words::count(compared.in_doubt, "message", "messages"),
        words::number(compared.arrived)
    )
}
