use std::collections::HashMap;

use jiff::SignedDuration;
use proptest::prelude::*;

use super::*;
use crate::clock::Timestamp;
use crate::limits::Weight;
use crate::sandbox::quota::Quota;
use crate::sandbox::{Profile, Use};

fn after(seconds: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
}

#[tokio::test]
async fn days_pass_and_the_window_frees_to_the_millisecond() {
    let clock = Clock::simulated(after(0));
    let rules = vec![rule(4, 86_400, Unit::Recipients)];
    let options = Options {
        rules,
        strict: true,
        ..open()
    };
    let sandbox = Sandbox::start(options, clock.clone()).await.unwrap();
    let mut client = Client::greeted(&sandbox).await;
    let two = ["a@x.test", "b@x.test"];
    assert!(client.offer(&two, "1").await.starts_with("250"));
    clock.sleep_until(after(3600)).await;
    assert!(client.offer(&two, "2").await.starts_with("250"));
    let reply = client.offer(&two, "3").await;
    assert!(
        reply.starts_with("550 5.4.5 Daily user sending limit exceeded"),
        "{reply}"
    );
    clock
        .sleep_until(after(86_400) - SignedDuration::from_millis(1))
        .await;
    assert!(client.offer(&["a@x.test"], "4").await.starts_with("550"));
    clock.sleep_until(after(86_400)).await;
    assert!(client.offer(&two, "5").await.starts_with("250"));
    assert!(client.offer(&["a@x.test"], "6").await.starts_with("550"));
    let seen = sandbox.stop().await;
    assert_eq!(
        (seen.messages, seen.refused_messages, seen.breaches.len()),
        (3, 3, 3)
    );
    assert_eq!(seen.breaches[0].limit, "4 recipients per 24h");
    assert_eq!(seen.breaches[0].at, after(3600));
    assert_eq!(seen.records[2].at, after(86_400));
}

#[tokio::test]
async fn without_strict_a_breach_is_taken_and_told() {
    let options = Options {
        rules: vec![rule(1, 60, Unit::Messages)],
        ..open()
    };
    let sandbox = Sandbox::start(options, Clock::simulated(after(0)))
        .await
        .unwrap();
    let mut client = Client::greeted(&sandbox).await;
    for _ in 0..3 {
        assert!(client.offer(&["a@x.test"], "hi").await.starts_with("250"));
    }
    let seen = sandbox.stop().await;
    assert_eq!((seen.messages, seen.breaches.len()), (3, 2));
    assert_eq!(seen.breaches[1].detail, "'' would reach 3 of 1");
}

#[tokio::test]
async fn each_rule_answers_in_its_own_words() {
    for (profile, rules, expected) in [
        (
            Profile::Microsoft365,
            vec![rule(1, 60, Unit::Messages)],
            "432 4.3.2 STOREDRV.ClientSubmit",
        ),
        (
            Profile::Generic,
            vec![rule(1, 60, Unit::Messages)],
            "432 4.3.2 Sending too fast",
        ),
        (
            Profile::Microsoft365,
            vec![rule(1, 86_400, Unit::ExternalRecipients)],
            "550 5.7.233",
        ),
        (
            Profile::Generic,
            vec![rule(1, 86_400, Unit::Messages)],
            "550 5.4.5 Daily user sending limit exceeded",
        ),
        (
            Profile::Microsoft365,
            vec![
                rule(1, 60, Unit::Messages),
                rule(1, 86_400, Unit::Recipients),
            ],
            "554 5.2.0",
        ),
    ] {
        let internal_domains = vec!["Home.test".to_owned()];
        let options = Options {
            profile,
            rules,
            internal_domains,
            strict: true,
            ..open()
        };
        let sandbox = Sandbox::start(options, Clock::simulated(after(0)))
            .await
            .unwrap();
        let mut client = Client::greeted(&sandbox).await;
        assert!(client.offer(&["a@far.test"], "hi").await.starts_with("250"));
        let reply = client.offer(&["a@far.test"], "hi").await;
        assert!(reply.starts_with(expected), "{reply}");
        let inside = client.offer(&["a@HOME.test"], "hi").await;
        assert_eq!(
            inside.starts_with("250"),
            expected == "550 5.7.233",
            "{inside}"
        );
    }
}

#[tokio::test]
async fn users_are_counted_apart() {
    let rules = vec![rule(1, 60, Unit::Messages)];
    let options = Options {
        rules,
        strict: true,
        tls: TlsMode::None,
        ..Options::default()
    };
    let sandbox = Sandbox::start(options, Clock::simulated(after(0)))
        .await
        .unwrap();
    // jo, ann, and jo again in capitals.
    for (credentials, code) in [
        ("AGpvAHB3", "250"),
        ("AGFubgBwdw==", "250"),
        ("AEpPAHB3", "432"),
    ] {
        let mut client = Client::greeted(&sandbox).await;
        assert!(
            client
                .ask(&format!("AUTH PLAIN {credentials}"))
                .await
                .starts_with("235")
        );
        assert!(client.offer(&["a@x.test"], "hi").await.starts_with(code));
    }
}

