//! A store that is not sound is found to be so, and a copy of one that is takes its place.

use super::*;

fn set(path: &Path, sql: &str) {
    let connection = Connection::open(path).unwrap();
    // What a damaged disk does asks nobody.
    connection
        .execute_batch("PRAGMA ignore_check_constraints = 1; PRAGMA foreign_keys = 0")
        .unwrap();
    connection.execute_batch(sql).unwrap();
}

/// Three messages of one recipient: the first sent, the second in hand, the third still to go.
async fn halfway() -> (World, Journal) {
    let world = world(0, 3);
    let journal = world.journal(&[]);
    for number in 0..2 {
        let claim = claimed(&journal, at(3 * number + 1)).await;
        let handing_over = mark(&claim, at(3 * number + 2));
        journal.hand_over(0, &claim, handing_over).await.unwrap();
        if number == 0 {
            journal.finish(0, &claim, accepted(at(3))).await.unwrap();
        }
    }
    (world, journal)
}

#[tokio::test]
async fn each_law_that_is_broken_is_found() {
    let breaches: [(Law, &str); 9] = [
        (
            Law::RecipientTally,
            "UPDATE recipient_tally SET recipients = recipients + 1",
        ),
        (Law::MessageTally, "DELETE FROM message_tally"),
        (Law::LastTried, "UPDATE tallied SET tried_at = 7"),
        (
            Law::Recipients,
            "UPDATE recipient SET state = 'pending', sent_at = NULL WHERE state = 'sent'",
        ),
        (Law::Attempts, "DELETE FROM attempt WHERE outcome IS NULL"),
        (
            Law::Handover,
            "UPDATE attempt SET handover_at = NULL WHERE outcome IS NULL",
        ),
        (
            Law::Sent,
            "UPDATE attempt SET outcome = 'released' WHERE outcome = 'sent'",
        ),
        (Law::Reserved, "DELETE FROM ledger WHERE stamped_at IS NULL"),
        (
            Law::Counted,
            "DELETE FROM ledger WHERE stamped_at IS NOT NULL",
        ),
    ];
    for (law, sql) in breaches {
        let (world, _journal) = halfway().await;
        let before = Store::check(&world.path).unwrap();
        assert_eq!((before.flaws, before.in_hand), (vec![], 1));
        set(&world.path, sql);
        let found = Store::check(&world.path).unwrap().flaws;
        let is_it =
            |flaw: &Flaw| matches!(flaw, Flaw::Contradiction { law: one, .. } if *one == law);
        assert!(found.iter().any(is_it), "{law:?}: {found:?}");
    }
}

#[tokio::test]
async fn what_belongs_to_nothing_or_cannot_be_is_found() {
    let (world, _journal) = halfway().await;
    set(&world.path, "DELETE FROM edition; DELETE FROM campaign");
    let found = Store::check(&world.path).unwrap().flaws;
    let is_orphan = |flaw: &Flaw| matches!(flaw, Flaw::Orphans { table, of, rows: 3 } if table == "message" && of == "campaign");
    assert!(found.iter().any(is_orphan), "{found:?}");
    set(&world.path, "UPDATE message SET state = 'lost'");
    let found = Store::check(&world.path).unwrap().flaws;
    let is_state = |flaw: &Flaw| {
        matches!(
            flaw,
            Flaw::Contradiction {
                law: Law::States,
                times: 3,
                ..
            }
        )
    };
    assert!(found.iter().any(is_state), "{found:?}");
}

#[tokio::test]
async fn a_backup_is_taken_under_the_hands_of_a_sender() {
    let world = world(0, 3);
    let journal = world.journal(&[]);
    let backup = world.path.with_file_name("backup.db");
    let claim = claimed(&journal, at(1)).await;
    let taken = Store::back_up(&world.path, &backup, false).unwrap();
    assert_eq!((taken.recipients, taken.in_hand), (3, 1));
    // The sender goes on, and the copy stays as it was.
    let handing_over = mark(&claim, at(2));
    journal.hand_over(0, &claim, handing_over).await.unwrap();
    let found = Store::check(&backup).unwrap();
    assert_eq!((found.flaws, found.in_hand), (vec![], 1));
    assert!(matches!(
        Store::back_up(&world.path, &backup, false),
        Err(Error::Taken { .. })
    ));
    Store::back_up(&world.path, &backup, true).unwrap();
    assert!(matches!(
        Store::back_up(&world.path, &world.path, true),
        Err(Error::Taken { .. })
    ));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&backup).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[tokio::test]
