//! The record of what was done with a campaign.

use jiff::Timestamp;

use super::*;

#[test]
fn every_deed_can_be_written_and_is_read_as_it_was() {
    let world = world(1, 0);
    let mut store = Store::open(&world.path).unwrap();
    let before = store.history(world.campaign).unwrap();
    let happenings = Deed::ALL.map(|deed| Happening {
        until: (deed == Deed::Waiting).then_some(Timestamp::UNIX_EPOCH),
        recipients: Some(3),
        by: Some("ann on mailhost".to_owned()),
        detail: "the list was wrong".to_owned(),
        ..Happening::new(Timestamp::UNIX_EPOCH, deed)
    });
    for happening in &happenings {
        store.note(world.campaign, happening).unwrap();
    }
    let found = store.history(world.campaign).unwrap();
    assert_eq!(found[before.len()..], happenings);
}

#[test]
fn a_halt_stays_the_first_ones_until_it_is_lifted() {
    let world = world(1, 0);
    let mut store = Store::open(&world.path).unwrap();
    let halt = |second, by: &str| Halt {
        at: at(second),
        by: by.to_owned(),
    };
    let (ann, bob) = (halt(1, "ann"), halt(2, "bob"));
    assert_eq!(store.halt(world.campaign, &ann).unwrap(), None);
    assert_eq!(store.halt(world.campaign, &bob).unwrap(), Some(ann.clone()));
    assert_eq!(store.halt_of(world.campaign).unwrap(), Some(ann.clone()));
    let record = store.campaign("news").unwrap().unwrap();
    assert_eq!(record.halted, Some(ann.clone()));
    assert_eq!(
        store.resume(world.campaign, "bob", at(3)).unwrap(),
        Some(ann)
    );
    assert_eq!(store.resume(world.campaign, "bob", at(4)).unwrap(), None);
    let deeds: Vec<Deed> = store
        .history(world.campaign)
        .unwrap()
        .iter()
        .map(|one| one.deed)
        .collect();
    assert_eq!(deeds, [Deed::Planned, Deed::Halted, Deed::Resumed]);
}

#[tokio::test]
async fn a_claim_after_a_halt_is_answered_with_it_until_it_is_lifted() {
    let world = world(0, 3);
    let journal = world.journal(&[]);
    let first = claimed(&journal, at(1)).await;
    let halt = Halt {
        at: at(2),
        by: "ann on mailhost".to_owned(),
    };
    world.store().halt(world.campaign, &halt).unwrap();
    for answer in [
        journal.claim(0, at(3)).await.unwrap(),
        journal.look(0, at(3)).await.unwrap(),
    ] {
        assert!(
            matches!(&answer, Answer::Halted(by) if *by == halt),
            "{answer:?}"
        );
    }
    // What is in hand still goes.
    journal
        .hand_over(0, &first, mark(&first, at(4)))
        .await
        .unwrap();
    journal.finish(0, &first, accepted(at(5))).await.unwrap();
    assert_eq!((world.counts().sent, world.counts().pending), (1, 2));
    world.store().resume(world.campaign, "bob", at(6)).unwrap();
    claimed(&journal, at(7)).await;
}

#[tokio::test]
async fn a_halt_does_not_keep_a_campaign_from_its_end() {
    let world = world(0, 1);
    let journal = world.journal(&[]);
    let last = claimed(&journal, at(1)).await;
    let halt = Halt {
        at: at(2),
        by: String::new(),
    };
    world.store().halt(world.campaign, &halt).unwrap();
    assert_eq!(world.store().in_hand(world.campaign).unwrap(), 1);
    journal
        .hand_over(0, &last, mark(&last, at(3)))
        .await
        .unwrap();
    journal.finish(0, &last, accepted(at(4))).await.unwrap();
    let answer = journal.claim(0, at(5)).await.unwrap();
    assert!(matches!(answer, Answer::Nothing), "{answer:?}");
}

#[test]
fn a_start_without_an_end_gets_one_from_the_next() {
    let world = world(1, 0);
    let mut store = world.store();
    let started = |second| Happening::new(at(second), Deed::Started);
    store.note_start(world.campaign, &started(1)).unwrap();
    store.note_start(world.campaign, &started(2)).unwrap();
    store
        .note(world.campaign, &Happening::new(at(3), Deed::Ended))
        .unwrap();
    store.note_start(world.campaign, &started(4)).unwrap();
    let history = store.history(world.campaign).unwrap();
    let deeds: Vec<Deed> = history.iter().map(|one| one.deed).collect();
    assert_eq!(
        deeds,
        [
            Deed::Planned,
            Deed::Started,
            Deed::Ended,
            Deed::Started,
            Deed::Ended,
            Deed::Started
        ]
    );
    assert!(history[2].detail.contains("was killed"), "{:?}", history[2]);
}
