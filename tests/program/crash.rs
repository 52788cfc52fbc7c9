//! `kill -9` at any moment, again and again: nobody twice, nobody lost.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::home::Home;
use crate::server::Server;

/// What a crash may leave in doubt at most: a message for each open connection.
pub(crate) const CONNECTIONS: u64 = 3;

/// Starts a send, kills it after so many of its events and some more instructions, and returns
/// whether it ended by itself before that.
pub(crate) fn kill_after(home: &Home, events: usize, spin: u32) -> bool {
    let mut child = home
        .command(&["send", "news", "--yes", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let seen = lines.take(events).flatten().count();
    for _ in 0..spin {
        std::thread::yield_now();
    }
    let _ = child.kill();
    child.wait().unwrap();
    seen < events
}

#[test]
fn a_storm_of_kills_sends_nobody_twice_and_loses_nobody() {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    home.account(&server, "max_connections = 3");
    home.campaign("t", 600, true);
    home.run(&["plan", "news"]).exits(0);
    let mut in_doubt = 0;
    // Early kills, kills between events, kills in the middle of many: never at the same point.
    for round in 0..40_u32 {
        let events = [0, 1, 2, 5, 9, 14][round as usize % 6];
        kill_after(&home, events, round.wrapping_mul(7_919) % 400);
        let status = home.status();
        let count = |name: &str| status["recipients"][name].as_u64().unwrap();
        assert_eq!(count("total"), 600);
        let sum = count("pending")
            + count("sent")
            + count("in_doubt")
            + count("deferred")
            + count("refused");
        assert_eq!(sum, 600, "{status}");
        assert!(
            count("in_doubt") <= in_doubt + CONNECTIONS,
            "at most one for each connection: {status}"
        );
        in_doubt = count("in_doubt");
        if count("pending") == 0 {
            break;
        }
    }
    let end = home.run(&["send", "news", "--yes", "--json"]);
    assert!([0, 1].contains(&end.code), "{end:?}");
    let copies = server.copies();
    assert!(
        copies.values().all(|count| *count == 1),
        "somebody got it twice: {copies:?}"
    );
    let outcomes = home.outcomes();
    assert_eq!(outcomes.len(), 600);
    for (address, outcome) in &outcomes {
        match outcome.as_str() {
            "sent" => assert!(
                copies.contains_key(address),
                "{address} is said to be sent and was not"
            ),
            "in_doubt" => {}
            other => panic!("{address} is {other}"),
        }
    }
    let doubtful = outcomes
        .iter()
        .filter(|(_, outcome)| outcome == "in_doubt")
        .count() as u64;
    assert_eq!(
        doubtful, in_doubt,
        "an undisturbed send leaves no new doubt"
    );
    settle_by_the_servers_log(&home, &server);
}

/// A person looks up each message in doubt at the other end and settles it; then everybody has it once.
fn settle_by_the_servers_log(home: &Home, server: &Server) {
    let doubts = home.run(&["resolve", "news", "--json"]).exits(0).json();
    let arrived: Vec<String> = server
        .received()
        .into_iter()
        .map(|message| message.message_id)
        .collect();
    for doubt in doubts["in_doubt"].as_array().unwrap() {
        let id = doubt["message_id"].as_str().unwrap();
        let verdict = if arrived.iter().any(|other| other == id) {
            "--delivered"
        } else {
            "--resend"
        };
        home.run(&["resolve", "news", verdict, "--message", id, "--yes"])
            .exits(0);
    }
    home.run(&["send", "news", "--yes"]).exits(0);
    let copies = server.copies();
    assert_eq!(copies.len(), 600);
    assert!(copies.values().all(|count| *count == 1), "{copies:?}");
    assert_eq!(home.status()["recipients"]["sent"], 600);
}
