//! An edited list is taken in while its campaign is sent, at any point: the same sender goes on with it.

use std::collections::BTreeMap;

use postroom::clock::Clock;
use postroom::plan::{Updating, update};
use postroom::sandbox::Sandbox;
use postroom::send::{self, Ended, Event, Stop};

use crate::campaign::*;

/// Sends a campaign of three people by one connection, and takes in a list of the second and two new ones after so
/// many messages; how often each person was reached, by number.
async fn edited_after(messages: usize) -> (BTreeMap<String, usize>, Campaign) {
    let campaign = Campaign::new(3, true);
    let clock = Clock::simulated(start());
    let server = Sandbox::start(server(vec![]), clock.clone()).await.unwrap();
    let (job, options) = campaign.sender(vec![campaign.account(0, &server, &[])], &clock);
    let mut sent = 0;
    let ended = send::run(job, options, &clock, Stop::new().0, &mut |event| {
        if matches!(event, Event::Sent { .. }) {
            sent += 1;
            if sent == messages {
                take_in(&campaign, &clock);
            }
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
    (reached, campaign)
}

fn take_in(campaign: &Campaign, clock: &Clock) {
    let list = "email,name\nnew1@contoso.com,N1\np2@contoso.com,P2\nnew2@contoso.com,N2\n";
    std::fs::write(campaign.folder.path().join("list.csv"), list).unwrap();
    let mut store = campaign.store();
    let record = store.campaign("news").unwrap().unwrap();
    let updating = update(
        &campaign.inputs,
        &mut store,
        &record,
        clock.reading(),
        &mut |_| {},
    );
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
        let (reached, campaign) = edited_after(messages).await;
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
