use super::super::Unit;
use super::window::ROUNDING;
use super::*;
use jiff::SignedDuration;
use proptest::prelude::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
}

fn rule(max: u64, seconds: u64, unit: Unit) -> Rule {
    Rule {
        max,
        per: Duration::from_secs(seconds),
        unit,
    }
}

fn one(recipients: u64) -> Weight {
    Weight {
        recipients,
        external: 0,
    }
}

#[test]
fn the_window_rolls_and_names_the_rule() {
    let rules = [
        rule(2, 60, Unit::Messages),
        rule(10, 3600, Unit::Recipients),
    ];
    let mut limiter = Limiter::new(&rules);
    limiter.record(at(0), one(1));
    limiter.record(at(30), one(1));
    let minute = at(60) + ROUNDING;
    assert_eq!(
        limiter.decide(at(31), one(1)),
        Decision::NotBefore(minute, Reason::Rule(rules[0]))
    );
    assert_eq!(limiter.decide(minute, one(1)), Decision::Go);
    let hour = at(3600) + ROUNDING;
    assert_eq!(
        limiter.decide(minute, one(9)),
        Decision::NotBefore(hour, Reason::Rule(rules[1]))
    );
    assert_eq!(limiter.decide(minute, one(11)), Decision::Never(rules[1]));
}

#[test]
fn what_is_reserved_counts_until_it_is_stamped_or_given_back() {
    let rule = rule(2, 60, Unit::Messages);
    let mut limiter = Limiter::new(&[rule]);
    limiter.reserve(Reservation(1), one(1));
    limiter.reserve(Reservation(2), one(1));
    assert_eq!(limiter.decide(at(0), one(1)), Decision::AfterVerdict(rule));
    limiter.stamp(Reservation(1), at(5));
    let freed = at(65) + ROUNDING;
    assert_eq!(
        limiter.decide(at(5), one(1)),
        Decision::NotBefore(freed, Reason::Rule(rule))
    );
    limiter.release(Reservation(2));
    assert_eq!(limiter.decide(at(5), one(1)), Decision::Go);
}

#[test]
fn a_clock_set_back_never_frees_a_window_early_nor_holds_it_for_ever() {
    let mut limiter = Limiter::new(&[rule(1, 60, Unit::Messages)]);
    limiter.record(at(1000), one(1));
    limiter.catch_up(at(10));
    let Decision::NotBefore(until, _) = limiter.decide(at(10), one(1)) else {
        panic!("the window is full");
    };
    assert_eq!(until, at(70) + ROUNDING);
    limiter.record(at(5), one(1));
    limiter.catch_up(at(66));
    assert!(matches!(
        limiter.decide(at(66), one(1)),
        Decision::NotBefore(..)
    ));
}

#[test]
fn who_asked_before_the_last_stamp_does_not_free_it_early() {
    let rule = rule(1, 60, Unit::Messages);
    let mut limiter = Limiter::new(&[rule]);
    limiter.record(at(100), one(1));
    // It had to wait for its turn while another process wrote that.
    limiter.catch_up(at(98));
    let freed = Decision::NotBefore(at(160) + ROUNDING, Reason::Rule(rule));
    assert_eq!(limiter.decide(at(98), one(1)), freed);
    limiter.catch_up(at(159));
    assert_eq!(limiter.decide(at(159), one(1)), freed);
}

#[test]
fn a_stamp_that_is_ahead_counts_until_its_own_time_and_moves_no_other() {
    let rule = rule(2, 60, Unit::Recipients);
    let mut limiter = Limiter::new(&[rule]);
    limiter.record(at(60), one(1));
    limiter.record(at(10), one(1));
    let until = |seconds| Decision::NotBefore(at(seconds) + ROUNDING, Reason::Rule(rule));
    assert_eq!(limiter.decide(at(10), one(1)), until(70));
    assert_eq!(limiter.decide(at(10), one(2)), until(120));
    assert_eq!(limiter.decide(at(71), one(1)), Decision::Go);
    limiter.record(at(71), one(1));
    assert_eq!(limiter.decide(at(71), one(1)), until(120));
    assert_eq!(limiter.decide(at(121), one(1)), Decision::Go);
}

