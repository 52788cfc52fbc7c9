//! Stopping and starting, politely and not.

use std::process::Child;

use crate::home::Home;
use crate::server::{Server, signal};

/// A send that has reported so many events.
fn sending(home: &Home, events: usize) -> (Child, bool) {
    let sending = home.sending(events);
    (sending.child, sending.seen == events)
}

#[test]
fn ten_stops_and_starts_leave_the_totals_right() {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    home.account(&server, "");
    home.campaign("t", 300, true);
    for round in 0..10 {
        let politely = round % 2 == 0;
        let (mut child, running) = sending(&home, 8 + round);
        assert!(running, "300 messages are enough for ten rounds");
        signal(&child, if politely { "INT" } else { "KILL" });
        let ended = child.wait().unwrap();
        let status = home.status();
        let count = |name: &str| status["recipients"][name].as_u64().unwrap();
        assert_eq!(
            count("pending") + count("sent") + count("in_doubt"),
            300,
            "{status}"
        );
        assert_eq!(status["state"], "planned");
        let received = server.received().len() as u64;
        assert!(
            count("sent") <= received && received <= count("sent") + count("in_doubt"),
            "{status}"
        );
        if politely {
            assert_eq!(ended.code(), Some(130));
        }
    }
    let before = home.status();
    home.run(&["send", "news", "--yes"]);
    let status = home.status();
    assert_eq!(status["state"], "finished");
    assert_eq!(status["recipients"]["pending"], 0);
    assert_eq!(
        status["recipients"]["in_doubt"],
        before["recipients"]["in_doubt"]
    );
    let received = server.received().len();
    let again = home.run(&["send", "news", "--yes", "--json"]);
    assert!([0, 1].contains(&again.code));
    assert_eq!(
        server.received().len(),
        received,
        "a send after the end sends nothing"
    );
    assert!(server.copies().values().all(|count| *count == 1));
}

#[test]
fn one_at_a_time_sends_a_campaign() {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    home.account(
        &server,
        "limits = [{ max = 5, per = \"1h\", unit = \"messages\" }]",
    );
    home.campaign("t", 10, true);
    let (mut first, running) = sending(&home, 6);
    assert!(running, "five are sent, then it waits");
    let before = home.status();
    assert_eq!(before["state"], "waiting");
    assert!(before["next_send_at"].is_string());
    // As a timer does it.
    for _ in 0..2 {
        let second = home.run(&["send", "news", "--yes"]).exits(75);
        assert!(second.err.contains("another process"), "{}", second.err);
    }
    let after = home.status();
    for field in ["state", "next_send_at", "recipients", "messages"] {
        assert_eq!(after[field], before[field], "{field}");
    }
    signal(&first, "INT");
    assert_eq!(first.wait().unwrap().code(), Some(130));
    let third = home.run(&["send", "news", "--yes", "--no-wait"]).exits(75);
    assert!(third.err.contains("5 messages per 1h"), "{}", third.err);
    assert_eq!(server.received().len(), 5);
}

#[test]
fn a_sender_that_is_gone_is_not_said_to_wait() {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    home.account(
        &server,
        "limits = [{ max = 5, per = \"1h\", unit = \"messages\" }]",
    );
    home.campaign("t", 10, true);
    let (mut first, running) = sending(&home, 6);
    assert!(running, "five are sent, then it waits");
    assert_eq!(home.status()["state"], "waiting");
    first.kill().unwrap();
    first.wait().unwrap();
    let status = home.status();
    assert_eq!(status["state"], "planned");
    assert!(status["next_send_at"].is_null());
    // One that has ended at the limit is.
    home.run(&["send", "news", "--yes", "--no-wait"]).exits(75);
    assert_eq!(home.status()["state"], "waiting");
    // Before its next message nothing can go: there is nothing to wait for.
    let next: jiff::Timestamp = home.status()["next_send_at"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let soon = (next - jiff::SignedDuration::from_mins(1)).to_string();
    let ended = home
        .run(&["send", "news", "--yes", "--until", &soon])
        .exits(0);
    assert!(ended.err.contains("nothing was sent"), "{}", ended.err);
    let ended = home.run(&["send", "news", "--yes", "--max", "0"]).exits(0);
    assert!(ended.err.contains("--max 0"), "{}", ended.err);
}

#[test]
fn max_and_until_end_a_send_as_asked() {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    home.account(&server, "");
    home.campaign("t", 10, true);
    home.run(&["send", "news", "--yes", "--max", "4"]).exits(0);
    assert_eq!(server.received().len(), 4);
    home.run(&["send", "news", "--yes", "--until", "2020-01-01T00:00:00Z"])
        .exits(0);
    assert_eq!(server.received().len(), 4);
    home.run(&["send", "news", "--yes"]).exits(0);
    assert_eq!(server.received().len(), 10);
}
