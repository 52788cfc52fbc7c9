use std::time::Duration;

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::limits::{Closed, Hours, Schedule};

fn rule(max: u64, per: Duration, unit: Unit) -> Rule {
    Rule { max, per, unit }
}

fn microsoft() -> [Rule; 2] {
    [
        rule(10_000, Duration::from_hours(24), Unit::Recipients),
        rule(30, Duration::from_mins(1), Unit::Messages),
    ]
}

fn track(account: &str, rules: &[Rule]) -> Track {
    Track {
        account: account.to_owned(),
        limiter: Limiter::new(rules),
        held_until: None,
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

const ONE: Weight = Weight {
    recipients: 1,
    external: 0,
};

fn individual(count: u64, tracks: Vec<Track>, calendar: Calendar, start: &str) -> Laid {
    let mut table = Timetable::new(tracks, calendar, at(start));
    for _ in 0..count {
        table.add(ONE, 1, None).unwrap();
    }
    table.finish()
}

#[test]
fn ten_thousand_individual_messages_take_five_and_a_half_hours_at_thirty_a_minute() {
    let start = "2026-12-01T00:00:00Z";
    let tracks = vec![track("comms", &microsoft())];
    let laid = individual(10_001, tracks, Calendar::always(), start);
    let sizes: Vec<u64> = laid.batches.iter().map(|batch| batch.messages).collect();
    assert_eq!(sizes, [10_000, 1]);
    let minutes = laid.batches[0].ends_at.duration_since(at(start)).as_secs() / 60;
    assert_eq!(
        minutes, 333,
        "the first thirty go at once, then thirty a minute"
    );
    assert_eq!(laid.batches[1].date, "2026-12-02");
    assert_eq!(laid.runs[1].first, 10_001);
    let day = Reason::Rule(microsoft()[0]);
    assert_eq!(
        laid.limited_by,
        Some(day),
        "18 hours of waiting for the day, and 5 for the minutes"
    );
}

#[test]
fn two_accounts_take_half_the_time_and_share_the_days() {
    let tracks = vec![track("a", &microsoft()), track("b", &microsoft())];
    let start = "2026-12-01T00:00:00Z";
    let laid = individual(10_000, tracks, Calendar::always(), start);
    let finish = laid.finishes_at.unwrap().duration_since(at(start));
    assert_eq!(finish.as_secs() / 60, 166);
    let shares: Vec<_> = laid
        .batches
        .iter()
        .map(|batch| (batch.account.as_str(), batch.messages))
        .collect();
    assert_eq!(shares, [("a", 5_010), ("b", 4_990)]);
    let in_runs: u64 = laid.runs.iter().map(|run| run.messages).sum();
    assert_eq!(in_runs, 10_000);
}

#[test]
fn nights_and_week_ends_pass_and_are_what_limits() {
    let schedule = Schedule {
        hours: Some(Hours::parse("Mon-Fri 09:00-14:00").unwrap()),
        ..Schedule::default()
    };
    let calendar = Calendar::new(schedule, TimeZone::get("Europe/Berlin").unwrap());
    // A Thursday.
    let tracks = vec![track("comms", &microsoft())];
    let laid = individual(20_000, tracks, calendar, "2026-12-03T06:00:00Z");
    let days: Vec<_> = laid
        .batches
        .iter()
        .map(|batch| (batch.date.as_str(), batch.messages))
        .collect();
    assert_eq!(
        days,
        [
            ("2026-12-03", 9_000),
            ("2026-12-04", 9_000),
            ("2026-12-07", 2_000)
        ]
    );
    assert_eq!(laid.batches[0].starts_at, at("2026-12-03T08:00:00Z"));
    assert_eq!(laid.limited_by, Some(Reason::Closed(Closed::Hours)));
}

#[test]
fn a_pause_and_a_later_attempt_are_waited_for() {
    let start = at("2026-12-01T00:00:00Z");
    let mut held = track("comms", &[]);
    held.held_until = Some(at("2026-12-01T01:00:00Z"));
    let mut table = Timetable::new(vec![held], Calendar::always(), start);
    table.add(ONE, 1, None).unwrap();
    assert_eq!(table.now(), at("2026-12-01T01:00:00Z"));
    let due = at("2026-12-01T03:00:00Z");
    table.add(ONE, 1, Some(due)).unwrap();
    let laid = table.finish();
    assert_eq!(laid.finishes_at, Some(due));
    assert_eq!(laid.limited_by, Some(Reason::Deferred));
}

#[test]
fn what_can_never_go_is_said() {
    let small = rule(10, Duration::from_mins(1), Unit::Recipients);
    let start = at("2026-12-01T00:00:00Z");
    let tracks = vec![track("comms", &[small])];
    let mut table = Timetable::new(tracks, Calendar::always(), start);
    let eleven = Weight {
        recipients: 11,
        external: 0,
    };
    assert_eq!(table.add(eleven, 11, None), Err(small));
    // An account with more room takes it.
    let tracks = vec![track("comms", &[small]), track("other", &[])];
    let mut table = Timetable::new(tracks, Calendar::always(), start);
    assert_eq!(table.add(eleven, 11, None), Ok(()));
    assert_eq!(table.finish().batches[0].account, "other");
}

fn rules() -> impl Strategy<Value = Vec<Rule>> {
    let unit = prop::sample::select(vec![
        Unit::Messages,
        Unit::Recipients,
        Unit::ExternalRecipients,
    ]);
    let per = prop::sample::select(vec![1_u64, 60, 3_600, 86_400]);
    let rule = (1_u64..40, per, unit);
    let rule = rule.prop_map(|(max, per, unit)| rule_of(max, per, unit));
    prop::collection::vec(rule, 0..4)
}

fn rule_of(max: u64, seconds: u64, unit: Unit) -> Rule {
    rule(max, Duration::from_secs(seconds), unit)
}

/// An account with its rules, what it has handed over before the start, and a pause.
fn tracks() -> impl Strategy<Value = Vec<Track>> {
    let past = prop::collection::vec((0_i64..90_000, 1_u64..4, 0_u64..2), 0..12);
    let held = prop::option::weighted(0.2, 0_i64..10_000);
    let track = (rules(), past, held).prop_map(|(rules, past, held)| {
        let mut track = track("a", &rules);
        let mut past = past;
        past.sort_unstable_by_key(|(before, ..)| -before);
        for (before, recipients, external) in past {
            let weight = Weight {
                recipients,
                external,
            };
            let ago = SignedDuration::from_secs(before);
            track
                .limiter
                .record(at("2026-12-01T09:00:00Z") - ago, weight);
        }
        track.held_until =
            held.map(|seconds| at("2026-12-01T09:00:00Z") + SignedDuration::from_secs(seconds));
        track
    });
    prop::collection::vec(track, 1..4)
}

/// So many messages that are alike.
fn run() -> impl Strategy<Value = (Message, u64)> {
    let time = |likely| prop::option::weighted(likely, 0_i64..100_000);
    (
        1_u64..4,
        0_u64..3,
        1_u64..4,
        time(0.15),
        time(0.3),
        1_u64..60,
    )
        .prop_map(|(recipients, external, listed, due, planned, messages)| {
            let later = |seconds| at("2026-12-01T09:00:00Z") + SignedDuration::from_secs(seconds);
            let message = Message {
                weight: Weight {
                    recipients,
                    external: external.min(recipients),
                },
                listed: listed.min(recipients),
                due: due.map(later),
                planned: planned.filter(|_| recipients > 1).map(later),
            };
            (message, messages)
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Together or one by one, messages go at the same moments, by the same accounts, in the same batches.
    #[test]
    fn a_run_goes_where_its_messages_go_one_by_one(
        tracks in tracks(), runs in prop::collection::vec(run(), 1..6), hours: bool, cuts: bool,
    ) {
        let schedule = Schedule {
            hours: hours.then(|| Hours::parse("Mon-Fri 08:30-10:15, 22:00-02:00").unwrap()),
            ..Schedule::default()
        };
        let calendar = Calendar::new(schedule, TimeZone::get("Europe/Berlin").unwrap());
        let table = Timetable::new(tracks, calendar, at("2026-12-01T09:00:00Z"));
        let table = if cuts { table.with_cuts() } else { table };
        let (mut together, mut alone) = (table.clone(), table);
        for (message, messages) in &runs {
            let added = together.add_run(message, *messages);
            let one_by_one = (0..*messages).try_for_each(|_| alone.add_run(message, 1));
            prop_assert_eq!(added, one_by_one);
            if added.is_err() {
                return Ok(());
            }
        }
        prop_assert_eq!(together.finish(), alone.finish());
    }
}
