//! Plans are drafts until they are whole.

use super::*;

#[tokio::test]
async fn a_plan_under_way_holds_up_no_sender_and_is_seen_by_nobody() {
    let world = world(0, 2);
    let (writer, rows) = draft(&world.store(), "other", 3, 4);
    // A writer that had to wait for the other would wait for minutes.
    let sender = world.store();
    sender.connection.busy_timeout(Duration::ZERO).unwrap();
    let claiming = Claiming {
        campaign: world.campaign,
        calendar: Calendar::always(),
        lanes: vec![lane("comms", "comms@contoso.com", &[])],
    };
    let (journal, _) = Journal::start(sender, claiming);
    let claim = claimed(&journal, at(1)).await;
    journal
        .hand_over(0, &claim, mark(&claim, at(2)))
        .await
        .unwrap();
    journal.finish(0, &claim, accepted(at(3))).await.unwrap();
    assert_eq!(world.store().campaign_names().unwrap(), ["news"]);

    let other = writer.commit(rows, None).unwrap();
    let store = world.store();
    assert_eq!(store.campaign("other").unwrap().unwrap().id, other);
    assert_eq!(store.recipient_counts(other).unwrap().pending, 7);
    assert_eq!(store.message_counts(other).unwrap().pending, 5);
    let first = world.counts();
    assert_eq!((first.sent, first.pending), (1, 1));
}

#[test]
fn a_plan_that_is_dropped_leaves_nothing() {
    let world = world(0, 2);
    drop(draft(&world.store(), "other", 3, 4));
    assert_eq!(world.store().campaign_names().unwrap(), ["news"]);
    assert_eq!(plan(&world.store(), "other", 0, 1), world.campaign + 1);
}

#[test]
fn of_two_plans_of_one_campaign_the_first_holds() {
    let world = world(0, 1);
    let (first, rows) = draft(&world.store(), "other", 0, 2);
    let (second, more) = draft(&world.store(), "other", 0, 9);
    let id = first.commit(rows, None).unwrap();
    let refused = second.commit(more, None);
    assert!(matches!(refused, Err(Error::PlannedMeanwhile(name)) if name == "other"));
    assert_eq!(world.store().recipient_counts(id).unwrap().pending, 2);
}

#[test]
fn a_file_that_two_campaigns_carry_is_kept_once_and_found_by_both() {
    let world = world(0, 1);
    let with_file = |name: &str| {
        let (mut writer, rows) = draft(&world.store(), name, 0, 1);
        writer.file("agenda.pdf", b"%PDF").unwrap();
        writer.commit(rows, None).unwrap()
    };
    let (one, other) = (with_file("one"), with_file("other"));
    let mut store = world.store();
    for campaign in [one, other] {
        let file = store.frozen_file(campaign, 1, "agenda.pdf").unwrap();
        assert_eq!(file.as_deref(), Some(&b"%PDF"[..]));
    }
    assert!(store.discard_plan(one).unwrap());
    assert!(store.frozen_file(other, 1, "agenda.pdf").unwrap().is_some());
}
