//! A send of twenty thousand, and everything that people ask and do from other terminals meanwhile.

use std::process::Child;

use serde_json::Value;

use crate::home::Home;
use crate::server::Server;

const PEOPLE: usize = 20_000;

/// People of a team share a message.
const TEAM: usize = 10;

fn prepare(home: &Home, server: &Server) {
    home.account(server, "max_connections = 3");
    home.campaign("t", 1, true);
    let people = (1..=PEOPLE).map(|n| format!("p{n}@contoso.com,team {}\n", (n - 1) / TEAM));
    let list = format!("email,team\n{}", people.collect::<String>());
    home.write("news/staff.csv", list);
    home.write("news/news.txt.hbs", "Dear {{team}},\n\nthis is the news.\n");
}

/// Begins to send; returns once so many messages have gone.
fn send(home: &Home, messages: usize) -> Child {
    let sending = home.sending(messages);
    assert_eq!(sending.seen, messages);
    sending.child
}

/// Where it stands: every recipient is one thing.
fn standing(home: &Home) -> Value {
    let status = home.status();
    let people = status["recipients"].as_object().unwrap();
    let sum: u64 = people
        .iter()
        .filter(|(name, _)| *name != "total")
        .map(|(_, count)| count.as_u64().unwrap())
        .sum();
    assert_eq!(
        (people["total"].as_u64(), sum),
        (Some(PEOPLE as u64), PEOPLE as u64),
        "{status}"
    );
    status
}

fn state(status: &Value) -> &str {
    status["state"].as_str().unwrap()
}

#[test]
fn everything_can_be_asked_and_done_while_twenty_thousand_are_sent_to() {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    prepare(&home, &server);
    let mut child = send(&home, 100);

    assert_eq!(state(&standing(&home)), "sending");
    let outcomes = home.outcomes();
    assert_eq!(outcomes.len(), PEOPLE);
    assert!(
        outcomes
            .iter()
            .all(|(_, one)| ["sent", "pending"].contains(&one.as_str()))
    );
    // Of the last message of the plan, which others of their team still get.
    let last = format!("p{PEOPLE}@contoso.com");
    let added = home
        .run(&["suppress", "add", &last, "--json"])
        .exits(0)
        .json();
    assert_eq!(added["campaigns"][0]["withdrawn"], 1);
    assert_eq!(standing(&home)["recipients"]["suppressed"], 1);

    home.run(&["halt", "news"]).exits(0);
    assert_eq!(child.wait().unwrap().code(), Some(75));
    let halted = standing(&home);
    assert_eq!(state(&halted), "halted");
    assert!(
        halted["recipients"]["pending"].as_u64() > Some(0),
        "in the middle: {halted}"
    );

    home.run(&["resume", "news"]).exits(0);
    let mut child = send(&home, 1);
    let mut sent = 0;
    while child.try_wait().unwrap().is_none() {
        let now = standing(&home)["recipients"]["sent"].as_u64().unwrap();
        assert!(now >= sent, "{now} after {sent}");
        sent = now;
    }
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(state(&standing(&home)), "finished");

    let copies = server.copies();
    assert_eq!(copies.len(), PEOPLE - 1);
    assert!(copies.values().all(|count| *count == 1) && !copies.contains_key(&last));
    for (email, outcome) in home.outcomes() {
        let expected = if email == last { "suppressed" } else { "sent" };
        assert_eq!(outcome, expected, "{email}");
    }
}
