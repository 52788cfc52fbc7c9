use std::fs;

use super::*;

#[tokio::test]
async fn the_maildir_holds_the_bytes_and_the_log_is_written_before_the_answer() {
    let folder = tempfile::tempdir().unwrap();
    let maildir = folder.path().join("mail");
    let sandbox = start(Options {
        maildir: Some(maildir.clone()),
        ..open()
    })
    .await;
    let mut client = Client::greeted(&sandbox).await;
    let large = "0123456789\r\n".repeat(40_000);
    for content in ["Message-ID:\r\n <7@x>\r\n\r\n..\r\n\u{e9}\r\n", &large] {
        let reply = client.offer(&["a@x.test", "b@x.test"], content).await;
        assert!(reply.starts_with("250"), "{reply}");
        // As another process sees it, at the moment of the 250.
        let log = fs::read_to_string(folder.path().join("received.jsonl")).unwrap();
        let entry: serde_json::Value = serde_json::from_str(log.lines().last().unwrap()).unwrap();
        let bytes = fs::read(entry["file"].as_str().unwrap()).unwrap();
        let meant = format!("{content}\r\n").replace("\r\n..\r\n", "\r\n.\r\n");
        assert!(bytes == meant.as_bytes());
        assert_eq!(entry["size"], bytes.len());
        assert_eq!(entry["from"], "sender@example.test");
        assert_eq!(entry["recipients"][1], "b@x.test");
        assert!(entry["at"].as_str().unwrap().ends_with('Z'));
    }
    let count = |name: &str| fs::read_dir(maildir.join(name)).unwrap().count();
    assert_eq!((count("tmp"), count("new"), count("cur")), (0, 2, 0));
    let seen = sandbox.stop().await;
    assert_eq!(seen.records[0].message_id.as_deref(), Some("<7@x>"));
    assert_eq!(seen.records[1].message_id, None);
    assert!(
        seen.records[1]
            .file
            .as_ref()
            .unwrap()
            .starts_with(maildir.join("new"))
    );
}

#[tokio::test]
async fn what_cannot_be_written_is_not_taken() {
    let folder = tempfile::tempdir().unwrap();
    let maildir = folder.path().join("mail");
    let sandbox = start(Options {
        maildir: Some(maildir.clone()),
        ..open()
    })
    .await;
    let mut client = Client::greeted(&sandbox).await;
    fs::remove_dir_all(&maildir).unwrap();
    assert!(
        client
            .offer(&["a@x.test"], "hi")
            .await
            .starts_with("452 4.3.1")
    );
    let seen = sandbox.stop().await;
    assert_eq!((seen.messages, seen.refused_messages), (0, 1));
}
