//! A plan and its rehearsal begin with what is there: what a mailbox has used, what others have to send.

use jiff::{SignedDuration, Timestamp};
use postroom::clock::Clock;
use serde_json::Value;

use crate::home::Home;
use crate::server::Server;

/// Five messages an hour.
const FIVE: &str = "limits = [{ max = 5, per = \"1h\", unit = \"messages\" }]";

/// `news` to eight people, of which five are sent; `more` to four is not planned.
fn begun() -> (Home, Server) {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    home.account(&server, FIVE);
    home.campaign("t", 8, true);
    for file in ["campaign.toml", "news.txt.hbs"] {
        let text = std::fs::read_to_string(home.path("news").join(file)).unwrap();
        home.write(&format!("more/{file}"), text);
    }
    let people: Vec<String> = (1..=4)
        .map(|n| format!("m{n}@contoso.com,M{n}\n"))
        .collect();
    home.write(
        "more/staff.csv",
        format!("email,first_name\n{}", people.concat()),
    );
    home.run(&["send", "news", "--yes", "--no-wait"]).exits(75);
    assert_eq!(server.received().len(), 5);
    (home, server)
}

fn time(value: &Value) -> Timestamp {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value}"))
        .parse()
        .unwrap()
}

fn is_about(at: Timestamp, other: Timestamp) {
    let apart = at.duration_since(other).abs();
    assert!(apart < SignedDuration::from_mins(2), "{at} and {other}");
}

#[test]
fn what_is_left_of_a_plan_is_rehearsed_by_what_the_mailbox_has_used() {
    let (home, _server) = begun();
    // The folder was edited; `send` goes by the plan.
    home.write("news/news.txt.hbs", "Something else, {{first_name}}.\n");
    let status = home.status();
    let ended = home.run(&["rehearse", "news", "--json"]).exits(0);
    assert!(
        ended.err.contains("edited after it was planned"),
        "{}",
        ended.err
    );
    assert!(ended.err.contains("3 of 8 recipients"), "{}", ended.err);
    let end = ended.json();
    assert_eq!(end["received"]["messages"], 3, "{end}");
    assert_eq!(end["compared"]["differences"], 0, "{end}");
    assert_eq!(end["breaches"], Value::Array(Vec::new()));
    is_about(time(&end["finishes_at"]), time(&status["finishes_at"]));
    let folder = std::path::Path::new(end["maildir"].as_str().unwrap()).join("new");
    for mail in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(mail.unwrap().path()).unwrap();
        assert!(text.contains("this is the news"), "{text}");
    }
    // The user's own store is as it was.
    assert_eq!(home.status()["recipients"], status["recipients"]);
}

#[test]
fn a_new_campaign_is_rehearsed_in_what_is_left_of_the_windows() {
    let (home, _server) = begun();
    let end = home.run(&["rehearse", "more", "--json"]).exits(0);
    assert!(
        end.err.contains("'news' still has 3 messages"),
        "{}",
        end.err
    );
    let hour = SignedDuration::from_hours(1);
    let sent = home.status()["next_send_at"].clone();
    let end = end.json();
    is_about(time(&end["finishes_at"]), time(&sent));
    assert!(time(&end["finishes_at"]) > time(&end["batches"][0]["starts_at"]) - hour);
}

#[test]
fn other_campaigns_under_way_are_counted_first() {
    let (home, _server) = begun();
    let next = time(&home.status()["next_send_at"]);
    let ended = home.run(&["plan", "more", "--json"]).exits(0);
    let plan = ended.json();
    assert_eq!(plan["counted_first"][0]["campaign"], "news", "{plan}");
    assert_eq!(plan["counted_first"][0]["messages"], 3);
    // Three of the other's and two of its own in an hour, the other two an hour later.
    is_about(
        time(&plan["finishes_at"]),
        next + SignedDuration::from_hours(1),
    );
    let text = home.run(&["plan", "more"]).exits(0).out;
    assert!(text.contains("'news' still has 3 messages to go"), "{text}");
    // Nothing of it was sent yet, and may never be.
    assert_eq!(home.status()["counted_first"], Value::Array(Vec::new()));
}

