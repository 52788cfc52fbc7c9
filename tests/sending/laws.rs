//! Random campaigns, rules and hours: no rule is ever broken by the server's own count, and no time is
//! wasted against the best that there can be.

use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use postroom::limits::{Calendar, Hours, Limiter, Rule, Schedule, Unit, Weight};
use postroom::plan::{Timetable, Track};
use postroom::sandbox;
use postroom::send::Ended;
use proptest::prelude::*;

use crate::campaign::{Campaign, server, start};

/// How many campaigns are sent over sockets; `.ci/run` asks for more.
fn cases() -> u32 {
    let asked = std::env::var("POSTROOM_TEST_CASES").ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(40)
}

fn rules() -> impl Strategy<Value = Vec<Rule>> {
    let unit = prop_oneof![Just(Unit::Messages), Just(Unit::Recipients)];
    let per = prop_oneof![
        10_u64..120,
        Just(3_600_u64),
        1_000_u64..90_000,
        Just(86_400_u64)
    ];
    let rule = (1_u64..25, per, unit).prop_map(|(max, seconds, unit)| Rule {
        max,
        per: Duration::from_secs(seconds),
        unit,
    });
    proptest::collection::vec(rule, 1..4)
}

/// As providers have them: what counts external people does so over no less time than any other rule.
fn rules_for_external() -> impl Strategy<Value = Vec<Rule>> {
    let external = (1_u64..25, 0_u64..3_600);
    (rules(), external).prop_map(|(mut rules, (max, longer))| {
        let longest = rules.iter().map(|rule| rule.per).max().unwrap();
        rules.push(Rule {
            max,
            per: longest + Duration::from_secs(longer),
            unit: Unit::ExternalRecipients,
        });
        rules
    })
}

fn schedule() -> impl Strategy<Value = Schedule> {
    let day = |n: u32| ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"][n as usize % 7];
    let clock = |quarters: u32| format!("{:02}:{:02}", quarters / 4 % 24, quarters % 4 * 15);
    let hours =
        (0_u32..7, 0_u32..7, 0_u32..96, 1_u32..96).prop_map(move |(first, days, from, length)| {
            let days = format!("{}-{}", day(first), day(first + days));
            Hours::parse(&format!("{days} {}-{}", clock(from), clock(from + length))).unwrap()
        });
    let holidays = proptest::collection::btree_set(1_i8..28, 0..4);
    (
        proptest::option::of(hours),
        holidays,
        proptest::option::of(0_i64..200_000),
    )
        .prop_map(|(hours, holidays, later)| Schedule {
            hours,
            holidays: holidays
                .into_iter()
                .map(|day| jiff::civil::date(2026, 12, day))
                .collect(),
            not_before: later.map(|seconds| start() + SignedDuration::from_secs(seconds)),
            starts_late: true,
        })
}

/// When an account can send its first, second, … message of one recipient, by the definition of a rolling
/// window alone: each a window after the one that is `max` before it, and when the calendar is open.
fn best(rules: &[Rule], calendar: &Calendar, count: usize) -> Vec<Timestamp> {
    let mut times: Vec<Timestamp> = Vec::with_capacity(count);
    for number in 0..count {
        let mut at = times.last().copied().unwrap_or_else(start);
        for rule in rules {
            if let Some(before) = number.checked_sub(rule.max as usize) {
                at = at.max(times[before] + SignedDuration::try_from(rule.per).unwrap());
            }
        }
        times.push(calendar.next_open(at).0);
    }
    times
}

/// The same for several accounts that share the messages.
fn best_of_all(accounts: &[Vec<Rule>], calendar: &Calendar, count: usize) -> Timestamp {
    let mut all: Vec<Timestamp> = accounts
        .iter()
        .flat_map(|rules| best(rules, calendar, count))
        .collect();
    all.sort_unstable();
    all[count - 1]
}

/// At most one in a hundred, and a moment for the rounding of each window.
fn wastes_nothing(took: SignedDuration, best: SignedDuration, count: usize) -> bool {
    let rounding = SignedDuration::from_millis(count as i64 + 1);
    took <= best + best / 100 + rounding
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, ..ProptestConfig::default() })]

    #[test]
    fn a_timetable_breaks_no_rule_and_ends_as_early_as_can_be(
        accounts in proptest::collection::vec(rules(), 1..4),
        schedule in schedule(),
        count in 1_usize..300,
    ) {
        let calendar = Calendar::new(schedule, TimeZone::get("Europe/Berlin").unwrap());
        let track = |rules: &Vec<Rule>| Track {
            account: String::new(),
            limiter: Limiter::new(rules),
            held_until: None,
        };
        let tracks = accounts.iter().map(track).collect();
        let mut table = Timetable::new(tracks, calendar.clone(), start());
        let one = Weight { recipients: 1, external: 0 };
        for _ in 0..count {
            table.add(one, 1, None).unwrap();
        }
        let laid = table.finish();
        let messages: u64 = laid.batches.iter().map(|batch| batch.messages).sum();
        let in_runs: u64 = laid.runs.iter().map(|run| run.messages).sum();
        prop_assert_eq!((messages, in_runs), (count as u64, count as u64));
        let took = laid.finishes_at.unwrap().duration_since(start());
        let best = best_of_all(&accounts, &calendar, count).duration_since(start());
        prop_assert!(took >= best, "{took:?} is earlier than {best:?} can be");
        prop_assert!(wastes_nothing(took, best, count), "{took:?}, and {best:?} would do");
    }
}

