//! Several campaigns of one mailbox at the same time, as processes beside each other.

use postroom::clock::Clock;
use postroom::limits::{Rule, Schedule};
use postroom::sandbox::Sandbox;
use postroom::send::{self, Ended, Stop};
use postroom::smtp::Deadlines;

use crate::campaign::*;

/// Sends a long campaign, and a short one that begins beside it, over one connection; how the short one
/// ended, and how much of the long one was sent by then.
async fn send(rules: &[Rule], short_waits: bool) -> (Ended, u64) {
    let long = Campaign::planned(400, true, &[rules.to_vec()], Schedule::default());
    let mut short = long.beside("extra", 40, &[rules.to_vec()]);
    short.wait = short_waits;
    let clock = Clock::simulated(start());
    let server = Sandbox::start(server(vec![]), clock.clone()).await.unwrap();
    let account = || {
        let mut account = long.account(0, &server, rules);
        account.deadlines = Deadlines::default();
        account
    };
    let (stop, handle) = Stop::new();
    let (job, options) = long.sender(vec![account()], &clock);
    let long_one = async {
        let ended = send::run(job, options, &clock, stop, &mut |_| ()).await;
        ended.unwrap()
    };
    let short_one = async {
        while server.snapshot().messages == 0 {
            tokio::task::yield_now().await;
        }
        let (job, options) = short.sender(vec![account()], &clock);
        let (never, _handle) = Stop::new();
        let ended = send::run(job, options, &clock, never, &mut |_| ()).await;
        let by_then = long.counts().sent;
        handle.stop();
        (ended.unwrap(), by_then)
    };
    let (_, (ended, by_then)) = tokio::join!(long_one, short_one);
    server.stop().await;
    (ended, by_then)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_a_limit_lends_the_connection_out() {
    let (ended, by_then) = send(&[per_minute(30)], true).await;
    assert!(matches!(ended, Ended::Finished), "{ended:?}");
    assert!(by_then < 200, "{by_then}");
}

/// Alone on its thread the one that must wait is given all its leave before it finds the connection in use.
#[tokio::test]
async fn who_finds_all_connections_in_use_asks_again_later_whatever_leave_it_has() {
    let (ended, by_then) = send(&[per_minute(30)], true).await;
    assert!(matches!(ended, Ended::Finished), "{ended:?}");
    assert!(by_then < 200, "{by_then}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_had_a_share_leaves_the_connection_to_others() {
    let (ended, by_then) = send(&[per_minute(400)], false).await;
    assert!(matches!(ended, Ended::Finished), "{ended:?}");
    assert!(by_then < 400, "{by_then}");
}
