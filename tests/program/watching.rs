//! `status` on one screen, and `status --watch` beside a send in another process.

use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Stdio};

use postroom::clock::Clock;
use postroom::store::{Halt, Store};
use serde_json::Value;

use crate::home::Home;
use crate::server::{Server, signal};

/// A program whose output is read as it comes.
struct Follower {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Follower {
    fn start(home: &Home, args: &[&str]) -> Self {
        let mut child = home
            .command(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    fn line(&mut self) -> String {
        self.lines.next().unwrap().unwrap()
    }

    /// What else it prints, and how it ends.
    fn end(mut self) -> (Vec<String>, Option<i32>) {
        let rest = self.lines.map(Result::unwrap).collect();
        (rest, self.child.wait().unwrap().code())
    }
}

/// A person halts the campaign.
fn halt(home: &Home, by: &str) {
    let mut store = Store::open(&home.path("state/postroom/postroom.db")).unwrap();
    let id = store.campaign("news").unwrap().unwrap().id;
    let halt = Halt {
        at: Clock::system().now(),
        by: by.to_owned(),
    };
    store.halt(id, &halt).unwrap();
}

fn total(counts: &Value) -> u64 {
    let outcomes = [
        "pending",
        "sent",
        "deferred",
        "refused",
        "in_doubt",
        "suppressed",
        "cancelled",
    ];
    outcomes
        .iter()
        .map(|outcome| counts[outcome].as_u64().unwrap())
        .sum()
}

#[test]
fn one_screen_says_who_was_refused_and_why_and_what_is_left_of_the_limits() {
    let home = Home::new();
    let server = Server::start(&home, &["--refuse", "p3@*", "--refuse", "p4@*"]);
    home.account(
        &server,
        "limits = [{ max = 8, per = \"1h\", unit = \"recipients\" }]",
    );
    home.campaign("t", 12, true);
    home.run(&["send", "news", "--yes", "--no-wait"]).exits(75);
    let page = home.run(&["status", "news"]).exits(0).out;
    for words in [
        "'news' is waiting",
        "2 (such as p4@contoso.com): ",
        "0 of 8 recipients per 1h left; ",
        "all free ",
    ] {
        assert!(page.contains(words), "'{words}' is not in\n{page}");
    }
    assert!(!page.contains('█'), "bars are for terminals:\n{page}");
    let status = home.status();
    let sent = status["recipients"]["sent"].as_u64().unwrap();
    let batch = &status["batches"][0]["outcomes"];
    assert_eq!(batch["sent"], sent);
    let batches = status["batches"].as_array().unwrap();
    let in_batches: u64 = batches.iter().map(|batch| total(&batch["outcomes"])).sum();
    assert_eq!(in_batches, 12, "{status}");
    assert_eq!(total(&status["recipients"]), 12);
    let limit = &status["quota"][0]["limits"][0];
    assert_eq!(limit["used"], 8, "{limit}");
    assert_eq!(limit["left"], 0);
    // The next message goes when the first share is free.
    let time = |value: &Value| -> jiff::Timestamp { value.as_str().unwrap().parse().unwrap() };
    let apart = time(&limit["next_free_at"]).duration_since(time(&status["next_send_at"]));
    // Each was reckoned at a moment of its own.
    assert!(apart.abs() < jiff::SignedDuration::from_secs(1), "{apart}");
    let refusal = &status["refusals"][0];
    assert_eq!(refusal["recipients"], 2, "{refusal}");
    assert_eq!(refusal["email"], "p4@contoso.com");
    assert!(refusal["reply"].as_str().unwrap().contains("5.1.10"));
    assert!(!refusal["meaning"].as_str().unwrap().contains("5.1.10"));
    assert!(status["halted"].is_null() && status["sent_by"].is_null());
}

#[test]
fn who_halted_a_campaign_and_who_sends_it_is_told() {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    home.account(
        &server,
        "limits = [{ max = 2, per = \"1h\", unit = \"messages\" }]",
    );
    home.campaign("t", 5, true);
    let mut send = Follower::start(&home, &["send", "news", "--yes", "--json"]);
    while !send.line().contains("\"waiting\"") {}
    let status = home.status();
    let who = status["sent_by"]["who"].as_str().unwrap();
    assert!(
        who.contains(&format!("process {}", send.child.id())),
        "{who}"
    );
    assert!(status["sent_by"]["since"].is_string());
    let page = home.run(&["status", "news"]).exits(0).out;
    assert!(
        page.contains(&format!("sent by     {who}, since ")),
        "{page}"
    );
    signal(&send.child, "KILL");
    send.end();
    halt(&home, "ann on mailhost");
    let status = home.status();
    assert_eq!(status["state"], "halted");
    assert_eq!(status["halted"]["by"], "ann on mailhost");
    assert!(status["sent_by"].is_null());
    let page = home.run(&["status", "news"]).exits(0).out;
    assert!(page.contains("halted      by ann on mailhost, "), "{page}");
    // There is nothing to follow.
    let watch = home.run(&["status", "news", "--watch"]).exits(0);
    assert_eq!(watch.out.lines().count(), 1, "{}", watch.out);
    assert!(
        watch.out.contains("halted: 2 sent, 3 pending"),
        "{}",
        watch.out
    );
}

#[test]
fn a_watch_tells_every_change_and_ends_with_the_campaign() {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    home.account(&server, "");
    home.campaign("t", 200, true);
    home.run(&["plan", "news"]).exits(0);
    let mut watch = Follower::start(&home, &["status", "news", "--watch", "--json"]);
    let first: Value = serde_json::from_str(&watch.line()).unwrap();
    assert_eq!(first["state"], "planned");
    home.run(&["send", "news", "--yes"]).exits(0);
    let (rest, code) = watch.end();
    assert_eq!(code, Some(0));
    let mut before = first;
    for line in rest {
        let status: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(total(&status["recipients"]), 200, "{status}");
        let figures = ["state", "recipients", "messages", "sent_by"];
        let is_new = figures.iter().any(|name| status[name] != before[name]);
        assert!(is_new, "nothing has changed: {status}");
        before = status;
    }
    assert_eq!(before["state"], "finished");
    assert_eq!(before["recipients"]["sent"], 200);
}

#[test]
fn a_watch_lets_the_store_be_tidied_up_and_ends_with_ctrl_c_and_with_the_sender() {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    home.account(
        &server,
        "limits = [{ max = 2, per = \"1h\", unit = \"messages\" }]",
    );
    home.campaign("t", 5, true);
    let mut send = Follower::start(&home, &["send", "news", "--yes", "--json"]);
    while !send.line().contains("\"waiting\"") {}
    let watching = || {
        let mut watch = Follower::start(&home, &["status", "news", "--watch"]);
        assert!(watch.line().contains("waiting: 2 sent, 3 pending; next "));
        watch
    };
    let (one, other) = (watching(), watching());
    // Nobody who only looks keeps the log of what was written from being emptied.
    let path = home.path("state/postroom/postroom.db");
    let connection = rusqlite::Connection::open(path).unwrap();
    let is_busy: i64 = connection
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
        .unwrap();
    assert_eq!(is_busy, 0);
    signal(&one.child, "INT");
    assert_eq!(one.end().1, Some(0));
    signal(&send.child, "INT");
    let (_, code) = send.end();
    assert_eq!(code, Some(130));
    let (rest, code) = other.end();
    assert_eq!(code, Some(0), "{rest:?}");
    assert!(
        rest.last().unwrap().contains("planned: 2 sent, 3 pending"),
        "{rest:?}"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn on_a_terminal_it_is_drawn_in_place() {
    use crate::terminal::Terminal;
    let home = Home::new();
    home.campaign("sandbox", 30, true);
    home.run(&["plan", "news"]).exits(0);
    let mut terminal = Terminal::start_as("xterm", home.command(&["status", "news", "--watch"]));
    let shown = terminal.until("finishes");
    assert!(shown.contains("'news' is planned"), "{shown}");
    assert!(shown.contains('░') || shown.contains('.'), "a bar: {shown}");
    home.run(&["send", "news", "--yes"]);
    let (code, shown) = terminal.end();
    assert_eq!(code, 0);
    let (_, last) = shown.rsplit_once("'news' is").unwrap();
    assert!(last.starts_with(" finished"), "{shown}");
    assert!(shown.contains("\u{1b}[") && shown.contains('F'), "{shown}");
    // Colours are for those who want them, the rest of the picture is the same.
    let mut command = home.command(&["status", "news"]);
    command.env("NO_COLOR", "1");
    let (code, shown) = Terminal::start_as("xterm", command).end();
    assert_eq!(code, 0);
    assert!(shown.contains("'news' is finished"), "{shown}");
    assert!(!shown.contains('\u{1b}'), "{shown}");
}