#[tokio::test]
async fn only_so_many_connections_may_send() {
    let sandbox = start(Options {
        max_connections: Some(1),
        ..open()
    })
    .await;
    let mut first = Client::greeted(&sandbox).await;
    let mut second = Client::greeted(&sandbox).await;
    assert!(first.offer(&["a@x.test"], "hi").await.starts_with("250"));
    let reply = second.offer(&["a@x.test"], "hi").await;
    assert_eq!(reply, "432 4.3.2 Concurrent connections limit exceeded");
    // After a QUIT the place is free by the time the client has read its answer.
    assert!(first.ask("QUIT").await.starts_with("221"));
    assert!(second.offer(&["a@x.test"], "hi").await.starts_with("250"));
    let seen = sandbox.stop().await;
    assert_eq!(
        (seen.messages, seen.breaches.len(), seen.most_connections),
        (2, 1, 2)
    );
    assert_eq!(seen.breaches[0].limit, "1 connections at a time");
}

proptest! {
    /// Whatever is offered when: no window of a strict server ever holds too much, by a plain recount,
    /// and nothing is refused that would have fitted.
    #[test]
    fn windows_hold_by_a_plain_recount(
        offers in prop::collection::vec((0i64..40, 1u64..6, 0u64..6, 0usize..2), 1..60),
    ) {
        let rules = vec![
            rule(3, 10, Unit::Messages),
            rule(12, 60, Unit::Recipients),
            rule(7, 45, Unit::ExternalRecipients),
        ];
        let mut quota = Quota::new(rules.clone(), true, Vec::new());
        let mut now = 0;
        let mut taken: HashMap<&str, Vec<(i64, Weight)>> = HashMap::new();
        for (wait, recipients, external, who) in offers {
            now += wait;
            let user = ["jo", "ann"][who];
            let weight = Weight { recipients, external: external.min(recipients) };
            let past = taken.entry(user).or_default();
            let fits = |rule: &Rule| {
                let edge = now - rule.per.as_secs() as i64;
                let inside = past.iter().filter(|(at, _)| *at > edge);
                let sum: u64 = inside.map(|(_, weight)| weight.of(rule.unit)).sum();
                // A message that takes nothing of a unit cannot break its rule.
                weight.of(rule.unit) == 0 || sum + weight.of(rule.unit) <= rule.max
            };
            let expected = rules.iter().filter(|rule| !fits(rule)).copied().collect::<Vec<_>>();
            let broken = quota.offer(user, weight, after(now));
            let broken = broken.iter().map(|broken| broken.rule).collect::<Vec<_>>();
            prop_assert_eq!(&broken, &expected);
            if expected.is_empty() {
                past.push((now, weight));
            }
        }
    }
}

#[tokio::test]
async fn what_others_used_counts_and_is_no_breach_of_the_senders() {
    let clock = Clock::simulated(after(86_400));
    let used = |hours: i64, user: Option<&str>, recipients| Use {
        at: after(86_400 - hours * 3600),
        user: user.map(str::to_owned),
        messages: 1,
        recipients,
        external: 0,
    };
    let options = Options {
        rules: vec![rule(10, 86_400, Unit::Recipients)],
        // Of no order; the last one is another's mailbox.
        used: vec![
            used(1, None, 3),
            used(6, Some(""), 5),
            used(1, Some("ann"), 10),
        ],
        strict: true,
        ..open()
    };
    let sandbox = Sandbox::start(options, clock.clone()).await.unwrap();
    let mut client = Client::greeted(&sandbox).await;
    let two = ["a@x.test", "b@x.test"];
    assert!(client.offer(&two, "fits").await.starts_with("250"));
    assert!(client.offer(&two, "over").await.starts_with("550 5.4.5"));
    // After 18 hours the five of six hours ago have left the window.
    clock.sleep_until(after(86_400 + 18 * 3600)).await;
    for _ in 0..2 {
        assert!(client.offer(&two, "free").await.starts_with("250"));
    }
    let seen = sandbox.snapshot();
    assert_eq!((seen.over_for_others, seen.breaches.len()), (1, 0));
    // Five hours on nothing of the others' is left: what goes over now is the sender's own doing.
    clock.sleep_until(after(86_400 + 23 * 3600)).await;
    for _ in 0..2 {
        assert!(client.offer(&two, "more").await.starts_with("250"));
    }
    assert!(client.offer(&two, "over").await.starts_with("550"));
    let seen = sandbox.stop().await;
    assert_eq!((seen.over_for_others, seen.breaches.len()), (1, 1));
}
