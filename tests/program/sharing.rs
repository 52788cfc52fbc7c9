//! One mailbox, several campaigns and processes: its limits hold for all of them together.

use std::collections::HashMap;
use std::process::{Child, Stdio};
use std::time::Duration;

use postroom::clock::Clock;
use postroom::limits::{Rule, Unit};
use postroom::sandbox::{Options, Sandbox, Snapshot, TlsMode};
use postroom::store::Store;

use crate::home::{Ended, Home};
use crate::server::Server;

/// A strict server in this process, with rules that fill within seconds.
struct Strict {
    runtime: tokio::runtime::Runtime,
    server: Option<Sandbox>,
}

impl Strict {
    fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let rule = |max, seconds, unit| Rule {
            max,
            per: Duration::from_secs(seconds),
            unit,
        };
        let options = Options {
            rules: vec![rule(20, 1, Unit::Messages), rule(60, 5, Unit::Recipients)],
            max_connections: Some(2),
            tls: TlsMode::None,
            require_auth: false,
            strict: true,
            keep_records: true,
            ..Options::default()
        };
        let server = runtime.block_on(Sandbox::start(options, Clock::system()));
        Self {
            runtime,
            server: Some(server.unwrap()),
        }
    }

    /// An account at it that knows its rules.
    fn account(&self, home: &Home) {
        let port = self.server.as_ref().unwrap().address().port();
        let text = format!(
            "[t]\nprovider = \"custom\"\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\nmax_connections = 2\n\
             limits = [ {{ max = 20, per = \"1s\", unit = \"messages\" }}, {{ max = 60, per = \"5s\", unit = \"recipients\" }} ]\n"
        );
        home.write("config/postroom/accounts.toml", text);
    }

    fn stop(mut self) -> Snapshot {
        self.runtime.block_on(self.server.take().unwrap().stop())
    }
}

/// `news`, and a second campaign `more` to other people.
fn two_campaigns(home: &Home, people: usize) {
    home.campaign("t", people, true);
    let folder = home.path("more");
    std::fs::create_dir_all(&folder).unwrap();
    for file in ["campaign.toml", "news.txt.hbs"] {
        std::fs::copy(home.path("news").join(file), folder.join(file)).unwrap();
    }
    let list: Vec<String> = (1..=people)
        .map(|n| format!("q{n}@contoso.com,Q{n}\n"))
        .collect();
    home.write(
        "more/staff.csv",
        format!("email,first_name\n{}", list.concat()),
    );
    for campaign in ["news", "more"] {
        home.run(&["plan", campaign]).exits(0);
    }
}

fn begin(home: &Home, campaign: &str) -> Child {
    home.command(&["send", campaign, "--yes", "--json"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn copies(seen: &Snapshot) -> HashMap<&str, usize> {
    let mut copies = HashMap::new();
    for address in seen.records.iter().flat_map(|one| &one.recipients) {
        *copies.entry(address.as_str()).or_default() += 1;
    }
    copies
}

#[test]
fn two_processes_and_two_campaigns_keep_one_mailbox_within_its_rules_through_kills() {
    const PEOPLE: usize = 90;
    let home = Home::new();
    let strict = Strict::start();
    strict.account(&home);
    two_campaigns(&home, PEOPLE);
    for round in 0..6_u32 {
        let mut children = ["news", "more"].map(|campaign| begin(&home, campaign));
        // Killed at a moment that the server's own progress sets, never the clock's.
        let before = strict.server.as_ref().unwrap().snapshot().messages;
        for _ in 0..2_000_000_u32 {
            let now = strict.server.as_ref().unwrap().snapshot().messages;
            let ended = children
                .iter_mut()
                .all(|child| child.try_wait().unwrap().is_some());
            if ended || now >= before + u64::from(3 + round * 4) {
                break;
            }
            std::thread::yield_now();
        }
        let _ = children[round as usize % 2].kill();
        let _ = children[(round as usize + 1) % 2].kill();
        for child in &mut children {
            child.wait().unwrap();
        }
    }
    let both: Vec<Ended> = std::thread::scope(|scope| {
        let runs = ["news", "more"]
            .map(|campaign| scope.spawn(|| home.run(&["send", campaign, "--yes", "--json"])));
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    for ended in &both {
        assert!([0, 1].contains(&ended.code), "{ended:?}");
    }
    let seen = strict.stop();
    assert_eq!(seen.breaches, [], "by the server's own count");
    assert_eq!(seen.refused_messages, 0);
    let copies = copies(&seen);
    assert!(copies.values().all(|count| *count == 1), "{copies:?}");
    for ended in &both {
        let people = &ended.json()["recipients"];
        assert_eq!(people["total"], PEOPLE);
        let settled = people["sent"].as_u64().unwrap() + people["in_doubt"].as_u64().unwrap();
        assert_eq!(settled, PEOPLE as u64, "nobody is lost: {people}");
    }
}

#[test]
fn connections_are_counted_over_all_processes() {
    let home = Home::new();
    let strict = Strict::start();
    strict.account(&home);
    two_campaigns(&home, 30);
    std::thread::scope(|scope| {
        for campaign in ["news", "more"] {
            scope.spawn(|| home.run(&["send", campaign, "--yes"]).exits(0));
        }
    });
    let seen = strict.stop();
    assert_eq!(seen.messages, 60);
    assert_eq!(seen.breaches, []);
    assert!(seen.most_connections <= 2, "{}", seen.most_connections);
}

#[test]
fn a_send_that_waits_lends_its_connection_to_doctor() {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    // The session is kept open through so short a wait.
    home.account(
        &server,
        "max_connections = 1\nlimits = [{ max = 1, per = \"1m\", unit = \"messages\" }]",
    );
    home.campaign("t", 2, true);
    let mut sending = home.sending(2);
    assert_eq!(sending.seen, 2, "one and a wait");
    let found = home.run(&["doctor", "t", "--json"]).exits(0).json();
    assert_eq!(found["ok"], true, "{found}");
    assert!(sending.child.try_wait().unwrap().is_none(), "it goes on");
    sending.child.kill().unwrap();
    sending.child.wait().unwrap();
}

#[test]
fn doctor_says_who_has_the_connection_that_it_needs_and_that_it_is_no_fault() {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    home.account(&server, "max_connections = 1");
    home.campaign("t", 1, true);
    home.run(&["plan", "news"]).exits(0);
    let store = Store::open(&home.path("state/postroom/postroom.db")).unwrap();
    let mailbox = "comms@contoso.com@127.0.0.1";
    let _slot = store.connection_slot(mailbox, 1).unwrap().unwrap();
    let alone = home.run(&["doctor", "t"]).exits(75).out;
    for words in ["another command", "no fault", "Nothing was looked at"] {
        assert!(alone.contains(words), "{words}: {alone}");
    }
    let now = Clock::system().now();
    let _lock = store.lock_for_sending("news", now).unwrap();
    let send = home.run(&["doctor", "t"]).exits(75);
    let process = format!("the send of 'news' (process {}", std::process::id());
    for words in [&process[..], "no fault", "`postroom status`"] {
        assert!(send.out.contains(words), "{words}: {}", send.out);
    }
    assert!(!send.err.contains("error"), "{}", send.err);
    let json = home.run(&["doctor", "t", "--json"]).exits(75).json();
    assert_eq!(json["in_use"][0]["campaign"], "news", "{json}");
}
