//! A connection's turns: all or nothing, and nothing claimed ahead that people no longer want.

use super::*;

/// Two claimed messages, the second of them ahead of its turn.
async fn two(world: &World) -> (Journal, Claim, Claim) {
    let journal = world.journal(&[]);
    let first = claimed(&journal, at(1)).await;
    let second = claimed(&journal, at(1)).await;
    (journal, first, second)
}

/// The same, with the content of the first on its way.
async fn in_hand(world: &World) -> (Journal, Claim, Claim) {
    let (journal, first, second) = two(world).await;
    let over = mark(&first, at(2));
    journal.hand_over(0, &first, over).await.unwrap();
    (journal, first, second)
}

fn next(first: &Claim, second: &Claim) -> Turn {
    Turn {
        finish: Some((first.clone(), accepted(at(3)))),
        hand_over: Some((second.clone(), mark(second, at(3)))),
        was_ahead: true,
        wish: Some(Wish {
            at: at(3).into(),
            most: 2,
        }),
        ..Turn::default()
    }
}

#[tokio::test]
async fn a_verdict_the_next_mark_and_further_claims_are_one_turn() {
    let world = world(0, 3);
    let (journal, first, second) = in_hand(&world).await;
    let turned = journal.turn(0, next(&first, &second)).await.unwrap();
    assert_eq!(turned.withheld, None);
    assert!(
        matches!(turned.answers.as_slice(), [Answer::Claimed(third), Answer::Nothing] if third.number == 3),
        "{:?}",
        turned.answers
    );
    assert_eq!(world.counts().sent, 1);
    drop(journal);
    assert_eq!(world.recover(), 1, "only what was handed over is in doubt");
    let counts = world.counts();
    assert_eq!((counts.sent, counts.in_doubt, counts.pending), (1, 1, 1));
}

#[tokio::test]
async fn a_turn_of_which_a_part_fails_changes_nothing() {
    let world = world(0, 2);
    let (journal, first, second) = two(&world).await;
    // The first was never handed over, so it cannot have been taken.
    assert!(journal.turn(0, next(&first, &second)).await.is_err());
    drop(journal);
    assert_eq!(world.recover(), 0);
    assert_eq!(world.counts().pending, 2);
}

#[tokio::test]
async fn what_is_given_back_is_as_it_was_before() {
    let rule = Rule {
        max: 1,
        per: HOUR,
        unit: Unit::Messages,
    };
    let world = world(0, 1);
    let journal = world.journal(&[rule]);
    let claim = claimed(&journal, at(1)).await;
    let give_back = |claim: &Claim| Turn {
        give_back: vec![claim.clone()],
        ..Turn::default()
    };
    journal.turn(0, give_back(&claim)).await.unwrap();
    let attempts =
        "SELECT (SELECT count(*) FROM attempt) + attempts + (dated_at IS NOT NULL) FROM message";
    let raw = || Connection::open(&world.path).unwrap();
    let count = |sql| {
        raw()
            .query_row(sql, [], |row| row.get::<_, u64>(0))
            .unwrap()
    };
    assert_eq!(count(attempts), 0, "no attempt was made");
    // Its share is free again.
    let again = claimed(&journal, at(2)).await;
    assert!(again.is_new);
    let deferred = Finish::Deferred {
        at: at(3).into(),
        due_at: at(60),
        blameless: false,
        phase: Phase::RcptTo,
        reply: "450 later".into(),
        refused: vec![],
        weight: again.weight,
    };
    journal.finish(0, &again, deferred).await.unwrap();
    let later = claimed(&journal, at(60)).await;
    journal.turn(0, give_back(&later)).await.unwrap();
    assert_eq!(world.counts().pending + world.counts().deferred, 1);
    assert_eq!(
        count("SELECT count(*) FROM attempt"),
        1,
        "the one that was made"
    );
    let once_more = claimed(&journal, at(61)).await;
    assert!(!once_more.is_new && once_more.failures == 1);
    assert_eq!(once_more.dated_at, at(2), "of the first attempt");
}

#[tokio::test]
async fn a_halt_withholds_what_was_claimed_ahead() {
    let world = world(0, 3);
    let (journal, first, second) = in_hand(&world).await;
    let halt = Halt {
        at: at(2),
        by: "ann".to_owned(),
    };
    world.store().halt(world.campaign, &halt).unwrap();
    let turned = journal.turn(0, next(&first, &second)).await.unwrap();
    assert_eq!(turned.withheld, Some(Withheld::Halted(halt)));
    assert!(turned.answers.is_empty());
    assert_eq!(
        world.counts().sent,
        1,
        "the verdict is on disk all the same"
    );
}

#[tokio::test]
async fn who_is_suppressed_meanwhile_does_not_get_what_was_claimed_ahead() {
    let world = world(0, 2);
    let (journal, first, second) = in_hand(&world).await;
    let one = NewSuppression {
        subject: second.recipients[0].address.clone(),
        written: second.recipients[0].address.clone(),
        reason: "asked".to_owned(),
    };
    world.store().suppress(None, &[one], "ann", at(2)).unwrap();
    let turned = journal.turn(0, next(&first, &second)).await.unwrap();
    assert_eq!(turned.withheld, Some(Withheld::Withdrawn));
    let back = Turn {
        give_back: vec![second],
        ..Turn::default()
    };
    journal.turn(0, back).await.unwrap();
    let answer = journal.claim(0, at(4)).await.unwrap();
    assert!(matches!(answer, Answer::Nothing), "{answer:?}");
    let counts = world.counts();
    assert_eq!((counts.sent, counts.suppressed), (1, 1));
}
