//! The store as a file: who may write, who may read, what it refuses to hold.

use super::*;

#[test]
fn one_process_at_a_time_sends_a_campaign() {
    let world = world(0, 1);
    let store = world.store();
    assert!(!store.is_being_sent("news"));
    let lock = store.lock_for_sending("news", at(5)).unwrap();
    let Err(Error::Locked { holder, .. }) = world.store().lock_for_sending("news", at(6)) else {
        panic!("a second sender got the lock");
    };
    assert!(holder.contains(&std::process::id().to_string()), "{holder}");
    assert!(world.store().is_being_sent("news"));
    world.store().lock_for_sending("other", at(6)).unwrap();
    drop(lock);
    assert!(!store.is_being_sent("news"));
}

#[test]
fn a_sender_waits_for_whoever_only_puts_something_right() {
    let world = world(0, 1);
    let store = world.store();
    let moment = store.lock_for_a_moment("news", at(5)).unwrap();
    let sender = std::thread::scope(|scope| {
        let sender = scope.spawn(|| world.store().lock_for_sending("news", at(6)));
        drop(moment);
        sender.join().unwrap()
    });
    let sender = sender.unwrap();
    let Err(Error::Locked { .. }) = store.lock_for_a_moment("news", at(7)) else {
        panic!("something is put right under a sender's hands");
    };
    // Whoever looks does not get in the way of a sender either.
    drop(sender);
    std::thread::scope(|scope| {
        let look = || {
            for _ in 0..200 {
                world.store().is_being_sent("news");
            }
        };
        scope.spawn(look);
        scope.spawn(look);
        for _ in 0..200 {
            drop(world.store().lock_for_sending("news", at(8)).unwrap());
        }
    });
}

#[test]
fn a_store_of_a_newer_version_is_left_alone() {
    let world = world(0, 1);
    let connection = Connection::open(&world.path).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    let before = std::fs::read(&world.path).unwrap();
    assert!(matches!(
        Store::open(&world.path),
        Err(Error::Newer { found: 99, .. })
    ));
    assert_eq!(std::fs::read(&world.path).unwrap(), before);
}

#[cfg(unix)]
#[test]
fn only_its_owner_can_read_the_store() {
    use std::os::unix::fs::PermissionsExt;
    let world = world(0, 1);
    let mode = std::fs::metadata(&world.path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn the_schema_refuses_what_cannot_be() {
    let world = world(0, 1);
    let connection = Connection::open(&world.path).unwrap();
    for impossible in [
        "UPDATE message SET state = 'sent'",
        "UPDATE message SET state = 'lost'",
        "UPDATE message SET state = 'deferred', attempts = 1, dated_at = 1",
        "UPDATE message SET external = 7",
        "UPDATE recipient SET state = 'sent'",
        "UPDATE recipient SET message = NULL",
        "UPDATE campaign SET run_state = 'stopped'",
    ] {
        assert!(connection.execute(impossible, []).is_err(), "{impossible}");
    }
}

#[tokio::test]
async fn a_plan_is_discarded_only_when_nothing_was_tried() {
    let world = world(0, 1);
    let journal = world.journal(&[]);
    let claim = claimed(&journal, at(1)).await;
    drop((claim, journal));
    assert!(!world.store().discard_plan(world.campaign).unwrap());
    let untouched = plan(&world.store(), "untouched", 0, 2);
    assert!(world.store().discard_plan(untouched).unwrap());
    assert!(world.store().campaign("untouched").unwrap().is_none());
}

#[test]
fn only_a_fleeting_store_does_not_wait_for_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let synchronous = |store: &Store| -> i64 {
        let query = store
            .connection
            .pragma_query_value(None, "synchronous", |row| row.get(0));
        query.unwrap()
    };
    let (lasting, fleeting) = (folder.path().join("a.db"), folder.path().join("b.db"));
    assert_eq!(synchronous(&Store::open(&lasting).unwrap()), 2, "FULL");
    assert_eq!(synchronous(&Store::fleeting(&fleeting).unwrap()), 0, "OFF");
    assert_eq!(
        synchronous(&Store::open(&fleeting).unwrap()),
        0,
        "OFF for everybody who opens it"
    );
}

/// Makes the store at this path one of a former version: the same rows, as far as that one knew them.
pub(super) fn set_back(path: &Path, height: usize) {
    let former = path.with_extension("former");
    let connection = Connection::open(&former).unwrap();
    schema::climb_to(&connection, height);
    connection
        .execute("ATTACH ? AS later", [path.to_str().unwrap()])
        .unwrap();
    let strings = |sql: &str| -> Vec<String> {
        let mut statement = connection.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    };
    let tables =
        "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
    // What belongs to an edition was the campaign's own.
    connection
        .execute_batch(
            "CREATE TEMP VIEW later_campaign AS SELECT c.*, e.definition, e.fingerprint FROM later.campaign c
             JOIN later.edition e ON e.campaign = c.id AND e.number = c.edition",
        )
        .unwrap();
    for table in strings(tables) {
        let (source, columns) = match table.as_str() {
            "campaign" => (
                "temp.later_campaign".to_owned(),
                "'later_campaign', 'temp'".to_owned(),
            ),
            _ => (format!("later.{table}"), format!("'{table}', 'later'")),
        };
        let common = strings(&format!(
            "SELECT name FROM pragma_table_info('{table}', 'main')
             WHERE name IN (SELECT name FROM pragma_table_info({columns}))"
        ))
        .join(", ");
        connection
            .execute_batch(&format!(
                "DELETE FROM main.{table}; INSERT INTO main.{table} ({common}) SELECT {common} FROM {source};"
            ))
            .unwrap();
    }
    connection
        .execute_batch("DROP VIEW temp.later_campaign")
        .unwrap();
    drop(connection);
    std::fs::rename(&former, path).unwrap();
    for beside in ["-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(beside);
        let _absent = std::fs::remove_file(name);
    }
}
