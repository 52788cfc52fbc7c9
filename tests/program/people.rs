//! One person: their story, the mail that they were sent, a corrected one, and being forgotten.

use std::fs;
use std::path::Path;

use postroom::clock::Clock;
use postroom::sandbox::{Act, Fault, Faults, Options, Phase, Sandbox, TlsMode, When};
use serde_json::Value;

use crate::home::Home;
use crate::server::Server;

/// Twenty people with a mail and a file of their own, the first fifteen of them sent to, one refused.
fn half_sent(home: &Home, server: &Server) {
    home.account(server, "");
    home.campaign("t", 20, true);
    for n in 1..=20 {
        home.write(
            &format!("news/slips/p{n}.txt"),
            format!("the slip of P{n}, number 4711-{n}\n"),
        );
    }
    let toml = fs::read_to_string(home.path("news/campaign.toml")).unwrap();
    let toml = toml.replace(
        "text = \"news.txt.hbs\"\n",
        "text = \"news.txt.hbs\"\nattach = [\"slips/{{lower first_name}}.txt\"]\n",
    );
    home.write("news/campaign.toml", toml);
    home.run(&["send", "news", "--yes", "--max", "15"]).exits(0);
}

fn begun() -> (Home, Server) {
    let home = Home::new();
    let server = Server::start(&home, &["--refuse", "p3@*"]);
    half_sent(&home, &server);
    (home, server)
}

/// Everything that lies in the store's folder, as bytes.
fn bytes_of(folder: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            all.extend(fs::read(path).unwrap());
        }
    }
    all
}

fn occurs(bytes: &[u8], text: &str) -> bool {
    memchr::memmem::find(bytes, text.as_bytes()).is_some()
}

#[test]
fn the_story_of_a_person_has_every_attempt_and_reply() {
    let (home, _server) = begun();
    let story = home
        .run(&["show", "P3@Contoso.com", "--json"])
        .exits(0)
        .json();
    let chapter = &story["campaigns"][0];
    assert_eq!(chapter["campaign"], "news");
    assert_eq!(
        (&chapter["row"], &chapter["outcome"]),
        (&3.into(), &"refused".into())
    );
    let attempts = chapter["message"]["attempts"].as_array().unwrap();
    assert_eq!(attempts.len(), 1);
    assert_eq!(attempts[0]["account"], "t");
    assert_eq!(attempts[0]["phase"], "rcpt-to");
    let said = home.run(&["show", "p3@contoso.com"]).exits(0).out;
    for words in ["'news', row 3: refused", "attempt 1", "meaning"] {
        assert!(said.contains(words), "{words} in {said}");
    }
    home.run(&["suppress", "add", "@contoso.com", "--reason", "moved"])
        .exits(0);
    let story = home
        .run(&["show", "p3@contoso.com", "--json"])
        .exits(0)
        .json();
    assert_eq!(story["suppressions"][0]["reason"], "moved");
    let nobody = home
        .run(&["show", "p33@contoso.com", "--campaign", "news"])
        .exits(66);
    assert!(
        nobody.err.contains("p3@contoso.com"),
        "the likely one: {}",
        nobody.err
    );
    home.run(&["show", "ann@elsewhere.org"]).exits(66);
}

/// A server that says this at the n-th RCPT, and an account of one connection to it.
fn fickle(home: &Home, runtime: &tokio::runtime::Runtime, at_rcpt: &[(u64, u16, &str)]) -> Sandbox {
    let faults = at_rcpt.iter().map(|(nth, code, words)| Fault {
        phase: Phase::Rcpt,
        when: When::Nth(*nth),
        act: Act::Reply(*code, (*words).to_owned()),
    });
    let options = Options {
        tls: TlsMode::None,
        require_auth: false,
        keep_records: true,
        faults: Faults {
            list: faults.collect(),
            ..Faults::default()
        },
        ..Options::default()
    };
    let server = runtime.block_on(Sandbox::start(options, Clock::system()));
    let server = server.unwrap();
    home.write(
        "config/postroom/accounts.toml",
        format!(
            "[t]\nprovider = \"custom\"\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\nauth = \"none\"\n\
             limits = []\nmax_connections = 1\nretry = [\"1h\"]\n",
            server.address().port()
        ),
    );
    server
}

