//! Rehearsals with what goes wrong on purpose: each ends as documented, and the log agrees with the store.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::home::{Ended, Home};

/// An account of any server, with limits as small as a test: 30 messages a minute, 200 recipients a day.
const SMALL: &str = "[small]\nprovider = \"custom\"\nhost = \"smtp.example.com\"\nauth = \"none\"\n\
    limits = [{ max = 30, per = \"1m\", unit = \"messages\" }, { max = 200, per = \"24h\", unit = \"recipients\" }]\n";

fn home(account: &str, people: usize, personal: bool) -> Home {
    let home = Home::new();
    home.write("config/postroom/accounts.toml", SMALL);
    home.campaign(account, people, personal);
    home
}

fn rehearse(home: &Home, faults: &[&str], code: i32) -> (Value, Ended) {
    let mut args = vec!["rehearse", "news", "--json"];
    args.extend(faults.iter().flat_map(|fault| ["--fault", fault]));
    let ended = home.run(&args).exits(code);
    (ended.json(), ended)
}

fn figure(value: &Value, path: &str) -> u64 {
    value
        .pointer(path)
        .and_then(Value::as_u64)
        .unwrap_or_else(|| panic!("{path} in {value}"))
}

/// What holds of every rehearsal: no limit broken, log and store agree, and all recipients are accounted
/// for, by the store and by the mail that lies there.
fn is_sound(end: &Value, people: u64) {
    assert_eq!(end["breaches"], Value::Array(Vec::new()), "{end}");
    assert_eq!(figure(end, "/compared/differences"), 0);
    assert_eq!(
        figure(end, "/compared/messages"),
        figure(end, "/received/messages")
    );
    let reached = figure(end, "/compared/recipients");
    assert_eq!(reached, figure(end, "/received/recipients"));
    let not_arrived = figure(end, "/compared/in_doubt") - figure(end, "/compared/arrived");
    // In these campaigns a message that is in doubt has one recipient.
    assert_eq!(figure(end, "/in_doubt"), figure(end, "/compared/in_doubt"));
    assert_eq!(
        reached + figure(end, "/refused") + not_arrived,
        people,
        "{end}"
    );
    let by_day = |what: &str| -> u64 {
        let days = end["days"].as_array().unwrap().iter();
        days.map(|day| figure(day, what)).sum()
    };
    assert_eq!(by_day("/planned/recipients"), people);
    assert_eq!(by_day("/received/recipients"), reached);
    assert_eq!(
        by_day("/received/messages"),
        figure(end, "/received/messages")
    );
    let maildir = std::path::Path::new(end["maildir"].as_str().unwrap()).join("new");
    let files = std::fs::read_dir(maildir).unwrap().count() as u64;
    assert_eq!(files, figure(end, "/received/messages"));
}

