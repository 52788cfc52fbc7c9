//! What people change while a campaign is under way: who is suppressed, retried, cancelled, settled.

mod laws;

use super::*;

const ANN: (&str, i64) = ("ann on desk", 50);

fn by() -> (&'static str, Timestamp) {
    (ANN.0, at(ANN.1))
}

fn entry(subject: &str) -> NewSuppression {
    NewSuppression {
        subject: subject.to_owned(),
        written: subject.to_owned(),
        reason: "asked".to_owned(),
    }
}

fn suppress(world: &World, subject: &str) -> Suppressed {
    let (by, now) = by();
    world
        .store()
        .suppress(None, &[entry(subject)], by, now)
        .unwrap()
}

fn state_of(world: &World, row: u64) -> String {
    let key = format!("p{row}@contoso.com");
    let person = world.store().state_of_person(world.campaign, &key).unwrap();
    person.unwrap().outcome
}

/// Hands a claimed message over and has it accepted.
async fn deliver(journal: &Journal, claim: &Claim) {
    journal
        .hand_over(0, claim, mark(claim, at(2)))
        .await
        .unwrap();
    journal.finish(0, claim, accepted(at(3))).await.unwrap();
}

fn refused(rows: &[u64]) -> Vec<(u64, String)> {
    let reply = "550 5.1.10 nobody of that name".to_owned();
    rows.iter().map(|row| (*row, reply.clone())).collect()
}

fn retry(world: &World, rows: &[u64]) -> u64 {
    let mut store = world.store();
    store.retry(world.campaign, rows, &|_| false, by()).unwrap()
}

fn deeds(world: &World) -> Vec<(Deed, Option<u64>, Option<String>)> {
    let all = world.store().history(world.campaign).unwrap().into_iter();
    all.filter(|one| one.deed != Deed::Planned)
        .map(|one| (one.deed, one.recipients, one.by))
        .collect()
}

#[tokio::test]
async fn who_is_suppressed_leaves_a_shared_message_and_the_others_go() {
    let world = world(5, 1);
    let done = suppress(&world, "p2@contoso.com");
    assert_eq!((done.added, done.known), (1, 0));
    assert_eq!(done.reached.len(), 1);
    assert_eq!(done.reached[0].withdrawn, 1);
    assert_eq!(world.counts().suppressed, 1);
    let journal = world.journal(&[]);
    let claim = claimed(&journal, at(1)).await;
    let rows: Vec<u64> = claim.recipients.iter().map(|one| one.row).collect();
    assert_eq!(rows, [1, 3, 4, 5]);
    assert_eq!(claim.weight.recipients, 4, "and no more is reserved");
    deliver(&journal, &claim).await;
    let counts = world.counts();
    assert_eq!((counts.sent, counts.pending, counts.suppressed), (4, 1, 1));
    assert_eq!(
        deeds(&world),
        [(Deed::Suppressed, Some(1), Some(ANN.0.to_owned()))]
    );
    // Again, with a reason: the entry's date stays.
    let again = suppress(&world, "p2@contoso.com");
    assert_eq!((again.added, again.known), (0, 1));
}

#[tokio::test]
async fn a_message_with_nobody_left_is_cancelled_and_the_campaign_ends() {
    let world = world(2, 1);
    suppress(&world, "@contoso.com");
    let counts = world.counts();
    assert_eq!(counts.suppressed, 3);
    let messages = world.store().message_counts(world.campaign).unwrap();
    assert_eq!(messages.total(), 0, "nobody is in them");
    let journal = world.journal(&[]);
    assert!(matches!(
        journal.claim(0, at(1)).await.unwrap(),
        Answer::Nothing
    ));
    let batches = world.store().batches(world.campaign).unwrap();
    assert!(batches.is_empty(), "who has no message is in no batch");
}

#[tokio::test]
async fn what_is_in_hand_is_left_alone_and_told() {
    let world = world(0, 3);
    let journal = world.journal(&[]);
    let first = claimed(&journal, at(1)).await;
    let second = claimed(&journal, at(1)).await;
    deliver(&journal, &first).await;
    let done = suppress(&world, "@contoso.com");
    let reached = &done.reached[0];
    assert_eq!(
        (reached.withdrawn, reached.in_hand, reached.sent),
        (1, 1, 1)
    );
    // What was begun before goes; what comes back is not begun again.
    let released = Finish::Released {
        apart: None,
        at: at(4).into(),
        phase: Phase::Connect,
        reply: "connection closed".into(),
        refused: vec![],
        weight: second.weight,
    };
    journal.finish(0, &second, released).await.unwrap();
    assert_eq!(state_of(&world, 2), "pending");
    assert!(matches!(
        journal.claim(0, at(5)).await.unwrap(),
        Answer::Nothing
    ));
    assert_eq!(state_of(&world, 2), "suppressed");
    assert_eq!(state_of(&world, 1), "sent");
    assert_eq!(world.counts().total(), 3);
}

