//! What is previewed is what goes out, to the byte.

use std::collections::HashMap;
use std::path::Path;

use mail_parser::MessageParser;

use crate::home::{Home, repository};
use crate::server::Server;

/// All mails of a folder by Message-ID.
fn mails(folder: &Path) -> HashMap<String, Vec<u8>> {
    let mut mails = HashMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "eml") {
            let bytes = std::fs::read(path).unwrap();
            let id = MessageParser::default()
                .parse(&bytes)
                .unwrap()
                .message_id()
                .unwrap()
                .to_owned();
            mails.insert(format!("<{id}>"), bytes);
        }
    }
    mails
}

/// A mail without its Date, which is chosen when it is first tried.
fn without_date(mail: &[u8]) -> Vec<&[u8]> {
    mail.split(|byte| *byte == b'\n')
        .filter(|line| !line.starts_with(b"Date: "))
        .collect()
}

#[test]
fn bytes_previewed_are_bytes_sent() {
    let home = Home::new();
    let server = Server::start(&home, &["--refuse", "gone.*@*"]);
    home.account(&server, "max_recipients_per_message = 500");
    let sample = home.path("news");
    copy(&repository().join("samples/staff-newsletter"), &sample);
    let toml = std::fs::read_to_string(sample.join("campaign.toml")).unwrap();
    std::fs::write(
        sample.join("campaign.toml"),
        toml.replace("\"sandbox\"", "\"t\""),
    )
    .unwrap();
    home.run(&["plan", "news"]).exits(0);
    home.run(&["preview", "news", "--out", "before"]).exits(0);
    home.run(&["send", "news", "--yes"]).exits(1);
    home.run(&["preview", "news", "--out", "after"]).exits(0);
    let (before, after) = (mails(&home.path("before")), mails(&home.path("after")));
    assert_eq!(before.len(), 306);
    let received = server.received();
    // One personal mail was for a refused address alone.
    assert_eq!(received.len(), 305);
    for message in received {
        let sent = std::fs::read(&message.file).unwrap();
        let previewed = &before[&message.message_id];
        assert_eq!(
            without_date(&sent),
            without_date(previewed),
            "but for the Date, chosen when it is tried"
        );
        assert!(
            sent == after[&message.message_id],
            "with the Date that it has now, to the byte"
        );
    }
}

#[test]
fn recipients_never_see_each_other() {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    home.account(&server, "");
    home.campaign("t", 20, false);
    home.run(&["send", "news", "--yes"]).exits(0);
    let received = server.received();
    assert_eq!(received.len(), 1);
    let sent = String::from_utf8(std::fs::read(&received[0].file).unwrap()).unwrap();
    assert!(
        (1..=20).all(|n| !sent.contains(&format!("p{n}@"))),
        "{sent}"
    );
}

#[test]
fn a_preview_is_shown_without_a_plan_and_leaves_none() {
    let home = Home::new();
    home.campaign("sandbox", 3, true);
    let shown = home
        .run(&["preview", "news", "--print", "--row", "2"])
        .exits(0)
        .out;
    assert!(
        shown.contains("Dear P2,") && shown.contains("p2@contoso.com"),
        "{shown}"
    );
    let shown = home
        .run(&["preview", "news", "--to", "P3@contoso.com"])
        .exits(0)
        .out;
    assert!(shown.contains("Dear P3,"), "{shown}");
    home.run(&["preview", "news", "--row", "4"]).exits(66);
    home.run(&["status", "news"]).exits(66);
}

pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}
