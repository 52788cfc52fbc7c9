//! The store looked after: checked, copied and put back, also while something is sent.

use std::fs;
use std::path::PathBuf;

use crate::home::Home;
use crate::server::{Server, signal};

const STORE: &str = "state/postroom/postroom.db";

/// A server, and a campaign of 10 of which the first 4 are sent.
fn begun() -> (Home, Server) {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    home.account(&server, "");
    home.campaign("t", 10, true);
    home.run(&["send", "news", "--yes", "--max", "4"]).exits(0);
    (home, server)
}

/// The files beside the store whose names have this in them.
fn beside(home: &Home, part: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(home.path("state/postroom")).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> = paths
        .filter(|path| path.file_name().unwrap().to_str().unwrap().contains(part))
        .collect();
    found.sort();
    found
}

#[test]
fn a_store_is_checked_and_copied_while_it_sends() {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    home.account(&server, "");
    home.campaign("t", 400, true);
    let mut sending = home.sending(5);
    for round in 0..5 {
        let found = home.run(&["store", "check", "--json"]).exits(0).json();
        assert_eq!(found["sound"], true, "{found}");
        assert_eq!(found["recipients"], 400);
        let file = format!("{round}.backup");
        home.run(&["store", "backup", &file]).exits(0);
        let copy = home
            .run(&["store", "check", "--json", "--store", &file])
            .exits(0);
        assert_eq!(copy.json()["found"], "copied");
    }
    signal(&sending.child, "INT");
    sending.child.wait().unwrap();
    assert!(server.copies().values().all(|count| *count == 1));
    let json = home.run(&["store", "backup", "--json"]).exits(0).json();
    let named = json["backup"].as_str().unwrap();
    assert_eq!(beside(&home, ".backup"), [PathBuf::from(named)]);
}

#[test]
fn a_backup_never_replaces_what_it_is_not_told_to() {
    let (home, _server) = begun();
    home.write("mine.txt", "mine");
    let refused = home.run(&["store", "backup", "mine.txt"]).exits(73);
    assert!(refused.err.contains("--force"), "{}", refused.err);
    assert_eq!(fs::read_to_string(home.path("mine.txt")).unwrap(), "mine");
    home.run(&["store", "backup", "mine.txt", "--force"])
        .exits(0);
    home.run(&["store", "check", "--store", "mine.txt"])
        .exits(0);
    home.run(&["store", "backup", STORE, "--force"]).exits(73);
    home.run(&["store", "backup", "news", "--force"]).exits(73);
    home.run(&["store", "backup", "nowhere/x"]).exits(74);
    home.run(&["store", "check"]).exits(0);
}

#[test]
fn a_store_that_is_put_back_sends_nothing_before_it_is_claimed() {
    let (home, server) = begun();
    home.run(&["store", "backup", "four.db"]).exits(0);
    home.run(&["send", "news", "--yes", "--max", "3"]).exits(0);
    let asked = home.run(&["store", "restore", "four.db"]).exits(2);
    assert!(asked.err.contains("not yet written to"), "{}", asked.err);
    let restored = home.run(&["store", "restore", "four.db", "--yes"]).exits(0);
    assert!(restored.err.contains("Sent Items"), "{}", restored.err);
    assert_eq!(home.status()["recipients"]["sent"], 4);
    let refused = home.run(&["send", "news", "--yes"]).exits(75);
    assert!(refused.err.contains("store claim"), "{}", refused.err);
    assert_eq!(server.received().len(), 7);
    let checked = home.run(&["store", "check"]).exits(74);
    assert!(
        checked.err.contains("less than was sent"),
        "{}",
        checked.err
    );
    let explained = home.run(&["store", "claim"]).exits(2);
    assert!(
        explained.err.contains("up to 3 attempts"),
        "{}",
        explained.err
    );
    // The newer one was kept, and can be had again.
    let aside = beside(&home, ".before-");
    let aside = aside.first().unwrap().to_str().unwrap();
    home.run(&["store", "restore", aside, "--yes"]).exits(0);
    assert_eq!(home.status()["recipients"]["sent"], 7);
    home.run(&["store", "claim", "--yes"]).exits(0);
    home.run(&["store", "check"]).exits(0);
    home.run(&["send", "news", "--yes"]).exits(0);
    assert!(server.copies().values().all(|count| *count == 1));
    assert_eq!(server.received().len(), 10);
}

#[test]
fn a_store_is_not_put_back_under_the_hands_of_a_send() {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    home.account(
        &server,
        "limits = [{ max = 2, per = \"1h\", unit = \"messages\" }]",
    );
    home.campaign("t", 6, true);
    home.run(&["plan", "news"]).exits(0);
    home.run(&["store", "backup", "planned.db"]).exits(0);
    let mut sending = home.sending(3);
    let refused = home
        .run(&["store", "restore", "planned.db", "--yes"])
        .exits(75);
    assert!(refused.err.contains("in use"), "{}", refused.err);
    assert_eq!(beside(&home, ".before-"), [] as [PathBuf; 0]);
    signal(&sending.child, "INT");
    sending.child.wait().unwrap();
    home.run(&["store", "restore", "planned.db", "--yes"])
        .exits(0);
}

#[test]
fn what_is_no_backup_takes_no_store_s_place() {
    let (home, _server) = begun();
    home.write("text", "no database\n");
    home.write("empty", "");
    let whole = fs::read(home.path(STORE)).unwrap();
    home.write("half.db", &whole[..whole.len() / 2]);
    for (file, code) in [("text", 74), ("empty", 74), ("half.db", 74), ("none", 66)] {
        let refused = home.run(&["store", "restore", file, "--yes"]).exits(code);
        assert!(refused.err.contains(file), "{}", refused.err);
    }
    home.run(&["store", "check"]).exits(0);
    home.run(&["send", "news", "--yes"]).exits(0);
}
