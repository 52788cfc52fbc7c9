//! Messages of no campaign: short waits, tokens, and that others count what they have taken.

use std::time::Duration;

use postroom::clock::Clock;
use postroom::limits::{Rule, Unit};
use postroom::message::{Identity, Prepared, TestCopy};
use postroom::recipients::Address;
use postroom::sandbox::{self, Phase, Profile, Sandbox, When};
use postroom::send::{
    self, Account, Ended, SignIn, SingleEvent, SingleOutcome, Singles, Stop, Waiting, singly,
};

use crate::authority::Authority;
use crate::campaign::*;

/// A campaign's first row, as so many copies for somebody.
fn copies(campaign: &Campaign, job: &send::Job, count: usize) -> Vec<Prepared> {
    let message = campaign.store().message(campaign.id, 1).unwrap().unwrap();
    let to = Address::parse("me@contoso.com").unwrap();
    let copy = |number: usize| {
        let identity = Identity {
            message_id: &format!("<{number}@contoso.com>"),
            date: start(),
            shared: false,
        };
        let cells = &message.recipients[0].cells;
        let copy = TestCopy { to: &to, of: "it" };
        job.renderers[0]
            .current()
            .prepare_test(cells, &copy, &identity)
            .unwrap()
    };
    (0..count).map(copy).collect()
}

struct Seen {
    ended: Option<Ended>,
    outcomes: Vec<SingleOutcome>,
    waits: Vec<Waiting>,
    /// In seconds.
    took: i64,
}

async fn send(campaign: &Campaign, account: Account, clock: &Clock, count: usize) -> Seen {
    let (job, options) = campaign.sender(vec![account.clone()], clock);
    let begun = clock.now();
    let singles = Singles {
        account,
        store: options.store,
        messages: copies(campaign, &job, count),
    };
    drop(job);
    let (mut outcomes, mut waits) = (Vec::new(), Vec::new());
    let (stop, _handle) = Stop::new();
    let ended = singly(singles, clock, stop, &mut |event| match event {
        SingleEvent::Settled { outcome, .. } => outcomes.push(outcome),
        SingleEvent::Waiting { why, .. } => waits.push(why),
    })
    .await
    .unwrap();
    Seen {
        ended,
        outcomes,
        waits,
        took: clock.now().duration_since(begun).as_secs(),
    }
}

fn rule(max: u64, per: u64) -> Rule {
    Rule {
        max,
        per: Duration::from_secs(per),
        unit: Unit::Messages,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_wait_is_waited_for_and_a_long_one_is_told() {
    let campaign = Campaign::new(1, true);
    let clock = Clock::simulated(start());
    let short = rule(1, 25);
    let server = Sandbox::start(strict(&[short]), clock.clone())
        .await
        .unwrap();
    let seen = send(&campaign, campaign.account(0, &server, &[short]), &clock, 3).await;
    assert!(seen.ended.is_none(), "{:?}", seen.ended);
    assert_eq!((seen.outcomes.len(), seen.waits.len()), (3, 2));
    assert!((50..55).contains(&seen.took), "{}", seen.took);
    // A fourth would take longer than a minute in all.
    let seen = send(&campaign, campaign.account(0, &server, &[short]), &clock, 4).await;
    assert_eq!(seen.outcomes.len(), 2, "{:?}", seen.ended);
    assert!(matches!(
        seen.ended,
        Some(Ended::WouldWait(_, Waiting::Rule(_)))
    ));
    assert!(seen.took < 60);
    assert_eq!(server.stop().await.breaches.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_send_counts_them_and_they_count_a_send() {
    let day = per_day(10);
    let campaign = Campaign::planned(8, true, &[vec![day]], postroom::limits::Schedule::default());
    let clock = Clock::simulated(start());
    let server = Sandbox::start(strict(&[day]), clock.clone()).await.unwrap();
    let account = || campaign.account(0, &server, &[day]);
    let seen = send(&campaign, account(), &clock, 3).await;
    assert_eq!(seen.outcomes.len(), 3);
    let (job, mut options) = campaign.sender(vec![account()], &clock);
    options.wait = false;
    let (stop, _handle) = Stop::new();
    let ended = send::run(job, options, &clock, stop, &mut |_| {}).await;
    assert!(matches!(
        ended.unwrap(),
        Ended::WouldWait(_, Waiting::Rule(_))
    ));
    assert_eq!(campaign.counts().sent, 7);
    let seen = send(&campaign, account(), &clock, 1).await;
    assert!(matches!(
        seen.ended,
        Some(Ended::WouldWait(_, Waiting::Rule(_)))
    ));
    let seen = server.stop().await;
    assert_eq!((seen.messages, seen.breaches.len()), (10, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_refused_is_renewed_once() {
    for useless in [false, true] {
        let campaign = Campaign::new(1, true);
        let clock = Clock::simulated(start());
        let known = sandbox::Tokens::default();
        let authority = Authority::start(&clock, &known, Duration::from_hours(1)).await;
        let words = says(535, "5.7.143 Expired token");
        let when = if useless {
            When::Every(1)
        } else {
            When::Nth(1)
        };
        let mut options = server(vec![fault(Phase::Mail, when, words)]);
        options.require_auth = true;
        options.tokens = Some(known.clone());
        options.profile = Profile::Microsoft365;
        let server = Sandbox::start(options, clock.clone()).await.unwrap();
        let mut account = campaign.account(0, &server, &[]);
        account.sign_in = SignIn::OAuth2 {
            username: "comms@contoso.com".to_owned(),
            tokens: authority.as_application(campaign.folder.path(), &clock),
        };
        let seen = send(&campaign, account, &clock, 1).await;
        if useless {
            assert!(
                matches!(seen.ended, Some(Ended::Stopped(_))),
                "{:?}",
                seen.ended
            );
        } else {
            assert!(
                matches!(seen.outcomes[..], [SingleOutcome::Sent { .. }]),
                "{:?}",
                seen.ended
            );
        }
        assert_eq!(
            (authority.requests(), server.stop().await.connections),
            (2, 2)
        );
    }
}
