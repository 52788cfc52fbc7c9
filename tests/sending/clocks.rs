//! The machine's clock is set while a campaign is sent; the server's is not.

use jiff::SignedDuration;
use postroom::clock::Clock;
use postroom::limits::{Rule, Schedule};
use postroom::sandbox::{self, Phase, Sandbox, Snapshot, When};
use postroom::send::{self, Ended, Stop};

use crate::campaign::*;

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

fn seconds(count: i64) -> SignedDuration {
    SignedDuration::from_secs(count)
}

/// One run of a sender, which ends after so many messages.
async fn run(
    campaign: &Campaign,
    server: &Sandbox,
    rules: &[Rule],
    clock: &Clock,
    max: Option<u64>,
) {
    let account = campaign.account(0, server, rules);
    let (job, mut options) = campaign.sender(vec![account], clock);
    options.max_messages = max;
    let (stop, _handle) = Stop::new();
    let ended = send::run(job, options, clock, stop, &mut |_| {})
        .await
        .unwrap();
    let expected = match max {
        Some(_) => matches!(ended, Ended::AsAsked),
        None => matches!(ended, Ended::Finished),
    };
    assert!(expected, "{ended:?}");
}

/// Sets the clock at these seconds from now.
fn set_on_the_way(clock: &Clock, steps: &[(i64, i64)]) {
    for &(at, step) in steps {
        clock.set_later(seconds(at), seconds(step));
    }
}

/// Sends to people, by rules that the server counts by its own clock; what it saw, and after how long.
async fn sent(
    people: usize,
    rules: &[Rule],
    options: sandbox::Options,
    steps: &[(i64, i64)],
) -> (Snapshot, i64) {
    let rule_sets = [rules.to_vec()];
    let campaign = Campaign::planned(people, true, &rule_sets, Schedule::default());
    let clock = Clock::simulated(start());
    let server = Sandbox::start(options, clock.unset()).await.unwrap();
    set_on_the_way(&clock, steps);
    run(&campaign, &server, rules, &clock, None).await;
    let took = clock.unset().now().duration_since(start()).as_secs();
    assert_eq!(campaign.counts().sent, people as u64);
    (server.stop().await, took)
}

fn counting(rules: &[Rule]) -> sandbox::Options {
    let mut options = server(vec![]);
    options.rules = rules.to_vec();
    options
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_on_the_way_breaks_no_limit_and_costs_no_time() {
    let rules = [per_minute(30), per_day(80)];
    let (_, untouched) = sent(200, &rules, counting(&rules), &[]).await;
    for steps in [
        vec![(30, HOUR)],
        vec![(30, DAY)],
        vec![(30, -HOUR)],
        vec![(30, -3 * DAY)],
        vec![(30, HOUR), (90, -HOUR)],
        vec![(30, -3 * DAY), (90, 3 * DAY)],
        vec![
            (30, DAY),
            (90, -4 * DAY),
            (40_000, 3 * DAY),
            (90_000, 7 * DAY),
        ],
    ] {
        let (seen, took) = sent(200, &rules, counting(&rules), &steps).await;
        assert_eq!(seen.breaches, [], "{steps:?}");
        assert!(
            (untouched..untouched + 60).contains(&took),
            "{steps:?}: {took} instead of {untouched}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_between_two_runs_breaks_no_limit_and_costs_no_time() {
    let rules = [per_minute(30), per_day(80)];
    for step in [HOUR, DAY, -HOUR, -3 * DAY] {
        let rule_sets = [rules.to_vec()];
        let campaign = Campaign::planned(160, true, &rule_sets, Schedule::default());
        let clock = Clock::simulated(start());
        let server = Sandbox::start(counting(&rules), clock.unset())
            .await
            .unwrap();
        run(&campaign, &server, &rules, &clock, Some(30)).await;
        clock.set_by(seconds(step));
        run(&campaign, &server, &rules, &clock, Some(50)).await;
        clock.set_by(seconds(-step));
        run(&campaign, &server, &rules, &clock, None).await;
        assert_eq!(campaign.counts().sent, 160);
        assert_eq!(server.stop().await.breaches, [], "{step}");
        let took = clock.unset().now().duration_since(start()).as_secs();
        assert!((DAY..DAY + 300).contains(&took), "{step}: {took}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_paused_or_put_off_waits_no_longer_when_the_clock_is_set_back() {
    for act in [
        says(
            554,
            "5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException",
        ),
        says(450, "4.2.1 The mailbox is busy"),
    ] {
        for step in [30 * DAY, -30 * DAY] {
            let faults = vec![fault(Phase::Verdict, When::Nth(3), act.clone())];
            let campaign = Campaign::new(5, true);
            let clock = Clock::simulated(start());
            clock.set_by(seconds(step));
            let server = Sandbox::start(server(faults), clock.unset()).await.unwrap();
            // It is still on its way, with one put off, when the clock is right again.
            set_on_the_way(&clock, &[(10, -step)]);
            run(&campaign, &server, &[], &clock, None).await;
            assert_eq!(campaign.counts().sent, 5);
            let took = clock.unset().now().duration_since(start()).as_secs();
            assert!(took <= HOUR + 60, "{act:?} {step}: {took}");
            server.stop().await;
        }
    }
}
