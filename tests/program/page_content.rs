//! What the preview page shows: the mails as they go out, the list, what is saved, what is planned.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::home::Home;
use crate::served::{Served, newsletter};

#[test]
fn own_pictures_are_in_the_mail_and_others_are_counted() {
    let home = Home::new();
    newsletter(&home);
    let template = home.path("news/newsletter.html.hbs");
    let text = std::fs::read_to_string(&template).unwrap();
    let text = text.replace(
        "</body>",
        "<img src=\"https://elsewhere.invalid/a.png\"><img src=//elsewhere.invalid/b.png></body>",
    );
    std::fs::write(&template, text).unwrap();
    let served = Served::start(&home, &["news"]);
    let state = served.until(|state| state["edition"].as_u64() > Some(0));
    assert_eq!(state["rows"], 1203);
    let html = served.get("mail/1/html").text();
    let logo = std::fs::read(home.path("news/images/logo.png")).unwrap();
    let logo = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, logo);
    assert!(
        html.contains(&format!("src=\"data:image/png;base64,{logo}\"")),
        "{html}"
    );
    assert!(
        !html.contains("elsewhere.invalid") && !html.contains("cid:"),
        "{html}"
    );
    assert_eq!(served.get("api/row/1").json()["mail"]["remote"], 2);
}

#[test]
fn the_page_shows_the_bytes_that_the_files_have() {
    let home = Home::new();
    newsletter(&home);
    home.run(&["preview", "news", "--out", "out"]).exits(0);
    let served = Served::start(&home, &["news", "--to", "PRIYA.adebayo@contoso.com"]);
    assert!(served.address.ends_with("#row=14"), "{}", served.address);
    served.checked();
    for row in [1, 14] {
        let mail = served.get(&format!("api/row/{row}")).json()["mail"].clone();
        let number = mail["number"].as_u64().unwrap();
        let file = std::fs::read(home.path(&format!("out/{number:04}.eml"))).unwrap();
        let shown = served.get(&format!("mail/{row}/mail.eml")).body;
        let dateless = |mail: &[u8]| {
            let text = String::from_utf8(mail.to_vec()).unwrap();
            let lines = text.lines().filter(|line| !line.starts_with("Date: "));
            lines.collect::<Vec<_>>().join("\n")
        };
        assert_eq!(dateless(&shown), dateless(&file));
    }
    let shared = served.get("api/row/5").json()["mail"].clone();
    assert_eq!(shared["to"], "Contoso Communications <comms@contoso.com>");
    let note = shared["to_note"].as_str().unwrap();
    assert!(
        note.contains("recipients are in blind copy, and none sees another"),
        "{note}"
    );
    let own = served.get("api/row/14").json()["mail"].clone();
    assert_eq!(
        own["to_note"],
        "Priya Adébáyò sees their own address; nobody else's."
    );
    let duplicate = home.run(&["check", "news", "--json"]).json()["findings"][0]["row"].clone();
    let answer = served.get(&format!("api/row/{duplicate}")).json();
    assert!(
        answer["none"]
            .as_str()
            .unwrap()
            .contains("has the same address"),
        "{answer}"
    );
    home.run(&["preview", "news", "--serve", "--row", "1204"])
        .exits(66);
}

#[test]
fn the_list_is_searched_in_every_cell() {
    let home = Home::new();
    newsletter(&home);
    let served = Served::start(&home, &["news"]);
    served.until(|state| state["edition"].as_u64() > Some(0));
    let search = |words: &str| served.get(&format!("api/search?q={words}")).json();
    let hits = search("adebayo%20K%C3%B6ln");
    assert_eq!(hits["count"], 2, "{hits}");
    assert_eq!(hits["rows"][0]["name"], "Priya Adébáyò");
    assert_eq!(search("ABDI%20wambui")["rows"][0]["row"], 5);
    let all = search("contoso");
    assert!(all["count"].as_u64().unwrap() > 1000);
    assert_eq!(all["rows"].as_array().unwrap().len(), 200);
    assert_eq!(search("no%20such%20person")["count"], 0);
    let rows = served.get("api/rows?from=1200&count=100").json();
    assert_eq!(rows["rows"].as_array().unwrap().len(), 3);
    assert_eq!(
        served.get("api/rows?from=99999999999").json()["rows"]
            .as_array()
            .unwrap()
            .len(),
        0
    );
}

