//! Limits, hours, pauses and several accounts, over days.

use std::time::Duration;

use jiff::tz::TimeZone;
use postroom::limits::{Hours, Rule, Schedule, Unit};
use postroom::sandbox::{self, Phase, When};
use postroom::send::{Ended, Event};

use crate::campaign::*;

#[tokio::test(flavor = "multi_thread")]
async fn throttling_is_waited_for_and_nobody_is_blamed() {
    let campaign = Campaign::new(100, true);
    let mut options = server(vec![]);
    options.strict = true;
    options.profile = sandbox::Profile::Microsoft365;
    options.rules = vec![Rule {
        max: 30,
        per: Duration::from_mins(1),
        unit: Unit::Messages,
    }];
    // The account knows nothing of the provider's limit.
    let sent = campaign.send(options, &[]).await;
    assert!(matches!(sent.ended, Ended::Finished), "{:?}", sent.ended);
    assert_eq!(campaign.counts().sent, 100);
    assert!((180..=600).contains(&sent.took), "{}", sent.took);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_never_counts_more_than_its_rules_allow() {
    for connections in [1, 3] {
        let mut campaign = Campaign::new(200, true);
        campaign.connections = connections;
        let rules = [
            Rule {
                max: 30,
                per: Duration::from_mins(1),
                unit: Unit::Messages,
            },
            Rule {
                max: 80,
                per: Duration::from_hours(24),
                unit: Unit::Recipients,
            },
        ];
        let mut options = server(vec![]);
        options.rules = rules.to_vec();
        let sent = campaign.send(options, &rules).await;
        assert!(matches!(sent.ended, Ended::Finished));
        assert_eq!(
            sent.seen.breaches,
            [],
            "counted by the server, in its own way"
        );
        assert_eq!(campaign.counts().sent, 200);
        // Eighty on each of two days, the rest on the third, in two lots a minute apart.
        assert!(
            (2 * 86_400..2 * 86_400 + 600).contains(&sent.took),
            "{}",
            sent.took
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_accounts_end_together_when_the_plan_said() {
    let rules = [
        vec![per_minute(10), per_day(50)],
        vec![per_minute(20), per_day(200)],
    ];
    let campaign = Campaign::planned(260, true, &rules, Schedule::default());
    let servers = rules.iter().map(|rules| (strict(rules), rules.clone()));
    let sent = campaign.send_by(servers.collect()).await;
    assert!(matches!(sent.ended, Ended::Finished), "{:?}", sent.ended);
    assert_eq!(campaign.counts().sent, 260);
    for seen in &sent.all {
        assert_eq!(seen.breaches, []);
    }
    assert_eq!(
        sent.took,
        campaign.planned_end(),
        "fifty and two hundred on the first day, the last ten on the next"
    );
    assert_eq!(sent.took / 86_400, 1);
    let counted: Vec<u64> = sent.all.iter().map(|seen| seen.recipients).collect();
    let planned: Vec<u64> = ["comms-0", "comms-1"]
        .map(|account| {
            let batches = campaign.store().batches(campaign.id).unwrap();
            let own = batches.iter().filter(|batch| batch.account == account);
            own.map(|batch| batch.recipients).sum()
        })
        .to_vec();
    for (counted, planned) in counted.iter().zip(&planned) {
        // Whoever is free first takes the last ones.
        assert!(counted.abs_diff(*planned) <= 10, "{counted} and {planned}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_stops_leaves_its_share_to_the_others() {
    let rules = [vec![per_minute(10)], vec![per_minute(10)]];
    let names = |number| Some(format!("News <comms-{number}@contoso.com>"));
    let campaign = Campaign::planned_from(100, true, &rules, Schedule::default(), names);
    let mut broken = strict(&rules[0]);
    broken.faults.list = vec![fault(
        Phase::Verdict,
        When::Every(15),
        says(
            550,
            "5.7.60 SMTP; Client does not have permissions to send as this sender",
        ),
    )];
    let sent = campaign
        .send_by(vec![
            (broken, rules[0].clone()),
            (strict(&rules[1]), rules[1].clone()),
        ])
        .await;
    assert!(matches!(sent.ended, Ended::Finished), "{:?}", sent.ended);
    assert_eq!(campaign.counts().sent, 100, "nobody is refused for it");
    assert_eq!(sent.all[0].messages, 14);
    assert_eq!(sent.all[1].messages, 86);
    for (number, seen) in sent.all.iter().enumerate() {
        let own = format!("comms-{number}@contoso.com");
        assert!(seen.records.iter().all(|one| one.envelope_from == own));
    }
    let stopped = sent.events.iter().filter(
        |event| matches!(event, Event::AccountStopped { account, .. } if account == "comms-0"),
    );
    assert_eq!(stopped.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nights_week_ends_and_holidays_are_slept_through() {
    let rules = vec![per_minute(10)];
    let schedule = Schedule {
        hours: Some(Hours::parse("Mon-Fri 09:00-10:00").unwrap()),
        holidays: ["2026-12-03".parse().unwrap()].into(),
        not_before: Some("2026-12-02T12:00:00Z".parse().unwrap()),
        ..Schedule::default()
    };
    let campaign = Campaign::planned(1_000, true, std::slice::from_ref(&rules), schedule);
    let sent = campaign.send(strict(&rules), &rules).await;
    assert!(matches!(sent.ended, Ended::Finished), "{:?}", sent.ended);
    assert_eq!(sent.seen.breaches, []);
    let mut days: Vec<(String, usize)> = Vec::new();
    for received in &sent.seen.records {
        let wall = TimeZone::UTC.to_datetime(received.at);
        assert_eq!(wall.hour(), 9, "{wall}");
        let date = wall.date().to_string();
        match days.last_mut() {
            Some((last, count)) if *last == date => *count += 1,
            _ => days.push((date, 1)),
        }
    }
    // A Friday of sixty minutes, then the Monday.
    assert_eq!(
        days,
        [
            ("2026-12-04".to_owned(), 600),
            ("2026-12-07".to_owned(), 400)
        ]
    );
    let planned: Vec<(String, usize)> = campaign
        .store()
        .batches(campaign.id)
        .unwrap()
        .into_iter()
        .map(|batch| (batch.date, batch.messages as usize))
        .collect();
    assert_eq!(planned, days, "what the plan said");
    assert_eq!(sent.took, campaign.planned_end());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_that_somebody_else_used_up_is_waited_for_without_hammering() {
    let campaign = Campaign::new(60, true);
    // The account knows of no such limit, as if others had used the mailbox.
    let sent = campaign
        .send(strict(&[per_day(40)]), &[per_day(1_000)])
        .await;
    assert!(matches!(sent.ended, Ended::Finished), "{:?}", sent.ended);
    let counts = campaign.counts();
    assert_eq!((counts.sent, counts.refused), (60, 0));
    assert!(
        (86_400..86_400 + 7_200).contains(&sent.took),
        "until the window frees: {}",
        sent.took
    );
    assert!(
        sent.seen.refused_messages <= 3,
        "it is asked {} times",
        sent.seen.refused_messages
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_holds_for_the_next_process_too() {
    let mut campaign = Campaign::new(5, true);
    campaign.wait = false;
    let over = vec![fault(
        Phase::Verdict,
        When::Nth(3),
        says(
            554,
            "5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException",
        ),
    )];
    let sent = campaign.send(server(over), &[]).await;
    assert!(
        matches!(sent.ended, Ended::WouldWait(..)),
        "{:?}",
        sent.ended
    );
    let again = campaign.send(server(vec![]), &[]).await;
    assert!(matches!(again.ended, Ended::WouldWait(until, _) if until > start()));
    assert_eq!(again.seen.connections, 0, "it is not even asked");
    campaign.wait = true;
    let waited = campaign.send(server(vec![]), &[]).await;
    assert!(matches!(waited.ended, Ended::Finished));
    assert!(waited.took >= 3_600, "{}", waited.took);
    assert_eq!(campaign.counts().sent, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn throttling_slows_down_and_lets_recover() {
    let campaign = Campaign::new(200, true);
    let throttled = [20, 40].map(|nth| {
        let words = "4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded";
        fault(Phase::Verdict, When::Nth(nth), says(432, words))
    });
    let sent = campaign.send(server(throttled.to_vec()), &[]).await;
    assert!(matches!(sent.ended, Ended::Finished), "{:?}", sent.ended);
    let counts = campaign.counts();
    assert_eq!((counts.sent, counts.refused), (200, 0));
    let times: Vec<i64> = sent
        .seen
        .records
        .iter()
        .map(|one| one.at.as_millisecond())
        .collect();
    let gaps: Vec<i64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(
        gaps.iter().any(|gap| (500..5_000).contains(gap)),
        "slower for a while"
    );
    assert!(
        gaps.iter().filter(|gap| **gap == 0).count() > 20,
        "and fast again"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_of_a_window_is_used_when_that_ends_earlier() {
    let rules = vec![per_day(750)];
    let campaign = Campaign::planned(
        1_500,
        false,
        std::slice::from_ref(&rules),
        Schedule::default(),
    );
    let record = campaign.store().campaign("news").unwrap().unwrap();
    assert_eq!(record.cuts, 1, "one is cut, so that the first day is full");
    assert!(record.uncut_finishes_at > record.finishes_at);
    let sent = campaign.send(strict(&rules), &rules).await;
    assert!(matches!(sent.ended, Ended::Finished));
    assert_eq!(sent.seen.breaches, []);
    let sizes: Vec<usize> = sent
        .seen
        .records
        .iter()
        .map(|one| one.recipients.len())
        .collect();
    assert_eq!(sizes, [500, 250, 250, 500]);
    assert_eq!(sent.took / 86_400, 1);
    assert_eq!(sent.took, campaign.planned_end());
    // Where it changes nothing about the end, nothing is cut.
    let whole = Campaign::planned(1_000, false, &[rules], Schedule::default());
    let record = whole.store().campaign("news").unwrap().unwrap();
    assert_eq!(record.cuts, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_the_external_rule_lets_the_others_pass() {
    let rules = vec![external_per_day(20), per_day(80)];
    for external_first in [true, false] {
        let is_external = |n: usize| if external_first { n < 40 } else { n >= 120 };
        let list: Vec<bool> = (0..160).map(is_external).collect();
        let campaign = Campaign::planned_for(
            &list,
            true,
            std::slice::from_ref(&rules),
            Schedule::default(),
            |_| None,
        );
        assert_eq!(campaign.planned_end() / 86_400, 1, "and not two");
        assert_eq!(
            campaign.forecast_end(std::slice::from_ref(&rules)),
            campaign.planned_end()
        );
        let sent = campaign.send(strict(&rules), &rules).await;
        assert!(matches!(sent.ended, Ended::Finished), "{:?}", sent.ended);
        assert_eq!(sent.seen.breaches, []);
        assert_eq!(campaign.counts().sent, 160);
        assert_eq!(sent.took, campaign.planned_end());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn internal_people_share_no_message_with_those_who_wait() {
    let rules = vec![external_per_day(20)];
    let list: Vec<bool> = (0..160).map(|n| n % 4 == 0).collect();
    let campaign = Campaign::planned_for(
        &list,
        false,
        std::slice::from_ref(&rules),
        Schedule::default(),
        |_| None,
    );
    let sent = campaign.send(strict(&rules), &rules).await;
    assert!(matches!(sent.ended, Ended::Finished), "{:?}", sent.ended);
    assert_eq!(sent.seen.breaches, []);
    let at_once: usize = sent
        .seen
        .records
        .iter()
        .filter(|one| one.at == start())
        .map(|one| one.recipients.len())
        .sum();
    assert_eq!(at_once, 120 + 20);
    assert_eq!(sent.took, campaign.planned_end());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_held_account_never_tried_goes_by_another_as_the_forecast_said() {
    let rules = [
        vec![per_minute(10), per_day(1_000)],
        vec![per_minute(10), per_day(1_000)],
    ];
    let names = |number| Some(format!("News <comms-{number}@contoso.com>"));
    let mut campaign = Campaign::planned_from(100, true, &rules, Schedule::default(), names);
    let mut capped = strict(&rules[0]);
    capped.faults.list = vec![fault(
        Phase::Verdict,
        When::Nth(5),
        says(
            554,
            "5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException",
        ),
    )];
    campaign.wait = false;
    let servers = |first| {
        vec![
            (first, rules[0].clone()),
            (strict(&rules[1]), rules[1].clone()),
        ]
    };
    let sent = campaign.send_by(servers(capped)).await;
    assert!(
        matches!(sent.ended, Ended::WouldWait(..)),
        "{:?}",
        sent.ended
    );
    let forecast = campaign.forecast_end(&rules);
    assert!(forecast < 3_600, "{forecast}");
    campaign.wait = true;
    let sent = campaign.send_by(servers(strict(&rules[0]))).await;
    assert!(matches!(sent.ended, Ended::Finished), "{:?}", sent.ended);
    assert_eq!(campaign.counts().sent, 100);
    assert_eq!(sent.took, forecast);
    for (number, seen) in sent.all.iter().enumerate() {
        let own = format!("comms-{number}@contoso.com");
        assert!(seen.records.iter().all(|one| one.envelope_from == own));
        assert_eq!(seen.breaches, []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_cut_into_as_many_parts_as_use_what_is_left() {
    let rules = vec![vec![per_day(600)]; 5];
    let campaign = Campaign::planned(3_000, false, &rules, Schedule::default());
    assert_eq!(campaign.planned_end(), 0, "and not a day later");
    let servers = rules.iter().map(|rules| (strict(rules), rules.clone()));
    let sent = campaign.send_by(servers.collect()).await;
    assert!(matches!(sent.ended, Ended::Finished), "{:?}", sent.ended);
    assert_eq!(campaign.counts().sent, 3_000);
    for seen in &sent.all {
        assert_eq!((seen.recipients, &seen.breaches[..]), (600, &[][..]));
    }
    assert_eq!(sent.took, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_used_since_the_plan_is_cut_around_as_the_forecast_says() {
    let rules = vec![per_day(750)];
    let one = std::slice::from_ref(&rules);
    let campaign = Campaign::planned(1_400, false, one, Schedule::default());
    let planned = campaign.planned_end();
    // A single mail by another program, as the mailbox's ledger has it.
    let ledger = rusqlite::Connection::open(campaign.path()).unwrap();
    ledger
        .execute(
            "INSERT INTO ledger (mailbox, stamped_at, recipients, external, sequence) VALUES (?, ?, 1, 0, 1)",
            (name(0), start().as_millisecond()),
        )
        .unwrap();
    drop(ledger);
    assert_eq!(campaign.forecast_end(one), planned, "no day later");
    let sent = campaign.send(server(vec![]), &rules).await;
    assert!(matches!(sent.ended, Ended::Finished), "{:?}", sent.ended);
    assert_eq!(campaign.counts().sent, 1_400);
    assert_eq!(sent.took, planned);
    let first_day = sent.seen.records.iter().filter(|one| one.at == start());
    let people: usize = first_day.map(|one| one.recipients.len()).sum();
    assert_eq!(people, 749);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_that_was_lowered_after_planning_cuts_shared_messages() {
    let campaign = Campaign::planned(1_000, false, &[vec![]], Schedule::default());
    let rules = vec![per_day(400)];
    let forecast = campaign.forecast_end(std::slice::from_ref(&rules));
    let sent = campaign.send(strict(&rules), &rules).await;
    assert!(matches!(sent.ended, Ended::Finished), "{:?}", sent.ended);
    assert_eq!(campaign.counts().sent, 1_000);
    assert_eq!(sent.seen.breaches, []);
    assert_eq!(sent.took / 86_400, 2, "400, 400 and 200");
    assert_eq!(sent.took, forecast);
    let ids: std::collections::BTreeSet<_> = sent
        .seen
        .records
        .iter()
        .map(|one| &one.message_id)
        .collect();
    assert_eq!(ids.len(), sent.seen.records.len(), "each part has its own");
}
