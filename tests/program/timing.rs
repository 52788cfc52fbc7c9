//! When a campaign goes, and by whom: hours, a start, several accounts, as a user sees them.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::home::Home;
use crate::server::Server;

/// Lines for the end of campaign.toml, under `[delivery]`.
fn delivery(home: &Home, lines: &str) {
    let file = home.path("news/campaign.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(
        &file,
        format!("{text}[delivery]\ntimezone = \"UTC\"\n{lines}\n"),
    )
    .unwrap();
}

#[expect(
    clippy::disallowed_methods,
    reason = "what the machine's clock says is what the program goes by"
)]
fn from_now(hours: i64) -> Timestamp {
    Timestamp::now() + SignedDuration::from_hours(hours)
}

fn clock(at: Timestamp) -> String {
    at.strftime("%H:%M").to_string()
}

#[test]
fn outside_the_hours_nothing_is_even_connected_to() {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    home.account(&server, "");
    home.campaign("t", 3, true);
    let opens = from_now(3);
    delivery(
        &home,
        &format!("hours = \"{}-{}\"", clock(opens), clock(from_now(5))),
    );
    let ended = home.run(&["send", "news", "--yes", "--no-wait"]).exits(75);
    assert!(ended.err.contains("sending hours"), "{}", ended.err);
    assert!(ended.err.contains(&clock(opens)), "{}", ended.err);
    let status = home.status();
    assert_eq!(status["state"], "waiting");
    let next: Timestamp = status["next_send_at"].as_str().unwrap().parse().unwrap();
    assert_eq!(clock(next), clock(opens));
    assert_eq!(status["limited_by"]["kind"], "hours");
    assert_eq!(server.stop()["connections"], 0);
}

#[test]
fn a_start_that_was_missed_by_days_asks() {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    home.account(&server, "");
    home.campaign("t", 3, true);
    let start = from_now(-72).strftime("%Y-%m-%dT%H:%M:%S");
    delivery(&home, &format!("not_before = {start}"));
    let ended = home.run(&["send", "news", "--yes"]).exits(75);
    assert!(ended.err.contains("--late"), "{}", ended.err);
    assert!(server.received().is_empty());
    home.run(&["send", "news", "--yes", "--late"]).exits(0);
    assert_eq!(server.received().len(), 3);
}

#[test]
fn a_start_that_was_missed_goes_on_when_the_campaign_says_so() {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    home.account(&server, "");
    home.campaign("t", 3, true);
    let start = from_now(-72).strftime("%Y-%m-%dT%H:%M:%S");
    delivery(
        &home,
        &format!("not_before = {start}\nmissed_start = \"go\""),
    );
    home.run(&["send", "news", "--yes"]).exits(0);
    assert_eq!(server.received().len(), 3);
}

#[test]
fn a_clock_that_was_ahead_when_mail_was_sent_is_asked_about_once() {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    home.account(
        &server,
        "limits = [ { max = 2, per = \"1h\", unit = \"messages\" } ]",
    );
    home.campaign("t", 3, true);
    home.run(&["send", "news", "--yes", "--max", "2"]).exits(0);
    let ahead = from_now(72).as_millisecond();
    // As a clock that was three days ahead left it, before the machine was started again.
    rusqlite::Connection::open(home.path("state/postroom/postroom.db"))
        .unwrap()
        .execute_batch(&format!(
            "UPDATE campaign SET planned_at = {ahead};
             UPDATE ledger SET stamped_at = {ahead}, boot = boot + 1;"
        ))
        .unwrap();
    let ended = home.run(&["send", "news", "--yes"]).exits(75);
    assert!(ended.err.contains("--trust-clock"), "{}", ended.err);
    let believing = ["send", "news", "--yes", "--no-wait", "--trust-clock"];
    let ended = home.run(&believing).exits(75);
    assert!(ended.err.contains("2 messages per 1h"), "{}", ended.err);
    let next = || -> Timestamp {
        let status = home.status();
        status["next_send_at"].as_str().unwrap().parse().unwrap()
    };
    let freed = next();
    assert!(freed < from_now(2), "an hour from now: {freed}");
    let ended = home.run(&["send", "news", "--yes", "--no-wait"]).exits(75);
    assert!(!ended.err.contains("--trust-clock"), "{}", ended.err);
    let moved = next().duration_since(freed).abs();
    assert!(moved < SignedDuration::from_millis(10), "{moved}");
    assert_eq!(server.received().len(), 2);
}

