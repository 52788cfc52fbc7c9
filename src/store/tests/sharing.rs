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
