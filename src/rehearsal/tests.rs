//! Where things go wrong in a rehearsal, by the campaign's extent alone.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::limits::{Rule, Unit};
use crate::sandbox::{Act, Options, Phase, When};

fn extent(messages: u64, recipients: u64) -> Extent {
    Extent {
        messages,
        recipients,
        external: recipients,
        starts_at: Timestamp::UNIX_EPOCH + SignedDuration::from_hours(240),
    }
}

#[test]
fn whatever_its_size_a_campaign_reaches_what_goes_wrong() {
    for messages in [1, 2, 7, 30, 1000, 40_000] {
        for scenario in [
            Scenario::Throttle,
            Scenario::Drop,
            Scenario::Garble,
            Scenario::Refuse,
            Scenario::Kill,
        ] {
            let mut options = Options::default();
            stage(scenario, &extent(messages, messages), &mut options);
            let within = |when: &When| match *when {
                When::Every(n) | When::Nth(n) => (1..=messages).contains(&n),
                When::Between(first, last) => 1 <= first && first <= last && first <= messages,
            };
            let list = &options.faults.list;
            assert!(!list.is_empty());
            assert!(
                list.iter().all(|fault| within(&fault.when)),
                "{messages}: {list:?}"
            );
        }
    }
}

#[test]
fn only_one_verdict_is_withheld_by_drops() {
    let mut options = Options::default();
    stage(Scenario::Drop, &extent(100, 900), &mut options);
    let verdicts = options.faults.list.iter();
    let verdicts = verdicts.filter(|fault| fault.phase == Phase::Verdict && fault.act == Act::Drop);
    assert_eq!(verdicts.count(), 1);
}

#[test]
fn others_use_most_of_the_longest_window_and_leave_less_than_the_campaign_needs() {
    let rule = |max, hours, unit| Rule {
        max,
        per: Duration::from_hours(hours),
        unit,
    };
    for (recipients, left) in [(40_000, 2_000), (1_000, 500), (1, 0)] {
        let day = rule(10_000, 24, Unit::Recipients);
        let mut options = Options {
            rules: vec![rule(600, 1, Unit::Messages), day],
            ..Options::default()
        };
        let extent = extent(recipients, recipients);
        let staged = stage(Scenario::Cap, &extent, &mut options);
        let six_hours = SignedDuration::from_hours(6);
        assert_eq!(staged.used(), Some((day, 10_000 - left, six_hours)));
        assert_eq!(options.used[0].recipients, 10_000 - left);
        assert_eq!(options.used[0].messages, 0);
        assert_eq!(options.used[0].at, extent.starts_at - six_hours);
    }
    let staged = stage(Scenario::Cap, &extent(5, 5), &mut Options::default());
    assert_eq!(
        staged.used(),
        None,
        "without limits there is nothing to use up"
    );
}

#[test]
fn a_rule_that_nobody_counts_towards_is_not_used_up() {
    let rule = |per, unit| Rule { max: 50, per, unit };
    let rules = vec![
        rule(Duration::from_hours(24), Unit::ExternalRecipients),
        rule(Duration::from_hours(1), Unit::Messages),
    ];
    for (external, unit) in [(0, Unit::Messages), (100, Unit::ExternalRecipients)] {
        let mut options = Options {
            rules: rules.clone(),
            ..Options::default()
        };
        let extent = Extent {
            external,
            ..extent(100, 100)
        };
        let staged = stage(Scenario::Cap, &extent, &mut options);
        assert_eq!(staged.used().unwrap().0.unit, unit);
    }
}
