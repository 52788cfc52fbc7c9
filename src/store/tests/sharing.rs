//! One mailbox, two campaigns: one ledger.

use super::*;

#[tokio::test]
async fn the_rules_hold_over_restarts_and_over_two_campaigns_of_one_mailbox() {
    let world = world(0, 3);
    let other = plan(&world.store(), "other", 0, 3);
    let rules = [Rule {
        max: 2,
        per: Duration::from_mins(1),
        unit: Unit::Messages,
    }];
    let ours = world.journal(&rules);
    let theirs = Journal::start(
        world.store(),
        Claiming {
            campaign: other,
            calendar: Calendar::always(),
            lanes: vec![lane("another-name", "comms@contoso.com", &rules)],
        },
    )
    .0;
    let first = claimed(&ours, at(1)).await;
    let second = claimed(&theirs, at(1)).await;
    assert!(matches!(
        ours.claim(0, at(1)).await.unwrap(),
        Answer::AfterVerdict(_)
    ));
    for (journal, claim, stamp) in [(&ours, &first, 5), (&theirs, &second, 10)] {
        journal
            .hand_over(0, claim, mark(claim, at(4)))
            .await
            .unwrap();
        journal.finish(0, claim, accepted(at(stamp))).await.unwrap();
    }
    let until = |answer: Answer| match answer {
        Answer::NotBefore(until, rule) => {
            assert_eq!(rule, Reason::Rule(rules[0]));
            until
        }
        other => panic!("{other:?}"),
    };
    let freed = at(65) + SignedDuration::from_millis(1);
    assert_eq!(until(ours.claim(0, at(11)).await.unwrap()), freed);
    drop(ours);
    let restarted = world.journal(&rules);
    assert_eq!(until(restarted.claim(0, at(12)).await.unwrap()), freed);
    claimed(&restarted, freed).await;
}

#[tokio::test]
async fn what_was_handed_over_here_and_there_counts_once() {
    let world = world(0, 8);
    let other = plan(&world.store(), "other", 0, 8);
    let rules = [Rule {
        max: 8,
        per: Duration::from_mins(1),
        unit: Unit::Messages,
    }];
    let ours = world.journal(&rules);
    let lanes = vec![lane("comms", "comms@contoso.com", &rules)];
    let claiming = Claiming {
        campaign: other,
        calendar: Calendar::always(),
        lanes,
    };
    let theirs = Journal::start(world.store(), claiming).0;
    // In turns, so that each has stamps of the other between its own; and each with one in hand.
    for round in 0..4 {
        let first = claimed(&ours, at(round)).await;
        let second = claimed(&theirs, at(round)).await;
        for (journal, claim) in [(&ours, &first), (&theirs, &second)] {
            journal
                .hand_over(0, claim, mark(claim, at(round)))
                .await
                .unwrap();
            journal.finish(0, claim, accepted(at(round))).await.unwrap();
        }
    }
    for journal in [&ours, &theirs] {
        assert!(matches!(
            journal.claim(0, at(5)).await.unwrap(),
            Answer::NotBefore(..)
        ));
        // The first two of a minute ago have left the window: there is room for two.
        assert!(matches!(
            journal.look(0, at(61)).await.unwrap(),
            Answer::MayGo
        ));
    }
}

#[tokio::test]
async fn who_waits_for_its_turn_does_not_forget_what_was_stamped_meanwhile() {
    let world = world(0, 2);
    let other = plan(&world.store(), "other", 0, 2);
    let rules = [Rule {
        max: 1,
        per: Duration::from_mins(1),
        unit: Unit::Messages,
    }];
    let ours = world.journal(&rules);
    let claiming = Claiming {
        campaign: other,
        calendar: Calendar::always(),
        lanes: vec![lane("comms", "comms@contoso.com", &rules)],
    };
    let theirs = Journal::start(world.store(), claiming).0;
    let claim = claimed(&ours, at(1)).await;
    ours.hand_over(0, &claim, mark(&claim, at(2)))
        .await
        .unwrap();
    ours.finish(0, &claim, accepted(at(10))).await.unwrap();
    // Asked at 3, and answered only now.
    for asked in [3, 4, 69] {
        assert!(matches!(
            theirs.claim(0, at(asked)).await.unwrap(),
            Answer::NotBefore(until, _) if until == at(70) + SignedDuration::from_millis(1)
        ));
    }
}

/// A claim costs the same however many messages there are: each look at them is a search in the index, in its
/// order.
#[tokio::test]
async fn a_claim_searches_and_neither_scans_nor_sorts() {
    let world = world(0, 3);
    let store = world.store();
    for (sql, index) in line::searches() {
        let mut statement = store
            .connection
            .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
            .unwrap();
        let parameters = statement.parameter_count();
        let steps: Vec<String> = statement
            .query_map(
                rusqlite::params_from_iter(&[1, 0, 0, 0, 0][..parameters]),
                |row| row.get(3),
            )
            .unwrap()
            .map(Result::unwrap)
            .collect();
        let index =
            format!("SEARCH message USING INDEX {index} (campaign=? AND lane=? AND <expr>=?");
        assert_eq!(steps.len(), 1, "{sql}: {steps:?}");
        assert!(steps[0].starts_with(&index), "{sql}: {steps:?}");
    }
}

#[tokio::test]
async fn who_was_refused_is_not_waited_for_the_next_time() {
    let world = world(3, 0);
    let rules = [Rule {
        max: 3,
        per: Duration::from_hours(1),
        unit: Unit::Recipients,
    }];
    let journal = world.journal(&rules);
    let claim = claimed(&journal, at(1)).await;
    assert_eq!(claim.weight.recipients, 3);
    let weight = Weight {
        recipients: 2,
        external: 0,
    };
    let refused = |row| vec![(row, "550 5.1.1 nobody".to_owned())];
    let deferred = Finish::Deferred {
        at: at(2).into(),
        due_at: at(3),
        blameless: false,
        phase: Phase::Data,
        reply: "451 later".into(),
        refused: refused(1),
        weight,
    };
    journal.finish(0, &claim, deferred).await.unwrap();
    let claim = claimed(&journal, at(4)).await;
    assert_eq!((claim.recipients.len(), claim.weight), (2, weight));
    let weight = Weight {
        recipients: 1,
        external: 0,
    };
    let released = Finish::Released {
        apart: None,
        at: at(5).into(),
        phase: Phase::RcptTo,
        reply: "421 busy".into(),
        refused: refused(2),
        weight,
    };
    journal.finish(0, &claim, released).await.unwrap();
    let claim = claimed(&journal, at(6)).await;
    assert_eq!((claim.recipients.len(), claim.weight), (1, weight));
}