/// The definition itself against every schedule that there is, for a few messages on whole seconds.
#[test]
fn the_best_is_the_best() {
    for (rules, count) in [
        (vec![(2_u64, 3_u64), (3, 7)], 6),
        (vec![(1, 2), (2, 5), (3, 11)], 6),
        (vec![(3, 4), (4, 9)], 7),
    ] {
        let as_rules: Vec<Rule> = rules
            .iter()
            .map(|(max, seconds)| Rule {
                max: *max,
                per: Duration::from_secs(*seconds),
                unit: Unit::Messages,
            })
            .collect();
        let best = *best(&as_rules, &Calendar::always(), count).last().unwrap();
        let best = best.duration_since(start()).as_secs();
        assert!(fits(&rules, &mut Vec::new(), count, best), "{rules:?}");
        assert!(!fits(&rules, &mut Vec::new(), count, best - 1), "{rules:?}");
    }
}

/// Whether so many messages can all go by the second `last`, tried out.
fn fits(rules: &[(u64, u64)], sent: &mut Vec<i64>, count: usize, last: i64) -> bool {
    if sent.len() == count {
        return true;
    }
    let from = sent.last().copied().unwrap_or(0);
    (from..=last).any(|at| {
        let allowed = rules.iter().all(|(max, per)| {
            let held = sent.iter().filter(|sent| **sent > at - *per as i64).count();
            (held as u64) < *max
        });
        if !allowed {
            return false;
        }
        sent.push(at);
        let found = fits(rules, sent, count, last);
        sent.pop();
        found
    })
}

/// A list in which some are external, sent in its own order or with those first, as a plan chooses.
fn mixed(rules: &[Rule], external: &[bool]) -> SignedDuration {
    let lay_out = |list: &mut dyn Iterator<Item = bool>| {
        let track = Track {
            account: String::new(),
            limiter: Limiter::new(rules),
            held_until: None,
        };
        let mut table = Timetable::new(vec![track], Calendar::always(), start());
        for external in list {
            let weight = Weight {
                recipients: 1,
                external: u64::from(external),
            };
            table.add(weight, 1, None).unwrap();
        }
        table.finish().finishes_at.unwrap().duration_since(start())
    };
    let first = external.iter().copied().filter(|external| *external);
    let then = external.iter().copied().filter(|external| !external);
    lay_out(&mut external.iter().copied()).min(lay_out(&mut first.chain(then)))
}

