use tokio::io::AsyncReadExt;

use super::*;
use crate::sandbox::{Act, Fault, Faults, Flood, Phase, Profile, Then, When};

fn once(phase: Phase, act: Act) -> Options {
    let fault = Fault {
        phase,
        when: When::Nth(1),
        act,
    };
    Options {
        faults: Faults {
            list: vec![fault],
            ..Faults::default()
        },
        ..open()
    }
}

const ENVELOPE: &str = "MAIL FROM:<s@x.test>\r\nRCPT TO:<a@x.test>\r\nDATA\r\n";

#[tokio::test]
async fn connections_drop_where_they_are_told_to() {
    for (phase, answered, taken) in [
        (Phase::Mail, 0, 0),
        (Phase::Rcpt, 1, 0),
        (Phase::Data, 2, 0),
        (Phase::Body, 3, 0),
        (Phase::Verdict, 3, 1),
        (Phase::Answered, 4, 1),
    ] {
        let sandbox = start(once(phase, Act::Drop)).await;
        let mut client = Client::greeted(&sandbox).await;
        client.send(ENVELOPE).await;
        let mut replies = 0;
        while replies < 3 && !client.reply().await.is_empty() {
            replies += 1;
        }
        if replies == 3 {
            client.send("content\r\n.\r\n").await;
            while !client.reply().await.is_empty() {
                replies += 1;
            }
        }
        assert_eq!(replies, answered, "{phase:?}");
        assert_eq!(sandbox.snapshot().messages, taken, "{phase:?}");
        // The next connection is served.
        let mut client = Client::greeted(&sandbox).await;
        assert!(client.offer(&["a@x.test"], "hi").await.starts_with("250"));
    }
}

#[tokio::test]
async fn a_server_that_hangs_says_nothing_more() {
    for (phase, answered, taken) in [(Phase::Data, 2, 0), (Phase::Verdict, 3, 1)] {
        let sandbox = start(once(phase, Act::Hang)).await;
        let mut client = Client::greeted(&sandbox).await;
        client.send(ENVELOPE).await;
        for _ in 0..answered {
            assert!(!client.reply().await.is_empty());
        }
        if answered == 3 {
            client.send("content\r\n.\r\n").await;
        }
        client.send("NOOP\r\n").await;
        let silence = Clock::system()
            .within(Duration::from_millis(60), client.reply())
            .await;
        assert!(silence.is_err(), "{phase:?}");
        assert_eq!(sandbox.stop().await.messages, taken);
    }
}

/// What comes at this phase in a session that takes one message, up to the end or to so many bytes.
async fn heard(act: Act, phase: Phase, most: usize) -> (String, Sandbox) {
    let sandbox = start(once(phase, act)).await;
    let mut client = Client::silent(&sandbox).await;
    client
        .send(&format!("EHLO a\r\n{ENVELOPE}hi\r\n.\r\n"))
        .await;
    let mut bytes = Vec::new();
    let mut chunk = vec![0; 64 * 1024];
    while bytes.len() < most {
        match client.0.read(&mut chunk).await {
            Ok(count @ 1..) => bytes.extend_from_slice(&chunk[..count]),
            _ => break,
        }
    }
    (String::from_utf8_lossy(&bytes).into_owned(), sandbox)
}

#[tokio::test]
async fn what_is_said_may_be_no_reply() {
    for (phase, before, half, taken) in [
        (Phase::Banner, 0, "220 2.0.0 This line has no e", 0),
        (Phase::Mail, 2, "250 2.0.0 This line has no e", 0),
        (Phase::Data, 4, "354 2.0.0 This line has no e", 0),
        (Phase::Verdict, 5, "250 2.0.0 This line has no e", 1),
    ] {
        let (said, sandbox) = heard(Act::HalfLine(Then::Drop), phase, usize::MAX).await;
        let last = said.rsplit("\r\n").next().unwrap();
        assert_eq!(last, half, "{phase:?}");
        let replies = said
            .lines()
            .filter(|line| line.as_bytes().get(3) == Some(&b' '));
        assert_eq!(replies.count(), before + 1, "{phase:?}: {said}");
        assert_eq!(sandbox.snapshot().messages, taken, "{phase:?}");
    }
    let (said, sandbox) = heard(Act::Garbage, Phase::Banner, 40).await;
    assert!(said.starts_with("HTTP/1.1 400"), "{said}");
    assert_eq!(sandbox.stop().await.faults, [1]);
}

#[tokio::test]
async fn a_flood_is_megabytes_and_ends_with_the_server() {
    const MEGABYTE: usize = 1024 * 1024;
    let (said, sandbox) = heard(Act::Huge(Flood::Line), Phase::Banner, 4 * MEGABYTE).await;
    assert!(said.len() >= 4 * MEGABYTE && !said.contains('\n'));
    // The client reads no further, and the server is stopped all the same.
    sandbox.stop().await;
    let (said, sandbox) = heard(Act::Huge(Flood::Lines), Phase::Banner, 4 * MEGABYTE).await;
    assert!(said.len() >= 4 * MEGABYTE);
    assert!(said.lines().next().unwrap().starts_with("220-"));
    assert!(!said.contains("220 "), "no line is the last one");
    sandbox.stop().await;
}