#[test]
fn what_is_left_is_known_by_unit() {
    let rules = [
        rule(10, 60, Unit::Recipients),
        rule(7, 3600, Unit::Recipients),
    ];
    let mut limiter = Limiter::new(&rules);
    limiter.record(at(0), one(4));
    assert_eq!(limiter.room(at(1), Unit::Recipients), Some(3));
    assert_eq!(limiter.room(at(3700), Unit::Recipients), Some(7));
    assert_eq!(limiter.room(at(1), Unit::Messages), None);
}

#[test]
fn the_later_one_of_window_and_calendar_is_waited_for() {
    let mut limiter = Limiter::new(&[rule(1, 3600, Unit::Messages)]);
    limiter.record(at(0), one(1));
    let schedule = super::super::Schedule {
        not_before: Some(at(1800)),
        ..Default::default()
    };
    let zone = jiff::tz::TimeZone::UTC;
    let calendar = Calendar::new(schedule.clone(), zone.clone());
    let hour = at(3600) + ROUNDING;
    assert!(
        matches!(earliest(&limiter, &calendar, at(1), one(1)), Decision::NotBefore(until, Reason::Rule(_)) if until == hour)
    );
    let schedule = super::super::Schedule {
        not_before: Some(at(7200)),
        ..schedule
    };
    let calendar = Calendar::new(schedule, zone);
    let start = Decision::NotBefore(at(7200), Reason::Closed(Closed::NotBefore));
    assert_eq!(earliest(&limiter, &calendar, at(1), one(1)), start);
}

proptest! {
    /// Whatever is asked for and however long the verdicts take: no window of any rule holds more
    /// than its maximum by the other side's clock, which saw each message before its stamp here.
    #[test]
    fn no_window_ever_holds_more_than_its_maximum(
        rules in proptest::collection::vec((1_u64..20, 1_u64..100, 0_u8..3), 1..4),
        steps in proptest::collection::vec((0_i64..40_000, 0_i64..5_000, 1_u64..6, 0_u64..6), 1..150),
    ) {
        let rules: Vec<Rule> = rules.into_iter().map(|(max, seconds, unit)| {
            let unit = [Unit::Messages, Unit::Recipients, Unit::ExternalRecipients][usize::from(unit)];
            rule(max, seconds, unit)
        }).collect();
        let mut limiter = Limiter::new(&rules);
        let mut now = at(0);
        // The other side's own count, in its own words: (when it took the message, weight).
        let mut taken: Vec<(Timestamp, Weight)> = Vec::new();
        for (number, (pause, delay, recipients, external)) in steps.into_iter().enumerate() {
            now += SignedDuration::from_millis(pause);
            let weight = Weight { recipients, external: external.min(recipients) };
            match limiter.decide(now, weight) {
                Decision::Go => {}
                Decision::NotBefore(until, _) => {
                    prop_assert!(until > now, "a wait that is over is no wait");
                    now = until;
                    if limiter.decide(now, weight) != Decision::Go {
                        continue;
                    }
                }
                Decision::AfterVerdict(_) | Decision::Never(_) => continue,
            }
            let reservation = Reservation(number as i64);
            limiter.reserve(reservation, weight);
            taken.push((now, weight));
            now += SignedDuration::from_millis(delay);
            limiter.stamp(reservation, now);
            for rule in &rules {
                let per = SignedDuration::try_from(rule.per).unwrap();
                for &(end, _) in &taken {
                    let held: u64 = taken.iter()
                        .filter(|(t, _)| *t <= end && *t >= end - per)
                        .map(|(_, w)| w.of(rule.unit))
                        .sum();
                    prop_assert!(held <= rule.max, "{held} in a window of {rule}");
                }
            }
        }
    }

    /// In whichever order stamps come: every window holds what a plain sum over them says.
    #[test]
    fn stamps_out_of_order_are_counted_where_they_belong(
        stamps in proptest::collection::vec((0_i64..200_000, 1_u64..4), 1..60),
        asked in proptest::collection::vec(200_000_i64..400_000, 1..20),
        max in 4_u64..40, seconds in 1_u64..150,
    ) {
        let mut limiter = Limiter::new(&[rule(max, seconds, Unit::Recipients)]);
        let millis = |n| Timestamp::UNIX_EPOCH + SignedDuration::from_millis(n);
        for (stamp, amount) in &stamps {
            limiter.record(millis(*stamp), one(*amount));
        }
        for now in asked {
            let from = now - seconds as i64 * 1000;
            let held: u64 = stamps.iter().filter(|(stamp, _)| *stamp >= from).map(|(_, amount)| amount).sum();
            prop_assert_eq!(limiter.usage(millis(now))[0].1, held);
            let goes = limiter.decide(millis(now), one(1)) == Decision::Go;
            prop_assert_eq!(goes, held < max);
        }
    }
}

