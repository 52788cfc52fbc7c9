//! What scripts rely on: fields, streams, exit codes.

use serde_json::Value;

use crate::home::Home;
use crate::server::Server;

fn has(value: &Value, keys: &[&str]) {
    for key in keys {
        assert!(value.get(key).is_some(), "{key} in {value}");
    }
}

const ROWS: [&str; 7] = [
    "listed",
    "planned",
    "grouped",
    "duplicate",
    "invalid",
    "suppressed",
    "filtered",
];
const OUTCOMES: [&str; 8] = [
    "total",
    "pending",
    "sent",
    "deferred",
    "refused",
    "in_doubt",
    "suppressed",
    "cancelled",
];

#[test]
fn plan_and_status_have_their_fields() {
    let home = Home::new();
    home.campaign("sandbox", 40, true);
    let plan = home.run(&["plan", "news", "--json"]).exits(0).json();
    has(
        &plan,
        &[
            "campaign",
            "recipients",
            "messages",
            "mode",
            "batches",
            "finishes_at",
        ],
    );
    has(&plan["recipients"], &ROWS);
    has(
        &plan["batches"][0],
        &[
            "number",
            "account",
            "date",
            "messages",
            "recipients",
            "starts_at",
            "ends_at",
        ],
    );
    let again = home.run(&["plan", "news", "--json"]).exits(0).json();
    assert_eq!(plan, again, "repeating it changes nothing");
    let status = home.status();
    has(
        &status,
        &[
            "campaign",
            "state",
            "recipients",
            "messages",
            "next_send_at",
            "finishes_at",
            "stopped_because",
        ],
    );
    has(&status["recipients"], &OUTCOMES);
    has(&status["messages"], &OUTCOMES);
    assert_eq!(
        (&status["state"], &status["next_send_at"]),
        (&"planned".into(), &Value::Null)
    );
}

#[test]
fn a_plan_holds_against_edits_until_it_is_discarded() {
    let home = Home::new();
    home.campaign("sandbox", 2, true);
    home.run(&["plan", "news"]).exits(0);
    home.campaign("sandbox", 3, true);
    let warned = home.run(&["plan", "news", "--json"]).exits(0);
    assert_eq!(warned.json()["messages"], 2);
    assert!(
        warned.err.contains("edited after it was planned"),
        "{}",
        warned.err
    );
    home.run(&["plan", "news", "--discard"]).exits(2);
    home.run(&["plan", "news", "--discard", "--yes"]).exits(0);
    assert_eq!(
        home.run(&["plan", "news", "--json"]).exits(0).json()["messages"],
        3
    );
}

#[test]
fn sending_needs_a_yes_and_a_dry_run_does_not() {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    home.account(&server, "");
    home.campaign("t", 3, true);
    let dry = home.run(&["send", "news", "--dry-run"]).exits(0);
    assert!(
        dry.out.contains("3 messages to 3 recipients"),
        "{}",
        dry.out
    );
    home.run(&["send", "news"]).exits(2);
    assert_eq!(server.received().len(), 0);
    // Neither of them has planned anything: the campaign may still be edited.
    home.run(&["status", "news"]).exits(66);
    let events = home.run(&["send", "news", "--yes", "--json"]).exits(0).out;
    let sent = events
        .lines()
        .filter(|line| line.contains("\"event\":\"sent\""))
        .count();
    assert_eq!(sent, 3, "{events}");
    has(
        &serde_json::from_str(events.lines().last().unwrap()).unwrap(),
        &["state", "recipients"],
    );
    home.run(&["plan", "news", "--discard", "--yes"]).exits(2);
}

#[test]
fn the_report_has_a_line_for_every_row_in_the_lists_order() {
    let home = Home::new();
    let server = Server::start(&home, &["--refuse", "gone@*"]);
    home.account(&server, "");
    home.campaign("t", 0, true);
    home.write(
        "news/staff.csv",
        "email,first_name\nann@contoso.com,Ann\nANN@contoso.com,Ann\ngone@contoso.com,Gone\n=cmd@contoso.com,Bob\n",
    );
    home.run(&["send", "news", "--yes"]).exits(1);
    let report = home
        .run(&["report", "news", "--format", "csv"])
        .exits(0)
        .out;
    let mut lines = report.lines();
    assert_eq!(
        lines.next(),
        Some("row,email,outcome,sent_at,account,batch,message_id,attempts,reply")
    );
    let cells: Vec<Vec<&str>> = lines
        .map(|line| line.split(',').take(5).collect())
        .collect();
    assert_eq!(cells.len(), 4);
    assert_eq!(cells[0][..3], ["1", "ann@contoso.com", "sent"]);
    assert!(cells[0][3].ends_with('Z'), "RFC 3339 in UTC");
    assert_eq!(cells[1][..3], ["2", "ANN@contoso.com", "duplicate"]);
    assert_eq!(cells[2][..3], ["3", "gone@contoso.com", "refused"]);
    assert_eq!(cells[3][..3], ["4", "'=cmd@contoso.com", "sent"]);
    let json: Value =
        serde_json::from_str(&home.run(&["report", "news", "--format", "json"]).out).unwrap();
    assert_eq!(json.as_array().unwrap().len(), 4);
}

#[test]
fn a_rehearsal_in_json_ends_with_what_was_received() {
    let home = Home::new();
    home.campaign("sandbox", 70, true);
    let end = home.run(&["rehearse", "news", "--json"]).exits(0).json();
    has(&end, &["received", "breaches", "batches", "finishes_at"]);
    assert_eq!(end["received"]["messages"], 70);
    assert!(
        !home.path("state").exists(),
        "a rehearsal leaves the store alone"
    );
}

#[test]
fn secrets_are_nowhere() {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    home.account(&server, "");
    home.campaign("t", 3, true);
    let end = home.run(&["send", "news", "--yes", "-v"]).exits(0);
    let store = std::fs::read(home.path("state/postroom/postroom.db")).unwrap();
    let secret = crate::home::PASSWORD;
    assert!(!end.out.contains(secret) && !end.err.contains(secret));
    assert!(
        !store
            .windows(secret.len())
            .any(|bytes| bytes == secret.as_bytes())
    );
}

#[test]
fn quiet_is_quiet_and_nothing_is_painted_off_a_terminal() {
    let home = Home::new();
    home.campaign("sandbox", 3, true);
    let end = home.run(&["rehearse", "news", "-q"]).exits(0);
    assert_eq!(end.err, "");
    assert!(!end.out.contains('\u{1b}'), "{}", end.out);
}

#[test]
fn help_and_version_are_no_errors_and_wrong_usage_is() {
    let home = Home::new();
    assert!(home.run(&["--help"]).exits(0).out.contains("rehearse"));
    assert!(home.run(&["--version"]).exits(0).out.contains("postroom"));
    home.run(&["sendd"]).exits(2);
    home.run(&[]).exits(2);
    home.run(&["providers", "microsft365"]).exits(2);
    let all = home.run(&["providers", "--json"]).exits(0).json();
    has(
        &all["providers"][0],
        &["name", "host", "port", "tls", "limits", "max_connections"],
    );
}
