//! What a server can do wrong at every step.

use postroom::delivery::Class;
use postroom::sandbox::{self, Act, Phase, When};
use postroom::send::{Ended, Event};

use crate::campaign::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_later_attempt_delivers_what_was_put_off() {
    for phase in [Phase::Mail, Phase::Rcpt, Phase::Data, Phase::Verdict] {
        let campaign = Campaign::new(3, true);
        let once = vec![fault(phase, When::Nth(2), says(451, "4.3.0 try later"))];
        let sent = campaign.send(server(once), &[]).await;
        assert!(
            matches!(sent.ended, Ended::Finished),
            "{phase:?}: {:?}",
            sent.ended
        );
        assert_eq!(campaign.counts().sent, 3, "{phase:?}");
        assert_eq!(sent.seen.messages, 3, "{phase:?}");
        assert!(
            (30..60).contains(&sent.took),
            "after the back-off of 30 s: {phase:?}, {}",
            sent.took
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_back_off_that_is_used_up_ends_in_a_refusal() {
    let campaign = Campaign::new(1, true);
    let always = vec![fault(
        Phase::Rcpt,
        When::Every(1),
        says(450, "4.2.1 greylisted"),
    )];
    let sent = campaign.send(server(always), &[]).await;
    assert!(matches!(sent.ended, Ended::Finished));
    assert_eq!(campaign.counts().refused, 1);
    assert_eq!(sent.took, 150, "30 s and 120 s");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_breaks_anywhere_loses_and_doubles_nobody() {
    for phase in [
        Phase::Banner,
        Phase::Mail,
        Phase::Rcpt,
        Phase::Data,
        Phase::Body,
    ] {
        for act in [Act::Drop, Act::Hang, says(421, "4.3.2 shutting down")] {
            let campaign = Campaign::new(4, true);
            let once = vec![fault(phase, When::Nth(2), act.clone())];
            let sent = campaign.send(server(once), &[]).await;
            let case = format!("{phase:?} {act:?}: {:?}", sent.ended);
            assert!(matches!(sent.ended, Ended::Finished), "{case}");
            let counts = campaign.counts();
            assert_eq!(counts.sent, sent.seen.recipients, "{case}");
            // So short a content goes out together with its dot: nobody can tell where it broke.
            let in_doubt = u64::from(phase == Phase::Body && !matches!(act, Act::Reply(..)));
            assert_eq!(
                (counts.sent, counts.in_doubt),
                (4 - in_doubt, in_doubt),
                "{case}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verdict_that_never_comes_leaves_one_message_in_doubt() {
    for act in [Act::Drop, Act::Hang] {
        let campaign = Campaign::new(4, true);
        let once = vec![fault(Phase::Verdict, When::Nth(2), act)];
        let sent = campaign.send(server(once), &[]).await;
        assert!(matches!(sent.ended, Ended::Finished));
        let counts = campaign.counts();
        assert_eq!((counts.sent, counts.in_doubt), (3, 1));
        assert_eq!(sent.seen.messages, 4, "the server has taken it");
        let doubts = sent
            .events
            .iter()
            .filter(|event| matches!(event, Event::InDoubt { .. }));
        assert_eq!(doubts.count(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_never_gives_a_verdict_is_left_alone_soon() {
    let campaign = Campaign::new(20, true);
    let always = vec![fault(Phase::Verdict, When::Every(1), Act::Drop)];
    let sent = campaign.send(server(always), &[]).await;
    assert!(matches!(sent.ended, Ended::Stopped(_)), "{:?}", sent.ended);
    assert_eq!(campaign.counts().in_doubt, 2, "and not one after the other");
}

#[tokio::test(flavor = "multi_thread")]
async fn recipients_behind_a_hang_up_are_not_held_up() {
    // As Postfix does it: 421 after so many refusals in a session.
    for personal in [true, false] {
        let campaign = Campaign::new(60, personal);
        let mut options = server(vec![]);
        options.faults.max_errors = Some(5);
        options.refuse = vec![sandbox::RefuseRule {
            pattern: "p1*@*".to_owned(),
            reply: (550, "5.1.10 no such recipient".to_owned()),
            at: sandbox::RefuseAt::Recipient,
        }];
        let sent = campaign.send(options, &[]).await;
        assert!(matches!(sent.ended, Ended::Finished), "{:?}", sent.ended);
        let counts = campaign.counts();
        assert_eq!((counts.refused, counts.sent), (11, 49), "p1 and p10 to p19");
        assert_eq!(sent.seen.recipients, 49);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_asked_for_in_the_greeting_is_a_wait_and_no_failure() {
    let mut campaign = Campaign::new(2, true);
    let busy = || {
        vec![fault(
            Phase::Banner,
            When::Nth(1),
            says(421, "4.3.2 too busy, try later"),
        )]
    };
    campaign.wait = false;
    let sent = campaign.send(server(busy()), &[]).await;
    assert!(
        matches!(sent.ended, Ended::WouldWait(..) | Ended::Finished),
        "{:?}",
        sent.ended
    );
    campaign.wait = true;
    let sent = campaign.send(server(busy()), &[]).await;
    assert!(matches!(sent.ended, Ended::Finished), "{:?}", sent.ended);
    assert_eq!(campaign.counts().sent, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_of_the_account_stops_at_the_first_reply() {
    let campaign = Campaign::new(5, true);
    let reply = says(
        550,
        "5.7.60 SMTP; Client does not have permissions to send as this sender",
    );
    let always = vec![fault(Phase::Verdict, When::Every(1), reply)];
    let sent = campaign.send(server(always), &[]).await;
    let Ended::Stopped(trouble) = sent.ended else {
        panic!("{:?}", sent.ended);
    };
    assert_eq!(trouble.class, Class::Sender);
    assert_eq!(sent.seen.refused_messages, 1);
    let counts = campaign.counts();
    assert_eq!((counts.refused, counts.pending + counts.deferred), (0, 5));
}