#[test]
fn what_is_saved_is_shown_and_what_is_broken_is_told() {
    let home = Home::new();
    home.campaign("sandbox", 2, true);
    let served = Served::start(&home, &["news"]);
    let first = served.checked()["edition"].as_u64();
    let text = || served.get("api/row/2").json()["mail"]["text"].to_string();
    assert!(text().contains("Dear P2"));
    home.write("news/news.txt.hbs", "Good day {{first_name}}\n");
    served.until(|state| state["edition"].as_u64() > first);
    assert!(text().contains("Good day P2"), "{}", text());
    home.write("news/news.txt.hbs", "Good day {{#if}\n");
    let row = || served.get("api/row/2").json();
    let state = served.until(|state| state["errors"] != 0 && row()["mail"].is_null());
    assert!(row()["none"].is_string(), "{}", row());
    assert_eq!(state["rows"], 2, "the list stays");
    assert_eq!(
        served.get("api/findings").json()["campaign"][0]["code"],
        "template-syntax"
    );
    let toml = std::fs::read_to_string(home.path("news/campaign.toml")).unwrap();
    home.write("news/campaign.toml", toml.replace("subject", "subjekt"));
    served.until(|state| {
        state["errors"] != 0
            && served.get("api/findings").json()["campaign"][0]["code"] == "configuration"
    });
    home.write("news/campaign.toml", toml);
    home.write("news/news.txt.hbs", "Good evening {{first_name}}\n");
    served.until(|state| {
        state["phase"] == "checked" && state["errors"] == 0 && text().contains("Good evening P2")
    });
    served.ends_well();
}

#[test]
fn edits_after_a_plan_that_was_made_meanwhile_are_not_shown_as_what_goes_out() {
    let home = Home::new();
    home.campaign("sandbox", 2, true);
    let served = Served::start(&home, &["news"]);
    served.checked();
    home.run(&["plan", "news"]).exits(0);
    home.write("news/news.txt.hbs", "Edited for {{first_name}}\n");
    served.until(|state| state["errors"] != 0);
    let findings = served.get("api/findings").json();
    assert_eq!(findings["campaign"][0]["code"], "planned-meanwhile");
    assert!(served.get("api/row/2").json()["mail"].is_null());
    served.ends_well();
}

#[test]
fn a_plan_is_shown_as_planned_whatever_is_edited() {
    let home = Home::new();
    home.campaign("sandbox", 3, true);
    home.run(&["plan", "news"]).exits(0);
    let served = Served::start(&home, &["news", "--row", "2"]);
    let state = served.checked();
    assert_eq!(
        (&state["planned"], &state["edited"]),
        (&Value::Bool(true), &Value::Bool(false))
    );
    assert_eq!((&state["rows"], &state["messages"]), (&3.into(), &3.into()));
    home.write("news/news.txt.hbs", "Edited for {{first_name}}\n");
    served.until(|state| state["edited"] == true);
    let mail = served.get("api/row/2").json()["mail"].clone();
    assert!(mail["text"].as_str().unwrap().contains("Dear P2"), "{mail}");
    let ids = home
        .run(&["report", "news", "--format", "csv"])
        .exits(0)
        .out;
    let id = mail["headers"]
        .as_array()
        .unwrap()
        .iter()
        .find(|header| header["name"] == "Message-ID")
        .unwrap();
    assert!(ids.contains(id["value"].as_str().unwrap()), "{id} {ids}");
    assert_eq!(served.get("api/search?q=P3").json()["count"], 1);
}

#[test]
fn drafts_differ_by_their_first_line_alone() {
    let home = Home::new();
    home.campaign("sandbox", 2, true);
    home.run(&["plan", "news"]).exits(0);
    home.run(&["preview", "news", "--out", "mails"]).exits(0);
    home.run(&["preview", "news", "--out", "drafts", "--drafts"])
        .exits(0);
    home.run(&["preview", "news", "--drafts"]).exits(2);
    for name in ["0001.eml", "0002.eml"] {
        let mail = std::fs::read(home.path("mails").join(name)).unwrap();
        let draft = std::fs::read(home.path("drafts").join(name)).unwrap();
        assert_eq!(draft, [b"X-Unsent: 1\r\n".as_slice(), &mail].concat());
    }
    let mode = std::fs::metadata(home.path("drafts"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn copies_and_a_to_of_the_campaigns_own_are_shown() {
    let home = Home::new();
    home.campaign("sandbox", 1, true);
    let toml = std::fs::read_to_string(home.path("news/campaign.toml")).unwrap();
    let more = "to = \"Zoë <{{email}}>\"\ncc = [\"Boss <boss@contoso.com>\", \"two@contoso.com\"]\n\
                bcc = [\"archive@contoso.com\"]\nreply_to = \"desk@contoso.com\"\n[recipients]";
    home.write("news/campaign.toml", toml.replace("[recipients]", more));
    let served = Served::start(&home, &["news"]);
    served.checked();
    let mail = served.get("api/row/1").json()["mail"].clone();
    assert_eq!(mail["to"], "Zoë <p1@contoso.com>");
    assert_eq!(
        mail["to_note"],
        "The campaign sets this address. It goes to P1 alone."
    );
    assert_eq!(
        mail["cc"],
        serde_json::json!(["Boss <boss@contoso.com>", "two@contoso.com"])
    );
    assert_eq!(mail["bcc"], serde_json::json!(["archive@contoso.com"]));
    assert_eq!(mail["reply_to"], "desk@contoso.com");
    let to = &mail["headers"].as_array().unwrap()[1];
    assert_eq!(
        (&to["name"], &to["value"]),
        (&"To".into(), &"Zoë <p1@contoso.com>".into())
    );
    assert!(to["raw"].as_str().unwrap().contains("=?utf-8?"), "{to}");
}
