//! An edited list is taken in while its campaign is sent, at any point: the same sender goes on with it.

use std::collections::BTreeMap;
use std::time::Duration;

use postroom::clock::Clock;
use postroom::limits::{Hours, Schedule};
use postroom::plan::{Inputs, Updating, update};
use postroom::sandbox::Sandbox;
use postroom::send::{self, Ended, Event, Stop};
use postroom::store::NewSuppression;

use crate::campaign::*;

/// Real time after which a sender has not noticed what it should have.
const LONG: Duration = Duration::from_mins(1);

/// Sends a campaign of three people, and takes it in, edited, at the first event that `is_time` for it; how often each
/// person was reached, and how long it took, in seconds.
async fn edited_when(
    campaign: &Campaign,
    edited: &Inputs,
    mut is_time: impl FnMut(&Event) -> bool,
) -> (BTreeMap<String, usize>, i64) {
    let clock = Clock::simulated(start());
    let server = Sandbox::start(server(vec![]), clock.clone()).await.unwrap();
    let (job, options) = campaign.sender(vec![campaign.account(0, &server, &[])], &clock);
    let mut waits_for_it = true;
    let ended = send::run(job, options, &clock, Stop::new().0, &mut |event| {
        if waits_for_it && is_time(&event) {
            waits_for_it = false;
            take_in(campaign, edited, &clock);
        }
    })
    .await
    .unwrap();
    assert!(matches!(ended, Ended::Finished));
    let mut reached = BTreeMap::new();
    for received in server.stop().await.records {
        for person in received.recipients {
            *reached.entry(person).or_default() += 1;
        }
    }
    (reached, clock.now().duration_since(start()).as_secs())
}

fn take_in(campaign: &Campaign, edited: &Inputs, clock: &Clock) {
    let list = "email,name\nnew1@contoso.com,N1\np2@contoso.com,P2\nnew2@contoso.com,N2\n";
    std::fs::write(campaign.folder.path().join("list.csv"), list).unwrap();
    let mut store = campaign.store();
    let record = store.campaign("news").unwrap().unwrap();
    let updating = update(edited, &mut store, &record, clock.reading(), &mut |_| {});
    let Ok(Updating::Ready(update, _)) = updating else {
        panic!("{updating:?}");
    };
    update
        .take_in(clock.now(), "ann", |_| String::new())
        .unwrap();
}

#[tokio::test]
async fn the_sender_at_work_goes_on_with_the_edited_list() {
    for messages in 1..=3 {
        let campaign = Campaign::new(3, true);
        let mut sent = 0;
        let (reached, _) = edited_when(&campaign, &campaign.inputs, |event| {
            sent += usize::from(matches!(event, Event::Sent { .. }));
            sent == messages
        })
        .await;
        assert!(reached.values().all(|times| *times == 1), "{reached:?}");
        for person in ["p2@contoso.com", "new1@contoso.com", "new2@contoso.com"] {
            assert!(
                reached.contains_key(person),
                "{person} after {messages}: {reached:?}"
            );
        }
        let counts = campaign.counts();
        assert_eq!(counts.sent as usize, reached.len());
        assert_eq!((counts.total(), counts.pending), (5, 0));
        assert_eq!(counts.cancelled, 5 - counts.sent);
        let record = campaign.store().campaign("news").unwrap().unwrap();
        assert_eq!(record.run_state.as_str(), "finished");
    }
}

/// Three people, to whom nothing is sent before the evening.
fn for_tonight() -> Campaign {
    let tonight = Schedule {
        hours: Some(Hours::parse("Mon-Sun 20:00-21:00").unwrap()),
        ..Schedule::default()
    };
    Campaign::planned(3, true, &[vec![]], tonight)
}

/// Sends a campaign and does something with it once the sender waits, from when on the clock stands still: what the
/// sender does then, it does without waiting. How it ended, and who was reached.
async fn done_while_waiting(campaign: &Campaign, deed: impl Fn(&Clock)) -> (Ended, Vec<String>) {
    let clock = Clock::simulated(start());
    let server = Sandbox::start(server(vec![]), clock.clone()).await.unwrap();
    let (job, options) = campaign.sender(vec![campaign.account(0, &server, &[])], &clock);
    let mut stands_still = None;
    let mut report = |event| {
        if matches!(event, Event::Waiting { .. }) && stands_still.is_none() {
            stands_still = Some(clock.hold());
            deed(&clock);
        }
    };
    let run = send::run(job, options, &clock, Stop::new().0, &mut report);
    let ended = clock.within(LONG, run).await.unwrap().unwrap();
    assert!(stands_still.is_some(), "it never waited");
    assert_eq!(clock.now(), start());
    let records = server.stop().await.records.into_iter();
    (ended, records.flat_map(|one| one.recipients).collect())
}

#[tokio::test]
async fn a_sender_that_waits_goes_on_at_once_by_edited_hours() {
    let campaign = for_tonight();
    let at_once = Inputs {
        schedule: Schedule::default(),
        ..campaign.inputs.clone()
    };
    let (ended, mut reached) =
        done_while_waiting(&campaign, |clock| take_in(&campaign, &at_once, clock)).await;
    assert!(matches!(ended, Ended::Finished), "{ended:?}");
    reached.sort();
    assert_eq!(
        reached,
        ["new1@contoso.com", "new2@contoso.com", "p2@contoso.com"]
    );
}

#[tokio::test]
async fn a_sender_that_waits_ends_at_once_when_all_are_dropped_or_withdrawn() {
    let drop_all = |campaign: &Campaign, clock: &Clock| {
        let mut store = campaign.store();
        let dropped = store.cancel(campaign.id, None, "ann", clock.now());
        assert_eq!(dropped.unwrap(), 3);
    };
    let withdraw_all = |campaign: &Campaign, clock: &Clock| {
        let domain = NewSuppression {
            subject: "@contoso.com".to_owned(),
            written: "@contoso.com".to_owned(),
            reason: String::new(),
        };
        let mut store = campaign.store();
        store.suppress(None, &[domain], "ann", clock.now()).unwrap();
    };
    let deeds: [fn(&Campaign, &Clock); 2] = [drop_all, withdraw_all];
    for deed in deeds {
        let campaign = for_tonight();
        let (ended, reached) = done_while_waiting(&campaign, |clock| deed(&campaign, clock)).await;
        assert!(matches!(ended, Ended::Finished), "{ended:?}");
        assert!(reached.is_empty(), "{reached:?}");
        assert_eq!(campaign.counts().pending, 0);
    }
}

#[tokio::test]
async fn a_server_that_is_away_is_not_waited_for_once_nothing_is_left() {
    let campaign = Campaign::new(3, true);
    let clock = Clock::simulated(start());
    let gone = Sandbox::start(server(vec![]), clock.clone()).await.unwrap();
    let account = campaign.account(0, &gone, &[]);
    gone.stop().await;
    let (job, options) = campaign.sender(vec![account], &clock);
    let mut stands_still = None;
    let mut report = |event| {
        if matches!(event, Event::Reconnecting { .. }) && stands_still.is_none() {
            stands_still = Some(clock.hold());
            let mut store = campaign.store();
            store.cancel(campaign.id, None, "ann", start()).unwrap();
        }
    };
    let run = send::run(job, options, &clock, Stop::new().0, &mut report);
    let ended = clock.within(LONG, run).await.unwrap().unwrap();
    assert!(matches!(ended, Ended::Finished), "{ended:?}");
    assert!(stands_still.is_some(), "it never waited");
    assert_eq!(clock.now(), start());
}