#[tokio::test]
async fn an_entry_for_one_campaign_leaves_the_others_alone() {
    let world = world(0, 2);
    let other = plan(&world.store(), "other", 0, 2);
    let (by, now) = by();
    let done = world
        .store()
        .suppress(Some("other"), &[entry("p1@contoso.com")], by, now)
        .unwrap();
    assert_eq!(done.reached.len(), 1);
    assert_eq!(done.reached[0].campaign, "other");
    assert_eq!(world.counts().suppressed, 0);
    let store = world.store();
    assert_eq!(store.recipient_counts(other).unwrap().suppressed, 1);
    assert!(store.suppressed_subjects("news").unwrap().is_empty());
    assert_eq!(store.suppressed_subjects("other").unwrap().len(), 1);
    // And the claim of the one that is not meant takes its first message.
    let claim = claimed(&world.journal(&[]), at(1)).await;
    assert_eq!(claim.recipients[0].row, 1);
}

#[tokio::test]
async fn who_is_off_the_list_stays_left_out_until_they_are_restored() {
    let world = world(0, 2);
    suppress(&world, "p1@contoso.com");
    let mut store = world.store();
    let message = Restored {
        row: 1,
        message_id: "<new@contoso.com>".into(),
        digest: [2; 32],
        recipients: 1,
        external: 0,
    };
    let restore = |store: &mut Store| {
        store
            .restore(world.campaign, std::slice::from_ref(&message), by())
            .unwrap()
    };
    assert_eq!(restore(&mut store), 0, "still on the list");
    let entry = store.unsuppress(None, "p1@contoso.com").unwrap().unwrap();
    assert_eq!(entry.reason, "asked");
    assert_eq!(store.unsuppress(None, "p1@contoso.com").unwrap(), None);
    assert_eq!(
        store.left_out_for(None, "p1@contoso.com").unwrap(),
        [("news".to_owned(), 1)]
    );
    assert_eq!(state_of(&world, 1), "suppressed");
    assert_eq!(restore(&mut store), 1);
    assert_eq!(restore(&mut store), 0, "once");
    let journal = world.journal(&[]);
    for _ in 0..2 {
        deliver(&journal, &claimed(&journal, at(1)).await).await;
    }
    assert_eq!(world.counts().sent, 2);
}

#[tokio::test]
async fn a_message_refused_as_a_whole_goes_again_as_it_is() {
    let world = world(0, 1);
    let journal = world.journal(&[]);
    let claim = claimed(&journal, at(1)).await;
    let all = Finish::Refused {
        at: at(2).into(),
        phase: Phase::RcptTo,
        reply: "550 5.1.10 nobody of that name".into(),
        refused: refused(&[1]),
    };
    journal.finish(0, &claim, all).await.unwrap();
    assert_eq!(world.store().refusals(world.campaign).unwrap().len(), 1);
    let mut store = world.store();
    store
        .set_state(world.campaign, &RunState::Finished, None)
        .unwrap();
    assert_eq!(retry(&world, &[1]), 1);
    assert_eq!(retry(&world, &[1]), 0, "once");
    let record = store.campaign("news").unwrap().unwrap();
    assert_eq!(record.run_state, RunState::Planned);
    let again = claimed(&journal, at(9)).await;
    assert_eq!(again.message, claim.message);
    assert_eq!(again.message_id, claim.message_id);
    assert_eq!((again.dated_at, again.failures), (claim.dated_at, 0));
    deliver(&journal, &again).await;
    assert_eq!(world.counts().sent, 1);
    assert_eq!(
        deeds(&world),
        [(Deed::Retried, Some(1), Some(ANN.0.to_owned()))]
    );
}

#[tokio::test]
async fn a_refused_recipient_of_a_sent_message_goes_on_alone_and_nobody_gets_it_twice() {
    let world = world(4, 0);
    let journal = world.journal(&[]);
    let claim = claimed(&journal, at(1)).await;
    let handing_over = HandOver {
        refused: refused(&[2, 3]),
        weight: Weight {
            recipients: 2,
            external: 0,
        },
        ..mark(&claim, at(2))
    };
    journal.hand_over(0, &claim, handing_over).await.unwrap();
    // In hand: nobody of it is touched.
    assert_eq!(retry(&world, &[2, 3]), 0);
    journal.finish(0, &claim, accepted(at(3))).await.unwrap();
    assert_eq!(retry(&world, &[1, 3]), 1, "row 1 has it");
    let again = claimed(&journal, at(9)).await;
    let rows: Vec<u64> = again.recipients.iter().map(|one| one.row).collect();
    assert_eq!(rows, [3]);
    assert_eq!(again.weight.recipients, 1);
    assert_ne!(again.message, claim.message);
    assert_eq!(again.message_id, claim.message_id);
    assert_eq!(again.dated_at, claim.dated_at);
    assert!(again.shared, "the same bytes as the others got");
    deliver(&journal, &again).await;
    let counts = world.counts();
    assert_eq!((counts.sent, counts.refused), (3, 1));
}

