//! `plan --update`: an edited campaign is taken in, also while it is being sent.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::home::Home;
use crate::server::Server;

/// The list of `news`, with these people in this order.
fn list(home: &Home, people: impl IntoIterator<Item = usize>) {
    let rows: Vec<String> = people
        .into_iter()
        .map(|n| format!("p{n}@contoso.com,P{n}\n"))
        .collect();
    let rows = rows.concat();
    home.write("news/staff.csv", format!("email,first_name\n{rows}"));
}

fn count(value: &Value, group: &str) -> u64 {
    let group = &value["update"]["difference"][group];
    group["count"].as_u64().or(group.as_u64()).unwrap()
}

fn outcomes(home: &Home) -> BTreeMap<String, String> {
    home.outcomes().into_iter().collect()
}

#[test]
fn an_edit_is_taken_in_while_another_process_sends() {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    home.account(&server, "max_connections = 3");
    home.campaign("t", 600, true);
    home.run(&["plan", "news"]).exits(0);
    let mut sender = home
        .command(&["send", "news", "--yes", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(sender.stdout.take().unwrap()).lines();
    assert_eq!(lines.by_ref().take(20).count(), 20);
    // From here on nobody waits for the sender.
    let reader = std::thread::spawn(move || lines.count());
    // Every third one leaves, in both halves; the others go down the list; 50 are new.
    let stays = |n: &usize| !n.is_multiple_of(3);
    list(&home, (601..=650).chain((1..=600).rev().filter(stays)));
    home.write(
        "news/news.txt.hbs",
        "Dear {{first_name}},\n\nthis is the other news.\n",
    );
    let done = home
        .run(&["plan", "news", "--update", "--yes", "--json"])
        .exits(0)
        .json();
    assert_eq!(done["updated"], true);
    assert_eq!(count(&done, "newcomers"), 50);
    let ended = sender.wait().unwrap();
    assert_eq!(ended.code(), Some(0));
    reader.join().unwrap();
    // A sender that saw its end before the newcomers came leaves them to the next one.
    home.run(&["send", "news", "--yes"]).exits(0);

    let copies = server.copies();
    assert!(copies.values().all(|count| *count == 1), "{copies:?}");
    let outcomes = outcomes(&home);
    let is_sent = |n: usize| copies.contains_key(&format!("p{n}@contoso.com"));
    for n in (601..=650).chain((1..=600).filter(stays)) {
        assert!(is_sent(n), "p{n} is listed and has nothing");
    }
    let leavers = (1..=600).filter(|n| !stays(n));
    let cancelled = leavers.clone().filter(|n| !is_sent(*n)).count() as u64;
    assert!(count(&done, "leavers") <= cancelled && cancelled <= 200);
    for n in leavers {
        let expected = if is_sent(n) { "sent" } else { "cancelled" };
        assert_eq!(outcomes[&format!("p{n}@contoso.com")], expected, "p{n}");
    }
    let status = home.status();
    assert_eq!(status["state"], "finished");
    assert_eq!(status["recipients"]["total"], 650);
    assert_eq!(status["recipients"]["cancelled"], cancelled);
    assert_eq!(
        status["recipients"]["sent"].as_u64().unwrap(),
        copies.len() as u64
    );
    the_list_comes_first_and_in_its_order(&home);
    what_was_sent_is_built_again(&home, &server);
}

fn the_list_comes_first_and_in_its_order(home: &Home) {
    let report = home.outcomes();
    let expected = (601..=650).chain((1..=600).rev().filter(|n: &usize| !n.is_multiple_of(3)));
    for (place, n) in expected.enumerate() {
        assert_eq!(report[place].0, format!("p{n}@contoso.com"));
    }
    assert_eq!(report.len(), 650);
}

/// Whichever edition it was sent in, `preview` shows the very bytes.
fn what_was_sent_is_built_again(home: &Home, server: &Server) {
    let mut seen = [0, 0];
    for (number, message) in server.received().into_iter().enumerate() {
        let sent = std::fs::read(&message.file).unwrap();
        let is_new = String::from_utf8_lossy(&sent).contains("the other news");
        seen[usize::from(is_new)] += 1;
        if seen[usize::from(is_new)] > 3 {
            continue;
        }
        let out = format!("out-{number}");
        home.run(&[
            "preview",
            "news",
            "--to",
            &message.recipients[0],
            "--out",
            &out,
        ])
        .exits(0);
        let file = std::fs::read_dir(home.path(&out)).unwrap();
        let mut file = file.map(|entry| entry.unwrap().path());
        let file = file.find(|path| path.extension().is_some_and(|end| end == "eml"));
        let shown = std::fs::read(file.unwrap()).unwrap();
        // What a mail store writes down before the mail is its own.
        assert!(sent.ends_with(&shown), "{}", message.recipients[0]);
    }
    assert!(
        seen[0] > 0 && seen[1] > 0,
        "both editions were sent: {seen:?}"
    );
}

#[test]
fn an_unchanged_folder_changes_nothing() {
    let home = Home::new();
    home.campaign("sandbox", 3, true);
    home.run(&["plan", "news"]).exits(0);
    let before = home.run(&["plan", "news", "--json"]).exits(0).json();
    let said = home.run(&["plan", "news", "--update"]).exits(0);
    assert!(said.out.contains("nothing to take in"), "{}", said.out);
    let after = home.run(&["plan", "news", "--json"]).exits(0).json();
    assert_eq!(before, after);
    let said = home
        .run(&["plan", "news", "--update", "--json"])
        .exits(0)
        .json();
    assert_eq!(
        (&said["updated"], &said["edition"]),
        (&false.into(), &1.into())
    );
}

#[test]
fn an_update_asks_and_refuses_what_it_cannot_take() {
    let home = Home::new();
    home.campaign("sandbox", 3, true);
    let unplanned = home.run(&["plan", "news", "--update", "--yes"]).exits(66);
    assert!(unplanned.err.contains("postroom plan"), "{}", unplanned.err);
    home.run(&["plan", "news"]).exits(0);
    let before = home.run(&["plan", "news", "--json"]).exits(0).json();

    list(&home, [1, 3, 4]);
    let warned = home.run(&["plan", "news"]).exits(0);
    assert!(warned.err.contains("plan --update"), "{}", warned.err);
    home.run(&["plan", "news", "--update"]).exits(2);
    let dry = home
        .run(&["plan", "news", "--update", "--dry-run", "--json"])
        .exits(0)
        .json();
    assert_eq!(dry["updated"], false);
    for (group, expected) in [
        ("newcomers", 1),
        ("leavers", 1),
        ("changed", 0),
        ("unchanged", 2),
    ] {
        assert_eq!(count(&dry, group), expected, "{group}");
    }
    let named = &dry["update"]["difference"]["leavers"]["first"];
    assert_eq!(named[0], "p2@contoso.com");
    let shown = home
        .run(&["plan", "news", "--update", "--dry-run"])
        .exits(0);
    for words in ["p4@contoso.com", "p2@contoso.com", "cancelled"] {
        assert!(shown.out.contains(words), "{}", shown.out);
    }

    home.write("news/news.txt.hbs", "Dear {{frist_name}},\n");
    home.run(&["plan", "news", "--update", "--yes"]).exits(65);
    let after = home.run(&["plan", "news", "--json"]).exits(0).json();
    assert_eq!(before, after, "nothing was changed");
    home.write("news/news.txt.hbs", "Dear {{first_name}},\n");
    let done = home.run(&["plan", "news", "--update", "--yes"]).exits(0);
    assert!(done.out.contains("edition 2"), "{}", done.out);
    let outcomes = home.outcomes();
    let outcome = |n: usize| outcomes[n].1.as_str();
    assert_eq!(outcomes.len(), 4);
    assert_eq!((outcome(0), outcome(3)), ("pending", "cancelled"));
    let sent = home.run(&["send", "news", "--yes"]).exits(0);
    assert!(!sent.err.contains("edited"), "{}", sent.err);
}

#[test]
fn an_update_does_not_change_who_sends() {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    home.account(&server, "");
    home.campaign("sandbox", 2, true);
    home.run(&["plan", "news"]).exits(0);
    home.campaign("t", 2, true);
    let refused = home.run(&["plan", "news", "--update", "--yes"]).exits(2);
    assert!(refused.err.contains("'sandbox'"), "{}", refused.err);
}

#[test]
fn an_attachment_of_one_row_that_was_mended_is_taken_in() {
    let home = Home::new();
    home.campaign("sandbox", 2, true);
    let toml = std::fs::read_to_string(home.path("news/campaign.toml")).unwrap();
    let toml = toml.replace(
        "[recipients]",
        "attach = [\"pay/{{first_name}}.txt\"]\n[recipients]",
    );
    home.write("news/campaign.toml", toml);
    for person in ["P1", "P2"] {
        home.write(&format!("news/pay/{person}.txt"), person);
    }
    home.run(&["plan", "news"]).exits(0);
    home.write("news/pay/P2.txt", "mended");
    let done = home
        .run(&["plan", "news", "--update", "--yes", "--json"])
        .exits(0)
        .json();
    let files = &done["update"]["difference"]["files"];
    assert_eq!(files["first"], serde_json::json!(["pay/P2.txt"]));
    assert_eq!(
        (&done["updated"], &done["edition"]),
        (&true.into(), &2.into())
    );
}

#[test]
fn newcomers_of_a_finished_campaign_are_sent_to_alone() {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    home.account(&server, "");
    home.campaign("t", 20, false);
    home.run(&["send", "news", "--yes"]).exits(0);
    assert_eq!(server.received().len(), 1);
    list(&home, (5..=20).chain(30..=34));
    home.run(&["plan", "news", "--update", "--yes"]).exits(0);
    let status = home.status();
    assert_eq!(status["state"], "planned");
    assert_eq!(status["recipients"]["pending"], 5);
    home.run(&["send", "news", "--yes"]).exits(0);
    assert_eq!(server.received().len(), 2);
    let copies = server.copies();
    assert_eq!(copies.len(), 25);
    assert!(copies.values().all(|count| *count == 1), "{copies:?}");
    let plan = home.run(&["plan", "news", "--json"]).exits(0).json();
    assert_eq!(plan["recipients"]["planned"], 21);
    assert_eq!(plan["batches"].as_array().unwrap().len(), 2);
}

#[test]
fn an_update_that_is_killed_leaves_the_old_plan_or_the_new_one() {
    let home = Home::new();
    home.campaign("sandbox", 200, true);
    home.run(&["plan", "news"]).exits(0);
    let mut edition = 1;
    for round in 0..12_u64 {
        // Each time a list of another length, so that a half of it would show.
        let people = 100 + round as usize;
        list(&home, 1..=people);
        let mut update = home
            .command(&["plan", "news", "--update", "--yes", "-q"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Sooner or later, round by round.
        for _ in 0..round * 200 {
            if update.try_wait().unwrap().is_some() {
                break;
            }
            (0..100).for_each(|_| std::thread::yield_now());
        }
        let _ = update.kill();
        update.wait().unwrap();
        let dry = home
            .run(&["plan", "news", "--update", "--dry-run", "--json"])
            .exits(0)
            .json();
        let is_taken_in = dry["edition"].as_u64().unwrap() > edition;
        edition = dry["edition"].as_u64().unwrap();
        assert_eq!(is_taken_in, dry["update"]["difference"].is_null(), "{dry}");
        let status = home.status();
        let recipients = &status["recipients"];
        let count = |name: &str| recipients[name].as_u64().unwrap();
        assert_eq!(count("total"), count("pending") + count("cancelled"));
        assert_eq!(
            dry["recipients"]["planned"].as_u64().unwrap(),
            count("pending"),
            "{status}"
        );
        if is_taken_in {
            assert_eq!(count("pending"), people as u64);
        }
    }
}
