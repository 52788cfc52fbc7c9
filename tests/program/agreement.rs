//! The report against what the receiving server took and said, row by row, after refusals, deferrals, dropped
//! connections, a throttle and senders that were killed.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::{SignedDuration, Timestamp};
use postroom::clock::Clock;
use postroom::sandbox::{
    Act, Fault, Faults, Options, Phase, Received, RefuseAt, RefuseRule, Sandbox, TlsMode, When,
};
use serde_json::Value;

use crate::crash::{CONNECTIONS, kill_after};
use crate::home::Home;

/// People of the list; two of them stand in it twice, and one is filtered.
const PEOPLE: usize = 160;

/// What the server says for good at RCPT, and of the content.
const GONE: (u16, &str) = (550, "5.1.10 no such recipient <{recipient}>");
const LATE: (u16, &str) = (550, "5.1.1 <{recipient}> user unknown");

/// A server with faults, and what it has seen.
struct Place {
    home: Home,
    runtime: tokio::runtime::Runtime,
    server: Sandbox,
    /// Verdicts that it did not get to say.
    drops: u64,
}

fn refuse(pattern: &str, reply: (u16, &str), at: RefuseAt) -> RefuseRule {
    RefuseRule {
        pattern: pattern.to_owned(),
        reply: (reply.0, reply.1.to_owned()),
        at,
    }
}

fn fault(phase: Phase, when: When, act: Act) -> Fault {
    Fault { phase, when, act }
}

/// The faults of the server; the one that asks for a pause costs a minute.
fn faults(throttles: bool) -> Vec<Fault> {
    let busy = |words: &str| Act::Reply(451, words.to_owned());
    let mut faults = vec![
        fault(Phase::Rcpt, When::Every(23), busy("4.2.1 mailbox is busy")),
        fault(Phase::Verdict, When::Every(11), busy("4.3.0 come again")),
        fault(Phase::Verdict, When::Nth(7), Act::Drop),
        fault(Phase::Body, When::Nth(9), Act::Drop),
        fault(Phase::Mail, When::Nth(13), Act::Drop),
    ];
    if throttles {
        let words = "4.7.1 too many messages: rate limit exceeded".to_owned();
        faults.push(fault(Phase::Mail, When::Nth(90), Act::Reply(451, words)));
    }
    faults
}

impl Place {
    fn new(personal: bool) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .unwrap();
        let options = Options {
            tls: TlsMode::None,
            require_auth: false,
            keep_records: true,
            refuse: vec![
                refuse("p*5@*", GONE, RefuseAt::Recipient),
                refuse("p42@*", LATE, RefuseAt::Content),
            ],
            faults: Faults {
                list: faults(personal),
                ..Faults::default()
            },
            ..Options::default()
        };
        let server = runtime
            .block_on(Sandbox::start(options, Clock::system()))
            .unwrap();
        let home = Home::new();
        home.campaign("t", PEOPLE, personal);
        home.write(
            "config/postroom/accounts.toml",
            format!(
                "[t]\nprovider = \"custom\"\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\nauth = \"none\"\n\
                 limits = []\nmax_connections = {CONNECTIONS}\nmax_recipients_per_message = 10\n\
                 retry = [\"1s\", \"1s\", \"1s\", \"1s\", \"1s\", \"1s\"]\n",
                server.address().port()
            ),
        );
        let list = home.path("news/staff.csv");
        let text = std::fs::read_to_string(&list).unwrap();
        std::fs::write(
            &list,
            text + "P3@contoso.com,P3\np4@contoso.com,P4\nout@contoso.com,nobody\n",
        )
        .unwrap();
        let toml = home.path("news/campaign.toml");
        let text = std::fs::read_to_string(&toml).unwrap();
        std::fs::write(&toml, text + "where = \"first_name != 'nobody'\"\n").unwrap();
        Self {
            home,
            runtime,
            server,
            drops: 1,
        }
    }

    /// What the server took, by recipient.
    fn taken(&self) -> HashMap<String, Vec<Received>> {
        let mut taken: HashMap<String, Vec<Received>> = HashMap::new();
        for record in self.server.snapshot().records {
            for recipient in &record.recipients {
                taken
                    .entry(recipient.clone())
                    .or_default()
                    .push(record.clone());
            }
        }
        taken
    }
}

