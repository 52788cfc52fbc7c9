//! Against Postfix with Dovecot's sign-in, where `.ci/mail-server` has started them.
//!
//! Without `POSTROOM_TEST_POSTFIX` these tests say that they did nothing; with it, they must succeed.

#![expect(clippy::print_stderr, reason = "a test that does nothing says so")]

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;

use mail_parser::{MessageParser, MimeHeaders};

use crate::home::{Ended, Home};

/// The servers, as `.ci/mail-server` describes them.
pub(crate) struct Postfix {
    pub(crate) submission: String,
    implicit: String,
    certificate: String,
    user: String,
    password: String,
    maildir: PathBuf,
    log: PathBuf,
}

/// A mail as it was delivered.
pub(crate) struct Delivered {
    pub(crate) recipient: String,
    bytes: Vec<u8>,
}

pub(crate) fn postfix() -> Option<Postfix> {
    let variable = |name: &str| std::env::var(format!("POSTROOM_TEST_POSTFIX{name}"));
    let Ok(submission) = variable("") else {
        eprintln!("skipped: POSTROOM_TEST_POSTFIX is not set (.ci/mail-server starts the servers)");
        return None;
    };
    let get = |name: &str| variable(name).unwrap_or_else(|_| panic!("POSTROOM_TEST_POSTFIX{name}"));
    Some(Postfix {
        submission,
        implicit: get("_IMPLICIT"),
        certificate: get("_CA"),
        user: get("_USER"),
        password: get("_PASSWORD"),
        maildir: get("_MAILDIR").into(),
        log: get("_LOG").into(),
    })
}

impl Postfix {
    /// An account `t` at this address, with these further lines.
    fn account(&self, home: &Home, address: &str, more: &str) {
        let (host, port) = address.rsplit_once(':').unwrap();
        let text = format!(
            "[t]\nprovider = \"custom\"\nhost = \"{host}\"\nport = {port}\nusername = \"{}\"\nauth = \"password\"\n\
             max_recipients_per_message = 500\nlimits = []\n{more}\n[t.password]\nenv = \"MAIL_PASSWORD\"\n",
            self.user
        );
        home.write("config/postroom/accounts.toml", text);
    }

    pub(crate) fn trusted(&self) -> String {
        format!("ca_file = \"{}\"", self.certificate)
    }

    fn run(&self, home: &Home, args: &[&str]) -> Ended {
        let mut command: Command = home.command(args);
        command.env("MAIL_PASSWORD", &self.password);
        Ended::of(&command.output().unwrap())
    }

    /// Mails to addresses that begin with `prefix`, once there are so many: Postfix delivers after it
    /// has answered.
    pub(crate) fn delivered(&self, prefix: &str, expected: usize) -> Vec<Delivered> {
        for _ in 0..600 {
            let found = self.look(prefix);
            if found.len() >= expected {
                return found;
            }
            // `sleep` is a process of its own here: nothing else tells of another program's deliveries.
            Command::new("sleep").arg("0.1").status().unwrap();
        }
        panic!(
            "{} of {expected} mails arrived for {prefix}",
            self.look(prefix).len()
        );
    }

    fn look(&self, prefix: &str) -> Vec<Delivered> {
        let Ok(entries) = std::fs::read_dir(self.maildir.join("new")) else {
            return Vec::new();
        };
        let mails = entries.filter_map(|entry| std::fs::read(entry.ok()?.path()).ok());
        mails
            .filter_map(|bytes| {
                let recipient = header(&bytes, "X-Original-To")?;
                recipient
                    .starts_with(prefix)
                    .then_some(Delivered { recipient, bytes })
            })
            .collect()
    }

    /// How many connections in the log brought mail with this Message-ID's queue entries.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }
}

fn header(mail: &[u8], name: &str) -> Option<String> {
    let text = String::from_utf8_lossy(mail);
    let head = text.split("\n\n").next()?.to_owned();
    head.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
        .map(|value| value.trim().to_owned())
}

