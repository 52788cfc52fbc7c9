//! One person's attempts, through refusals, deferrals and what people do with them, and from a store of a former version.

use super::file::set_back;
use super::record::Made;
use super::*;

fn split(row: u64, due: Timestamp) -> Split {
    Split {
        rows: vec![(row, "450 4.2.1 later".into())],
        weight: Weight {
            recipients: 1,
            external: 0,
        },
        due_at: due,
        blameless: false,
    }
}

/// A message that is handed over to all but these two, and what is made known of it.
async fn hand_over(journal: &Journal, claim: &Claim, refused: u64, deferred: u64, made: &mut Made) {
    let over = HandOver {
        refused: vec![(refused, "550 5.1.1 nobody".into())],
        deferred: Some(split(deferred, at(50))),
        weight: Weight {
            recipients: claim.weight.recipients - 2,
            external: 0,
        },
        ..mark(claim, at(2))
    };
    journal.hand_over(0, claim, over).await.unwrap();
    made.ended(claim, &[refused], "refused", "550 5.1.1 nobody");
    made.ended(claim, &[deferred], "deferred", "450 4.2.1 later");
}

fn deferred(claim: &Claim, left: u64) -> Finish {
    Finish::Deferred {
        at: at(3).into(),
        due_at: at(4),
        blameless: false,
        phase: Phase::FinalDot,
        reply: "451 4.3.0 later".into(),
        refused: vec![],
        weight: Weight {
            recipients: left,
            ..claim.weight
        },
    }
}

/// A journal of the same campaign, which another account sends.
fn journal_of(world: &World, account: &str) -> Journal {
    let claiming = Claiming {
        campaign: world.campaign,
        calendar: Calendar::always(),
        lanes: vec![lane(account, "comms@contoso.com", &[])],
    };
    Journal::start(world.store(), claiming).0
}

fn rows_of(world: &World) -> Vec<ReportRow> {
    let mut rows = Vec::new();
    let done: Result<(), Error> = world.store().report(world.campaign, |row| {
        rows.push(row);
        Ok(())
    });
    done.unwrap();
    rows
}

#[tokio::test]
async fn whoever_was_refused_first_has_one_attempt_however_often_the_others_are_tried() {
    let world = world(4, 0);
    let mut made = Made::default();
    let journal = journal_of(&world, "first");
    let claim = claimed(&journal, at(1)).await;
    made.claimed(&claim, at(1));
    hand_over(&journal, &claim, 1, 2, &mut made).await;
    journal
        .finish(0, &claim, deferred(&claim, 2))
        .await
        .unwrap();
    made.ended(&claim, &[3, 4], "deferred", "451 4.3.0 later");
    drop(journal);
    let journal = journal_of(&world, "second");
    let claim = claimed(&journal, at(5)).await;
    made.claimed(&claim, at(5));
    journal
        .hand_over(0, &claim, mark(&claim, at(6)))
        .await
        .unwrap();
    journal.finish(0, &claim, accepted(at(7))).await.unwrap();
    made.ended(&claim, &[3, 4], "sent", "250 2.0.0 OK");
    made.assert_told(&world);
    let told: Vec<(u64, Option<String>, Option<Phase>)> = rows_of(&world)
        .into_iter()
        .map(|row| (row.attempts, row.account, row.phase))
        .collect();
    let (first, second) = (Some("first".to_owned()), Some("second".to_owned()));
    let rcpt = Some(Phase::RcptTo);
    assert_eq!(told[0], (1, first.clone(), rcpt));
    assert_eq!(told[1], (1, first, rcpt));
    assert_eq!(told[2], (2, second.clone(), Some(Phase::FinalDot)));
    assert_eq!(told[3], (2, second, Some(Phase::FinalDot)));
    // Nothing was handed over to who was turned away before the content.
    let story = world.store().story("p1@contoso.com").unwrap();
    assert_eq!(story[0].attempts[0].handover_at, None);
}