#[tokio::test]
async fn replies_can_be_scripted() {
    let busy = || Act::Reply(451, "4.7.0 Temporary server error".to_owned());
    for (phase, expected) in [
        (Phase::Mail, "451"),
        (Phase::Data, "451"),
        (Phase::Verdict, "451"),
    ] {
        let sandbox = start(once(phase, busy())).await;
        let mut client = Client::greeted(&sandbox).await;
        assert!(
            client
                .offer(&["a@x.test"], "hi")
                .await
                .starts_with(expected)
        );
        client.ask("RSET").await;
        assert!(
            client.offer(&["a@x.test"], "hi").await.starts_with("250"),
            "{phase:?}"
        );
        assert_eq!(sandbox.snapshot().messages, 1);
    }
    let unasked = Act::Reply(421, "4.3.2 Going down".to_owned());
    let sandbox = start(once(Phase::Answered, unasked)).await;
    let mut client = Client::greeted(&sandbox).await;
    assert!(client.offer(&["a@x.test"], "hi").await.starts_with("250"));
    assert_eq!(client.reply().await, "421 4.3.2 Going down");
    assert_eq!(client.reply().await, "");
}

#[tokio::test]
async fn faults_return_every_nth_time_over_all_connections() {
    let fault = Fault {
        phase: Phase::Verdict,
        when: When::Every(3),
        act: Act::Reply(450, "4.2.0 Later".to_owned()),
    };
    let faults = Faults {
        list: vec![fault],
        ..Faults::default()
    };
    let sandbox = start(Options { faults, ..open() }).await;
    let mut codes = Vec::new();
    for _ in 0..4 {
        let mut client = Client::greeted(&sandbox).await;
        for _ in 0..2 {
            codes.push(client.offer(&["a@x.test"], "hi").await[..3].to_owned());
        }
    }
    assert_eq!(
        codes,
        ["250", "250", "450", "250", "250", "450", "250", "250"]
    );
}

#[tokio::test]
async fn many_refusals_end_the_session() {
    let faults = Faults {
        max_errors: Some(3),
        ..Faults::default()
    };
    let sandbox = start(Options { faults, ..open() }).await;
    let mut client = Client::greeted(&sandbox).await;
    client.ask("MAIL FROM:<s@x.test>").await;
    client.send(&"RCPT TO:<bad>\r\n".repeat(5)).await;
    for _ in 0..3 {
        assert!(client.reply().await.starts_with("501"));
    }
    assert!(client.reply().await.starts_with("421 4.7.0"));
    assert_eq!(client.reply().await, "");
}

#[tokio::test]
async fn replies_are_late_in_real_time() {
    let reply_delay = Duration::from_millis(30);
    let faults = Faults {
        reply_delay,
        ..Faults::default()
    };
    let sandbox = start(Options { faults, ..open() }).await;
    let mut client = Client::greeted(&sandbox).await;
    let watch = Clock::system().stopwatch();
    client.ask("NOOP").await;
    assert!(watch.elapsed() >= reply_delay);
}

#[tokio::test]
async fn faults_that_cannot_be_are_refused_at_the_start() {
    let zero = Fault {
        phase: Phase::Mail,
        when: When::Every(0),
        act: Act::Drop,
    };
    let fine = Fault {
        phase: Phase::Mail,
        when: When::Nth(1),
        act: Act::Reply(250, String::new()),
    };
    let backwards = Fault {
        when: When::Between(3, 2),
        act: Act::Drop,
        ..zero.clone()
    };
    for fault in [zero, fine, backwards] {
        let faults = Faults {
            list: vec![fault],
            ..Faults::default()
        };
        assert!(
            Sandbox::start(Options { faults, ..open() }, Clock::system())
                .await
                .is_err()
        );
    }
}

#[tokio::test]
async fn a_stretch_is_throttled_in_the_providers_words_and_counted() {
    for (profile, words) in [
        (Profile::Microsoft365, "432 4.3.2 STOREDRV.ClientSubmit"),
        (Profile::Generic, "451 4.7.1 Too many messages"),
    ] {
        let (code, text) = profile.throttled();
        let fault = |when| Fault {
            phase: Phase::Verdict,
            when,
            act: Act::Reply(code, text.to_owned()),
        };
        let faults = Faults {
            list: vec![fault(When::Between(2, 3)), fault(When::Nth(9))],
            ..Faults::default()
        };
        let sandbox = start(Options { faults, ..open() }).await;
        let mut client = Client::greeted(&sandbox).await;
        for throttled in [false, true, true, false] {
            let reply = client.offer(&["a@x.test"], "hi").await;
            assert_eq!(reply.starts_with(words), throttled, "{reply}");
        }
        let seen = sandbox.stop().await;
        assert_eq!((seen.messages, seen.faults), (2, vec![2, 0]));
    }
}

#[tokio::test]
async fn a_hang_is_told_and_connections_are_counted() {
    let sandbox = start(once(Phase::Verdict, Act::Hang)).await;
    let mut silence = sandbox.hanging();
    let mut client = Client::greeted(&sandbox).await;
    client.send(&format!("{ENVELOPE}content\r\n.\r\n")).await;
    silence.wait_for(|count| *count == 1).await.unwrap();
    assert_eq!(
        (sandbox.open_connections(), sandbox.snapshot().messages),
        (1, 1)
    );
    drop(client);
    while sandbox.open_connections() > 0 {
        tokio::task::yield_now().await;
    }
}