async fn a_store_in_use_is_not_replaced_and_one_that_was_is_not_sent_from() {
    let world = world(0, 3);
    let backup = world.path.with_file_name("backup.db");
    Store::back_up(&world.path, &backup, false).unwrap();
    let lock = world.store().lock_for_sending("news", at(5)).unwrap();
    let refused = Store::replace(&world.path, &backup, at(6));
    let Err(Error::InUse { holder }) = refused else {
        panic!("{refused:?}");
    };
    assert!(holder.contains(&std::process::id().to_string()), "{holder}");
    drop(lock);
    let before = world.store();
    let replaced = Store::replace(&world.path, &backup, at(6)).unwrap();
    assert!(Store::check(&replaced.aside.unwrap()).unwrap().is_sound());
    // Neither is it by whoever has had the former one open.
    for store in [before, world.store()] {
        assert!(matches!(
            store.lock_for_sending("news", at(7)),
            Err(Error::Elsewhere(_))
        ));
    }
    world.store().claim(at(8)).unwrap();
    world.store().lock_for_sending("news", at(9)).unwrap();
}

#[test]
fn a_store_that_was_replaced_without_any_trace_of_the_former_one_is_known_for_restored() {
    let world = world(0, 1);
    let backup = world.path.with_file_name("backup.db");
    Store::back_up(&world.path, &backup, false).unwrap();
    // A system that tells no file from another.
    set(&backup, "UPDATE home SET file = 0, machine = ''");
    for file in ["postroom.db", "postroom.db.mark"] {
        std::fs::remove_file(world.path.with_file_name(file)).unwrap();
    }
    let replaced = Store::replace(&world.path, &backup, at(6)).unwrap();
    assert_eq!(replaced.aside, None);
    assert!(matches!(
        world.store().lock_for_sending("news", at(7)),
        Err(Error::Elsewhere(_))
    ));
}

#[tokio::test]
async fn a_store_that_a_killed_sender_left_is_looked_at_before_it_sends() {
    let (world, _journal) = halfway().await;
    // As a kill leaves it: with what was written last beside it.
    let left = tempfile::tempdir().unwrap();
    for name in ["postroom.db", "postroom.db-wal"] {
        std::fs::copy(world.path.with_file_name(name), left.path().join(name)).unwrap();
    }
    let store = Store::open(&left.path().join("postroom.db")).unwrap();
    assert!(store.was_left_open);
    store.look_at_file().unwrap();
    // What was put together of two stores: an index that leads elsewhere.
    set(
        store.path(),
        "PRAGMA writable_schema = 1;
         CREATE TEMP TABLE root AS SELECT name, rootpage FROM main.sqlite_schema
             WHERE name IN ('recipient_by_key', 'recipient_by_message');
         UPDATE main.sqlite_schema SET rootpage = (SELECT rootpage FROM root WHERE root.name <> sqlite_schema.name)
             WHERE name IN ('recipient_by_key', 'recipient_by_message')",
    );
    for name in ["", "-wal"] {
        let from = format!("postroom.db{name}");
        let to = world.path.with_file_name(format!("mixed.db{name}"));
        std::fs::copy(left.path().join(from), to).unwrap();
    }
    let mixed = Store::open(&world.path.with_file_name("mixed.db")).unwrap();
    let refused = mixed.lock_for_sending("news", at(9));
    assert!(matches!(refused, Err(Error::Damaged { .. })), "{refused:?}");
}

/// Whoever is killed while a store is made leaves what nobody can read who may not write.
#[test]
fn what_was_only_half_begun_can_be_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let making = Connection::open(path("making.db")).unwrap();
    making
        .execute_batch(
            "PRAGMA cache_size = 1; BEGIN IMMEDIATE; CREATE TABLE t (x);
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
             INSERT INTO t SELECT zeroblob(4000) FROM n;",
        )
        .unwrap();
    for end in ["", "-journal"] {
        let from = path(&format!("making.db{end}"));
        std::fs::copy(from, path(&format!("left.db{end}"))).unwrap();
    }
    drop(making);
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let plainly = Connection::open_with_flags(path("left.db"), flags).unwrap();
    let read = plainly.pragma_query_value(None, "schema_version", |_| Ok(()));
    assert!(read.is_err(), "the case is the one that is meant");
    drop(plainly);
    let left = super::super::checking::open_to_read(&path("left.db")).unwrap();
    let tables = "SELECT count(*) FROM sqlite_schema";
    let tables: u64 = left.query_row(tables, [], |row| row.get(0)).unwrap();
    assert_eq!(tables, 0, "it is taken back");
    assert!(!path("left.db-journal").exists());
}