#[tokio::test]
async fn what_was_tried_before_somebody_was_withdrawn_is_told_after_they_came_back() {
    let world = world(0, 1);
    let mut made = Made::default();
    let journal = world.journal(&[]);
    let claim = claimed(&journal, at(1)).await;
    made.claimed(&claim, at(1));
    journal
        .hand_over(0, &claim, mark(&claim, at(2)))
        .await
        .unwrap();
    journal
        .finish(0, &claim, deferred(&claim, 1))
        .await
        .unwrap();
    made.ended(&claim, &[1], "deferred", "451 4.3.0 later");
    let new = NewSuppression {
        subject: "p1@contoso.com".into(),
        written: "p1@contoso.com".into(),
        reason: String::new(),
    };
    world.store().suppress(None, &[new], "ann", at(10)).unwrap();
    made.assert_told(&world);
    let counts = world.store().message_counts(world.campaign).unwrap();
    assert_eq!(counts.total(), 0, "nobody is in it");
    world.store().unsuppress(None, "p1@contoso.com").unwrap();
    let again = Restored {
        row: 1,
        message_id: "<again@contoso.com>".into(),
        digest: [2; 32],
        recipients: 1,
        external: 0,
    };
    world
        .store()
        .restore(world.campaign, &[again], ("ann", at(11)))
        .unwrap();
    made.assert_told(&world);
    let claim = claimed(&journal, at(12)).await;
    made.claimed(&claim, at(12));
    journal
        .hand_over(0, &claim, mark(&claim, at(13)))
        .await
        .unwrap();
    journal.finish(0, &claim, accepted(at(14))).await.unwrap();
    made.ended(&claim, &[1], "sent", "250 2.0.0 OK");
    made.assert_told(&world);
    let story = world.store().story("p1@contoso.com").unwrap();
    let ids: Vec<&str> = story[0]
        .attempts
        .iter()
        .map(|one| one.message_id.as_str())
        .collect();
    assert_eq!(ids, ["<1@contoso.com>", "<again@contoso.com>"]);
    // A person who is forgotten takes the key along, and what was tried stays countable.
    world
        .store()
        .forget("p1@contoso.com", &[], ("ann", at(20)))
        .unwrap();
    assert_eq!(rows_of(&world)[0].attempts, 2);
    let connection = Connection::open(&world.path).unwrap();
    let theirs = "SELECT count(*) FROM past_attempt WHERE key LIKE '%contoso%'";
    let left: i64 = connection.query_row(theirs, [], |row| row.get(0)).unwrap();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn whoever_goes_on_alone_waits_no_longer_when_the_clock_is_set_back() {
    let world = world(2, 0);
    let journal = world.journal(&[]);
    let claim = claimed(&journal, at(100_000)).await;
    let over = HandOver {
        deferred: Some(split(1, at(100_600))),
        weight: Weight {
            recipients: 1,
            external: 0,
        },
        ..mark(&claim, at(100_000))
    };
    journal.hand_over(0, &claim, over).await.unwrap();
    journal
        .finish(0, &claim, accepted(at(100_001)))
        .await
        .unwrap();
    drop(journal);
    let journal = world.journal(&[]);
    let Answer::NotBefore(due, _) = journal.claim(0, at(1000)).await.unwrap() else {
        panic!("it waits");
    };
    assert_eq!(due, at(1600));
}

/// The message that a recipient is in.
fn message_of(connection: &Connection, row: u64) -> i64 {
    let sql = "SELECT message FROM recipient WHERE row = ?";
    connection
        .query_row(sql, [row], |found| found.get(0))
        .unwrap()
}

#[tokio::test]
async fn a_store_in_which_attempts_were_copied_tells_them_as_before() {
    let world = world(5, 0);
    let mut made = Made::default();
    let journal = world.journal(&[]);
    let claim = claimed(&journal, at(1)).await;
    made.claimed(&claim, at(1));
    hand_over(&journal, &claim, 1, 2, &mut made).await;
    let refused = Finish::Refused {
        at: at(3).into(),
        phase: Phase::FinalDot,
        reply: "554 5.7.1 no".into(),
        refused: vec![],
    };
    journal.finish(0, &claim, refused).await.unwrap();
    made.ended(&claim, &[3, 4, 5], "refused", "554 5.7.1 no");
    let retried = world
        .store()
        .retry(world.campaign, &[3], &|_| false, ("ann", at(9)));
    assert_eq!(retried.unwrap(), 1);
    drop(journal);
    set_back(&world.path, 10);
    let former = Connection::open(&world.path).unwrap();
    for (row, outcome, phase, reply) in [
        (2, "deferred", "rcpt-to", "450 4.2.1 later"),
        (3, "refused", "final-dot", "554 5.7.1 no"),
    ] {
        let copy = "INSERT INTO attempt (message, number, account, claimed_at, finished_at, outcome, phase, reply)
                    SELECT ?1, number, account, claimed_at, claimed_at, ?2, ?3, ?4 FROM attempt WHERE message = ?5";
        let values = (
            message_of(&former, row),
            outcome,
            phase,
            reply,
            message_of(&former, 4),
        );
        assert_eq!(former.execute(copy, values).unwrap(), 1);
    }
    drop(former);
    made.assert_told(&world);
    world.counts();
    // What was put off then is put off as long.
    let put_off =
        "SELECT count(*) FROM message WHERE state = 'deferred' AND put_off_at IS NOT NULL";
    let connection = Connection::open(&world.path).unwrap();
    let count: i64 = connection.query_row(put_off, [], |row| row.get(0)).unwrap();
    assert_eq!(count, 1);
    // And it goes on from there.
    let journal = world.journal(&[]);
    for seconds in [100, 101] {
        let claim = claimed(&journal, at(seconds)).await;
        made.claimed(&claim, at(seconds));
        journal
            .hand_over(0, &claim, mark(&claim, at(seconds)))
            .await
            .unwrap();
        journal
            .finish(0, &claim, accepted(at(seconds)))
            .await
            .unwrap();
        let rows: Vec<u64> = claim.recipients.iter().map(|one| one.row).collect();
        made.ended(&claim, &rows, "sent", "250 2.0.0 OK");
        made.assert_told(&world);
    }
}
