//! The clock is set, the machine is started again: what was sent counts for as long as it should.

use proptest::prelude::*;

use super::*;

fn per(max: u64, per: Duration) -> Rule {
    Rule {
        max,
        per,
        unit: Unit::Messages,
    }
}

fn seconds(count: i64) -> SignedDuration {
    SignedDuration::from_secs(count)
}

fn until(answer: Answer) -> Timestamp {
    match answer {
        Answer::NotBefore(until, _) | Answer::Held(until, _) => until,
        other => panic!("{other:?}"),
    }
}

async fn send_one(journal: &Journal, clock: &Clock) {
    let claim = match journal.claim(0, clock.reading()).await.unwrap() {
        Answer::Claimed(claim) => *claim,
        other => panic!("expected a claim, got {other:?}"),
    };
    let handed = mark(&claim, clock.now());
    journal.hand_over(0, &claim, handed).await.unwrap();
    let finish = Finish::Accepted {
        at: clock.reading(),
        reply: "250 2.0.0 OK".into(),
    };
    journal.finish(0, &claim, finish).await.unwrap();
}

#[tokio::test]
async fn after_a_start_of_the_machine_the_calendar_counts_and_never_for_longer_than_the_window() {
    let rules = [per(1, HOUR)];
    let world = world(0, 3);
    let ahead = Clock::simulated(at(30 * 86_400));
    send_one(&world.journal(&rules), &ahead).await;
    // The clock was a month ahead; it is right after the machine was started again.
    let right = Clock::simulated(at(1000));
    let ask = async || {
        let journal = world.journal(&rules);
        until(journal.look(0, right.reading()).await.unwrap())
    };
    let freed = at(1000) + seconds(3600) + SignedDuration::from_millis(1);
    assert_eq!(ask().await, freed);
    right.sleep_until(at(3000)).await;
    assert_eq!(ask().await, freed, "every run counts from the first");
    right.set_by(seconds(-600));
    assert_eq!(ask().await, freed - seconds(600));
    let stamps = world.store();
    let kept: i64 = stamps
        .connection
        .query_row("SELECT stamped_at FROM ledger", [], |row| row.get(0))
        .unwrap();
    assert_eq!(to_timestamp(kept).unwrap(), at(30 * 86_400), "as it was");
    // It was this clock that was wrong, and the other one right.
    let later = Clock::simulated(at(30 * 86_400 + 1800));
    let journal = world.journal(&rules);
    let answer = journal.look(0, later.reading()).await.unwrap();
    let left = until(answer).duration_since(later.now());
    assert_eq!(left, seconds(1800) + SignedDuration::from_millis(1));
}

#[tokio::test]
async fn a_store_from_before_the_steady_clock_keeps_its_limits() {
    let rules = [per(2, HOUR)];
    let world = world(0, 3);
    let connection = Connection::open(&world.path).unwrap();
    connection
        .execute_batch(
            "INSERT INTO ledger (mailbox, stamped_at, recipients, external, sequence)
                 VALUES ('comms@contoso.com', 100000, 1, 0, 1), ('comms@contoso.com', 200000, 1, 0, 2);
             INSERT INTO hold (mailbox, until, reply, refusals) VALUES ('other@contoso.com', 9000000, 'slow', 1);",
        )
        .unwrap();
    drop(connection);
    file::set_back(&world.path, 2);
    let clock = Clock::simulated(at(300));
    let answer = world.journal(&rules).look(0, clock.reading()).await;
    let freed = at(3700) + SignedDuration::from_millis(1);
    assert_eq!(until(answer.unwrap()), freed);
    let store = world.store();
    let hold = |now| store.hold("other@contoso.com", &now).unwrap().unwrap();
    assert_eq!(hold(clock.reading()).until, at(9000));
    let back = Reading::from(at(0) - seconds(86_400));
    assert_eq!(hold(back).until, at(0), "never longer than a day");
}