/// A campaign `news` to these addresses; `text` may use `{{first_name}}`.
pub(crate) fn campaign(home: &Home, addresses: &[String], text: &str) {
    let mut list = "email,first_name\n".to_owned();
    for (number, address) in addresses.iter().enumerate() {
        writeln!(list, "{address},P{number}").unwrap();
    }
    home.write("news/staff.csv", list);
    home.write("news/news.txt.hbs", text);
    home.write(
        "news/campaign.toml",
        "account = \"t\"\n[message]\nfrom = \"Größe & Co <newsdesk@example.test>\"\nsubject = \"Neues für alle\"\n\
         text = \"news.txt.hbs\"\n[recipients]\nfile = \"staff.csv\"\n",
    );
}

pub(crate) fn people(prefix: &str, count: usize) -> Vec<String> {
    (1..=count)
        .map(|n| format!("{prefix}{n}@example.test"))
        .collect()
}

fn newsletter_arrives(prefix: &str, implicit: bool) {
    let Some(server) = postfix() else { return };
    let home = Home::new();
    let (address, tls) = if implicit {
        (&server.implicit, "tls = \"implicit\"")
    } else {
        (&server.submission, "")
    };
    server.account(&home, address, &format!("{tls}\n{}", server.trusted()));
    let to = people(prefix, 5);
    campaign(&home, &to, "");
    home.write(
        "news/staff.csv",
        format!(
            "email,note\n{},\n{},\n{},\n{},Zoë\n{},日本\n",
            to[0], to[1], to[2], to[3], to[4]
        ),
    );
    home.write(
        "news/news.html.hbs",
        "<p>Guten Tag {{#if note}}{{note}}{{else}}alle{{/if}}</p>",
    );
    home.write(
        "news/agenda.pdf",
        (0..=255).cycle().take(50_000).collect::<Vec<u8>>(),
    );
    let toml = std::fs::read_to_string(home.path("news/campaign.toml")).unwrap();
    let toml = toml.replace(
        "text = \"news.txt.hbs\"",
        "html = \"news.html.hbs\"\nattach = [\"agenda.pdf\"]",
    );
    home.write("news/campaign.toml", toml);
    server.run(&home, &["send", "news", "--yes"]).exits(0);
    let mails = server.delivered(prefix, 5);
    let mut reached: Vec<&str> = mails.iter().map(|mail| mail.recipient.as_str()).collect();
    reached.sort_unstable();
    assert_eq!(reached, to, "everybody once");
    for mail in &mails {
        let parsed = MessageParser::default().parse(&mail.bytes).unwrap();
        assert_eq!(parsed.subject(), Some("Neues für alle"));
        assert_eq!(
            parsed.from().unwrap().first().unwrap().name(),
            Some("Größe & Co")
        );
        assert!(parsed.body_html(0).unwrap().contains("Guten Tag"));
        assert!(parsed.body_text(0).unwrap().contains("Guten Tag"));
        let agenda: Vec<u8> = (0..=255).cycle().take(50_000).collect();
        assert_eq!(parsed.attachment(0).unwrap().contents(), agenda);
        assert_eq!(
            parsed.attachment(0).unwrap().attachment_name(),
            Some("agenda.pdf")
        );
        assert!(parsed.header_raw("Bcc").is_none());
        // Postfix adds the recipient's own address in fields of its own, and nobody else's.
        let text = String::from_utf8_lossy(&mail.bytes);
        let others = to.iter().filter(|other| **other != mail.recipient);
        assert!(
            others.clone().all(|other| !text.contains(other.as_str())),
            "{text}"
        );
    }
}

#[test]
fn a_newsletter_arrives_over_starttls() {
    newsletter_arrives("starttls.", false);
}

#[test]
fn a_newsletter_arrives_over_implicit_tls() {
    newsletter_arrives("implicit.", true);
}

