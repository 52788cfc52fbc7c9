use super::*;
use crate::sandbox::{Error, Profile, RefuseAt, RefuseRule};

#[tokio::test]
async fn it_takes_a_message_and_counts_it() {
    let sandbox = start(open()).await;
    let mut client = Client::greeted(&sandbox).await;
    let reply = client
        .offer(
            &["a@x.test", "b@y.test"],
            "Message-ID: <1@x>\r\n\r\n..two dots\r\nend",
        )
        .await;
    assert_eq!(
        reply,
        "250 2.0.0 OK <1@x> [Hostname=sandbox.postroom.invalid]"
    );
    assert_eq!(
        client.ask("QUIT").await,
        "221 2.0.0 Service closing transmission channel"
    );
    let seen = sandbox.stop().await;
    assert_eq!(
        (seen.messages, seen.recipients, seen.connections),
        (1, 2, 1)
    );
    let record = &seen.records[0];
    assert_eq!(record.envelope_from, "sender@example.test");
    assert_eq!(record.recipients, ["a@x.test", "b@y.test"]);
    let content = b"Message-ID: <1@x>\r\n\r\n.two dots\r\nend\r\n";
    assert_eq!(record.digest, *blake3::hash(content).as_bytes());
    assert_eq!(record.size, content.len() as u64);
}

#[tokio::test]
async fn capabilities_change_with_tls() {
    let sandbox = start(Options {
        profile: Profile::Microsoft365,
        max_message_size: Some(1000),
        ..Options::default()
    })
    .await;
    let mut client = Client::silent(&sandbox).await;
    assert!(
        client
            .reply()
            .await
            .contains("Microsoft ESMTP MAIL Service ready")
    );
    let before = client.ask("EHLO here").await;
    for word in [
        "SIZE 1000",
        "PIPELINING",
        "DSN",
        "ENHANCEDSTATUSCODES",
        "8BITMIME",
        "SMTPUTF8",
    ] {
        assert!(before.contains(word), "{word}: {before}");
    }
    assert!(
        before.contains("STARTTLS") && !before.contains("AUTH"),
        "{before}"
    );
    assert!(!before.contains("CHUNKING"), "{before}");
    client.ask("STARTTLS").await;
    let mut client = client.handshake(&sandbox).await;
    assert!(client.ask("MAIL FROM:<a@x.test>").await.starts_with("503"));
    let after = client.ask("EHLO here").await;
    assert!(
        !after.contains("STARTTLS") && after.contains("AUTH LOGIN XOAUTH2\n"),
        "{after}"
    );
    assert!(client.ask("STARTTLS").await.starts_with("503"));
}

#[tokio::test]
async fn what_was_slipped_in_before_tls_is_thrown_away() {
    let sandbox = start(Options {
        require_auth: false,
        ..Options::default()
    })
    .await;
    let mut client = Client::greeted(&sandbox).await;
    client
        .send("STARTTLS\r\nEHLO evil\r\nMAIL FROM:<evil@x.test>\r\n")
        .await;
    assert!(client.reply().await.starts_with("220"));
    let mut client = client.handshake(&sandbox).await;
    assert!(client.ask("EHLO here").await.starts_with("250"));
    assert!(client.ask("RCPT TO:<a@x.test>").await.starts_with("503"));
}

#[tokio::test]
async fn implicit_tls_starts_at_once() {
    let options = Options {
        tls: TlsMode::Implicit,
        require_auth: false,
        ..Options::default()
    };
    let sandbox = start(options).await;
    let mut client = Client::silent(&sandbox).await.handshake(&sandbox).await;
    assert!(client.reply().await.starts_with("220 "));
    assert!(
        client
            .ask("EHLO here")
            .await
            .contains("AUTH LOGIN PLAIN XOAUTH2")
    );
    assert!(
        client
            .offer(&["a@x.test"], "hello")
            .await
            .starts_with("250 2.0.0")
    );
}

#[tokio::test]
async fn commands_out_of_order_are_told_so() {
    let sandbox = start(open()).await;
    let mut client = Client::new(&sandbox).await;
    for (line, code) in [
        ("MAIL FROM:<a@x.test>", "503"),
        ("HELO", "501"),
        ("HELO here", "250"),
        ("RCPT TO:<a@x.test>", "503"),
        ("DATA", "503"),
        ("MAIL FROM:<a@x.test>", "250"),
        ("MAIL FROM:<a@x.test>", "503"),
        ("DATA", "503"),
        ("RCPT TO:<nobody>", "501"),
        ("RCPT TO:<postmaster>", "250"),
        ("RSET", "250"),
        ("RCPT TO:<a@x.test>", "503"),
        ("MAIL FROM:<a@x.test> BODY=BINARYMIME", "555"),
        ("MAIL FROM:<ä@x.test>", "553"),
        ("MAIL FROM:<ä@x.test> SMTPUTF8 BODY=8BITMIME", "250"),
        ("STARTTLS", "502"),
        ("BDAT 3 LAST", "502"),
        ("VRFY a", "252"),
        ("HELP", "214"),
        ("NOOP", "250"),
        ("HELLO", "500"),
    ] {
        let reply = client.ask(line).await;
        assert!(reply.starts_with(code), "{line}: {reply}");
    }
}