/// Whether so many external and other messages can all go by the second `last`, tried out.
fn mixed_fits(rules: &[Rule], sent: &mut Vec<(i64, bool)>, left: [usize; 2], last: i64) -> bool {
    if left == [0, 0] {
        return true;
    }
    let from = sent.last().map_or(0, |(at, _)| *at);
    (from..=last).any(|at| {
        [true, false].into_iter().any(|external| {
            let mut left = left;
            let Some(one) = left
                .get_mut(usize::from(external))
                .filter(|left| **left > 0)
            else {
                return false;
            };
            *one -= 1;
            let allowed = rules.iter().all(|rule| {
                let counts = |external| external || rule.unit != Unit::ExternalRecipients;
                let is_held = |(sent, is_external): &&(i64, bool)| {
                    *sent > at - rule.per.as_secs() as i64 && counts(*is_external)
                };
                !counts(external) || (sent.iter().filter(is_held).count() as u64) < rule.max
            });
            if !allowed {
                return false;
            }
            sent.push((at, external));
            let found = mixed_fits(rules, sent, left, last);
            sent.pop();
            found
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn a_mixed_list_ends_as_early_as_can_be(
        general in proptest::collection::vec((1_u64..4, 1_u64..6), 1..3),
        external_rule in (1_u64..3, 0_u64..4),
        external in proptest::collection::vec(any::<bool>(), 1..8),
    ) {
        let rule = |max, seconds, unit| Rule { max, per: Duration::from_secs(seconds), unit };
        let longest = general.iter().map(|(_, seconds)| *seconds).max().unwrap();
        let mut rules: Vec<Rule> = general
            .iter()
            .map(|(max, seconds)| rule(*max, *seconds, Unit::Messages))
            .collect();
        rules.push(rule(external_rule.0, longest + external_rule.1, Unit::ExternalRecipients));
        let took = mixed(&rules, &external).as_secs();
        let outside = external.iter().filter(|external| **external).count();
        let left = [external.len() - outside, outside];
        prop_assert!(mixed_fits(&rules, &mut Vec::new(), left, took));
        // A shorter window may be full of others at the moment at which an external one could go: it costs
        // that window at most, each time the longer one opens.
        let openings = (outside as u64).saturating_sub(1) / external_rule.0;
        let others = general.iter().map(|(_, seconds)| *seconds);
        let shorter = others.filter(|seconds| *seconds < longest + external_rule.1).max();
        let slack = (openings * shorter.unwrap_or(0)) as i64;
        if took > slack {
            prop_assert!(
                !mixed_fits(&rules, &mut Vec::new(), left, took - slack - 1),
                "{took} s, and less than {slack} s fewer would do"
            );
        }
    }
}

/// Sends a campaign with external people in it by these accounts: one account ends when the plan said.
async fn send_mixed(
    accounts: &[Vec<Rule>],
    schedule: Schedule,
    external: &[bool],
    personal: bool,
    connections: usize,
) -> Result<(), String> {
    let mut campaign =
        Campaign::planned_for(external, personal, accounts, schedule.clone(), |_| None);
    campaign.connections = connections;
    let planned = SignedDuration::from_secs(campaign.planned_end());
    let servers = accounts.iter().map(|rules| {
        let options = sandbox::Options {
            rules: rules.clone(),
            ..server(vec![])
        };
        (options, rules.clone())
    });
    let sent = campaign.send_by(servers.collect()).await;
    if !matches!(sent.ended, Ended::Finished) {
        return Err(format!("it ended as {:?}", sent.ended));
    }
    for seen in &sent.all {
        if let Some(breach) = seen.breaches.first() {
            return Err(format!("a rule was broken: {breach:?}"));
        }
    }
    if campaign.counts().sent != external.len() as u64 {
        return Err(format!("{:?}", campaign.counts()));
    }
    let took = SignedDuration::from_secs(sent.took);
    // Seconds are rounded twice.
    // Of several accounts whoever is free first takes what is left of the others, which may not be as the
    // plan had it: to the second it is said of one.
    let is_planned = wastes_nothing(took, planned + SignedDuration::from_secs(1), external.len());
    if accounts.len() == 1 && !is_planned {
        return Err(format!("it took {took:?}, and {planned:?} was the plan"));
    }
    Ok(())
}

/// Sends a campaign of individual messages by these accounts; what went wrong, if anything did.
async fn send(
    accounts: &[Vec<Rule>],
    schedule: Schedule,
    count: usize,
    connections: usize,
) -> Result<(), String> {
    let mut campaign = Campaign::planned(count, true, accounts, schedule.clone());
    campaign.connections = connections;
    let servers = accounts.iter().map(|rules| {
        let options = sandbox::Options {
            rules: rules.clone(),
            ..server(vec![])
        };
        (options, rules.clone())
    });
    let sent = campaign.send_by(servers.collect()).await;
    if !matches!(sent.ended, Ended::Finished) {
        return Err(format!("it ended as {:?}", sent.ended));
    }
    for seen in &sent.all {
        if let Some(breach) = seen.breaches.first() {
            return Err(format!("a rule was broken: {breach:?}"));
        }
    }
    if campaign.counts().sent != count as u64 {
        return Err(format!("{:?}", campaign.counts()));
    }
    let calendar = Calendar::new(schedule, TimeZone::UTC);
    let times = sent
        .all
        .iter()
        .flat_map(|seen| &seen.records)
        .map(|one| one.at);
    let last = times.clone().max().unwrap();
    let closed = times.filter(|at| calendar.next_open(*at).0 != *at).count();
    if closed > 0 {
        return Err(format!("{closed} went while it was closed"));
    }
    let took = last.duration_since(start());
    let best = best_of_all(accounts, &calendar, count).duration_since(start());
    if !wastes_nothing(took, best, count) {
        return Err(format!("it took {took:?}, and {best:?} would do"));
    }
    Ok(())
}

#[test]
fn random_campaigns_break_no_rule_by_the_servers_count_and_waste_no_time() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let accounts = proptest::collection::vec(rules(), 1..3);
    let campaigns = (accounts, schedule(), 1_usize..60, 1_usize..4);
    let config = ProptestConfig {
        cases: cases(),
        ..ProptestConfig::default()
    };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    runner
        .run(&campaigns, |(accounts, schedule, count, connections)| {
            runtime
                .block_on(send(&accounts, schedule, count, connections))
                .map_err(TestCaseError::fail)
        })
        .unwrap();
}

#[test]
fn random_mixed_and_shared_campaigns_break_no_rule_and_end_when_the_plan_said() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let accounts = proptest::collection::vec(rules_for_external(), 1..3);
    let external = proptest::collection::vec(any::<bool>(), 1..60);
    let campaigns = (accounts, schedule(), external, any::<bool>(), 1_usize..4);
    let config = ProptestConfig {
        cases: cases(),
        ..ProptestConfig::default()
    };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    runner
        .run(
            &campaigns,
            |(accounts, schedule, external, personal, connections)| {
                runtime
                    .block_on(send_mixed(
                        &accounts,
                        schedule,
                        &external,
                        personal,
                        connections,
                    ))
                    .map_err(TestCaseError::fail)
            },
        )
        .unwrap();
}