#[test]
fn one_refused_among_five_hundred_costs_only_itself() {
    let Some(server) = postfix() else { return };
    let home = Home::new();
    server.account(&home, &server.submission, &server.trusted());
    let mut to = people("many.", 500);
    to[250] = "gone.many@example.test".to_owned();
    campaign(&home, &to, "the same for all");
    server.run(&home, &["send", "news", "--yes"]).exits(1);
    assert_eq!(server.delivered("many.", 499).len(), 499);
    let outcomes = home.outcomes();
    let refused: Vec<_> = outcomes
        .iter()
        .filter(|(_, outcome)| outcome != "sent")
        .collect();
    assert_eq!(
        refused,
        [&("gone.many@example.test".to_owned(), "refused".to_owned())]
    );
    let report = home.run(&["report", "news", "--format", "csv"]).out;
    assert!(
        report.contains("550 5.1.1"),
        "Postfix's own words: {report}"
    );
    let log = server.log();
    let line = log
        .lines()
        .find(|line| line.contains("gone.many@example.test"))
        .unwrap();
    let client = line
        .split("from ")
        .nth(1)
        .unwrap()
        .split(':')
        .take(2)
        .collect::<Vec<_>>()
        .join(":");
    let connects = log
        .lines()
        .filter(|line| line.contains("]: connect from") && line.contains(&client));
    assert_eq!(connects.count(), 1, "on the same connection: {client}");
}

/// Postfix hangs up after 20 errors: that must cost the refused ones only.
fn many_refused(prefix: &str, text: &str) {
    let Some(server) = postfix() else { return };
    let home = Home::new();
    server.account(
        &home,
        &server.submission,
        &format!("retry = [\"1s\", \"1s\", \"1s\"]\n{}", server.trusted()),
    );
    let mut to = people(prefix, 120);
    for number in (0..120).step_by(4) {
        to[number] = format!("gone.{prefix}{number}@example.test");
    }
    campaign(&home, &to, text);
    server.run(&home, &["send", "news", "--yes"]).exits(1);
    let mut reached: Vec<String> = server
        .delivered(prefix, 90)
        .into_iter()
        .map(|mail| mail.recipient)
        .collect();
    reached.sort();
    let mut expected: Vec<String> = to
        .iter()
        .filter(|address| address.starts_with(prefix))
        .cloned()
        .collect();
    expected.sort();
    assert_eq!(reached, expected, "everybody who exists, once");
    let status = home.status();
    assert_eq!(status["recipients"]["refused"], 30);
    assert_eq!(status["recipients"]["sent"], 90);
}

#[test]
fn many_refused_in_a_shared_message_cost_only_themselves() {
    many_refused("shared.", "the same for all");
}

#[test]
fn many_refused_one_by_one_cost_only_themselves() {
    many_refused("single.", "Dear {{first_name}}");
}

#[test]
fn a_wrong_password_blames_nobody() {
    let Some(server) = postfix() else { return };
    let home = Home::new();
    server.account(&home, &server.submission, &server.trusted());
    campaign(&home, &people("signin.", 3), "hello");
    let mut command = home.command(&["send", "news", "--yes"]);
    command.env("MAIL_PASSWORD", "not the password");
    let refused = Ended::of(&command.output().unwrap()).exits(77);
    assert!(refused.err.contains('→'), "{}", refused.err);
    let status = home.status();
    assert_eq!(
        (&status["state"], &status["recipients"]["pending"]),
        (&"stopped".into(), &3.into())
    );
    server.run(&home, &["send", "news", "--yes"]).exits(0);
    assert_eq!(server.delivered("signin.", 3).len(), 3);
}

#[test]
fn an_untrusted_certificate_gets_nothing() {
    let Some(server) = postfix() else { return };
    let home = Home::new();
    server.account(&home, &server.submission, "");
    campaign(&home, &people("untrusted.", 2), "hello");
    server.run(&home, &["send", "news", "--yes"]).exits(69);
    assert_eq!(home.status()["recipients"]["pending"], 2);
    assert_eq!(server.look("untrusted.").len(), 0);
}

#[test]
fn an_international_address_arrives() {
    let Some(server) = postfix() else { return };
    let home = Home::new();
    server.account(&home, &server.submission, &server.trusted());
    campaign(&home, &["utf8.jörg@example.test".to_owned()], "hello");
    server.run(&home, &["send", "news", "--yes"]).exits(0);
    let mails = server.delivered("utf8.", 1);
    assert_eq!(mails[0].recipient, "utf8.jörg@example.test");
}
