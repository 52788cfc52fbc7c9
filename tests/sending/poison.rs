//! Servers that refuse a message for everybody because of one of its recipients.

use std::collections::{BTreeMap, BTreeSet};

use postroom::clock::Clock;
use postroom::delivery::Class;
use postroom::rehearsal::{Kill, Life, live};
use postroom::sandbox::{self, Act, Phase, RefuseAt, RefuseRule, Sandbox, Snapshot, When};
use postroom::send::{Ended, Event, Stop};
use proptest::prelude::*;

use crate::campaign::*;

/// As Exchange Online says it: without a name.
const BLOCKED: &str =
    "5.7.703 Your message can't be delivered because one or more recipients are blocked";

/// A server that refuses every message which has one of these people among its recipients.
fn refusing(people: &BTreeSet<usize>, words: &str) -> sandbox::Options {
    let mut options = server(vec![]);
    options.refuse = people
        .iter()
        .map(|n| RefuseRule {
            pattern: format!("p{n}@contoso.com"),
            reply: (550, words.to_owned()),
            at: RefuseAt::Content,
        })
        .collect();
    options
}

/// How often each person got it, and who was said to be refused.
fn outcome(sent: &Sent) -> (BTreeMap<String, usize>, BTreeSet<String>) {
    let refused = sent.events.iter().filter_map(|event| match event {
        Event::Refused { address, .. } => Some(address.clone()),
        _ => None,
    });
    (copies(&sent.seen), refused.collect())
}

fn copies(seen: &Snapshot) -> BTreeMap<String, usize> {
    let mut copies = BTreeMap::new();
    for address in seen.records.iter().flat_map(|one| &one.recipients) {
        *copies.entry(address.clone()).or_default() += 1;
    }
    copies
}

fn addresses(people: &BTreeSet<usize>) -> BTreeSet<String> {
    let address = |n: &usize| format!("p{n}@contoso.com");
    people.iter().map(address).collect()
}