#[test]
fn as_many_fit_as_may_go_one_right_after_the_other() {
    let rules = [
        rule(5, 60, Unit::Messages),
        rule(10, 3600, Unit::Recipients),
    ];
    let mut limiter = Limiter::new(&rules);
    limiter.record(at(0), one(3));
    assert_eq!(limiter.fits(at(1), one(1)), 4);
    assert_eq!(limiter.fits(at(1), one(3)), 2);
    assert_eq!(limiter.fits(at(1), one(8)), 0);
    limiter.record_several(at(1), one(2), 3);
    assert_eq!(limiter.fits(at(61), one(1)), 1);
    assert_eq!(Limiter::new(&[]).fits(at(0), one(1)), u64::MAX);
}

#[test]
fn a_quota_says_when_the_next_share_and_when_all_is_free() {
    let day = rule(100, 86_400, Unit::Recipients);
    let mut limiter = Limiter::new(&[day]);
    let none = Quota {
        rule: day,
        used: 0,
        next: None,
        full_at: None,
    };
    assert_eq!(limiter.quotas(at(0)), [none]);
    // Shares of five.
    for second in 0..7 {
        limiter.record(at(second), one(1));
    }
    limiter.reserve(Reservation(1), one(2));
    let free = |second: i64| at(second + 86_400) + ROUNDING;
    let quota = Quota {
        rule: day,
        used: 9,
        next: Some((free(4), 5)),
        full_at: Some(free(6)),
    };
    assert_eq!(limiter.quotas(at(10)), [quota]);
    let rest = Quota {
        used: 4,
        next: None,
        ..quota
    };
    assert_eq!(
        limiter.quotas(free(4)),
        [rest],
        "what is less than a share is not divided"
    );
}

proptest! {
    /// Whoever asks in order gets the answers that everybody gets.
    #[test]
    fn what_is_dropped_at_once_is_missed_by_nobody_who_asks_in_order(
        steps in prop::collection::vec((0_i64..200, 1_u64..4), 1..300),
    ) {
        let rules = [rule(7, 60, Unit::Recipients), rule(40, 900, Unit::Recipients), rule(4, 30, Unit::Messages)];
        let mut usual = Limiter::new(&rules);
        let mut in_order = Limiter::new(&rules).in_order();
        let mut now = at(0);
        for (pause, recipients) in steps {
            now += SignedDuration::from_secs(pause / 20);
            let weight = one(recipients);
            let answer = usual.decide(now, weight);
            prop_assert_eq!(answer, in_order.decide(now, weight));
            prop_assert_eq!(usual.fits(now, weight), in_order.fits(now, weight));
            if answer == Decision::Go {
                usual.record(now, weight);
                in_order.record(now, weight);
            }
        }
    }
}