/// A row of the report as CSV.
type Row = BTreeMap<String, String>;

fn csv(home: &Home, more: &[&str]) -> Vec<Row> {
    let mut args = vec!["report", "news", "--format", "csv"];
    args.extend(more);
    let text = home.run(&args).exits(0).out;
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let rows = reader.deserialize().map(|row| row.unwrap());
    rows.collect()
}

fn count(rows: &[Row], outcome: &str) -> usize {
    rows.iter().filter(|row| row["outcome"] == outcome).count()
}

/// What the server says to this recipient for good.
fn last_word(email: &str) -> Option<String> {
    let number: usize = email[1..].split('@').next()?.parse().ok()?;
    let (code, words) = match number {
        42 => LATE,
        _ if number % 10 == 5 => GONE,
        _ => return None,
    };
    Some(format!("{code} {}", words.replace("{recipient}", email)))
}

fn agree(place: &Place, rows: &[Row], kills: u64) {
    let taken = place.taken();
    let none = Vec::new();
    let plan = place.home.run(&["plan", "news", "--json"]).exits(0).json();
    let batches: Vec<u64> = plan["batches"]
        .as_array()
        .unwrap()
        .iter()
        .map(|batch| batch["number"].as_u64().unwrap())
        .collect();
    let mut in_doubt = BTreeSet::new();
    for row in rows {
        let email = row["email"].as_str();
        let got = match row["outcome"].as_str() {
            "duplicate" | "filtered" => {
                assert_eq!(
                    (row["attempts"].as_str(), row["message_id"].as_str()),
                    ("0", "")
                );
                continue;
            }
            _ => taken.get(email).unwrap_or(&none),
        };
        assert_eq!(row["account"], "t", "{row:?}");
        assert!(batches.contains(&row["batch"].parse().unwrap()), "{row:?}");
        assert!(row["attempts"].parse::<u64>().unwrap() >= 1, "{row:?}");
        let id =
            |record: &Received| record.message_id.as_deref() == Some(row["message_id"].as_str());
        match row["outcome"].as_str() {
            "sent" => {
                let [record] = got.as_slice() else {
                    panic!("taken {} times: {row:?}", got.len());
                };
                assert!(id(record), "{row:?} {record:?}");
                assert!(row["reply"].starts_with("250"), "{row:?}");
                let at: Timestamp = row["sent_at"].parse().unwrap();
                let later = at.duration_since(record.at);
                // The store keeps milliseconds.
                assert!(
                    later > -SignedDuration::from_millis(2),
                    "{row:?} {record:?}"
                );
                assert!(later < SignedDuration::from_secs(30), "{row:?} {record:?}");
            }
            "refused" => {
                assert!(got.is_empty(), "{row:?}");
                assert_eq!(Some(row["reply"].clone()), last_word(email), "{row:?}");
            }
            "in_doubt" => {
                assert!(got.len() <= 1 && got.iter().all(id), "{row:?}");
                in_doubt.insert(row["message_id"].clone());
            }
            other => panic!("{email} is {other}"),
        }
        if row["outcome"] != "sent" {
            assert_eq!(row["sent_at"], "", "{row:?}");
        }
        if last_word(email).is_some() {
            assert_ne!(row["outcome"], "sent", "{row:?}");
        }
    }
    assert!(
        in_doubt.len() as u64 <= kills * CONNECTIONS + place.drops,
        "{in_doubt:?} after {kills} kills"
    );
}