/// Two accounts `a` and `b` at one server, with further lines for each.
fn two_accounts(home: &Home, server: &Server, of_a: &str, of_b: &str) {
    let account = |name: &str, lines: &str| {
        format!(
            "[{name}]\nprovider = \"custom\"\nhost = \"127.0.0.1\"\nport = {}\nusername = \"{name}@contoso.com\"\n\
             auth = \"password\"\nca_file = \"{}\"\n{lines}\n[{name}.password]\nenv = \"TEST_PASSWORD\"\n",
            server.port(),
            server.certificate().display(),
        )
    };
    let text = account("a", of_a) + &account("b", of_b);
    home.write("config/postroom/accounts.toml", text);
    home.campaign("a", 20, true);
    let file = home.path("news/campaign.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let text = text.replace("account = \"a\"", "accounts = [\"a\", \"b\"]");
    std::fs::write(&file, text).unwrap();
}

#[test]
fn two_accounts_share_a_campaign_each_in_its_own_name() {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    let limit = "limits = [ { max = 10, per = \"1h\", unit = \"messages\" } ]";
    let from = "from = \"News, second desk <b@contoso.com>\"";
    two_accounts(
        &home,
        &server,
        limit,
        &format!(
            "{limit}\n{}",
            from.replace("News, second desk", "News desk")
        ),
    );
    let plan = home.run(&["plan", "news", "--json"]).exits(0).json();
    let share = |batch: &Value| (batch["account"].clone(), batch["messages"].clone());
    let shares: Vec<_> = plan["batches"]
        .as_array()
        .unwrap()
        .iter()
        .map(share)
        .collect();
    assert_eq!(
        shares,
        [("a".into(), 10.into()), ("b".into(), 10.into())],
        "ten each, and all of them now"
    );
    let shown = home.run(&["preview", "news", "--row", "20"]).exits(0).out;
    assert!(shown.contains("b@contoso.com"), "{shown}");
    home.run(&["send", "news", "--yes", "--no-wait"]).exits(0);
    let report = home
        .run(&["report", "news", "--format", "csv"])
        .exits(0)
        .out;
    let mut by_account = std::collections::BTreeMap::new();
    for row in csv::Reader::from_reader(report.as_bytes()).records() {
        let row = row.unwrap();
        assert_eq!(&row[2], "sent");
        *by_account.entry(row[4].to_owned()).or_insert(0) += 1;
    }
    assert_eq!(
        by_account,
        [("a".to_owned(), 10), ("b".to_owned(), 10)].into()
    );
    let mut senders: Vec<String> = server
        .received()
        .iter()
        .map(|mail| {
            let bytes = std::fs::read(&mail.file).unwrap();
            let mail = mail_parser::MessageParser::default().parse(&bytes).unwrap();
            let from = mail.from().unwrap().first().unwrap();
            from.address.clone().unwrap().into_owned()
        })
        .collect();
    senders.sort();
    senders.dedup();
    assert_eq!(senders, ["b@contoso.com", "comms@contoso.com"]);
    let rehearsed = home.run(&["rehearse", "news", "--json"]).exits(0).json();
    assert_eq!(rehearsed["compared"]["differences"], 0);
    assert_eq!(rehearsed["received"]["messages"], 20);
}

