//! The store as its callers rely on it: kill points, splits, limits over the ledger, refused rows.

use std::path::PathBuf;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;

use super::*;
use crate::clock::{Clock, Reading};
use crate::delivery::Phase;
use crate::limits::{Calendar, Reason, Rule, Schedule, Unit, Weight};

mod ahead;
mod checking;
mod clocks;
mod drafts;
mod file;
mod history;
mod home;
mod mending;
mod record;
mod remaining;
mod sharing;
mod slots;
mod tally;
mod told;
mod turns;
mod updating;

struct World {
    _folder: tempfile::TempDir,
    path: PathBuf,
    campaign: i64,
}

const HOUR: Duration = Duration::from_hours(1);

fn at(seconds: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
}

fn lane(account: &str, mailbox: &str, rules: &[Rule]) -> Lane {
    Lane {
        account: account.into(),
        sender: "comms@contoso.com".into(),
        mailbox: mailbox.into(),
        rules: rules.to_vec(),
        message_ids: MessageIds::default(),
    }
}

/// A store with one campaign of `shared` recipients in one message, then `individual` messages.
fn world(shared: u64, individual: u64) -> World {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state").join("postroom.db");
    let store = Store::open(&path).unwrap();
    let campaign = plan(&store, "news", shared, individual);
    World {
        _folder: folder,
        path,
        campaign,
    }
}

fn plan(store: &Store, name: &str, shared: u64, individual: u64) -> i64 {
    let (writer, rows) = draft(store, name, shared, individual);
    writer.commit(rows, None).unwrap()
}

/// A plan that is written and not committed yet, and how many rows it has.
fn draft(store: &Store, name: &str, shared: u64, individual: u64) -> (PlanWriter, u64) {
    let mut writer = store
        .begin_plan(&NewCampaign {
            name,
            folder: "/somewhere",
            accounts: &["comms"],
            schedule: &Schedule::default(),
            mode: "auto",
            definition: "{}",
            fingerprint: [1; 32],
            time_zone: "UTC",
            planned_at: at(0),
        })
        .unwrap();
    let mut row = 0;
    for number in 1..=individual + u64::from(shared > 0) {
        let of_all = if number == 1 && shared > 0 { shared } else { 1 };
        let id = writer
            .message(&NewMessage {
                number,
                message_id: &format!("<{number}@contoso.com>"),
                digest: [2; 32],
                recipients: 1,
                external: 0,
            })
            .unwrap();
        for _ in 0..of_all {
            row += 1;
            let address = format!("p{row}@contoso.com");
            let new = NewRecipient {
                row,
                address: &address,
                key: &address,
                cells: "[]",
            };
            writer.recipient(&new, id).unwrap();
        }
        if of_all > 1 {
            writer.share(id, of_all, 0).unwrap();
        }
    }
    let messages = individual + u64::from(shared > 0);
    writer
        .batch(&NewBatch {
            number: 1,
            account: "comms".into(),
            date: "1970-01-01".into(),
            starts_at: at(0),
            ends_at: at(0),
            messages,
            recipients: row,
        })
        .unwrap();
    let run = Run {
        first: 1,
        messages,
        lane: 0,
        batch: 1,
    };
    writer.assign(&[run]);
    (writer, row)
}

impl World {
    fn store(&self) -> Store {
        Store::open(&self.path).unwrap()
    }

    fn journal(&self, rules: &[Rule]) -> Journal {
        let claiming = Claiming {
            campaign: self.campaign,
            calendar: Calendar::always(),
            lanes: vec![lane("comms", "comms@contoso.com", rules)],
        };
        Journal::start(self.store(), claiming).0
    }

    fn counts(&self) -> Counts {
        let counts = self.store().recipient_counts(self.campaign).unwrap();
        assert_eq!(counts.total(), self.listed(), "totals add up to the list");
        tally::assert_it_is_sound(&self.path);
        counts
    }

    /// Of the recipients of its one batch.
    fn settled(&self) -> u64 {
        self.store().batches(self.campaign).unwrap()[0].settled
    }

    fn listed(&self) -> u64 {
        self.store().campaign("news").unwrap().unwrap().listed
    }

