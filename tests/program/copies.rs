//! A copied or restored store asks to be claimed before it sends anything.

use std::fs;

use crate::home::Home;
use crate::server::Server;

/// A server, and a campaign of 10 of which the first 4 are sent.
fn begun() -> (Home, Server) {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    home.account(&server, "");
    home.campaign("t", 10, true);
    home.run(&["plan", "news"]).exits(0);
    home.run(&["send", "news", "--yes", "--max", "4"]).exits(0);
    assert_eq!(server.received().len(), 4);
    (home, server)
}

const STORE: &str = "state/postroom/postroom.db";

#[test]
fn a_copy_sends_nothing_before_it_is_claimed() {
    let (home, server) = begun();
    fs::copy(home.path(STORE), home.path("copy.db")).unwrap();
    let on_copy = |args: &[&str]| home.run(&[args, &["--store", "copy.db"]].concat());

    let refused = on_copy(&["send", "news", "--yes"]).exits(75);
    assert!(refused.err.contains("copied from"), "{}", refused.err);
    assert!(
        refused.err.contains("postroom store claim"),
        "{}",
        refused.err
    );
    let json = on_copy(&["send", "news", "--yes", "--json"])
        .exits(75)
        .json();
    assert_eq!(json["error"]["exit"], 75);
    on_copy(&["plan", "news", "--discard", "--yes"]).exits(75);
    assert_eq!(server.received().len(), 4);

    let status = on_copy(&["status", "news", "--json"]).exits(0).json();
    assert_eq!(status["recipients"]["sent"], 4);
    let report = on_copy(&["report", "news", "--format", "csv"]).exits(0);
    assert_eq!(report.out.lines().count(), 11);
    on_copy(&["send", "news", "--dry-run"]).exits(0);
    on_copy(&["send", "news", "--yes"]).exits(75);

    let asked = on_copy(&["store", "claim"]).exits(2);
    assert!(asked.err.contains("may get it twice"), "{}", asked.err);
    assert!(asked.err.contains("must not be used"), "{}", asked.err);
    let claimed = on_copy(&["store", "claim", "--yes", "--json"])
        .exits(0)
        .json();
    assert_eq!(claimed["claimed"], true);
    assert_eq!(claimed["found"], "copied");
    assert!(claimed["known_until"].is_string());
    on_copy(&["send", "news", "--yes"]).exits(0);
    assert_eq!(server.received().len(), 10);
    assert!(server.copies().values().all(|count| *count == 1));
}

#[test]
fn an_older_copy_that_is_put_back_sends_nothing_before_it_is_claimed() {
    let (home, server) = begun();
    fs::copy(home.path(STORE), home.path("backup.db")).unwrap();
    home.run(&["send", "news", "--yes"]).exits(0);
    assert_eq!(server.received().len(), 10);
    fs::copy(home.path("backup.db"), home.path(STORE)).unwrap();
    let refused = home.run(&["send", "news", "--yes"]).exits(75);
    assert!(refused.err.contains("restored"), "{}", refused.err);
    assert_eq!(home.status()["recipients"]["sent"], 4);
    assert_eq!(server.received().len(), 10);
}

#[test]
fn a_new_campaign_is_not_even_planned_with_a_copy() {
    let (home, _server) = begun();
    fs::copy(home.path(STORE), home.path("copy.db")).unwrap();
    let toml = fs::read_to_string(home.path("news/campaign.toml")).unwrap();
    home.write("news/campaign.toml", format!("name = \"more\"\n{toml}"));
    home.run(&["send", "news", "--yes", "--store", "copy.db"])
        .exits(75);
    home.run(&["status", "news", "--store", "copy.db"])
        .exits(66);
}

#[test]
fn a_store_that_is_at_home_or_was_moved_needs_no_claim() {
    let (home, server) = begun();
    let claim = home.run(&["store", "claim"]).exits(0);
    assert!(claim.out.contains("at home"), "{}", claim.out);
    fs::rename(home.path("state/postroom"), home.path("state/moved")).unwrap();
    let moved = "state/moved/postroom.db";
    let claim = home
        .run(&["store", "claim", "--json", "--store", moved])
        .exits(0);
    assert_eq!(claim.json()["claimed"], false);
    home.run(&["send", "news", "--yes", "--store", moved])
        .exits(0);
    assert_eq!(server.received().len(), 10);
}

#[test]
fn there_must_be_a_store_to_claim() {
    let home = Home::new();
    home.run(&["store", "claim", "--yes", "--store", "none.db"])
        .exits(66);
    assert!(!home.path("none.db").exists());
}