/// Sends a shared message to so many people; what went wrong, if anything did.
async fn send(count: usize, guilty: &BTreeSet<usize>, words: &str) -> Result<Sent, String> {
    let campaign = Campaign::new(count, false);
    let sent = campaign.send(refusing(guilty, words), &[]).await;
    if !matches!(sent.ended, Ended::Finished) {
        return Err(format!("it ended as {:?}", sent.ended));
    }
    let (copies, refused) = outcome(&sent);
    let counts = campaign.counts();
    let innocent = count - guilty.len();
    if (counts.sent as usize, counts.refused as usize) != (innocent, guilty.len()) {
        return Err(format!("{counts:?}"));
    }
    if refused != addresses(guilty) {
        return Err(format!("refused were {refused:?}"));
    }
    if copies.len() != innocent || copies.values().any(|copies| *copies != 1) {
        return Err(format!("not everybody once: {copies:?}"));
    }
    if sent.took > 0 {
        return Err(format!("somebody waited {} s", sent.took));
    }
    Ok(sent)
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_blocked_is_found_and_costs_only_itself() {
    for guilty in [1, 2, 250, 499, 500] {
        let sent = send(500, &[guilty].into(), BLOCKED).await.unwrap();
        assert!(
            sent.seen.refused_messages <= 10,
            "halved, and not tried one by one: {}",
            sent.seen.refused_messages
        );
        let ids: BTreeSet<_> = sent
            .seen
            .records
            .iter()
            .map(|one| &one.message_id)
            .collect();
        assert_eq!(ids.len(), 1, "it is one message for all that");
    }
    let sent = send(500, &[77].into(), "5.7.703 <{recipient}> is blocked").await;
    let seen = sent.unwrap().seen;
    assert_eq!(
        (seen.refused_messages, seen.messages),
        (1, 1),
        "named, so taken out at once"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn however_many_are_blocked_nobody_takes_it_for_the_accounts_trouble() {
    for words in [BLOCKED, "5.7.703 {recipient}: blocked"] {
        send(64, &(1..=40).collect(), words).await.unwrap();
        send(30, &(1..=30).collect(), words).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_recipient_that_is_found_out_after_the_content_costs_only_itself() {
    let words = "5.1.10 RESOLVER.ADR.RecipientNotFound; not found by SMTP address lookup";
    send(100, &[3, 50].into(), words).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_offer_counts_and_no_rule_is_broken() {
    // The server turned the message away after it had it all: the account counts that, whatever it does.
    let rules = [per_day(120), per_minute(3)];
    let campaign = Campaign::new(100, false);
    let mut options = refusing(&[10].into(), BLOCKED);
    options.rules = rules.to_vec();
    options.strict = true;
    let sent = campaign.send(options, &rules).await;
    assert!(matches!(sent.ended, Ended::Finished), "{:?}", sent.ended);
    let counts = campaign.counts();
    assert_eq!((counts.sent, counts.refused), (99, 1));
    assert!(sent.seen.breaches.is_empty(), "{:?}", sent.seen.breaches);
    let day = 24 * 60 * 60;
    assert!(
        sent.took >= day,
        "100 offered and 50 again is more than a day's 120: {}",
        sent.took
    );
    assert!(sent.took < 3 * day, "{}", sent.took);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_alone_in_a_message_is_refused_by_itself() {
    let campaign = Campaign::new(30, true);
    let guilty = (1..=25).collect();
    let sent = campaign.send(refusing(&guilty, BLOCKED), &[]).await;
    assert!(matches!(sent.ended, Ended::Finished), "{:?}", sent.ended);
    let counts = campaign.counts();
    assert_eq!((counts.sent, counts.refused), (5, 25));
    assert_eq!(sent.seen.refused_messages, 25);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_of_refusals_that_are_no_block_list_stops_the_account() {
    // An organisation's own mail flow rule: it is about everybody, whatever its words say.
    let campaign = Campaign::new(30, true);
    let guilty = (1..=30).collect();
    let sent = campaign
        .send(refusing(&guilty, "5.7.1 Delivery not authorized"), &[])
        .await;
    assert!(matches!(sent.ended, Ended::Stopped(_)), "{:?}", sent.ended);
    let counts = campaign.counts();
    assert_eq!((counts.refused, counts.pending), (20, 10));
}

#[tokio::test(flavor = "multi_thread")]
async fn words_against_the_account_halve_nothing() {
    for words in [
        "5.1.8 Access denied, bad outbound sender AS(42004)",
        "5.2.252 Sender throttled due to continuous errors",
        "5.7.60 SMTP; Client does not have permissions to send as this sender",
        "5.2.252 SendAsDenied; me@contoso.com not allowed to send as comms@contoso.com; \
         STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied",
        "5.7.501 Access denied, spam abuse detected from the sender",
        "5.7.705 Access denied, tenant has exceeded threshold",
    ] {
        for phase in [Phase::Mail, Phase::Rcpt, Phase::Data, Phase::Verdict] {
            let campaign = Campaign::new(40, false);
            let always = vec![fault(phase, When::Every(1), says(550, words))];
            let sent = campaign.send(server(always), &[]).await;
            let case = format!("{phase:?} {words}: {:?}", sent.ended);
            let Ended::Stopped(trouble) = sent.ended else {
                panic!("{case}");
            };
            assert!(
                matches!(trouble.class, Class::Sender | Class::Blocked),
                "{case}"
            );
            assert!(trouble.reply.contains(words), "{case}");
            let counts = campaign.counts();
            assert_eq!(counts.pending + counts.deferred, 40, "{case}");
            let refused = sent
                .events
                .iter()
                .any(|event| matches!(event, Event::Refused { .. }));
            assert!(!refused, "{case}");
            let once = match phase {
                // All recipients are named in one write before the first answer comes.
                Phase::Rcpt => sent.seen.refused_recipients == 40,
                Phase::Verdict => sent.seen.refused_messages == 1,
                _ => true,
            };
            assert!(once && sent.seen.connections == 1, "{case}");
            // Once it is mended, everybody gets it.
            let sent = campaign.send(server(vec![]), &[]).await;
            assert!(matches!(sent.ended, Ended::Finished), "{case}");
            assert_eq!(campaign.counts().sent, 40, "{case}");
        }
    }
}

/// Kills the sender again and again while it looks for those who are blocked: also with a message handed over.
#[test]
fn a_kill_in_the_middle_of_the_search_loses_and_doubles_nobody() {
    let guilty: BTreeSet<usize> = [5, 6, 33, 80].into();
    let campaign = Campaign::new(80, false);
    let house = tokio::runtime::Runtime::new().unwrap();
    let clock = Clock::simulated(start());
    let mut options = refusing(&guilty, BLOCKED);
    for nth in [3, 8, 11] {
        options
            .faults
            .list
            .push(fault(Phase::Verdict, When::Nth(nth), Act::Hang));
    }
    let server = house
        .block_on(Sandbox::start(options, clock.clone()))
        .unwrap();
    let (mut kills, mut refused) = (0, BTreeSet::new());
    loop {
        let (job, options) = campaign.sender(vec![campaign.account(0, &server, &[])], &clock);
        let silence = server.hanging();
        let known = *silence.borrow();
        let kill = Kill {
            after: Some(2),
            silence: Some((silence, known)),
        };
        let (stop, _handle) = Stop::new();
        let life = live(job, options, &clock, stop, kill, &mut |event| {
            if let Event::Refused { address, .. } = event {
                refused.insert(address);
            }
        });
        let counts = campaign.counts();
        assert_eq!(counts.total(), 80);
        match life.unwrap() {
            Life::Ended(ended) => {
                assert!(matches!(ended, Ended::Finished), "{ended:?}");
                break;
            }
            Life::Killed => kills += 1,
        }
        // What the killed one was writing may still be on its way to the disk.
        while campaign
            .store()
            .lock_for_sending("news", clock.now())
            .is_err()
        {
            std::thread::yield_now();
        }
    }
    assert!(kills > 3, "{kills}");
    let seen = house.block_on(server.stop());
    let counts = campaign.counts();
    assert_eq!(
        counts.sent + counts.refused + counts.in_doubt,
        80,
        "{counts:?}"
    );
    assert!(refused.is_subset(&addresses(&guilty)), "{refused:?}");
    let copies = copies(&seen);
    assert!(copies.values().all(|copies| *copies == 1), "{copies:?}");
    assert!(
        copies
            .keys()
            .all(|address| !addresses(&guilty).contains(address))
    );
}

#[test]
fn exactly_those_who_are_blocked_are_refused_wherever_they_are() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let strategy = (
        1_usize..120,
        proptest::collection::btree_set(1_usize..120, 0..12),
        any::<bool>(),
    );
    let config = ProptestConfig {
        cases: 25,
        ..ProptestConfig::default()
    };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    runner
        .run(&strategy, |(count, guilty, tells)| {
            let guilty = guilty.into_iter().filter(|n| *n <= count).collect();
            let words = if tells {
                "5.7.703 {recipient} is blocked"
            } else {
                BLOCKED
            };
            let sent = runtime.block_on(send(count, &guilty, words));
            sent.map(drop).map_err(TestCaseError::fail)
        })
        .unwrap();
}
