//! `test`: a row's mail to oneself, marked, counted, and nothing else changed by it.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use mail_parser::MessageParser;
use postroom::clock::Clock;
use postroom::sandbox::{Act, Fault, Options, Phase, Sandbox, TlsMode, When};
use postroom::store::Store;
use tokio::runtime::Runtime;

use crate::home::{Ended, Home};
use crate::server::{Received, Server};

const STORE: &str = "state/postroom/postroom.db";

fn three_a_day(home: &Home, server: &Server) {
    home.account(
        server,
        "limits = [{ max = 3, per = \"24h\", unit = \"messages\" }]",
    );
}

/// A campaign with copies and a header of its own.
fn with_copies(home: &Home) {
    home.campaign("t", 3, true);
    let toml = std::fs::read_to_string(home.path("news/campaign.toml")).unwrap();
    let toml = toml.replace(
        "[recipients]",
        "cc = [\"boss@contoso.com\"]\nbcc = [\"archive@contoso.com\"]\nreply_to = \"desk@contoso.com\"\n\
         headers = { \"X-Campaign\" = \"for {{first_name}}\" }\n[recipients]",
    );
    home.write("news/campaign.toml", toml);
}

fn send_test(home: &Home, more: &[&str]) -> Ended {
    home.run(&[&["test", "news", "--to", "me@contoso.com"], more].concat())
}

/// Asserts that what came is row 2's mail to one person, and returns its Message-ID.
fn assert_is_row_two(received: &Received) -> String {
    assert_eq!(received.recipients, ["me@contoso.com"]);
    let bytes = std::fs::read(&received.file).unwrap();
    let mail = MessageParser::default().parse(&bytes).unwrap();
    let to = mail.to().unwrap();
    assert_eq!(to.iter().count(), 1);
    assert_eq!(to.first().unwrap().address(), Some("me@contoso.com"));
    assert!(mail.cc().is_none() && mail.bcc().is_none());
    assert_eq!(mail.subject(), Some("[Test] News"));
    assert!(mail.body_text(0).unwrap().contains("Dear P2,"));
    let header = |name: &str| {
        let raw = mail.header_raw(name.to_owned()).map(str::trim);
        raw.unwrap_or_default().to_owned()
    };
    assert_eq!(header("X-Postroom-Test"), "news row 2");
    assert_eq!(header("X-Campaign"), "for P2");
    assert_eq!(
        mail.reply_to().unwrap().first().unwrap().address(),
        Some("desk@contoso.com")
    );
    mail.message_id().unwrap().to_owned()
}

#[test]
fn a_test_is_the_rows_mail_to_one_person_and_changes_nothing_of_the_campaign() {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    home.account(&server, "");
    with_copies(&home);
    // Not planned.
    let said = send_test(&home, &["--row", "2", "--json"]).exits(0);
    assert!(said.err.contains("2 copies (cc, bcc)"), "{}", said.err);
    let said = said.json();
    home.run(&["status", "news"]).exits(66);
    let first = assert_is_row_two(&server.received()[0]);
    assert_eq!(said["message_id"], format!("<{first}>"));
    let expected = serde_json::json!({
        "campaign": "news", "row": 2, "to": "me@contoso.com", "account": "t", "outcome": "sent",
        "message_id": said["message_id"], "reply": said["reply"],
    });
    assert_eq!(said, expected);

    // Planned, and edited since.
    home.run(&["plan", "news"]).exits(0);
    home.write("news/news.txt.hbs", "something else\n");
    let standing = |home: &Home| {
        let status = home.status();
        let fields = ["state", "messages", "recipients", "planned_finishes_at"];
        (fields.map(|field| status[field].clone()), home.outcomes())
    };
    let before = standing(&home);
    let said = send_test(&home, &["--row", "2"]).exits(0);
    assert!(
        said.err.contains("edited after it was planned"),
        "{}",
        said.err
    );
    let second = assert_is_row_two(&server.received()[1]);
    let third = {
        send_test(&home, &["--row", "2"]).exits(0);
        assert_is_row_two(&server.received()[2])
    };
    assert!(first != second && second != third && first != third);
    assert_eq!(standing(&home), before);

    // Of the whole campaign nobody has got anything, and everybody gets it.
    home.run(&["send", "news", "--yes"]).exits(0);
    let ids: Vec<String> = server.received()[3..]
        .iter()
        .map(|message| message.message_id.clone())
        .collect();
    assert_eq!(ids.len(), 3);
    assert!(!ids.contains(&format!("<{second}>")));
    assert_eq!(server.copies()["boss@contoso.com"], 3);
}

