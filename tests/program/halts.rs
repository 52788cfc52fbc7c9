//! Stopping a campaign from another terminal, and going on with it.

use std::process::{Child, Stdio};
use std::time::Duration;

use postroom::clock::Clock;
use serde_json::Value;

use crate::home::{Ended, Home};
use crate::server::{Server, signal};

/// The most messages that may be in hand.
const CONNECTIONS: usize = 3;

/// A send of which so many events were seen; the rest is read by a thread, which gives the last line.
fn sending(home: &Home, events: usize) -> (Child, std::thread::JoinHandle<Option<String>>) {
    let sending = home.sending(events);
    assert_eq!(sending.seen, events);
    (sending.child, sending.rest)
}

/// Waits for a process that is to end by itself, but not for ever.
fn ends_within(child: &mut Child, limit: Duration) -> i32 {
    let began = Clock::system().stopwatch();
    while began.elapsed() < limit {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code().unwrap_or(-1);
        }
        std::thread::yield_now();
    }
    child.kill().unwrap();
    panic!("it goes on although it was halted");
}

fn count(status: &Value, outcome: &str) -> u64 {
    status["recipients"][outcome].as_u64().unwrap()
}

/// What was done with the campaign, as the store has it: kind and detail.
fn history(home: &Home) -> Vec<(String, String)> {
    let store = home.path("state/postroom/postroom.db");
    let store = postroom::store::Store::open(&store).unwrap();
    let id = store.campaign("news").unwrap().unwrap().id;
    let history = store.history(id).unwrap().into_iter();
    history
        .map(|one| (one.deed.as_str().to_owned(), one.detail))
        .collect()
}

fn kinds(home: &Home) -> Vec<String> {
    history(home).into_iter().map(|(kind, _)| kind).collect()
}

fn begun(people: usize, more: &str) -> (Home, Server) {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    home.account(&server, more);
    home.campaign("t", people, true);
    (home, server)
}

#[test]
fn a_halt_stops_a_running_send_within_what_is_in_hand() {
    let (home, server) = begun(3000, "max_connections = 3");
    let (mut child, rest) = sending(&home, 60);
    let halted = home.run(&["halt", "news", "--json"]).exits(0).json();
    let received = server.received().len();
    assert_eq!(halted["being_sent"], true);
    assert_eq!(halted["was_halted"], false);
    assert!(halted["in_hand"].as_u64().unwrap() <= CONNECTIONS as u64);
    assert_eq!(ends_within(&mut child, Duration::from_mins(1)), 75);
    let last: Value = serde_json::from_str(&rest.join().unwrap().unwrap()).unwrap();
    assert_eq!(
        (&last["event"], &last["state"]),
        (&"ended".into(), &"halted".into())
    );
    let now = server.received().len();
    assert!(
        now <= received + CONNECTIONS,
        "{now} after {received}: at most the messages in hand still go"
    );
    assert!(now < 3000, "it was stopped in the middle");
    let status = home.status();
    assert_eq!(status["state"], "halted");
    assert_eq!(count(&status, "sent"), now as u64);
    assert_eq!(count(&status, "sent") + count(&status, "pending"), 3000);

    // Halted it stays, for whoever comes, until somebody lifts it.
    let refused = home.run(&["send", "news", "--yes"]).exits(75);
    assert!(refused.err.contains("postroom resume"), "{}", refused.err);
    let last = home
        .run(&["send", "news", "--yes", "--json"])
        .exits(75)
        .json();
    assert_eq!(
        (&last["event"], &last["state"]),
        (&"ended".into(), &"halted".into())
    );
    let dry = home.run(&["send", "news", "--dry-run"]).exits(0);
    assert!(dry.out.contains("Would send nothing"), "{}", dry.out);
    let again = home.run(&["halt", "news"]).exits(0);
    assert!(again.out.contains("was halted already"), "{}", again.out);
    assert_eq!(server.received().len(), now);

    let lifted = home.run(&["resume", "news"]).exits(0);
    assert!(
        lifted.out.contains("`postroom send` goes on"),
        "{}",
        lifted.out
    );
    let twice = home.run(&["resume", "news"]).exits(0);
    assert!(twice.out.contains("is not halted"), "{}", twice.out);
    home.run(&["send", "news", "--yes"]).exits(0);
    let copies = server.copies();
    assert_eq!(copies.len(), 3000);
    assert!(copies.values().all(|count| *count == 1));
    assert_eq!(
        kinds(&home),
        [
            "planned", "started", "halted", "ended", "resumed", "started", "ended"
        ]
    );
    let finished = home.run(&["halt", "news"]).exits(2);
    assert!(finished.err.contains("finished"), "{}", finished.err);
}

#[test]
fn a_halt_ends_a_wait_of_hours_promptly() {
    let limits = "limits = [{ max = 5, per = \"3h\", unit = \"messages\" }]";
    let (home, server) = begun(10, limits);
    let (mut child, rest) = sending(&home, 6);
    assert_eq!(home.status()["state"], "waiting");
    home.run(&["halt", "news"]).exits(0);
    assert_eq!(ends_within(&mut child, Duration::from_secs(30)), 75);
    rest.join().unwrap();
    assert_eq!(server.received().len(), 5);
    let status = home.status();
    assert_eq!(
        (&status["state"], &status["next_send_at"]),
        (&"halted".into(), &Value::Null)
    );
    let history = history(&home);
    let wait = history.iter().find(|(kind, _)| kind == "waiting").unwrap();
    assert!(wait.1.contains("5 messages per 3h"), "{wait:?}");
    let end = history.last().unwrap();
    assert!(
        end.1.contains("halted by") && end.1.contains("5 sent"),
        "{end:?}"
    );
    // Somebody who sends another one by the same account is not told to wait for it.
    home.run(&["resume", "news"]).exits(0);
    home.run(&["send", "news", "--yes", "--no-wait"]).exits(75);
    assert_eq!(home.status()["state"], "waiting");
}

