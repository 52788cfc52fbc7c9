//! The preview page as any program on the machine meets it: who is let in, what is answered.

use serde_json::Value;

use crate::home::{Home, repository};
use crate::previews::copy;
use crate::served::Served;

fn newsletter(home: &Home) {
    copy(
        &repository().join("samples/staff-newsletter"),
        &home.path("news"),
    );
}

#[test]
fn only_the_page_itself_with_its_key_is_answered() {
    let home = Home::new();
    home.campaign("sandbox", 3, true);
    let served = Served::start(&home, &["news"]);
    let (host, path) = (served.host().to_owned(), served.path().to_owned());
    let port = host.split(':').nth(1).unwrap();
    assert!(path.len() > 40, "{path}");
    for good in [host.clone(), format!("localhost:{port}")] {
        let answer = served.raw(&format!(
            "GET {path} HTTP/1.1\r\nHost: {good}\r\nConnection: close\r\n\r\n"
        ));
        assert_eq!(answer.status, 200, "{good}");
    }
    for bad in [
        "evil.example",
        &format!("evil.example:{port}"),
        "127.0.0.1",
        "localhost:1",
        "",
    ] {
        let answer = served.raw(&format!(
            "GET {path} HTTP/1.1\r\nHost: {bad}\r\nConnection: close\r\n\r\n"
        ));
        assert_eq!(answer.status, 421, "{bad}");
    }
    let refused = [
        ("Origin: http://evil.example\r\n", 403),
        ("Origin: null\r\n", 403),
        ("Origin: http://localhost:1\r\n", 403),
        ("Sec-Fetch-Site: cross-site\r\n", 403),
        ("Sec-Fetch-Site: same-site\r\n", 403),
        (
            "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: iframe\r\n",
            403,
        ),
        ("Sec-Fetch-Site: same-origin\r\n", 200),
        (
            "Sec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n",
            200,
        ),
        // A click on the address, wherever it was shown.
        (
            "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n",
            200,
        ),
    ];
    for (headers, status) in refused {
        assert_eq!(served.with(&path, headers).status, status, "{headers}");
    }
    let navigates =
        "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n";
    let state = format!("{path}api/state");
    assert_eq!(served.with(&state, navigates).status, 403);
    assert_eq!(
        served
            .with(&state, &format!("Origin: http://{host}\r\n"))
            .status,
        200
    );
    let guessed = format!("/{}/api/state", "0".repeat(48));
    for elsewhere in [
        "/",
        "/api/state",
        &guessed,
        &path.trim_end_matches('/')[..30],
    ] {
        assert_eq!(served.with(elsewhere, "").status, 404, "{elsewhere}");
    }
    let posted = served.raw(&format!(
        "POST {path}api/state HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    ));
    assert_eq!(posted.status, 405);
}

#[test]
fn every_answer_is_private_and_the_mail_may_do_nothing() {
    let home = Home::new();
    newsletter(&home);
    let served = Served::start(&home, &["news"]);
    served.checked();
    for below in [
        "",
        "page.js",
        "api/state",
        "api/row/1",
        "mail/1/html",
        "mail/1/mail.eml",
        "nothing",
    ] {
        let answer = served.get(below);
        assert_eq!(answer.header("cache-control"), "no-store", "{below}");
        assert_eq!(
            answer.header("x-content-type-options"),
            "nosniff",
            "{below}"
        );
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{below}");
        assert!(
            answer
                .header("content-security-policy")
                .contains("default-src 'none'"),
            "{below}"
        );
        assert!(
            !answer
                .headers
                .iter()
                .any(|(name, _)| name.starts_with("access-control")),
            "{below}"
        );
    }
    let page = served.get("");
    assert!(
        page.header("content-security-policy")
            .contains("script-src 'self'; style-src 'self'")
    );
    assert!(
        !page.text().contains("<script>") && !page.text().contains("style="),
        "nothing stands in the page itself"
    );
    let mail = served.get("mail/1/html");
    let policy = mail.header("content-security-policy");
    assert!(policy.starts_with("sandbox; "), "{policy}");
    assert!(
        !policy.contains("allow") && !policy.contains("script-src"),
        "{policy}"
    );
    let file = served.get("api/row/1").json()["mail"]["attached"][0]["part"].to_string();
    let file = served.get(&format!("mail/1/part/{file}"));
    assert!(
        file.header("content-disposition")
            .starts_with("attachment; filename*=UTF-8''agenda.pdf")
    );
    let agenda = repository().join("samples/staff-newsletter/files/agenda.pdf");
    assert!(file.body == std::fs::read(agenda).unwrap());
    served.ends_well();
}

#[test]
fn nothing_outside_the_campaign_is_reached() {
    let home = Home::new();
    home.campaign("sandbox", 1, false);
    home.write("secret.txt", "the secret");
    home.write(
        "news/staff.csv",
        "email,file\na@contoso.com,../secret.txt\nb@contoso.com,link.txt\nc@contoso.com,own.txt\n",
    );
    home.write("news/own.txt", "their own");
    std::os::unix::fs::symlink(home.path("secret.txt"), home.path("news/link.txt")).unwrap();
    let toml = std::fs::read_to_string(home.path("news/campaign.toml")).unwrap();
    home.write(
        "news/campaign.toml",
        toml.replace("[recipients]", "attach = [\"{{file}}\"]\n[recipients]"),
    );
    let served = Served::start(&home, &["news"]);
    served.checked();
    for row in [1, 2] {
        let answer = served.get(&format!("api/row/{row}"));
        assert!(answer.json()["none"].is_string(), "{}", answer.text());
        assert!(
            answer.json()["findings"][0]["message"]
                .as_str()
                .unwrap()
                .contains("leads out")
        );
        for part in 0..4 {
            assert_eq!(served.get(&format!("mail/{row}/part/{part}")).status, 404);
        }
        assert_eq!(served.get(&format!("mail/{row}/mail.eml")).status, 404);
    }
    let attached = served.get("api/row/3").json()["mail"]["attached"][0].clone();
    assert_eq!(
        served
            .get(&format!("mail/3/part/{}", attached["part"]))
            .body,
        b"their own"
    );
    for path in [
        "../secret.txt",
        "..%2fsecret.txt",
        "mail/../../../secret.txt",
        "mail/3/part/../../../../secret.txt",
        "mail/3/part/secret.txt",
        "mail/3/part/-1",
        "mail/3/part/99999999999999999999",
        "mail/0/html",
        "api/row/4",
        "api/row/x",
        "assets/page.html",
        "%00",
        "api/row/3/unfolded?from=9&to=1",
        "api/row/3/unfolded?from=0&to=99999999999",
    ] {
        let answer = served.get(path);
        assert!(
            [400, 404].contains(&answer.status) || answer.body.len() < 20_000,
            "{path}: {answer:?}"
        );
        assert!(!answer.text().contains("the secret"), "{path}");
    }
}

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
    served.until(|state| state["errors"] == 0 && text().contains("Good evening P2"));
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
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(home.path("drafts"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o700);
}