/// What became of each attempt to reach a person, and under which Message-ID.
fn told(home: &Home, address: &str) -> Vec<(String, String, String)> {
    let story = home.run(&["show", address, "--json"]).exits(0).json();
    let attempts = story["campaigns"][0]["attempts"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let numbers: Vec<u64> = attempts
        .iter()
        .map(|one| one["number"].as_u64().unwrap())
        .collect();
    assert_eq!(numbers, (1..=attempts.len() as u64).collect::<Vec<_>>());
    attempts
        .iter()
        .map(|one| {
            assert_eq!(one["account"], "t");
            (
                text(&one["outcome"]),
                text(&one["reply"]),
                text(&one["message_id"]),
            )
        })
        .collect()
}

/// The report's line of a person: outcome, attempts, account.
fn reported(home: &Home, address: &str) -> (Value, Value, Value) {
    let report = home.run(&["report", "news", "--format", "json"]).exits(0);
    let report: Value = serde_json::from_str(&report.out).unwrap();
    let mut rows = report.as_array().unwrap().iter();
    let row = rows.find(|row| row["email"] == address).unwrap();
    (
        row["outcome"].clone(),
        row["attempts"].clone(),
        row["account"].clone(),
    )
}

#[test]
fn a_story_keeps_every_attempt_through_whatever_is_done_with_the_person() {
    let home = Home::new();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let server = fickle(
        &home,
        &runtime,
        &[(1, 451, "4.7.1 greylisted"), (3, 550, "5.1.1 user unknown")],
    );
    home.campaign("t", 2, true);
    let p1 = "p1@contoso.com";
    home.run(&["send", "news", "--yes", "--no-wait"]).exits(75);
    assert_eq!(
        reported(&home, p1),
        ("deferred".into(), 1.into(), "t".into())
    );
    home.run(&["suppress", "add", p1]).exits(0);
    let first = told(&home, p1);
    assert_eq!(
        first.len(),
        1,
        "withdrawn, and what was tried is still told: {first:?}"
    );
    assert_eq!(
        reported(&home, p1),
        ("suppressed".into(), 1.into(), "t".into())
    );
    let said = home.run(&["show", p1]).exits(0).out;
    assert!(
        said.contains("greylisted") && said.contains(&first[0].2),
        "{said}"
    );

    home.run(&["suppress", "remove", p1]).exits(0);
    home.write("news/news.txt.hbs", "Another text, {{first_name}}.\n");
    home.run(&["plan", "news", "--update", "--yes"]).exits(0);
    assert_eq!(told(&home, p1), first);
    home.run(&["send", "news", "--yes"]).exits(1);
    assert_eq!(
        reported(&home, p1),
        ("refused".into(), 2.into(), "t".into())
    );
    home.run(&["retry", "news", "--to", p1, "--yes"]).exits(0);
    home.run(&["send", "news", "--yes"]).exits(0);
    assert_eq!(reported(&home, p1), ("sent".into(), 3.into(), "t".into()));

    let all = told(&home, p1);
    let outcomes: Vec<&str> = all.iter().map(|one| one.0.as_str()).collect();
    assert_eq!(outcomes, ["deferred", "refused", "sent"]);
    for (attempt, words) in all
        .iter()
        .zip(["4.7.1 greylisted", "5.1.1 user unknown", "250"])
    {
        assert!(attempt.1.contains(words), "{words} in {attempt:?}");
    }
    assert!(all[0].2 != all[1].2 && all[1].2 == all[2].2, "{all:?}");
    // Under the Message-ID that is told the server has it, and once.
    let taken = server.snapshot().records;
    let theirs: Vec<_> = taken.iter().filter(|one| one.recipients == [p1]).collect();
    assert_eq!(theirs.len(), 1);
    let said = home.run(&["show", p1]).exits(0).out;
    assert!(
        said.contains(&format!("as {}", all[0].2)),
        "the other one is named: {said}"
    );
    let status = home.status();
    assert_eq!(
        (&status["messages"]["total"], &status["messages"]["sent"]),
        (&2.into(), &2.into())
    );
    home.run(&["forget", p1, "--yes"]).exits(0);
    let after = bytes_of(&home.path("state/postroom"));
    assert!(!occurs(&after, p1));
}

#[test]
fn what_a_person_was_sent_is_rebuilt_to_the_byte() {
    let (home, server) = begun();
    // What the folder says by now does not matter.
    home.write("news/news.txt.hbs", "Another text, {{first_name}}.\n");
    home.run(&["show", "p7@contoso.com", "--eml", "p7.eml"])
        .exits(0);
    let received = server.received();
    let theirs = received
        .iter()
        .find(|one| one.recipients == ["p7@contoso.com"])
        .unwrap();
    let kept = fs::read(&theirs.file).unwrap();
    let rebuilt = fs::read(home.path("p7.eml")).unwrap();
    assert!(
        kept.ends_with(&rebuilt),
        "the very bytes, below what the server put before them"
    );
    home.run(&["show", "p7@contoso.com", "--eml", "p7.eml"])
        .exits(73);
    // Nothing was handed over for them yet.
    home.run(&["show", "p20@contoso.com", "--eml", "p20.eml"])
        .exits(66);
}

#[test]
fn whoever_got_a_wrong_version_gets_another_and_nobody_else() {
    let (home, server) = begun();
    let made = home
        .run(&["amend", "news", "news-2", "--json"])
        .exits(0)
        .json();
    assert_eq!(
        (&made["campaign"], &made["recipients"]),
        (&"news-2".into(), &15.into())
    );
    home.write(
        "news-2/news.txt.hbs",
        "Sorry, {{first_name}}: this is right.\n",
    );
    home.run(&["check", "news-2"]).exits(0);
    let before = server.received().len();
    home.run(&["send", "news-2", "--yes"]).exits(0);
    let again: Vec<String> = server
        .received()
        .drain(before..)
        .flat_map(|one| one.recipients)
        .collect();
    let (mut again, mut first): (Vec<String>, Vec<String>) = (
        again,
        home.outcomes()
            .into_iter()
            .filter(|(_, outcome)| outcome == "sent")
            .map(|(email, _)| email)
            .collect(),
    );
    again.sort();
    first.sort();
    assert_eq!(again, first);
    home.run(&["amend", "news", "news-2"]).exits(2);
    home.run(&["amend", "news", "news/within"]).exits(2);
}

#[test]
fn a_person_who_is_forgotten_occurs_nowhere_and_the_totals_stay() {
    let (home, server) = begun();
    let state = home.path("state/postroom");
    let before = bytes_of(&state);
    assert!(
        occurs(&before, "p7@contoso.com") && occurs(&before, "4711-7\n"),
        "it is there before"
    );
    home.run(&["forget", "p7@contoso.com"]).exits(2);
    let done = home
        .run(&["forget", "p7@contoso.com", "--yes", "--json"])
        .exits(0)
        .json();
    assert_eq!(
        (&done["rows"], &done["files"], &done["wiped"]),
        (&1.into(), &1.into(), &true.into())
    );
    // Somebody who is still to get the mail gets nothing; somebody who was refused may stand in a reply.
    home.run(&["forget", "p20@contoso.com", "--yes"]).exits(0);
    home.run(&["forget", "p3@contoso.com", "--yes"]).exits(0);
    let after = bytes_of(&state);
    for gone in [
        "p7@contoso.com",
        "p20@contoso.com",
        "p3@contoso.com",
        "\"P7\"",
        "4711-7\n",
        "4711-20\n",
    ] {
        assert!(!occurs(&after, gone), "{gone} is still there");
    }
    assert!(
        occurs(&after, "p8@contoso.com") && occurs(&after, "4711-8\n"),
        "nobody else is touched"
    );
    let status = home.status();
    let people = &status["recipients"];
    assert_eq!(
        (&people["total"], &people["sent"], &people["refused"]),
        (&20.into(), &15.into(), &1.into())
    );
    assert_eq!(
        (&people["cancelled"], &people["pending"]),
        (&1.into(), &3.into())
    );
    home.run(&["show", "p7@contoso.com"]).exits(66);
    home.run(&["preview", "news", "--row", "7"]).exits(66);
    home.run(&["preview", "news", "--out", "mails"]).exits(0);
    // The list still has them: they are no newcomers.
    home.write("news/news.txt.hbs", "Another text, {{first_name}}.\n");
    home.run(&["plan", "news", "--update", "--yes"]).exits(0);
    home.run(&["send", "news", "--yes"]).exits(1);
    let reached: Vec<String> = server
        .received()
        .into_iter()
        .flat_map(|one| one.recipients)
        .collect();
    assert_eq!(reached.len(), 18, "{reached:?}");
    assert!(!reached.contains(&"p20@contoso.com".to_owned()));
    assert_eq!(home.outcomes().len(), 20);
}

#[test]
fn a_file_that_former_editions_keep_is_forgotten_too() {
    let (home, _server) = begun();
    home.write("news/news.txt.hbs", "Another text, {{first_name}}.\n");
    home.run(&["plan", "news", "--update", "--yes"]).exits(0);
    let done = home
        .run(&["forget", "p18@contoso.com", "--yes", "--json"])
        .exits(0)
        .json();
    assert_eq!((&done["cancelled"], &done["files"]), (&1.into(), &2.into()));
    let after = bytes_of(&home.path("state/postroom"));
    assert!(!occurs(&after, "4711-18\n") && occurs(&after, "4711-19\n"));
}