#[test]
fn a_campaign_that_nobody_sends_can_be_halted_and_rehearsed_and_tested() {
    let (home, server) = begun(4, "");
    home.run(&["halt", "news"]).exits(66);
    home.run(&["resume", "news"]).exits(66);
    home.run(&["plan", "news"]).exits(0);
    let idle = home.run(&["resume", "news", "--json"]).exits(0).json();
    assert_eq!(idle["was_halted"], false);
    let halted = home.run(&["halt", "news"]).exits(0);
    assert!(halted.out.contains("nobody sends it now"), "{}", halted.out);
    assert_eq!(home.status()["state"], "halted");
    home.run(&["test", "news", "--to", "me@contoso.com"])
        .exits(0);
    assert_eq!(server.received().len(), 1);
    let rehearsed = home.run(&["rehearse", "news", "--json"]).exits(0).json();
    assert_eq!(rehearsed["received"]["recipients"], 4);
    home.run(&["send", "news", "--yes"]).exits(75);
    assert_eq!(server.received().len(), 1);
    home.run(&["resume", "news"]).exits(0);
    home.run(&["send", "news", "--yes"]).exits(0);
    assert_eq!(server.received().len(), 5);
}

#[test]
fn a_halt_works_while_the_campaign_is_being_edited() {
    let (home, _server) = begun(4, "");
    home.run(&["plan", "news"]).exits(0);
    let toml = std::fs::read_to_string(home.path("news/campaign.toml")).unwrap();
    home.write("news/campaign.toml", "[message\n");
    let halted = home.run(&["halt", "news", "--json"]).exits(0);
    assert_eq!(halted.json()["campaign"], "news");
    assert!(halted.err.contains("cannot be read"), "{}", halted.err);
    home.write("news/campaign.toml", format!("name = \"news-2\"\n{toml}"));
    let renamed = home.run(&["halt", "news"]).exits(66);
    assert!(
        renamed.err.contains("'news' was planned from this folder"),
        "{}",
        renamed.err
    );
    home.write("news/campaign.toml", toml);
    assert_eq!(home.status()["state"], "halted");
}

#[test]
fn kills_around_a_halt_leave_it_whole_and_nobody_twice() {
    let (home, server) = begun(600, "max_connections = 3");
    for round in 0..6_u32 {
        let (mut child, rest) = sending(&home, 12);
        let mut halt = home
            .command(&["halt", "news"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        for _ in 0..round * 300 {
            std::thread::yield_now();
        }
        // The one, the other, or both.
        if round % 3 != 1 {
            halt.kill().unwrap();
        }
        if round % 3 != 0 {
            signal(&child, "KILL");
        }
        halt.wait().unwrap();
        // Whether it took effect is one of two, whatever was killed.
        let is_halted = home.status()["state"] == "halted";
        if round % 3 == 0 && !is_halted {
            signal(&child, "INT");
        }
        ends_within(&mut child, Duration::from_mins(1));
        rest.join().unwrap();
        let status = home.status();
        let sum: u64 = ["pending", "sent", "in_doubt"]
            .map(|one| count(&status, one))
            .iter()
            .sum();
        assert_eq!(sum, 600, "{status}");
        if is_halted {
            let received = server.received().len();
            home.run(&["send", "news", "--yes"]).exits(75);
            assert_eq!(server.received().len(), received);
        }
        home.run(&["resume", "news"]).exits(0);
    }
    let end = home.run(&["send", "news", "--yes"]);
    assert!([0, 1].contains(&end.code), "{end:?}");
    assert!(server.copies().values().all(|count| *count == 1));
    // Each start has its end, those that were killed too.
    let ends: Vec<String> = kinds(&home)
        .into_iter()
        .filter(|kind| kind == "started" || kind == "ended")
        .collect();
    assert!(
        ends.chunks(2).all(|pair| pair == ["started", "ended"]),
        "{ends:?}"
    );
    let killed = history(&home)
        .iter()
        .filter(|(_, how)| how.contains("was killed"))
        .count();
    // Whoever noticed the halt before the signal came has ended by itself.
    assert!(killed <= 4, "{killed}");
}

#[test]
fn a_canary_that_waits_for_a_word_says_its_end_as_json_each_time() {
    let (home, server) = begun(10, "");
    for _ in 0..2 {
        let ended: Ended = home
            .run(&["send", "news", "--yes", "--canary", "4", "--json"])
            .exits(75);
        let events: Vec<Value> = ended
            .out
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let last_two: Vec<&Value> = events
            .iter()
            .rev()
            .take(2)
            .map(|event| &event["event"])
            .collect();
        assert_eq!(last_two, ["ended", "canary"], "{}", ended.out);
        assert_eq!(server.received().len(), 4);
    }
}