    /// A store that was cut off here: recover, as every start does.
    fn recover(&self) -> u64 {
        self.store()
            .recover(self.campaign, &Clock::simulated(at(1000)))
            .unwrap()
    }
}

async fn claimed(journal: &Journal, now: Timestamp) -> Claim {
    match journal.claim(0, now).await.unwrap() {
        Answer::Claimed(claim) => *claim,
        other => panic!("expected a claim, got {other:?}"),
    }
}

fn mark(claim: &Claim, now: Timestamp) -> HandOver {
    HandOver {
        at: now,
        refused: vec![],
        deferred: None,
        weight: claim.weight,
    }
}

fn accepted(now: Timestamp) -> Finish {
    Finish::Accepted {
        at: now.into(),
        reply: "250 2.0.0 OK".into(),
    }
}

#[tokio::test]
async fn killed_before_the_claim_it_is_pending() {
    let world = world(0, 1);
    assert_eq!(world.recover(), 0);
    assert_eq!(world.counts().pending, 1);
}

#[tokio::test]
async fn killed_between_claim_and_hand_over_it_is_pending_again_and_its_share_is_free() {
    let world = world(0, 1);
    let once_an_hour = Rule {
        max: 1,
        per: Duration::from_hours(1),
        unit: Unit::Messages,
    };
    let journal = world.journal(&[once_an_hour]);
    claimed(&journal, at(1)).await;
    drop(journal);
    assert_eq!(world.recover(), 0);
    assert_eq!(world.counts().pending, 1);
    let claim = claimed(&world.journal(&[once_an_hour]), at(1001)).await;
    assert_eq!(claim.failures, 0, "a crash is not the message's fault");
    assert_eq!(
        claim.dated_at,
        at(1),
        "the date stays that of the first attempt"
    );
    assert_eq!(claim.message_id, "<1@contoso.com>");
}

#[tokio::test]
async fn killed_after_the_second_mark_it_is_in_doubt_and_never_claimed_again() {
    let world = world(0, 1);
    let journal = world.journal(&[]);
    let claim = claimed(&journal, at(1)).await;
    journal
        .hand_over(0, &claim, mark(&claim, at(2)))
        .await
        .unwrap();
    drop(journal);
    assert_eq!(world.recover(), 1);
    assert_eq!(world.counts().in_doubt, 1);
    let journal = world.journal(&[]);
    assert!(matches!(
        journal.claim(0, at(2000)).await.unwrap(),
        Answer::Nothing
    ));
    // It counts against the limits from a minute after the recovery: it may have been on its way.
    let entries = world
        .store()
        .ledger_since("comms@contoso.com", HOUR, at(1060).into())
        .unwrap();
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].stamped_at, Some(at(1060)));
}

#[tokio::test]
async fn killed_after_the_verdict_it_is_sent() {
    let world = world(0, 1);
    let journal = world.journal(&[]);
    let claim = claimed(&journal, at(1)).await;
    journal
        .hand_over(0, &claim, mark(&claim, at(2)))
        .await
        .unwrap();
    journal.finish(0, &claim, accepted(at(3))).await.unwrap();
    drop(journal);
    assert_eq!(world.recover(), 0);
    assert_eq!(world.counts().sent, 1);
}

#[tokio::test]
async fn a_verdict_without_the_second_mark_is_refused_and_changes_nothing() {
    let world = world(0, 1);
    let journal = world.journal(&[]);
    let claim = claimed(&journal, at(1)).await;
    let error = journal
        .finish(0, &claim, accepted(at(2)))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Illegal(_)), "{error}");
    drop(journal);
    world.recover();
    assert_eq!(world.counts().pending, 1);
}