#[tokio::test]
async fn a_pause_is_as_long_as_it_was_asked_for() {
    let world = world(0, 1);
    let clock = Clock::simulated(at(30 * 86_400));
    let pause = Pause {
        length: seconds(3600),
        is_cap: false,
        reply: "later".into(),
    };
    let journal = world.journal(&[]);
    journal.hold(0, clock.reading(), pause).await.unwrap();
    clock.set_by(seconds(-20 * 86_400));
    clock.sleep_until(clock.now() + seconds(600)).await;
    let end = clock.now() + seconds(3000);
    let ask =
        async |clock: &Clock| until(world.journal(&[]).look(0, clock.reading()).await.unwrap());
    assert_eq!(ask(&clock).await, end);
    assert_eq!(until(journal.look(0, clock.reading()).await.unwrap()), end);
    // The machine is started again with a clock that is further back.
    let again = Clock::simulated(at(86_400));
    assert_eq!(ask(&again).await, at(86_400) + seconds(3000));
    again.sleep_until(at(86_400) + seconds(600)).await;
    assert_eq!(ask(&again).await, at(86_400) + seconds(3000));
}

#[derive(Debug, Clone)]
enum Doing {
    Send(bool),
    Pass(i64),
    Set(i64),
    Restart(bool),
}

fn doing() -> impl Strategy<Value = Doing> {
    prop_oneof![
        6 => any::<bool>().prop_map(Doing::Send),
        3 => (0i64..120).prop_map(Doing::Pass),
        1 => (0i64..4000).prop_map(Doing::Pass),
        1 => (-2i64..3).prop_map(Doing::Set),
        2 => (-300_000i64..300_000).prop_map(Doing::Set),
        1 => any::<bool>().prop_map(Doing::Restart),
    ]
}

/// True when no window of the rule holds more than it may, at these times.
fn holds(rule: &Rule, times: &[Timestamp]) -> bool {
    let per = SignedDuration::try_from(rule.per).unwrap();
    times.iter().enumerate().all(|(index, now)| {
        let before = times[..=index].iter();
        before.filter(|at| now.duration_since(**at) < per).count() as u64 <= rule.max
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn two_senders_keep_the_rules_however_the_clock_is_set(steps in prop::collection::vec(doing(), 1..80)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let world = world(0, 200);
            let other = plan(&world.store(), "other", 0, 200);
            let rules = [per(3, Duration::from_mins(1)), per(8, HOUR)];
            let start = |second: bool| {
                let claiming = Claiming {
                    campaign: if second { other } else { world.campaign },
                    calendar: Calendar::always(),
                    lanes: vec![lane("comms", "comms@contoso.com", &rules)],
                };
                Journal::start(world.store(), claiming).0
            };
            let clock = Clock::simulated(at(10_000_000));
            let mut senders = [start(false), start(true)];
            let mut sent: Vec<Timestamp> = Vec::new();
            for step in steps {
                match step {
                    Doing::Send(which) => {
                        let journal = &senders[usize::from(which)];
                        match journal.look(0, clock.reading()).await.unwrap() {
                            Answer::MayGo => {
                                send_one(journal, &clock).await;
                                sent.push(clock.unset().now());
                            }
                            Answer::NotBefore(until, _) => {
                                let wait = until.duration_since(clock.now());
                                assert!(wait.is_positive() && wait <= seconds(3601), "{wait}");
                                let frees = rules.iter().any(|rule| {
                                    let mut then = sent.clone();
                                    then.push(clock.unset().now() + wait - SignedDuration::from_millis(2));
                                    !holds(rule, &then)
                                });
                                assert!(frees, "no time is wasted");
                            }
                            other => panic!("{other:?}"),
                        }
                    }
                    Doing::Pass(count) => clock.sleep_until(clock.now() + seconds(count)).await,
                    Doing::Set(count) => clock.set_by(seconds(count)),
                    Doing::Restart(which) => senders[usize::from(which)] = start(which),
                }
            }
            for rule in &rules {
                assert!(holds(rule, &sent), "{rule}: {sent:?}");
            }
        });
    }
}