#[test]
fn several_people_get_one_each_and_the_first_row_is_the_default() {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    home.account(&server, "max_connections = 1");
    home.campaign("t", 600, false);
    home.run(&["plan", "news"]).exits(0);
    let said = send_test(
        &home,
        &[
            "--to",
            "you@fabrikam.com",
            "--to",
            "me@contoso.com",
            "--json",
        ],
    );
    let said = said.exits(0);
    assert_eq!(said.out.lines().count(), 2);
    assert_eq!(said.json()["row"], 1);
    let received = server.received();
    let people: Vec<&[String]> = received
        .iter()
        .map(|one| one.recipients.as_slice())
        .collect();
    assert_eq!(people, [["me@contoso.com"], ["you@fabrikam.com"]]);
    // The To header of a message that 500 share is the sender; the test's is whoever looks at it.
    let bytes = std::fs::read(&received[1].file).unwrap();
    let mail = MessageParser::default().parse(&bytes).unwrap();
    assert_eq!(
        mail.to().unwrap().first().unwrap().address(),
        Some("you@fabrikam.com")
    );
}

#[test]
fn tests_count_against_the_limits() {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    three_a_day(&home, &server);
    home.campaign("t", 5, true);
    send_test(&home, &[]).exits(0);
    send_test(&home, &[]).exits(0);
    home.run(&["send", "news", "--yes", "--no-wait"]).exits(75);
    assert_eq!(home.status()["recipients"]["sent"], 1);
    let refused = send_test(&home, &[]).exits(75);
    assert!(
        refused.err.contains("3 messages per 24h"),
        "{}",
        refused.err
    );
    assert_eq!(server.received().len(), 3);
    let json = send_test(&home, &["--json"]).exits(75).json();
    assert_eq!(json["error"]["exit"], 75);
    // Several, of which some still go.
    let accounts = home.path("config/postroom/accounts.toml");
    let text = std::fs::read_to_string(&accounts).unwrap();
    std::fs::write(&accounts, text.replace("max = 3", "max = 4")).unwrap();
    let ended = send_test(&home, &["--to", "you@contoso.com"]).exits(75);
    assert!(
        ended.out.contains("sent to me@contoso.com"),
        "{}",
        ended.out
    );
    assert_eq!(server.received().len(), 4);
}

#[test]
fn a_refusal_is_told_with_its_remedy_and_counts_for_nothing() {
    let home = Home::new();
    let server = Server::start(&home, &["--refuse", "gone.*@*"]);
    home.account(
        &server,
        "limits = [{ max = 1, per = \"24h\", unit = \"messages\" }]",
    );
    home.campaign("t", 1, true);
    let args = ["test", "news", "--to", "gone.me@contoso.com"];
    let refused = home.run(&args).exits(1);
    assert!(refused.out.contains("550 5.1.10"), "{}", refused.out);
    assert!(refused.out.contains('→'), "{}", refused.out);
    let said = home.run(&[&args[..], &["--json"]].concat()).exits(1).json();
    assert_eq!(said["outcome"], "refused");
    assert!(
        said["reply"]
            .as_str()
            .unwrap()
            .contains("RecipientNotFound")
    );
    assert!(!said["remedy"].as_str().unwrap().is_empty());
    send_test(&home, &[]).exits(0);
}

