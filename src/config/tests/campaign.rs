use jiff::civil::date;

use super::{SMALLEST, campaign, place, problem, problems, with};
use crate::config::delivery::moment;
use crate::config::{Duplicates, Mode, NotBefore};

#[test]
fn the_smallest_campaign_takes_the_defaults() {
    let campaign = campaign(SMALLEST).unwrap();
    assert_eq!(campaign.name, "staff-news");
    assert_eq!(campaign.accounts, ["sandbox"]);
    assert_eq!(campaign.recipients.duplicates, Duplicates::First);
    assert_eq!(campaign.recipients.address, None);
    assert_eq!(campaign.delivery.mode, Mode::Auto);
    assert_eq!(campaign.delivery.timezone, None);
    assert_eq!(campaign.delivery.holidays, []);
}

#[test]
fn an_empty_file_says_all_that_is_required_at_once() {
    let keys: Vec<String> = problems(campaign("")).into_iter().map(|p| p.key).collect();
    assert_eq!(
        keys,
        [
            "account",
            "message.from",
            "message.subject",
            "message.html",
            "recipients.file"
        ]
    );
    let account = &problems(campaign(""))[0];
    assert!(
        account.remedy.contains("account = \"sandbox\""),
        "{account:?}"
    );
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest_and_its_place() {
    let unknown = problem(campaign(&with("message", "  subjct = \"x\"")));
    assert_eq!(place(&unknown), Some((3, 3)));
    assert_eq!(unknown.key, "message.subjct");
    assert!(unknown.remedy.contains("`subject`"), "{unknown:?}");
    for (table, line, nearest) in [
        ("", "nmae = \"x\"", "name"),
        ("", "acounts = [\"x\"]", "accounts"),
        ("message", "reply-to = \"x\"", "reply_to"),
        ("message", "attachments = []", "attach"),
        ("recipients", "adress = \"x\"", "address"),
        ("recipients", "duplicate = \"first\"", "duplicates"),
        ("delivery", "Mode = \"auto\"", "mode"),
        ("delivery", "time_zone = \"UTC\"", "timezone"),
    ] {
        let unknown = problem(campaign(&with(table, line)));
        assert!(
            unknown.remedy.contains(&format!("`{nearest}`")),
            "{line}: {unknown:?}"
        );
    }
}

#[test]
fn a_key_in_the_wrong_table_is_told_where_it_belongs() {
    let moved = problem(campaign(&with("recipients", "mode = \"auto\"")));
    assert!(moved.remedy.contains("[delivery]"), "{moved:?}");
    let moved = problem(campaign(&with("recipients", "name = \"x\"")));
    assert!(moved.remedy.contains("top of the file"), "{moved:?}");
    let nothing_like_it = problem(campaign(&with("delivery", "zzz = 1")));
    assert!(
        nothing_like_it.remedy.contains("mode, hours, timezone"),
        "{nothing_like_it:?}"
    );
}

#[test]
fn several_problems_are_reported_at_once_in_the_file_s_order() {
    let text = r#"accont = "sandbox"
[message]
from = 5
subject = "Hello"
html = "/etc/passwd"
[recipients]
file = "staff.csv"
duplicates = "frist"
[delivery]
mode = "shard"
"#;
    let found = problems(campaign(text));
    let found: Vec<_> = found.iter().map(|p| (p.key.as_str(), place(p))).collect();
    assert_eq!(
        found,
        [
            ("accont", Some((1, 1))),
            ("message.from", Some((3, 8))),
            ("message.html", Some((5, 8))),
            ("recipients.duplicates", Some((8, 14))),
            ("delivery.mode", Some((10, 8))),
            ("account", None),
        ]
    );
}

#[test]
fn columns_count_characters_and_not_bytes() {
    let text = with("message", "inline = { \"größe\" = \"ö.png\", x = 1 }");
    let places: Vec<_> = problems(campaign(&text)).iter().map(place).collect();
    assert_eq!(places, [Some((3, 12)), Some((3, 35))]);
    let marked = format!("\u{feff}nmae = 1\n{SMALLEST}");
    assert_eq!(place(&problem(campaign(&marked))), Some((1, 1)));
    let windows = with("message", "subjct = 1").replace('\n', "\r\n");
    assert_eq!(place(&problem(campaign(&windows))), Some((3, 1)));
}

#[test]
fn a_wrong_type_names_the_key_and_what_was_expected() {
    for (table, line, expected) in [
        (
            "",
            "name = 5",
            "expected text in quotes, found a whole number",
        ),
        (
            "message",
            "to = true",
            "expected text in quotes, found true or false",
        ),
        (
            "message",
            "cc = \"x\"",
            "expected a list of texts, found text",
        ),
        (
            "message",
            "bcc = [1.5]",
            "expected text in quotes, found a decimal number",
        ),
        (
            "message",
            "headers = []",
            "expected a table of texts, found a list",
        ),
        (
            "message",
            "inline = 2026-12-01",
            "expected a table of texts, found a date or time",
        ),
        (
            "recipients",
            "internal = {}",
            "expected a list of texts, found a table",
        ),
        (
            "delivery",
            "mode = 1",
            "expected text in quotes, found a whole number",
        ),
        (
            "delivery",
            "holidays = \"2026-12-25\"",
            "expected a list of dates, found text",
        ),
        (
            "delivery",
            "not_before = \"2026-12-01\"",
            "expected a date and time, found text",
        ),
    ] {
        let wrong = problem(campaign(&with(table, line)));
        let key = line.split(' ').next().unwrap();
        assert!(wrong.key.ends_with(key), "{wrong:?}");
        assert_eq!(wrong.message, expected, "{line}");
    }
    let wrong = problem(campaign(
        "account = \"a\"\nmessage = 5\n[recipients]\nfile = \"a.csv\"",
    ));
    assert_eq!(
        (wrong.key.as_str(), place(&wrong)),
        ("message", Some((2, 11)))
    );
}

#[test]
fn a_name_is_one_short_line() {
    assert_eq!(
        campaign(&with("", "name = \"december\"")).unwrap().name,
        "december"
    );
    for bad in [
        "\"\"",
        "\" \"",
        "\"a\\nb\"",
        &format!("\"{}\"", "x".repeat(129)),
    ] {
        let wrong = problem(campaign(&with("", &format!("name = {bad}"))));
        assert_eq!((wrong.key.as_str(), wrong.line), ("name", Some(1)), "{bad}");
    }
    let long = "ü".repeat(128);
    assert_eq!(
        campaign(&with("", &format!("name = \"{long}\"")))
            .unwrap()
            .name,
        long
    );
}

#[test]
fn one_way_of_naming_accounts_and_at_least_one() {
    let accounts = |line: &str| campaign(&SMALLEST.replace("account = \"sandbox\"", line));
    assert_eq!(
        accounts("accounts = [\"comms\"]").unwrap().accounts,
        ["comms"]
    );
    assert_eq!(problem(accounts("accounts = []")).key, "accounts");
    assert_eq!(problem(accounts("account = \"\"")).key, "account");
    let both = problem(accounts("account = \"a\"\naccounts = [\"b\"]"));
    assert_eq!((both.key.as_str(), both.line), ("accounts", Some(2)));
    let twice = problems(accounts("accounts = [\"a\", \"a\"]"));
    assert!(twice[0].message.contains("twice"), "{twice:?}");
}

#[test]
fn a_time_zone_is_one_that_exists() {
    let zone = |name: &str| campaign(&with("delivery", &format!("timezone = \"{name}\"")));
    let berlin = zone("Europe/Berlin").unwrap().delivery.timezone.unwrap();
    assert_eq!(berlin.iana_name(), Some("Europe/Berlin"));
    for bad in ["Europe/Berln", "CEST", "Etc/Unknown", "+01:00"] {
        assert_eq!(problem(zone(bad)).key, "delivery.timezone", "{bad}");
    }
}

#[test]
fn words_of_a_choice_are_read_or_named() {
    for (word, mode) in [
        ("auto", Mode::Auto),
        ("shared", Mode::Shared),
        ("individual", Mode::Individual),
    ] {
        let campaign = campaign(&with("delivery", &format!("mode = \"{word}\""))).unwrap();
        assert_eq!(campaign.delivery.mode, mode);
    }
    let wrong = problem(campaign(&with("delivery", "mode = \"indivdual\"")));
    assert!(wrong.message.contains("'indivdual'"), "{wrong:?}");
    assert!(
        wrong.remedy.contains("did you mean \"individual\""),
        "{wrong:?}"
    );
}

#[test]
fn a_list_is_a_file_of_a_known_kind() {
    let list = |name: &str| campaign(&SMALLEST.replace("staff.csv", name));
    assert!(list("lists/STAFF.TSV").is_ok());
    for bad in ["staff.xls", "staff", "staff.csv.zip"] {
        assert_eq!(problem(list(bad)).key, "recipients.file", "{bad}");
    }
    for bad in ["@contoso.com", "contoso..com", "a b", "http://x"] {
        let text = with("recipients", &format!("internal = [\"{bad}\"]"));
        assert_eq!(problem(campaign(&text)).key, "recipients.internal", "{bad}");
    }
    let good = campaign(&with(
        "recipients",
        "internal = [\"contoso.com\"]\naddress = \"mail\"",
    ))
    .unwrap();
    assert_eq!(good.recipients.internal, ["contoso.com"]);
    assert_eq!(good.recipients.address.as_deref(), Some("mail"));
}

#[test]
fn a_campaign_may_have_hours_holidays_and_a_start() {
    let lines = "timezone = \"Europe/Berlin\"\nhours = \"Mon-Fri 08:00-18:00\"\nholidays = [\"2026-12-25\", 2026-12-26]\n\
                 not_before = 2026-12-01T09:00:00\nmissed_start = \"go\"";
    let schedule = campaign(&with("delivery", lines))
        .unwrap()
        .delivery
        .schedule();
    assert_eq!(schedule.hours.unwrap().to_string(), "Mon-Fri 08:00-18:00");
    assert_eq!(schedule.holidays.len(), 2);
    assert_eq!(
        schedule.not_before.unwrap().to_string(),
        "2026-12-01T08:00:00Z",
        "by the clocks of Berlin"
    );
    assert!(schedule.starts_late);
    let asks = campaign(&with("delivery", "not_before = 2026-12-01T09:00:00+02:00"));
    let schedule = asks.unwrap().delivery.schedule();
    assert_eq!(
        schedule.not_before.unwrap().to_string(),
        "2026-12-01T07:00:00Z"
    );
    assert!(
        !schedule.starts_late,
        "a person is asked unless told otherwise"
    );
}

#[test]
fn hours_that_say_nothing_are_refused_with_their_key() {
    for bad in [
        "",
        "Mon-Fri",
        "08:00-08:00",
        "24:00-24:00",
        "Mon 25:00-26:00",
        "office hours",
    ] {
        let refused = problem(campaign(&with("delivery", &format!("hours = \"{bad}\""))));
        assert_eq!(refused.key, "delivery.hours", "{bad}");
        assert!(refused.line.is_some());
    }
    let refused = problem(campaign(&with("delivery", "missed_start = \"maybe\"")));
    assert_eq!(refused.key, "delivery.missed_start");
    assert!(refused.message.contains("ask") || refused.remedy.contains("ask"));
}

#[test]
fn what_comes_later_is_refused_and_never_ignored() {
    assert_eq!(
        campaign(&with("delivery", "holidays = []"))
            .unwrap()
            .delivery
            .holidays,
        []
    );
}

#[test]
fn how_the_list_is_read_can_be_said() {
    assert!(campaign(&SMALLEST.replace(".csv", ".XLSX")).is_ok());
    let said = |line: &str| campaign(&with("recipients", line));
    let reading = said("encoding = \"Latin1\"").unwrap().recipients.reading;
    assert_eq!(reading.encoding.unwrap().name(), "windows-1252");
    let reading = said("sheet = \"Staff\"").unwrap().recipients.reading;
    assert_eq!(reading.sheet.as_deref(), Some("Staff"));
    assert!(
        said("numbers = \"1.234,56\"")
            .unwrap()
            .recipients
            .reading
            .numbers
            .is_some()
    );
    let reading = said("dates = \"01/03/2026\"").unwrap().recipients.reading;
    assert!(reading.dates.is_some());
    for (line, word) in [
        ("encoding = \"ansi-ish\"", "windows-1252"),
        ("numbers = \"1234,5\"", "1.234,56"),
        ("dates = \"24.12.2026\"", "01.03.2026"),
    ] {
        let problem = problem(said(line));
        assert!(problem.remedy.contains(word), "{problem:?}");
        assert!(problem.line.is_some());
    }
}

#[test]
fn days_that_are_not_in_the_calendar_are_said_to_be_so() {
    for line in [
        "not_before = 09:00:00",
        "holidays = [\"2026-02-30\"]",
        "holidays = [\"25.12.2026\"]",
        "holidays = [\"20261225\"]",
        "holidays = [2026-12-25T00:00:00]",
        "holidays = [5]",
    ] {
        let wrong = problem(campaign(&with("delivery", line)));
        assert!(wrong.message.contains("not a day"), "{line}: {wrong:?}");
    }
}

#[test]
fn a_time_to_begin_is_local_or_has_an_offset() {
    let read = |text: &str| moment(&text.parse().unwrap());
    let nine = date(2026, 12, 1).at(9, 0, 0, 0);
    assert_eq!(read("2026-12-01T09:00:00"), Some(NotBefore::Local(nine)));
    let midnight = date(2026, 12, 1).at(0, 0, 0, 0);
    assert_eq!(read("2026-12-01"), Some(NotBefore::Local(midnight)));
    let at = |text: &str| Some(NotBefore::At(text.parse().unwrap()));
    assert_eq!(
        read("2026-12-01T09:00:00+02:00"),
        at("2026-12-01T07:00:00Z")
    );
    assert_eq!(
        read("2026-12-01T09:00:00-03:30"),
        at("2026-12-01T12:30:00Z")
    );
    assert_eq!(read("2026-12-01T09:00:00Z"), at("2026-12-01T09:00:00Z"));
    assert_eq!(read("2026-12-31T23:59:60Z"), at("2026-12-31T23:59:59Z"));
    assert_eq!(read("09:00:00"), None);
}

#[test]
fn a_filter_is_read_at_load_and_what_is_wrong_is_told_with_its_place() {
    let read = |line: &str| campaign(&with("recipients", line));
    let campaign = read("where = \"office == 'Berlin'\"\nduplicates = \"group\"").unwrap();
    let filter = campaign.recipients.filter.unwrap();
    assert_eq!(filter.as_str(), "office == 'Berlin'");
    assert_eq!(campaign.recipients.duplicates, Duplicates::Group);
    let refused = problem(read("where = \"größe == Berlin\""));
    assert_eq!(refused.key, "recipients.where");
    assert_eq!(place(&refused), Some((7, 19)), "where Berlin stands");
    assert!(refused.remedy.contains("'Berlin'"), "{refused:?}");
    let escaped = problem(read("where = \"a == \\\"x\\\" or\""));
    assert_eq!(place(&escaped), Some((7, 9)), "where the filter stands");
    assert!(escaped.message.contains("character 12"), "{escaped:?}");
    assert_eq!(problem(read("where = \" \"")).key, "recipients.where");
    assert_eq!(problem(read("where = 5")).key, "recipients.where");
}
