//! A store that something has happened to: said in words, with the way back, and never made anew in silence.

use std::fs;

use crate::home::{Ended, Home};
use crate::server::Server;

const STORE: &str = "state/postroom/postroom.db";

/// A campaign of 60 of which the first 20 are sent, and a backup from before that.
fn begun() -> (Home, Server) {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    home.account(&server, "");
    home.campaign("t", 60, true);
    home.run(&["plan", "news"]).exits(0);
    home.run(&["store", "backup", "planned.db"]).exits(0);
    home.run(&["send", "news", "--yes", "--max", "20"]).exits(0);
    (home, server)
}

/// Every command ends with a documented code and words, none with a panic.
fn no_panic(ended: &Ended) {
    assert!(![-1, 101, 70].contains(&ended.code), "{ended:?}");
    assert!(!ended.err.contains("panicked"), "{ended:?}");
}

/// Puts the backup in the place of whatever is there, and goes on; nobody who is known there gets it twice.
fn put_back(home: &Home, server: &Server) {
    home.run(&["store", "restore", "planned.db", "--yes"])
        .exits(0);
    let refused = home.run(&["send", "news", "--yes"]).exits(75);
    assert!(refused.err.contains("store claim"), "{refused:?}");
    assert_eq!(server.received().len(), 20);
    assert_eq!(home.status()["recipients"]["pending"], 60);
}

#[test]
fn a_store_that_is_gone_empty_or_another_file_is_not_made_anew() {
    let (home, server) = begun();
    for what in [None, Some(""), Some("no database\n")] {
        let kept = fs::read(home.path(STORE)).unwrap();
        match what {
            None => fs::remove_file(home.path(STORE)).unwrap(),
            Some(text) => drop(home.write(STORE, text)),
        }
        for command in [
            &["status", "news"][..],
            &["plan", "news"],
            &["send", "news", "--yes"],
            &["suppress", "list"],
            &["store", "check"],
            &["check", "news"],
        ] {
            let refused = home.run(command).exits(74);
            for words in ["store-lost", "postroom store restore FILE"] {
                assert!(refused.err.contains(words), "{command:?}: {}", refused.err);
            }
        }
        let left = fs::read_to_string(home.path(STORE)).ok();
        assert_eq!(left.as_deref(), what, "untouched");
        put_back(&home, &server);
        fs::write(home.path(STORE), kept).unwrap();
    }
}

#[test]
fn a_store_that_is_cut_off_is_refused_with_the_way_back() {
    let (home, server) = begun();
    let whole = fs::read(home.path(STORE)).unwrap();
    for length in [1, 100, 511, 4096, 4097, whole.len() / 2, whole.len() - 4096] {
        fs::write(home.path(STORE), &whole[..length]).unwrap();
        let checked = home.run(&["store", "check"]).exits(74);
        let said = checked.err.contains("store-damaged") || checked.err.contains("store-lost");
        assert!(said, "{length}: {}", checked.err);
        assert!(
            checked.err.contains("store restore FILE"),
            "{}",
            checked.err
        );
        for command in [
            &["status", "news"][..],
            &["report", "news"],
            &["store", "backup", "copy.db"],
        ] {
            no_panic(&home.run(command));
        }
        assert!(
            !home.path("copy.db").exists(),
            "a damaged store is no backup"
        );
    }
    put_back(&home, &server);
}

#[test]
fn a_store_that_was_written_into_is_found_out_and_causes_no_panic() {
    let (home, server) = begun();
    let whole = fs::read(home.path(STORE)).unwrap();
    let pages = whole.len() / 4096;
    let mut found = 0;
    for page in 0..pages {
        let mut scribbled = whole.clone();
        // The header of the file, or the head of a page.
        scribbled[page * 4096..page * 4096 + 48].fill(0xa5);
        fs::write(home.path(STORE), &scribbled).unwrap();
        let checked = home.run(&["store", "check"]);
        no_panic(&checked);
        found += usize::from(checked.code == 74);
        if page % 5 == 0 {
            for command in [
                &["status", "news"][..],
                &["report", "news", "--format", "csv"],
                &["plan", "news"],
            ] {
                no_panic(&home.run(command));
            }
        }
    }
    // A page that nothing is on any more may say what it likes.
    assert!(found * 10 >= pages * 9, "{found} of {pages}");
    fs::write(home.path(STORE), &whole).unwrap();
    home.run(&["store", "check"]).exits(0);
    put_back(&home, &server);
}