#[test]
fn what_cannot_be_tested_is_refused_and_nothing_is_sent() {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    home.account(&server, "");
    home.campaign("t", 2, true);
    home.run(&["test", "news"]).exits(2);
    home.run(&["test", "news", "--to", "nobody"]).exits(2);
    let many: Vec<String> = (0..6).map(|n| format!("--to=p{n}@x.test")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    home.run(&[&["test", "news"], &many[..]].concat()).exits(2);
    let other = send_test(&home, &["--account", "other"]).exits(2);
    assert!(other.err.contains("'t'"), "{}", other.err);
    send_test(&home, &["--row", "3"]).exits(66);
    home.write("news/news.txt.hbs", "Dear {{nobody}}\n");
    let defect = send_test(&home, &[]).exits(65);
    assert!(defect.out.contains("nobody"), "{}", defect.out);
    assert!(server.received().is_empty());
    home.campaign("t", 2, true);
    home.run(&["plan", "news"]).exits(0);
    std::fs::copy(home.path(STORE), home.path("copy.db")).unwrap();
    let copied = send_test(&home, &["--store", "copy.db"]).exits(75);
    assert!(
        copied.err.contains("postroom store claim"),
        "{}",
        copied.err
    );
    server.stop();
    let gone = send_test(&home, &[]).exits(69);
    assert!(gone.err.contains("postroom doctor t"), "{}", gone.err);
}

#[test]
fn the_stand_in_takes_a_test_and_it_is_said_where_it_lies() {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    home.account(&server, "");
    home.campaign("t", 2, true);
    let said = send_test(&home, &["--account", "sandbox"]).exits(0);
    let maildir = home.path("state/postroom/sandbox/Maildir");
    assert!(
        said.err.contains(&maildir.display().to_string()),
        "{}",
        said.err
    );
    assert_eq!(std::fs::read_dir(maildir.join("new")).unwrap().count(), 1);
    assert!(server.received().is_empty());
}

/// A stand-in within the test, where something goes wrong, and a campaign at it that may send one message a day.
struct Trouble {
    home: Home,
    runtime: Runtime,
    server: Sandbox,
}

impl Trouble {
    fn new(phase: Phase, when: When, act: Act) -> Self {
        let runtime = Runtime::new().unwrap();
        let mut options = Options {
            tls: TlsMode::None,
            require_auth: false,
            ..Options::default()
        };
        options.faults.list.push(Fault { phase, when, act });
        let server = runtime
            .block_on(Sandbox::start(options, Clock::system()))
            .unwrap();
        let home = Home::new();
        let port = server.address().port();
        home.write(
            "config/postroom/accounts.toml",
            format!(
                "[t]\nprovider = \"microsoft365\"\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\n\
                 max_connections = 1\nlimits = [{{ max = 1, per = \"24h\", unit = \"messages\" }}]\n"
            ),
        );
        home.campaign("t", 2, true);
        home.run(&["plan", "news"]).exits(0);
        Self {
            home,
            runtime,
            server,
        }
    }

    /// Nothing more goes by the account today: neither a test nor the campaign.
    fn assert_used_up(&self) {
        let test = send_test(&self.home, &[]).exits(75);
        assert!(test.err.contains("1 message per 24h"), "{}", test.err);
        let send = self.home.run(&["send", "news", "--yes", "--no-wait"]);
        let send = send.exits(75);
        assert!(send.err.contains("1 message per 24h"), "{}", send.err);
        assert_eq!(self.home.status()["recipients"]["pending"], 2);
    }
}

#[test]
fn a_test_whose_process_is_killed_while_it_is_handed_over_counts() {
    let trouble = Trouble::new(Phase::Verdict, When::Every(1), Act::Hang);
    let mut hanging = trouble.server.hanging();
    let mut child = trouble
        .home
        .command(&["test", "news", "--to", "me@contoso.com"])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    trouble
        .runtime
        .block_on(hanging.wait_for(|count| *count == 1))
        .unwrap();
    // While it has it in hand, nobody else takes its share.
    let send = trouble.home.run(&["send", "news", "--yes", "--no-wait"]);
    let send = send.exits(75);
    assert!(send.err.contains("another send"), "{}", send.err);
    child.kill().unwrap();
    child.wait().unwrap();
    trouble.assert_used_up();
}

#[test]
fn a_test_without_a_verdict_is_in_doubt_and_counts() {
    let trouble = Trouble::new(Phase::Verdict, When::Nth(1), Act::Drop);
    let said = send_test(&trouble.home, &["--json"]).exits(1).json();
    assert_eq!(said["outcome"], "in_doubt");
    trouble.assert_used_up();
}

#[test]
fn a_server_that_says_later_is_heeded_by_whoever_sends_next() {
    let words = "4.7.0 try again later";
    let trouble = Trouble::new(
        Phase::Rcpt,
        When::Every(1),
        Act::Reply(451, words.to_owned()),
    );
    let said = send_test(&trouble.home, &["--json"]);
    assert_eq!(said.code, 75, "{said:?}");

    let cap = "5.2.0 STOREDRV; mailbox has exceeded its sending limit: 554 5.2.0 SubmissionQuotaExceededException";
    let trouble = Trouble::new(
        Phase::Verdict,
        When::Nth(1),
        Act::Reply(554, cap.to_owned()),
    );
    let told = send_test(&trouble.home, &[]).exits(75);
    assert!(told.err.contains("asked for a pause"), "{}", told.err);
    let connections = |trouble: &Trouble| trouble.server.snapshot().connections;
    let before = connections(&trouble);
    let again = send_test(&trouble.home, &[]).exits(75);
    assert!(again.err.contains("asked for a pause"), "{}", again.err);
    let send = trouble.home.run(&["send", "news", "--yes", "--no-wait"]);
    let send = send.exits(75);
    assert!(send.err.contains("asked for a pause"), "{}", send.err);
    assert_eq!(connections(&trouble), before, "nobody asks before then");
}

#[test]
fn a_test_waits_for_a_connection_that_others_have() {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    home.account(&server, "max_connections = 1");
    home.campaign("t", 1, true);
    home.run(&["plan", "news"]).exits(0);
    let store = Store::open(&home.path(STORE)).unwrap();
    let slot = store.connection_slot("comms@contoso.com@127.0.0.1", 1);
    let slot = slot.unwrap().unwrap();
    let mut child = home
        .command(&["test", "news", "--to", "me@contoso.com"])
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let said = lines.next().unwrap().unwrap();
    assert!(said.contains("another send of the same account"), "{said}");
    assert!(server.received().is_empty());
    drop(slot);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(server.received().len(), 1);
}