#[tokio::test]
async fn refused_recipients_leave_the_others_and_deferred_ones_go_on_in_a_message_of_their_own() {
    let world = world(5, 0);
    let journal = world.journal(&[]);
    let claim = claimed(&journal, at(1)).await;
    assert_eq!(claim.recipients.len(), 5);
    let handing_over = HandOver {
        refused: vec![(2, "550 5.1.1 no such user".into())],
        deferred: Some(Split {
            rows: vec![
                (4, "450 4.2.1 come again".into()),
                (5, "450 4.2.1 come again".into()),
            ],
            weight: Weight {
                recipients: 2,
                external: 0,
            },
            due_at: at(60),
            blameless: false,
        }),
        weight: Weight {
            recipients: 2,
            external: 0,
        },
        ..mark(&claim, at(2))
    };
    journal.hand_over(0, &claim, handing_over).await.unwrap();
    journal.finish(0, &claim, accepted(at(3))).await.unwrap();
    let counts = world.counts();
    assert_eq!((counts.sent, counts.refused, counts.deferred), (2, 1, 2));
    assert_eq!(world.settled(), 3);

    assert!(
        matches!(journal.claim(0, at(30)).await.unwrap(), Answer::NotBefore(due, Reason::Deferred) if due == at(60))
    );
    let rest = claimed(&journal, at(60)).await;
    let rows: Vec<u64> = rest.recipients.iter().map(|r| r.row).collect();
    assert_eq!(rows, [4, 5]);
    assert_eq!(rest.message_id, claim.message_id);
    assert_eq!(rest.failures, 1);
    journal
        .hand_over(0, &rest, mark(&rest, at(61)))
        .await
        .unwrap();
    journal.finish(0, &rest, accepted(at(62))).await.unwrap();
    assert_eq!(world.counts().sent, 4);
    assert_eq!(world.settled(), 5, "of the five that the batch has");
    assert!(matches!(
        journal.claim(0, at(63)).await.unwrap(),
        Answer::Nothing
    ));
}

#[tokio::test]
async fn what_is_in_doubt_is_settled_only_by_a_person() {
    let world = world(0, 2);
    let journal = world.journal(&[]);
    for _ in 0..2 {
        let claim = claimed(&journal, at(1)).await;
        journal
            .hand_over(0, &claim, mark(&claim, at(2)))
            .await
            .unwrap();
        let lost = Finish::Lost {
            at: at(3).into(),
            reply: "connection closed".into(),
        };
        journal.finish(0, &claim, lost).await.unwrap();
    }
    drop(journal);
    let mut store = world.store();
    let doubts = store.doubts(world.campaign, &Selection::All).unwrap();
    assert_eq!(doubts.len(), 2);
    assert_eq!(doubts[0].handed_over_at, at(2));
    let nobody = Selection::Person("nobody@contoso.com".into());
    assert!(
        store
            .resolve(world.campaign, &nobody, Resolution::Resend, ("ann", at(9)))
            .unwrap()
            .is_empty()
    );
    let by_id = Selection::MessageId("1@contoso.com".into());
    let settled = store
        .resolve(
            world.campaign,
            &by_id,
            Resolution::Delivered,
            ("ann", at(9)),
        )
        .unwrap();
    assert_eq!(settled[0].recipients, ["p1@contoso.com"]);
    let by_address = Selection::Person("p2@contoso.com".into());
    store
        .resolve(
            world.campaign,
            &by_address,
            Resolution::Resend,
            ("ann", at(9)),
        )
        .unwrap();
    let counts = world.counts();
    assert_eq!((counts.sent, counts.pending, counts.in_doubt), (1, 1, 0));
}

#[tokio::test]
async fn a_refusal_keeps_each_recipients_own_reply() {
    let world = world(2, 0);
    let journal = world.journal(&[]);
    let claim = claimed(&journal, at(1)).await;
    let refused = Finish::Refused {
        at: at(2).into(),
        phase: Phase::RcptTo,
        reply: "nobody accepted".into(),
        refused: vec![(1, "550 5.1.1 one".into()), (2, "550 5.1.1 two".into())],
    };
    journal.finish(0, &claim, refused).await.unwrap();
    let mut replies = Vec::new();
    world
        .store()
        .report::<Error>(world.campaign, |row| {
            replies.push((row.outcome, row.reply.unwrap_or_default()));
            Ok(())
        })
        .unwrap();
    assert_eq!(
        replies,
        [
            ("refused".to_owned(), "550 5.1.1 one".to_owned()),
            ("refused".to_owned(), "550 5.1.1 two".to_owned())
        ]
    );
    assert!(
        world
            .store()
            .ledger_since("comms@contoso.com", HOUR, at(1060).into())
            .unwrap()
            .is_empty()
    );
}