#[test]
fn a_store_of_a_newer_version_is_left_alone_by_every_command() {
    let (home, _server) = begun();
    let connection = rusqlite::Connection::open(home.path(STORE)).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    let before = fs::read(home.path(STORE)).unwrap();
    for command in [
        &["status", "news"][..],
        &["send", "news", "--yes"],
        &["store", "check"],
        &["store", "backup", "copy.db"],
        &["store", "claim", "--yes"],
    ] {
        let refused = home.run(command).exits(74);
        assert!(refused.err.contains("newer version"), "{}", refused.err);
    }
    assert_eq!(fs::read(home.path(STORE)).unwrap(), before);
    assert!(!home.path("copy.db").exists());
}

/// What a sender that is killed leaves: the store, and what was written last beside it.
fn killed_in_the_middle() -> (Home, Server) {
    let (home, server) = begun();
    let mut sending = home.sending(6);
    sending.child.kill().unwrap();
    sending.child.wait().unwrap();
    assert!(home.path(&format!("{STORE}-wal")).exists());
    (home, server)
}

#[test]
fn what_was_written_last_is_missing_or_scribbled_on() {
    let scribble: fn(&Home) = |home| {
        let path = home.path(&format!("{STORE}-wal"));
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle..middle + 64].fill(0xa5);
        fs::write(path, bytes).unwrap();
    };
    let remove: fn(&Home) = |home| fs::remove_file(home.path(&format!("{STORE}-wal"))).unwrap();
    for damage in [scribble, remove] {
        let (home, server) = killed_in_the_middle();
        let before = server.received().len();
        damage(&home);
        let checked = home.run(&["store", "check"]).exits(74);
        assert!(
            checked.err.contains("less than was sent"),
            "{}",
            checked.err
        );
        let refused = home.run(&["send", "news", "--yes"]).exits(75);
        assert!(refused.err.contains("store claim"), "{}", refused.err);
        assert_eq!(server.received().len(), before);
    }
}

#[test]
fn the_shared_memory_file_is_no_loss() {
    let (home, server) = killed_in_the_middle();
    fs::remove_file(home.path(&format!("{STORE}-shm"))).unwrap();
    home.run(&["store", "check"]).exits(0);
    let ended = home.run(&["send", "news", "--yes"]);
    assert!([0, 1].contains(&ended.code), "{ended:?}");
    assert!(server.copies().values().all(|count| *count == 1));
}

#[test]
fn what_was_written_last_is_another_store_s() {
    let (home, server) = killed_in_the_middle();
    let other = Home::new();
    let server_of_other = Server::start(&other, &[]);
    other.account(&server_of_other, "");
    other.campaign("t", 700, true);
    other.run(&["plan", "news"]).exits(0);
    let mut sending = other.sending(40);
    sending.child.kill().unwrap();
    sending.child.wait().unwrap();
    let wal = format!("{STORE}-wal");
    fs::copy(other.path(&wal), home.path(&wal)).unwrap();
    let _ = fs::remove_file(home.path(&format!("{STORE}-shm")));
    let before = server.received().len();
    no_panic(&home.run(&["store", "check"]).exits(74));
    let refused = home.run(&["send", "news", "--yes"]);
    assert!([74, 75].contains(&refused.code), "{refused:?}");
    assert_eq!(server.received().len(), before);
    home.run(&["store", "restore", "planned.db", "--yes"])
        .exits(0);
    home.run(&["send", "news", "--yes"]).exits(75);
}