#[tokio::test]
async fn a_pipelined_envelope_is_answered_in_order_and_refusals_stand_alone() {
    let refuse = RefuseRule {
        pattern: "Gone.*@*".to_owned(),
        reply: (550, "5.1.1 No such user".to_owned()),
        at: RefuseAt::Recipient,
    };
    let options = Options {
        refuse: vec![refuse],
        max_recipients_per_message: Some(2),
        ..open()
    };
    let sandbox = start(options).await;
    let mut client = Client::greeted(&sandbox).await;
    client
        .send(
            "MAIL FROM:<s@x.test>\r\nRCPT TO:<a@x.test>\r\nRCPT TO:<GONE.b@x.test>\r\n\
             RCPT TO:<c@x.test>\r\nRCPT TO:<d@x.test>\r\nDATA\r\n",
        )
        .await;
    for expected in [
        "250 2.1.0",
        "250 2.1.5",
        "550 5.1.1",
        "250 2.1.5",
        "452 4.5.3",
        "354",
    ] {
        let reply = client.reply().await;
        assert!(reply.starts_with(expected), "{reply}");
    }
    // The dot and the next envelope in one write.
    client
        .send("hi\r\n.\r\nMAIL FROM:<s@x.test>\r\nRCPT TO:<a@x.test>\r\n")
        .await;
    for expected in ["250 2.0.0", "250 2.1.0", "250 2.1.5"] {
        assert!(client.reply().await.starts_with(expected));
    }
    let seen = sandbox.stop().await;
    assert_eq!(
        (seen.messages, seen.recipients, seen.refused_recipients),
        (1, 2, 2)
    );
    assert_eq!(seen.records[0].recipients, ["a@x.test", "c@x.test"]);
}

#[tokio::test]
async fn a_message_can_be_refused_for_one_recipient_after_its_content() {
    let refuse = RefuseRule {
        pattern: "blocked@*".to_owned(),
        reply: (550, "5.7.703 Blocked".to_owned()),
        at: RefuseAt::Content,
    };
    let sandbox = start(Options {
        refuse: vec![refuse],
        ..open()
    })
    .await;
    let mut client = Client::greeted(&sandbox).await;
    let reply = client.offer(&["a@x.test", "blocked@x.test"], "hi").await;
    assert_eq!(reply, "550 5.7.703 Blocked");
    assert!(client.offer(&["a@x.test"], "hi").await.starts_with("250"));
    let seen = sandbox.stop().await;
    assert_eq!((seen.messages, seen.refused_messages), (1, 1));
}

#[tokio::test]
async fn sizes_are_held_to() {
    let sandbox = start(Options {
        max_message_size: Some(50),
        ..open()
    })
    .await;
    let mut client = Client::greeted(&sandbox).await;
    assert!(
        client
            .ask("MAIL FROM:<a@x.test> SIZE=51")
            .await
            .starts_with("552 5.3.4")
    );
    assert!(
        client
            .offer(&["a@x.test"], &"x".repeat(49))
            .await
            .starts_with("552 5.3.4")
    );
    assert!(
        client
            .offer(&["a@x.test"], &"x".repeat(48))
            .await
            .starts_with("250")
    );
    assert_eq!(sandbox.snapshot().refused_messages, 2);
    // Content without an end is not waited for.
    client.ask("MAIL FROM:<a@x.test>").await;
    client.ask("RCPT TO:<a@x.test>").await;
    client.ask("DATA").await;
    let flood = "y".repeat(70_000);
    for _ in 0..20 {
        if client.0.write_all(flood.as_bytes()).await.is_err() {
            break;
        }
    }
    assert!(client.reply().await.starts_with("552 5.3.4"));
    assert_eq!(client.reply().await, "");
}

#[tokio::test]
async fn bare_line_feeds_are_refused_as_exchange_does() {
    for (profile, code) in [
        (Profile::Generic, "250"),
        (Profile::Microsoft365, "550 5.6.11"),
    ] {
        let sandbox = start(Options { profile, ..open() }).await;
        let mut client = Client::greeted(&sandbox).await;
        assert!(
            client
                .offer(&["a@x.test"], "one\ntwo")
                .await
                .starts_with(code)
        );
    }
}

#[tokio::test]
async fn lines_that_are_too_long_cost_one_refusal() {
    let sandbox = start(open()).await;
    let mut client = Client::greeted(&sandbox).await;
    for length in [3000, 100_000] {
        assert!(
            client
                .ask(&format!("NOOP {}", "x".repeat(length)))
                .await
                .starts_with("500 5.5.2")
        );
        assert!(client.ask("NOOP").await.starts_with("250"));
    }
}

#[tokio::test]
async fn it_stays_on_this_machine() {
    let listen = "0.0.0.0:0".parse().unwrap();
    let refused = Sandbox::start(Options { listen, ..open() }, Clock::system()).await;
    assert!(matches!(refused.err(), Some(Error::NotLoopback(_))));
}

#[tokio::test]
async fn a_stop_says_goodbye_and_leaves_nothing_open() {
    let sandbox = start(open()).await;
    let mut client = Client::greeted(&sandbox).await;
    let (_, goodbye) = tokio::join!(sandbox.stop(), client.reply());
    assert!(goodbye.starts_with("421 4.3.2"), "{goodbye}");
    assert_eq!(client.reply().await, "");
}

#[tokio::test]
async fn content_in_transfer_gets_its_verdict_before_a_stop() {
    let sandbox = start(open()).await;
    let mut client = Client::greeted(&sandbox).await;
    client.ask("MAIL FROM:<a@x.test>").await;
    client.ask("RCPT TO:<b@x.test>").await;
    client.ask("DATA").await;
    let (seen, reply) = tokio::join!(sandbox.stop(), async {
        client.send("half").await;
        tokio::task::yield_now().await;
        client.send(" and half\r\n.\r\n").await;
        client.reply().await
    });
    assert!(reply.starts_with("250"), "{reply}");
    assert_eq!(seen.messages, 1);
}
