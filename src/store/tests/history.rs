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