/// The stand-in's log.
fn log(end: &Value) -> Vec<Value> {
    let maildir = std::path::Path::new(end["maildir"].as_str().unwrap());
    let log = std::fs::read_to_string(maildir.with_file_name("received.jsonl")).unwrap();
    log.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn undisturbed_the_days_are_the_plans() {
    let home = home("small", 450, true);
    let (end, _) = rehearse(&home, &[], 0);
    is_sound(&end, 450);
    let days = end["days"].as_array().unwrap();
    assert!(days.len() >= 3, "{end}");
    let plan = home.run(&["plan", "news", "--json"]).exits(0).json();
    for (day, batch) in days.iter().zip(plan["batches"].as_array().unwrap()) {
        assert_eq!(day["planned"], day["received"], "{end}");
        assert_eq!(figure(day, "/planned/messages"), figure(batch, "/messages"));
        let span = |value: &Value| -> i64 {
            let at =
                |key: &str| -> jiff::Timestamp { value[key].as_str().unwrap().parse().unwrap() };
            at("ends_at").duration_since(at("starts_at")).as_secs()
        };
        assert_eq!(span(day), span(batch));
    }
}

#[test]
fn a_rehearsal_shows_its_days_within_eighty_columns() {
    let home = home("small", 450, false);
    let text = home.run(&["rehearse", "news", "-q"]).exits(0).out;
    assert!(text.contains("the stand-in's log and the store agree: same recipients, same bytes"));
    let table: Vec<&str> = text
        .lines()
        .filter(|line| line.contains("planned ") || line.contains("received "))
        .filter(|line| line.contains(['░', '█']))
        .collect();
    assert!(table.len() >= 6 && table.len().is_multiple_of(2), "{text}");
    assert!(
        table.iter().all(|line| line.chars().count() <= 80),
        "{text}"
    );
    assert!(
        text.contains(&"█".repeat(18)),
        "the longest bar is whole: {text}"
    );
}

#[test]
fn a_throttled_stretch_costs_time_and_nobody() {
    for account in ["sandbox", "small"] {
        let home = home(account, 150, true);
        let (end, _) = rehearse(&home, &["throttle"], 0);
        is_sound(&end, 150);
        assert_eq!(figure(&end, "/received/recipients"), 150);
        let told = end["faults"][0]["done"].as_str().unwrap();
        assert_eq!(told, "the stand-in throttled 15 messages");
        assert_eq!(end["faults"][0]["name"], "throttle");
    }
}

#[test]
fn a_cap_that_others_have_reached_is_waited_out() {
    for account in ["sandbox", "small"] {
        let home = home(account, 150, true);
        let (end, _) = rehearse(&home, &["cap"], 0);
        is_sound(&end, 150);
        assert_eq!(
            figure(&end, "/received/recipients"),
            150,
            "nobody is refused for it"
        );
        let times: Vec<jiff::Timestamp> = log(&end)
            .iter()
            .map(|line| line["at"].as_str().unwrap().parse().unwrap())
            .collect();
        let hours = |at: &jiff::Timestamp| at.duration_since(times[0]).as_hours();
        // What others had left is used at once, 40 or half of the campaign; the rest when their share
        // is a day old, 18 hours later.
        let left = if account == "small" { 40 } else { 75 };
        assert_eq!(times.iter().filter(|at| hours(at) < 1).count(), left);
        assert!(times[left..].iter().all(|at| hours(at) >= 17), "{times:?}");
    }
}

#[test]
fn dropped_connections_leave_in_doubt_only_what_nobody_can_know() {
    let home = home("sandbox", 200, true);
    let (end, _) = rehearse(&home, &["drop"], 1);
    is_sound(&end, 200);
    assert!((1..=3).contains(&figure(&end, "/in_doubt")), "{end}");
    assert!(figure(&end, "/compared/arrived") >= 1);
    assert_eq!(figure(&end, "/refused"), 0);
    let told = end["faults"][0]["done"].as_str().unwrap();
    assert!(told.starts_with("7 connections"), "{told}");
}

#[test]
fn every_fiftieth_recipient_refused_costs_only_them() {
    for personal in [true, false] {
        let home = home("sandbox", 200, personal);
        let (end, ended) = rehearse(&home, &["refuse"], 0);
        is_sound(&end, 200);
        assert_eq!(figure(&end, "/refused"), 4);
        let refused = ended
            .out
            .lines()
            .filter(|line| line.contains("\"event\":\"refused\""));
        assert_eq!(refused.count(), 4);
        let text = home
            .run(&["rehearse", "news", "-q", "--fault", "refuse"])
            .exits(0)
            .out;
        assert!(text.contains("4 × 550 5.1.10"), "{text}");
    }
}

#[test]
fn a_killed_sender_sends_nobody_twice_and_loses_nobody() {
    let home = home("sandbox", 200, true);
    let (end, _) = rehearse(&home, &["kill"], 1);
    is_sound(&end, 200);
    assert_eq!(figure(&end, "/kills"), 3);
    // One content that was broken off, one verdict that was not waited for, and what else was in hand.
    let (in_doubt, arrived) = (figure(&end, "/in_doubt"), figure(&end, "/compared/arrived"));
    assert!(arrived >= 1 && in_doubt > arrived && in_doubt <= 9, "{end}");
    let mut reached = BTreeSet::new();
    for line in log(&end) {
        let to = line["recipients"][0].as_str().unwrap().to_owned();
        assert!(reached.insert(to), "twice: {line}");
    }
}

#[test]
fn everything_at_once_is_borne() {
    let home = home("small", 150, true);
    let all = ["throttle", "cap", "drop", "garble", "refuse", "kill"];
    let (end, _) = rehearse(&home, &all, 1);
    is_sound(&end, 150);
    assert_eq!(end["faults"].as_array().unwrap().len(), all.len());
    for (fault, name) in end["faults"].as_array().unwrap().iter().zip(all) {
        assert_eq!(fault["name"], name);
    }
}

#[test]
fn a_single_message_bears_every_fault() {
    for fault in ["throttle", "cap", "drop", "garble", "refuse", "kill"] {
        let home = home("sandbox", 1, true);
        let end = home.run(&["rehearse", "news", "--json", "--fault", fault]);
        assert!([0, 1].contains(&end.code), "{fault}: {end:?}");
        is_sound(&end.json(), 1);
    }
    let home = home("sandbox", 1, true);
    let wrong = home.run(&["rehearse", "news", "--fault", "flood"]).exits(2);
    assert!(wrong.err.contains("throttle"), "{}", wrong.err);
}

#[test]
fn a_server_that_asks_for_less_speed_is_told_of_once() {
    let home = Home::new();
    home.campaign("sandbox", 120, true);
    let args = ["rehearse", "news", "--fault", "throttle"];
    let ended = home.run(&args).exits(0);
    assert!(!ended.err.contains("put off until"), "{}", ended.err);
    assert_eq!(
        ended.err.matches("pauses until").count(),
        1,
        "{}",
        ended.err
    );
    let all = home.run(&[&args[..], &["-v"]].concat()).exits(0).err;
    assert!(all.matches("put off until").count() > 1, "{all}");
}