#[test]
fn what_can_never_be_kept_is_refused_with_its_key() {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    for (lines, key) in [
        (
            "limits = [ { max = 0, per = \"1m\", unit = \"messages\" } ]",
            "limits.max",
        ),
        (
            "limits = [ { max = -5, per = \"1m\", unit = \"messages\" } ]",
            "limits.max",
        ),
        (
            "limits = [ { max = 5, per = \"0m\", unit = \"messages\" } ]",
            "limits.per",
        ),
        (
            "limits = [ { max = 5, per = \"1m\", unit = \"mails\" } ]",
            "limits.unit",
        ),
        (
            "limits = [ { max = 5, per = \"1m\", unit = \"messages\" }, { max = 9, per = \"60s\", unit = \"messages\" } ]",
            "limits.max",
        ),
        ("reserve = { recipients = -1 }", "reserve.recipients"),
        ("from = \"nobody\"", "from"),
    ] {
        home.account(&server, lines);
        home.campaign("t", 1, true);
        let ended = home.run(&["plan", "news"]).exits(78);
        assert!(ended.err.contains(key), "{lines}: {}", ended.err);
    }
    home.account(&server, "");
    for (line, key) in [
        ("hours = \"08:00-08:00\"", "delivery.hours"),
        ("hours = \"Mon-Fri\"", "delivery.hours"),
        ("hours = \"all day\"", "delivery.hours"),
        ("holidays = [\"25.12.2026\"]", "delivery.holidays"),
        ("holidays = \"2026-12-25\"", "delivery.holidays"),
        ("not_before = \"soon\"", "delivery.not_before"),
    ] {
        home.campaign("t", 1, true);
        delivery(&home, line);
        let ended = home.run(&["plan", "news"]).exits(78);
        assert!(ended.err.contains(key), "{line}: {}", ended.err);
    }
    let same = "username = \"a@contoso.com\"";
    two_accounts(&home, &server, "", "");
    let accounts = home.path("config/postroom/accounts.toml");
    let text = std::fs::read_to_string(&accounts).unwrap();
    std::fs::write(
        &accounts,
        text.replace("username = \"b@contoso.com\"", same),
    )
    .unwrap();
    let ended = home.run(&["plan", "news"]).exits(78);
    assert!(ended.err.contains("same mailbox"), "{}", ended.err);
}

#[test]
fn a_send_ends_when_it_was_told_to() {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    home.account(
        &server,
        "limits = [ { max = 2, per = \"1h\", unit = \"messages\" } ]",
    );
    home.campaign("t", 5, true);
    // In the past: it ends before it begins.
    let past = from_now(-1).to_string();
    let ended = home.run(&["send", "news", "--yes", "--until", &past]);
    assert!(ended.exits(0).err.contains("has passed"));
    let ended = home.run(&["send", "news", "--yes", "--max", "0"]);
    assert!(ended.exits(0).err.contains("--max 0"));
    assert_eq!(server.received().len(), 0);
    home.run(&["send", "news", "--yes", "--max", "1"]).exits(0);
    assert_eq!(server.received().len(), 1);
    home.run(&["send", "news", "--yes", "--until", "half past"])
        .exits(2);
    let ended = home.run(&["send", "news", "--yes", "--no-wait"]).exits(75);
    assert!(ended.err.contains("2 messages per 1h"), "{}", ended.err);
    assert_eq!(server.received().len(), 2);
}

#[test]
fn short_waits_are_told_once_where_no_bar_shows_them() {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    home.account(
        &server,
        "limits = [ { max = 1, per = \"1s\", unit = \"messages\" } ]",
    );
    home.campaign("t", 4, true);
    let ended = home.run(&["send", "news", "--yes"]).exits(0);
    assert_eq!(
        ended.err.matches("waiting until").count(),
        1,
        "{}",
        ended.err
    );
    assert!(ended.err.contains("1 message per 1s"), "{}", ended.err);
    assert_eq!(server.received().len(), 4);
}
