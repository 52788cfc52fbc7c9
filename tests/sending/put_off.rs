//! Servers that put off whatever they are offered: asked seldom, and nobody is blamed.

use std::time::Duration;

use jiff::SignedDuration;
use postroom::clock::Clock;
use postroom::delivery::Backoff;
use postroom::sandbox::{self, Fault, Phase, Sandbox, When};
use postroom::send::{self, Ended, Event, Stop};

use crate::campaign::*;

/// Sends to a server with these faults until it has ended or so many minutes have passed, with the usual
/// back-off; how it ended, how often each fault struck, and how many pauses were told.
async fn send(campaign: &Campaign, list: Vec<Fault>, minutes: i64) -> (Ended, Vec<u64>, usize) {
    let clock = Clock::simulated(start());
    let server = Sandbox::start(server(list), clock.clone()).await.unwrap();
    let mut account = campaign.account(0, &server, &[per_minute(30)]);
    account.backoff = Backoff::default();
    let (job, mut options) = campaign.sender(vec![account], &clock);
    options.until = Some(start() + SignedDuration::from_mins(minutes));
    let (stop, _handle) = Stop::new();
    let mut pauses = 0;
    let ended = send::run(job, options, &clock, stop, &mut |event| {
        pauses += usize::from(matches!(event, Event::Paused { .. }));
    })
    .await
    .unwrap();
    (ended, server.stop().await.faults, pauses)
}

const BUSY: [(Phase, u16, &str); 6] = [
    (Phase::Mail, 450, "4.3.2 not now"),
    (Phase::Mail, 452, "4.3.1 out of memory"),
    (Phase::Mail, 450, "later"),
    (Phase::Rcpt, 451, "4.3.0 queue file write error"),
    (Phase::Data, 451, "later"),
    (Phase::Verdict, 451, "4.3.0 local error"),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_puts_all_off_is_asked_seldom() {
    for connections in [1, 3] {
        for (phase, code, text) in BUSY {
            let mut campaign = Campaign::new(300, true);
            campaign.connections = connections;
            let always = || vec![fault(phase, When::Every(1), says(code, text))];
            let (ended, asked, pauses) = send(&campaign, always(), 10).await;
            assert!(matches!(ended, Ended::AsAsked), "{text}: {ended:?}");
            assert!((5..=25).contains(&asked[0]), "{text}: {asked:?}");
            assert!(pauses > 0, "{text}");
            let counts = campaign.counts();
            assert_eq!(counts.refused, 0, "{text}");
            assert_eq!(counts.pending + counts.deferred, 300, "{text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn when_it_takes_mail_again_everybody_gets_theirs() {
    for (phase, code, text) in BUSY {
        let campaign = Campaign::new(100, true);
        let for_a_while = vec![fault(phase, When::Between(1, 12), says(code, text))];
        let (ended, asked, _) = send(&campaign, for_a_while, 120).await;
        assert!(matches!(ended, Ended::Finished), "{text}: {ended:?}");
        assert_eq!(asked, [12], "{text}");
        assert_eq!(campaign.counts().sent, 100, "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_wait_is_told_at_once_and_does_not_hammer() {
    let mut campaign = Campaign::new(300, true);
    campaign.wait = false;
    let always = || vec![fault(Phase::Mail, When::Every(1), says(450, "4.3.2 busy"))];
    for _ in 0..3 {
        let (ended, asked, _) = send(&campaign, always(), 10).await;
        assert!(matches!(ended, Ended::WouldWait(..)), "{ended:?}");
        assert!(asked[0] <= 3, "{asked:?}");
    }
    assert_eq!(campaign.counts().refused, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_takes_nothing_for_a_day_ends_it_and_blames_nobody() {
    let campaign = Campaign::new(50, true);
    let always = vec![fault(Phase::Mail, When::Every(1), says(450, "4.3.2 busy"))];
    let (ended, asked, _) = send(&campaign, always, 3 * 24 * 60).await;
    assert!(matches!(ended, Ended::Stopped(_)), "{ended:?}");
    assert!(asked[0] < 200, "{asked:?}");
    assert_eq!(campaign.counts().refused, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_the_server_cannot_bear_holds_up_nobody_and_is_refused_in_the_end() {
    let campaign = Campaign::new(40, true);
    let mut one = server(vec![]);
    one.refuse = vec![sandbox::RefuseRule {
        pattern: "p7@contoso.com".to_owned(),
        reply: (451, "4.3.0 internal error".to_owned()),
        at: sandbox::RefuseAt::Recipient,
    }];
    let sent = campaign.send(one, &[]).await;
    assert!(matches!(sent.ended, Ended::Finished), "{:?}", sent.ended);
    let counts = campaign.counts();
    assert_eq!((counts.sent, counts.refused), (39, 1));
    assert_eq!(sent.took, 150, "its own back-off, and no pause");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_lets_everybody_wait_once_gets_it_at_a_bounded_rate() {
    let campaign = Campaign::new(200, true);
    let once = vec![fault(
        Phase::Rcpt,
        When::Between(1, 200),
        says(450, "4.7.1 greylisted"),
    )];
    let (ended, asked, _) = send(&campaign, once, 60).await;
    assert!(matches!(ended, Ended::Finished), "{ended:?}");
    assert_eq!((campaign.counts().sent, asked), (200, vec![200]));
    let campaign = Campaign::new(200, true);
    let always = vec![fault(
        Phase::Rcpt,
        When::Every(1),
        says(450, "4.7.1 greylisted"),
    )];
    let (_, asked, pauses) = send(&campaign, always, 5).await;
    assert!(asked[0] <= 20 + 5 * 30, "{asked:?}");
    assert_eq!(pauses, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_back_off_of_its_own_still_ends_for_everybody() {
    let campaign = Campaign::new(30, true);
    let always = vec![fault(
        Phase::Rcpt,
        When::Every(1),
        says(450, "4.2.1 greylisted"),
    )];
    let sent = campaign.send(server(always), &[]).await;
    assert!(matches!(sent.ended, Ended::Finished), "{:?}", sent.ended);
    assert_eq!(campaign.counts().refused, 30);
    let most = Duration::from_mins(10).as_secs().cast_signed();
    assert!(sent.took < most, "{}", sent.took);
}
