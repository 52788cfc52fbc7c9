//! Providers as users choose them: the list, regions, a fixed user name, a limit that was withdrawn.

use serde_json::Value;

use crate::home::{Ended, Home};

fn account(home: &Home, lines: &str) {
    home.write("config/postroom/accounts.toml", format!("[t]\n{lines}\n"));
}

/// A newsletter to so many people outside, planned.
fn plan(home: &Home, people: usize) -> Value {
    home.campaign("t", people, false);
    let file = home.path("news/campaign.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{text}internal = [\"elsewhere.test\"]\n")).unwrap();
    home.run(&["plan", "news", "--json"]).exits(0).json()
}

#[test]
fn every_provider_is_listed_with_its_keys() {
    let home = Home::new();
    let json = home.run(&["providers", "--json"]).exits(0).json();
    let providers = json["providers"].as_array().unwrap();
    assert_eq!(providers.len(), 11);
    for provider in providers {
        for key in [
            "name",
            "host",
            "port",
            "tls",
            "limits",
            "source",
            "checked_on",
            "notes",
        ] {
            assert!(provider.get(key).is_some(), "{key} in {provider}");
        }
    }
    let list = home.run(&["providers"]).exits(0).out;
    let told = home.run(&["providers", "microsoft365"]).exits(0).out;
    for provider in providers {
        assert!(list.contains(provider["name"].as_str().unwrap()));
    }
    for words in [
        "device-code",
        "withdrawn on Tue 6 Jan 2026",
        "withdrawn_limits = false",
        "*.onmicrosoft.com",
    ] {
        assert!(told.contains(words), "{words} in {told}");
    }
}

#[test]
fn a_withdrawn_limit_is_named_where_it_holds_a_campaign_back_and_one_key_lifts_it() {
    let home = Home::new();
    let lines =
        "provider = \"microsoft365\"\nusername = \"comms@contoso.com\"\nauth = \"password\"";
    account(&home, lines);
    let kept = plan(&home, 4500);
    let days = |plan: &Value| plan["batches"].as_array().unwrap().len();
    assert_eq!(days(&kept), 3, "2,000 a day");
    let by = &kept["limited_by"];
    assert_eq!(
        (by["rule"]["unit"].as_str(), by["withdrawn"].as_str()),
        (Some("external-recipients"), Some("2026-01-06"))
    );
    assert_eq!(
        by["lifted_by"],
        "withdrawn_limits = false under [t] in accounts.toml"
    );
    let told = home.run(&["plan", "news"]).exits(0).out;
    for words in [
        "limited by  the limit of 2,000 external recipients",
        "withdrawn on Tue 6 Jan 2026",
        "withdrawn_limits = false under [t]",
    ] {
        assert!(told.contains(words), "{words} in {told}");
    }
    assert!(home.status()["limited_by"]["withdrawn"].is_string());

    account(&home, &format!("{lines}\nwithdrawn_limits = false"));
    home.run(&["plan", "news", "--discard", "--yes"]).exits(0);
    let lifted = plan(&home, 4500);
    assert_eq!(days(&lifted), 1);
    assert!(lifted["limited_by"].get("withdrawn").is_none());
}

#[test]
fn limits_of_ones_own_replace_the_withdrawn_one_too() {
    let home = Home::new();
    account(
        &home,
        "provider = \"microsoft365\"\nusername = \"comms@contoso.com\"\nauth = \"password\"\n\
         limits = [{ max = 2000, per = \"24h\", unit = \"external-recipients\" }]",
    );
    let plan = plan(&home, 4500);
    assert_eq!(plan["limited_by"]["kind"], "rule");
    assert!(plan["limited_by"].get("withdrawn").is_none());
}

#[test]
fn an_account_finds_its_provider_by_its_domain() {
    let home = Home::new();
    account(
        &home,
        "username = \"ana@outlook.com\"\nfrom = \"ana@outlook.com\"\nauth = \"password\"",
    );
    home.campaign("t", 3, true);
    let told = home.run(&["plan", "news"]).exits(0).out;
    assert!(told.contains("Outlook.com"), "{told}");
    account(&home, "username = \"ana@contoso.com\"\nauth = \"password\"");
    let said = home.run(&["check", "news"]).exits(78);
    assert!(
        said.err.contains("t.provider") && said.err.contains("can be left out only"),
        "{}",
        said.err
    );
}

#[test]
fn a_region_is_asked_for_and_checked() {
    let home = Home::new();
    home.campaign("t", 3, true);
    let check = |lines: &str| -> Ended {
        account(
            &home,
            &format!("username = \"AKIAEXAMPLE\"\nauth = \"password\"\n{lines}"),
        );
        home.run(&["check", "news"])
    };
    check("provider = \"amazon-ses\"\nregion = \"eu-central-1\"").exits(0);
    check("provider = \"amazon-ses\"\nhost = \"email-smtp.moon-1.amazonaws.com\"").exits(0);
    check("provider = \"mailgun\"").exits(0);
    for lines in [
        "provider = \"amazon-ses\"",
        "provider = \"amazon-ses\"\nregion = \"moon-1\"",
        "provider = \"mailgun\"\nregion = \"moon-1\"",
        "provider = \"gmail\"\nregion = \"eu\"",
    ] {
        let said = check(lines).exits(78);
        assert!(
            said.err.contains("t.region") && said.err.contains("[t] in accounts.toml"),
            "{}",
            said.err
        );
        assert!(
            lines.contains("gmail") || said.err.contains("eu"),
            "{}",
            said.err
        );
    }
}

#[test]
fn a_user_name_that_is_everybodys_need_not_be_written() {
    let home = Home::new();
    account(&home, "provider = \"sendgrid\"\nauth = \"password\"");
    home.campaign("t", 3, true);
    home.run(&["check", "news"]).exits(0);
}