#[test]
fn a_plan_is_compared_with_what_could_be_and_not_with_itself() {
    let home = Home::new();
    let account = "[t]\nprovider = \"custom\"\nhost = \"127.0.0.1\"\nauth = \"none\"\n\
                   limits = [{ max = 4, per = \"1h\", unit = \"recipients\" }]\n";
    home.write("config/postroom/accounts.toml", account);
    home.campaign("t", 10, false);
    let file = home.path("news/campaign.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let text = text.replace("subject =", "bcc = [\"archive@contoso.com\"]\nsubject =");
    std::fs::write(&file, text).unwrap();
    let plan = home.run(&["plan", "news", "--json"]).exits(0).json();
    // Three people and the copy fill a message; alone, each brings a copy in.
    assert_eq!(plan["messages"], 4, "{plan}");
    assert_eq!(plan["alternatives"]["shared"]["messages"], 4);
    assert_eq!(
        plan["alternatives"]["shared"]["finishes_at"],
        plan["finishes_at"]
    );
    let alone = &plan["alternatives"]["individual"];
    assert_eq!(alone["messages"], 10);
    let later = time(&alone["finishes_at"]).duration_since(time(&plan["finishes_at"]));
    assert_eq!(later.as_hours(), 1, "{plan}");
    let text = home.run(&["plan", "news"]).exits(0).out;
    assert!(!text.contains("all shared"), "{text}");
}

#[test]
fn a_plan_that_is_repeated_tells_what_has_changed_since_it_was_made() {
    let home = Home::new();
    home.campaign("sandbox", 6, true);
    let made = home.run(&["plan", "news", "--json"]).exits(0).json();
    assert!(made["now"].is_null(), "{made}");
    home.run(&["suppress", "add", "p1@contoso.com"]).exits(0);
    home.run(&["cancel", "news", "--to", "p2@contoso.com", "--yes"])
        .exits(0);
    let plan = home.run(&["plan", "news", "--json"]).exits(0).json();
    let rows = &plan["recipients"];
    assert_eq!(
        (&rows["planned"], &rows["suppressed"], &rows["cancelled"]),
        (&4.into(), &1.into(), &1.into())
    );
    assert_eq!(plan["planned_at"], made["planned_at"]);
    assert_eq!(plan["finishes_at"], made["finishes_at"], "as it was made");
    let now = &plan["now"];
    assert_eq!(
        (&now["changes"]["suppressed"], &now["changes"]["cancelled"]),
        (&1.into(), &1.into())
    );
    assert_eq!(
        (&now["messages"]["pending"], &now["messages"]["total"]),
        (&4.into(), &5.into())
    );
    let batch = &plan["batches"][0];
    assert_eq!(
        (&batch["messages"], &batch["recipients"]),
        (&5.into(), &5.into()),
        "without who was withdrawn"
    );
    let told = home.run(&["plan", "news"]).exits(0).out;
    for words in [
        "as it was made",
        "6 rows: 4 recipients, 1 suppressed, 1 cancelled",
        "1 recipient withdrawn for the suppression list, 1 recipient cancelled",
        "4 messages are still to go",
    ] {
        assert!(told.contains(words), "{words} in {told}");
    }
    assert!(!told.contains("compare"), "of what was once: {told}");
    home.run(&["send", "news", "--yes"]).exits(0);
    let told = home.run(&["plan", "news"]).exits(0).out;
    assert!(
        told.contains("4 sent") && told.contains("nothing is left to go"),
        "{told}"
    );
}

#[test]
fn a_sender_that_was_killed_is_told_of_with_what_to_type() {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    home.account(&server, "max_connections = 1");
    home.campaign("t", 400, true);
    home.run(&["plan", "news"]).exits(0);
    let before = home.status();
    assert!(before["sender_gone"].is_null(), "{before}");
    let mut sending = home.sending(5);
    assert_eq!(sending.seen, 5);
    let process = format!("process {}", sending.child.id());
    sending.child.kill().unwrap();
    sending.child.wait().unwrap();
    let status = home.status();
    assert_eq!(status["state"], "planned");
    let gone = &status["sender_gone"];
    assert!(gone["who"].as_str().unwrap().contains(&process), "{status}");
    is_about(time(&gone["since"]), Clock::system().now());
    let page = home.run(&["status", "news"]).exits(0).out;
    for words in [
        "ended without a word",
        &process,
        "Nothing is lost",
        "`postroom send` goes on where it was",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    home.run(&["halt", "news"]).exits(0);
    let page = home.run(&["status", "news"]).exits(0).out;
    assert!(page.contains("`postroom resume`, then"), "{page}");
    home.run(&["resume", "news"]).exits(0);
    // A send that ends with a word is not missed.
    home.run(&["send", "news", "--yes", "--max", "1"]).exits(0);
    assert!(home.status()["sender_gone"].is_null());
}

#[test]
fn who_gave_a_command_is_known_without_an_environment() {
    let home = Home::new();
    home.campaign("sandbox", 2, true);
    home.run(&["plan", "news"]).exits(0);
    let halted = |user: Option<&str>| {
        let mut command = home.command(&["halt", "news", "--json"]);
        command.envs(user.map(|user| ("USER", user)));
        let ended = crate::home::Ended::of(&command.output().unwrap()).exits(0);
        home.run(&["resume", "news"]).exits(0);
        ended.json()["halted_by"].as_str().unwrap().to_owned()
    };
    assert!(halted(Some("ann")).starts_with("ann"));
    let nameless = halted(None);
    assert!(!nameless.starts_with("somebody"), "{nameless}");
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::fs::MetadataExt as _;
        let own = std::fs::metadata("/proc/self").unwrap().uid().to_string();
        let users = std::fs::read_to_string("/etc/passwd").unwrap();
        let user = users
            .lines()
            .map(|line| line.split(':').collect::<Vec<_>>())
            .find(|user| user.get(2) == Some(&own.as_str()));
        if let Some(user) = user {
            assert!(nameless.starts_with(user[0]), "{nameless}");
        }
    }
}

#[test]
fn what_a_killed_sender_had_in_hand_is_settled_or_said_to_be() {
    let home = Home::new();
    // Taken, and never answered.
    let server = Server::start(&home, &["--fault", "dot@3=hang"]);
    home.account(&server, "max_connections = 1");
    home.campaign("t", 10, true);
    let mut sending = home.sending(2);
    while server.received().len() < 3 {
        std::thread::yield_now();
    }
    sending.child.kill().unwrap();
    sending.child.wait().unwrap();
    // A copy settles nothing before it is claimed: it only tells.
    let state = home.path("state/postroom");
    for part in ["", "-wal"] {
        let (from, to) = (format!("postroom.db{part}"), format!("copy.db{part}"));
        std::fs::copy(state.join(from), home.path(&to)).unwrap();
    }
    let copy = ["status", "news", "--store", "copy.db"];
    let page = home.run(&copy).exits(0).out;
    for words in [
        "1 message that it had in hand is settled at the next start",
        "at most so many are in doubt then",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let status = home.status();
    assert_eq!(status["recipients"]["in_doubt"], 1, "{status}");
    assert_eq!(status["sender_gone"]["in_hand"], 0, "{status}");
}
