//! Zones, starts and limits that cannot be kept are refused before anything is planned.

use jiff::{SignedDuration, Timestamp, ToSpan};

use crate::home::{Ended, Home};

fn home(delivery: &str, account: &str) -> Home {
    let home = Home::new();
    let text =
        format!("[t]\nprovider = \"custom\"\nhost = \"127.0.0.1\"\nauth = \"none\"\n{account}\n");
    home.write("config/postroom/accounts.toml", text);
    home.campaign("t", 4, true);
    let file = home.path("news/campaign.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{text}[delivery]\n{delivery}\n")).unwrap();
    home
}

fn plan_in(home: &Home, zone: &str) -> Ended {
    let mut command = home.command(&["plan", "news", "--json"]);
    Ended::of(&command.env("TZ", zone).output().unwrap())
}

#[expect(
    clippy::disallowed_methods,
    reason = "what the machine's clock says is what the program goes by"
)]
fn now() -> Timestamp {
    Timestamp::now()
}

#[test]
fn a_machine_zone_without_a_name_is_not_planned_by() {
    for zone in ["EST5EDT,M3.2.0,M11.1.0", "JST-9", "Mars/Olympus"] {
        for line in [
            "hours = \"Mon-Sun 08:00-18:00\"",
            "holidays = [\"2026-12-25\"]",
            "not_before = 2026-01-01T09:00:00",
        ] {
            let ended = plan_in(&home(line, ""), zone).exits(78);
            assert!(ended.err.contains("delivery.timezone"), "{}", ended.err);
            assert!(ended.err.contains(zone), "{}", ended.err);
        }
        // Nothing goes by it here, or the campaign has a zone of its own.
        for line in [
            "not_before = 2026-01-01T09:00:00Z",
            "timezone = \"Asia/Tokyo\"\nhours = \"00:00-24:00\"",
            "",
        ] {
            plan_in(&home(line, ""), zone).exits(0);
        }
    }
    let named = home("hours = \"00:00-24:00\"", "");
    plan_in(&named, "America/New_York").exits(0);
    let status = named.run(&["plan", "news"]).exits(0);
    assert!(status.out.contains("America/New_York"), "{}", status.out);
}

#[test]
fn a_start_or_a_window_that_nobody_lives_to_see_is_a_slip() {
    for start in [
        "9999-12-31T23:00:00",
        "9999-12-30T12:00:00Z",
        "2201-01-01T00:00:00",
    ] {
        let line = format!(
            "timezone = \"America/New_York\"\nhours = \"08:00-18:00\"\nnot_before = {start}"
        );
        let ended = home(&line, "").run(&["plan", "news"]).exits(78);
        assert!(ended.err.contains("delivery.not_before"), "{}", ended.err);
    }
    let years = "limits = [{ max = 1, per = \"36500d\", unit = \"messages\" }]";
    let ended = home("", years).run(&["plan", "news"]).exits(78);
    assert!(ended.err.contains("limits.per"), "{}", ended.err);
}

#[test]
fn a_plan_that_would_take_centuries_is_none() {
    let year = "limits = [{ max = 1, per = \"366d\", unit = \"messages\" }]";
    for hours in ["", "timezone = \"UTC\"\nhours = \"Mon-Fri 08:00-18:00\""] {
        let home = home(hours, year);
        home.run(&["plan", "news"]).exits(0);
        home.run(&["plan", "news", "--discard", "--yes"]).exits(0);
        let rows: Vec<String> = (1..=9_000)
            .map(|n| format!("p{n}@contoso.com,P{n}"))
            .collect();
        home.write(
            "news/staff.csv",
            format!("email,first_name\n{}\n", rows.join("\n")),
        );
        let ended = home.run(&["plan", "news", "--json"]).exits(65);
        assert!(ended.out.contains("never-finishes"), "{}", ended.out);
        assert!(ended.out.contains("1 messages per 366d"), "{}", ended.out);
        // Nothing was stored.
        home.run(&["status", "news"]).exits(66);
    }
}

#[test]
fn a_start_outside_the_hours_is_missed_only_after_they_have_opened() {
    // It was to begin four days ago, and this is the first day since with any hours.
    let today = jiff::tz::TimeZone::UTC.to_datetime(now());
    let day = today.strftime("%a").to_string();
    let start = today
        .checked_sub(4.days())
        .unwrap()
        .strftime("%Y-%m-%dT%H:%M:%S");
    let hours = |day: &str| {
        format!("timezone = \"UTC\"\nhours = \"{day} 00:00-24:00\"\nnot_before = {start}")
    };
    let account = "port = 9\ntls = \"none\"";
    let in_time = home(&hours(&day), account);
    let ended = in_time.run(&["send", "news", "--yes", "--no-wait"]);
    assert!(!ended.err.contains("--late"), "{}", ended.err);
    let before = today.checked_sub(SignedDuration::from_hours(72)).unwrap();
    let missed = home(&hours(&format!("{},{day}", before.strftime("%a"))), account);
    let ended = missed
        .run(&["send", "news", "--yes", "--no-wait"])
        .exits(75);
    assert!(ended.err.contains("--late"), "{}", ended.err);
}

#[test]
fn limits_that_contradict_each_other_are_named() {
    let rule =
        |max: u64, per: &str| format!("{{ max = {max}, per = \"{per}\", unit = \"recipients\" }}");
    for (first, second) in [((100, "1h"), (50, "24h")), ((50, "24h"), (100, "1h"))] {
        let limits = format!(
            "limits = [{}, {}]",
            rule(first.0, first.1),
            rule(second.0, second.1)
        );
        let ended = home("", &limits).run(&["plan", "news"]).exits(78);
        for said in ["t.limits", "100 recipients per 1h", "50 recipients per 24h"] {
            assert!(ended.err.contains(said), "{said}: {}", ended.err);
        }
    }
    let fine = format!("limits = [{}, {}]", rule(50, "1h"), rule(100, "24h"));
    home("", &fine).run(&["plan", "news"]).exits(0);
    let none = home("", "limits = []").run(&["plan", "news"]).exits(0);
    assert!(none.out.contains("limit       none"), "{}", none.out);
    for (more, said) in [
        (
            "limits = []\nreserve = { recipients = 5 }",
            "t.reserve.recipients",
        ),
        (
            &format!("{fine}\nreserve = {{ external_recipients = 5 }}"),
            "t.reserve.external_recipients",
        ),
        (
            &format!("{fine}\nreserve = {{ recipients = 100 }}"),
            "t.reserve.recipients",
        ),
    ] {
        let ended = home("", more).run(&["plan", "news"]).exits(78);
        assert!(ended.err.contains(said), "{said}: {}", ended.err);
    }
}
