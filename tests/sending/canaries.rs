//! A canary lets so many messages leave the plan and no more, whatever becomes of them.

use postroom::clock::Clock;
use postroom::sandbox::{Act, Phase, Sandbox, When};
use postroom::send::{self, Ended, Stop};

use crate::campaign::*;

/// Sends with a canary of 4 to a server where this goes wrong; how often something was handed over.
async fn four_of(campaign: &Campaign, faults: Vec<postroom::sandbox::Fault>) -> u64 {
    let clock = Clock::simulated(start());
    let server = Sandbox::start(server(faults), clock.clone()).await.unwrap();
    let account = campaign.account(0, &server, &[]);
    let (job, mut options) = campaign.sender(vec![account], &clock);
    options.canary = Some(4);
    let (stop, _handle) = Stop::new();
    let ended = send::run(job, options, &clock, stop, &mut |_| {}).await;
    server.stop().await;
    match ended.unwrap() {
        Ended::AtCanary { handed_over } => handed_over,
        other => panic!("{other:?}"),
    }
}

fn people() -> Campaign {
    let mut campaign = Campaign::new(20, true);
    campaign.connections = 3;
    campaign
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_put_off_has_left_the_plan() {
    let campaign = people();
    let later = says(451, "4.7.1 try again later");
    let handed_over = four_of(&campaign, vec![fault(Phase::Rcpt, When::Every(1), later)]).await;
    let counts = campaign.counts();
    assert_eq!((handed_over, counts.deferred, counts.pending), (0, 4, 16));
    assert_eq!(campaign.store().messages_out(campaign.id).unwrap(), (4, 16));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_back_has_not() {
    let campaign = people();
    let breaks = vec![fault(Phase::Mail, When::Between(2, 4), Act::Drop)];
    let handed_over = four_of(&campaign, breaks).await;
    let counts = campaign.counts();
    assert_eq!((handed_over, counts.sent, counts.pending), (4, 4, 16));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_doubt_or_refused_has_too() {
    let campaign = people();
    let list = vec![
        fault(Phase::Verdict, When::Nth(2), Act::Drop),
        fault(Phase::Rcpt, When::Nth(4), says(550, "5.1.1 nobody")),
    ];
    let handed_over = four_of(&campaign, list).await;
    let counts = campaign.counts();
    let outcomes = (counts.sent, counts.in_doubt, counts.refused, counts.pending);
    assert_eq!((handed_over, outcomes), (3, (2, 1, 1, 16)));
}
