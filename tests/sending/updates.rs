//! An edited list is taken in while its campaign is sent, at any point: the same sender goes on with it.

use std::collections::BTreeMap;

use postroom::clock::Clock;
use postroom::limits::{Hours, Schedule};
use postroom::plan::{Inputs, Updating, update};
use postroom::sandbox::Sandbox;
use postroom::send::{self, Ended, Event, Stop};

use crate::campaign::*;

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

#[tokio::test]
async fn the_sender_at_work_heeds_edited_hours() {
    let tonight = Schedule {
        hours: Some(Hours::parse("Mon-Sun 20:00-21:00").unwrap()),
        ..Schedule::default()
    };
    let campaign = Campaign::planned(3, true, &[vec![]], tonight);
    let at_once = Inputs {
        schedule: Schedule::default(),
        ..campaign.inputs.clone()
    };
    let is_waiting = |event: &Event| matches!(event, Event::Waiting { .. });
    let (reached, took) = edited_when(&campaign, &at_once, is_waiting).await;
    assert_eq!(reached.len(), 3, "{reached:?}");
    // It looks again every quarter of an hour; by the hours of the plan it would have been twelve.
    assert!(took <= 15 * 60, "{took}");
}