#[tokio::test]
async fn who_is_on_the_list_is_not_retried() {
    let world = world(3, 0);
    let journal = world.journal(&[]);
    let claim = claimed(&journal, at(1)).await;
    let handing_over = HandOver {
        refused: refused(&[2]),
        ..mark(&claim, at(2))
    };
    journal.hand_over(0, &claim, handing_over).await.unwrap();
    journal.finish(0, &claim, accepted(at(3))).await.unwrap();
    suppress(&world, "p2@contoso.com");
    assert!(world.store().refusals(world.campaign).unwrap()[0].suppressed);
    assert_eq!(retry(&world, &[2]), 0);
    assert_eq!(state_of(&world, 2), "refused");
}

#[tokio::test]
async fn copies_go_with_whoever_goes_on_alone() {
    let world = world(3, 0);
    let store = world.store();
    // Two copies, which `world` does not plan.
    store
        .connection
        .execute("UPDATE message SET copies = 2, recipients = 5", [])
        .unwrap();
    let journal = world.journal(&[]);
    let claim = claimed(&journal, at(1)).await;
    let handing_over = HandOver {
        refused: refused(&[2]),
        weight: Weight {
            recipients: 3,
            external: 0,
        },
        ..mark(&claim, at(2))
    };
    journal.hand_over(0, &claim, handing_over).await.unwrap();
    journal.finish(0, &claim, accepted(at(3))).await.unwrap();
    retry(&world, &[2]);
    let again = claimed(&journal, at(9)).await;
    assert_eq!(again.weight.recipients, 3);
}

#[tokio::test]
async fn who_is_cancelled_gets_nothing_and_the_others_do() {
    let world = world(3, 2);
    let journal = world.journal(&[]);
    let claim = claimed(&journal, at(1)).await;
    assert_eq!(claim.recipients.len(), 3);
    let mut store = world.store();
    let (by, now) = by();
    // The shared message is in hand, the fourth is not.
    assert_eq!(
        store
            .cancel(world.campaign, Some(&[1, 4]), by, now)
            .unwrap(),
        1
    );
    let deferred = Finish::Deferred {
        at: at(2).into(),
        due_at: at(3),
        blameless: false,
        phase: Phase::Data,
        reply: "451 4.3.0 later".into(),
        refused: vec![],
        weight: claim.weight,
    };
    journal.finish(0, &claim, deferred).await.unwrap();
    assert_eq!(
        store.cancel(world.campaign, Some(&[1]), by, now).unwrap(),
        1
    );
    let again = claimed(&journal, at(9)).await;
    let rows: Vec<u64> = again.recipients.iter().map(|one| one.row).collect();
    assert_eq!(rows, [2, 3]);
    deliver(&journal, &again).await;
    assert_eq!(store.cancel(world.campaign, None, by, now).unwrap(), 1);
    let counts = world.counts();
    assert_eq!((counts.sent, counts.cancelled), (2, 3));
    assert!(matches!(
        journal.claim(0, at(9)).await.unwrap(),
        Answer::Nothing
    ));
    assert_eq!(store.cancel(world.campaign, None, by, now).unwrap(), 0);
    assert_eq!(deeds(&world).len(), 3, "what changes nothing is no deed");
}

#[tokio::test]
async fn a_settled_doubt_is_written_down() {
    let world = world(0, 1);
    let journal = world.journal(&[]);
    let claim = claimed(&journal, at(1)).await;
    journal
        .hand_over(0, &claim, mark(&claim, at(2)))
        .await
        .unwrap();
    drop(journal);
    world.recover();
    suppress(&world, "p1@contoso.com");
    assert_eq!(state_of(&world, 1), "in_doubt", "nobody knows");
    let mut store = world.store();
    let these = Selection::These(vec![claim.number]);
    let settled = store
        .resolve(world.campaign, &these, Resolution::Resend, by())
        .unwrap();
    assert_eq!(settled[0].account, "comms");
    assert_eq!(
        deeds(&world),
        [
            (Deed::Resolved, Some(1), Some(ANN.0.to_owned())),
            (Deed::Suppressed, Some(1), None)
        ]
    );
    // Asked to send it again, but not to somebody on the list.
    assert_eq!((settled[0].suppressed, settled[0].unlisted), (1, 0));
    assert_eq!(state_of(&world, 1), "suppressed");
    assert!(matches!(
        world.journal(&[]).claim(0, at(2000)).await.unwrap(),
        Answer::Nothing
    ));
}