/// The other formats, and the summaries, say the same.
fn say_the_same(home: &Home, rows: &[Row]) {
    let text = home
        .run(&["report", "news", "--format", "json"])
        .exits(0)
        .out;
    let json: Vec<BTreeMap<String, Value>> = serde_json::from_str(&text).unwrap();
    assert_eq!(json.len(), rows.len());
    for (object, row) in json.iter().zip(rows) {
        assert_eq!(object.len(), row.len());
        for (name, value) in object {
            let value = match value {
                Value::Null => String::new(),
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            assert_eq!(value, row[name], "{name} of {row:?}");
        }
    }
    let page = home
        .run(&["report", "news", "--format", "html"])
        .exits(0)
        .out;
    let table = home.run(&["report", "news"]).exits(0).out;
    let status = home.status();
    let sum = table.lines().find(|line| line.contains(" rows: ")).unwrap();
    assert!(sum.starts_with(&format!("{} rows", rows.len())), "{sum}");
    for (name, word) in [
        ("sent", "Sent"),
        ("refused", "Refused"),
        ("in_doubt", "In doubt"),
    ] {
        let many = count(rows, name);
        assert_eq!(status["recipients"][name], many, "{status}");
        let figure = format!("<dt>{word}</dt><dd>{many}</dd>");
        assert!(many == 0 || page.contains(&figure), "{figure}");
        let counted = format!("{many} {}", word.to_lowercase());
        assert!(many == 0 || sum.contains(&counted), "{sum}");
    }
    for row in rows
        .iter()
        .filter(|row| ["refused", "in_doubt"].contains(&row["outcome"].as_str()))
    {
        let cells = format!(
            "<td>{}</td><td><bdi>{}</bdi></td>",
            row["row"], row["email"]
        );
        assert!(page.contains(&cells), "{cells}");
    }
    let total: u64 = status["recipients"]["total"].as_u64().unwrap();
    let left_out = (count(rows, "duplicate") + count(rows, "filtered")) as u64;
    assert_eq!(total + left_out, rows.len() as u64);
    let only = csv(home, &["--outcome", "refused,in_doubt"]);
    assert_eq!(only.len(), count(rows, "refused") + count(rows, "in_doubt"));
}

fn a_report_agrees(personal: bool) {
    let place = Place::new(personal);
    place.home.run(&["plan", "news"]).exits(0);
    let mut kills = 0;
    for round in 0..12_u32 {
        let events = [0, 3, 1, 6, 2, 8][round as usize % 6];
        kills += u64::from(!kill_after(
            &place.home,
            events,
            round.wrapping_mul(7_919) % 300,
        ));
        let rows = csv(&place.home, &[]);
        assert_eq!(rows.len(), PEOPLE + 3);
        if count(&rows, "pending") == 0 {
            break;
        }
    }
    place.home.run(&["send", "news", "--yes"]).exits(1);
    let rows = csv(&place.home, &[]);
    let numbers: Vec<usize> = rows.iter().map(|row| row["row"].parse().unwrap()).collect();
    assert_eq!(numbers, (1..=PEOPLE + 3).collect::<Vec<_>>());
    assert_eq!(
        (count(&rows, "duplicate"), count(&rows, "filtered")),
        (2, 1)
    );
    agree(&place, &rows, kills);
    say_the_same(&place.home, &rows);
    place.runtime.block_on(place.server.stop());
}

#[test]
fn a_report_agrees_with_the_server_where_each_has_a_mail_of_their_own() {
    a_report_agrees(true);
}

#[test]
fn a_report_agrees_with_the_server_where_many_share_a_message() {
    a_report_agrees(false);
}

#[test]
fn attempts_are_counted() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let later = Act::Reply(451, "4.3.0 come again".to_owned());
    let options = Options {
        tls: TlsMode::None,
        require_auth: false,
        faults: Faults {
            list: vec![fault(Phase::Verdict, When::Between(1, 2), later)],
            ..Faults::default()
        },
        ..Options::default()
    };
    let server = runtime
        .block_on(Sandbox::start(options, Clock::system()))
        .unwrap();
    let home = Home::new();
    home.campaign("t", 1, true);
    home.write(
        "config/postroom/accounts.toml",
        format!(
            "[t]\nprovider = \"custom\"\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\nauth = \"none\"\n\
             limits = []\nretry = [\"1s\", \"1s\"]\n",
            server.address().port()
        ),
    );
    home.run(&["plan", "news"]).exits(0);
    assert_eq!(csv(&home, &[])[0]["attempts"], "0");
    home.run(&["send", "news", "--yes"]).exits(0);
    let rows = csv(&home, &[]);
    assert_eq!(
        (rows[0]["outcome"].as_str(), rows[0]["attempts"].as_str()),
        ("sent", "3")
    );
    runtime.block_on(server.stop());
}
