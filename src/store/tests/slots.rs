//! A mailbox's connections are counted over all who have the store open.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use super::*;

#[test]
fn a_mailbox_has_so_many_connections_over_all_handles() {
    let world = world(0, 1);
    let (ours, theirs) = (world.store(), world.store());
    let first = ours.connection_slot("comms@contoso.com", 2).unwrap();
    let second = theirs.connection_slot("comms@contoso.com", 2).unwrap();
    assert_eq!(first.as_ref().unwrap().number(), 0);
    assert_eq!(second.as_ref().unwrap().number(), 1);
    for store in [&ours, &theirs] {
        assert!(
            store
                .connection_slot("comms@contoso.com", 2)
                .unwrap()
                .is_none()
        );
    }
    drop(first);
    let again = theirs.connection_slot("comms@contoso.com", 2).unwrap();
    assert_eq!(again.unwrap().number(), 0);
}

#[test]
fn who_has_no_connection_says_so() {
    let world = world(0, 1);
    let (ours, theirs) = (world.store(), world.store());
    let wanted = |mailbox| is_slot_wanted(&world.path, mailbox);
    assert!(!wanted("comms@contoso.com"));
    let sign = ours.want_slot("comms@contoso.com").unwrap().unwrap();
    assert!(wanted("comms@contoso.com") && !wanted("news@contoso.com"));
    assert!(theirs.want_slot("comms@contoso.com").unwrap().is_none());
    drop(sign);
    assert!(!wanted("comms@contoso.com"));
}

#[test]
fn every_mailbox_and_every_store_has_its_own_connections() {
    let (world, another) = (world(0, 1), world(0, 1));
    let store = world.store();
    let taken = store.connection_slot("comms@contoso.com", 1).unwrap();
    assert!(taken.is_some());
    let other = store.connection_slot("news@contoso.com", 1).unwrap();
    assert!(other.is_some());
    let elsewhere = another.store();
    let other = elsewhere.connection_slot("comms@contoso.com", 1).unwrap();
    assert!(other.is_some());
    assert!(
        store
            .connection_slot("nobody@contoso.com", 0)
            .unwrap()
            .is_none()
    );
}

#[test]
fn a_slot_file_that_a_dead_process_left_is_free() {
    let world = world(0, 1);
    let store = world.store();
    drop(store.connection_slot("comms@contoso.com", 1).unwrap());
    let left = std::fs::read_dir(world.path.parent().unwrap())
        .unwrap()
        .filter(|entry| {
            let name = entry.as_ref().unwrap().file_name();
            name.to_string_lossy().ends_with(".slot")
        });
    assert_eq!(left.count(), 1);
    let slot = store.connection_slot("comms@contoso.com", 1).unwrap();
    assert!(slot.is_some());
}

/// Names the store to the process that is to be killed.
const STORE: &str = "POSTROOM_TEST_SLOT_STORE";

/// Only as a process of [`a_process_that_dies_leaves_its_connection_to_others`]: holds a connection until
/// it is killed.
#[test]
#[ignore = "started by another test"]
fn holds_a_connection() {
    let Some(path) = std::env::var_os(STORE) else {
        return;
    };
    let store = Store::open(path.as_ref()).unwrap();
    let _slot = store.connection_slot("comms@contoso.com", 1).unwrap();
    writeln!(std::io::stdout(), "\ntaken").unwrap();
    let _killed = std::io::stdin().read_line(&mut String::new());
}

#[test]
fn a_process_that_dies_leaves_its_connection_to_others() {
    let world = world(0, 1);
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--nocapture", "--exact"])
        .arg("store::tests::slots::holds_a_connection")
        .env(STORE, &world.path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.map_while(Result::ok).any(|line| line == "taken"));
    let store = world.store();
    let slot = || store.connection_slot("comms@contoso.com", 1).unwrap();
    assert!(slot().is_none(), "another process has it");
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(slot().is_some());
}
