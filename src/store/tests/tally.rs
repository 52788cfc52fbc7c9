//! What is counted as it changes is what somebody would count.

use proptest::prelude::*;

use super::file::set_back;
use super::record::Made;
use super::*;

type Rows = Vec<(Vec<i64>, Vec<String>, u64)>;

/// The rows of a table of counts: numbers, words, and the count; those that count nothing left out.
fn rows(connection: &Connection, sql: &str, numbers: usize, words: usize) -> Rows {
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| {
        let numbers_of = (0..numbers).map(|at| row.get(at));
        let words_of = (numbers..numbers + words).map(|at| row.get(at));
        Ok((
            numbers_of.collect::<Result<_, _>>()?,
            words_of.collect::<Result<_, _>>()?,
            row.get(numbers + words)?,
        ))
    });
    rows.unwrap().map(Result::unwrap).collect()
}

/// Every tally of a store is what its tables come to.
pub(super) fn assert_it_adds_up(path: &Path) {
    let connection = Connection::open(path).unwrap();
    let people = rows(
        &connection,
        "SELECT campaign, batch, state, recipients FROM recipient_tally WHERE recipients <> 0 ORDER BY 1, 2, 3",
        2,
        1,
    );
    let counted = rows(
        &connection,
        "SELECT r.campaign, coalesce(m.batch, 0), r.state, count(*)
         FROM recipient r LEFT JOIN message m ON m.id = r.message GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
        2,
        1,
    );
    assert_eq!(people, counted);
    let messages = rows(
        &connection,
        "SELECT campaign, lane, shared, recipients, external, state, messages FROM message_tally
         WHERE messages <> 0 ORDER BY 1, 2, 3, 4, 5, 6",
        5,
        1,
    );
    let counted = rows(
        &connection,
        "SELECT campaign, lane, shared, iif(state IN ('pending', 'deferred'), recipients, 0),
                iif(state IN ('pending', 'deferred'), external, 0),
                iif(state IN ('claimed', 'handing_over'), 'in_hand', state), count(*)
         FROM message m WHERE EXISTS (SELECT 1 FROM recipient r WHERE r.message = m.id) GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6",
        5,
        1,
    );
    assert_eq!(messages, counted);
    let more = "SELECT campaign, sum(messages), '', 1 FROM message_tally t GROUP BY 1 HAVING sum(messages) >
                (SELECT count(*) FROM recipient r WHERE r.campaign = t.campaign)";
    assert_eq!(
        rows(&connection, more, 2, 1),
        vec![],
        "more messages than recipients"
    );
    let tried = "SELECT campaign, coalesce(tried_at, -1), '', 1 FROM tallied ORDER BY 1";
    // A claim that was given back leaves no attempt, but was one.
    let found = "SELECT c.id, coalesce((SELECT max(claimed_at) FROM attempt t JOIN message m ON m.id = t.message
                 WHERE m.campaign = c.id), -1), '', 1 FROM campaign c ORDER BY 1";
    assert!(rows(&connection, tried, 2, 1) >= rows(&connection, found, 2, 1));
}

/// A store as every commit leaves it.
pub(super) fn assert_it_is_sound(path: &Path) {
    assert_it_adds_up(path);
    let checkup = Store::check(path).unwrap();
    assert_eq!(checkup.flaws, [], "by the store's own check");
}

/// What happens to a message that is taken.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Accepted,
    RefusedAtRcpt,
    Split,
    Deferred,
    Blameless,
    Parted,
    Refused,
    Released,
    ReleasedApart,
    Lost,
    KilledBefore,
    KilledAfter,
}

fn fates() -> impl Strategy<Value = Fate> {
    prop::sample::select(vec![
        Fate::Accepted,
        Fate::RefusedAtRcpt,
        Fate::Split,
        Fate::Deferred,
        Fate::Blameless,
        Fate::Parted,
        Fate::Refused,
        Fate::Released,
        Fate::ReleasedApart,
        Fate::Lost,
        Fate::KilledBefore,
        Fate::KilledAfter,
    ])
}

fn less(claim: &Claim, rows: usize) -> Weight {
    Weight {
        recipients: claim.weight.recipients - rows as u64,
        external: 0,
    }
}

fn apart(claim: &Claim, now: Timestamp) -> Option<Split> {
    let first = claim.recipients.first()?;
    (claim.recipients.len() > 1).then(|| Split {
        rows: vec![(first.row, "450 later".into())],
        weight: Weight {
            recipients: 1,
            external: 0,
        },
        due_at: now,
        blameless: true,
    })
}

async fn befalls(world: &World, journal: &Journal, fate: Fate, now: Timestamp, made: &mut Made) {
    let Answer::Claimed(claim) = journal.claim(0, now).await.unwrap() else {
        return;
    };
    made.claimed(&claim, now);
    let first = claim.recipients.first().map(|first| first.row);
    let refused: Vec<(u64, String)> = first
        .filter(|_| claim.recipients.len() > 1)
        .map(|row| (row, "550 no".into()))
        .into_iter()
        .collect();
    let split = apart(&claim, now);
    let gone = usize::from(split.is_some());
    let mut over = mark(&claim, now);
    match fate {
        Fate::RefusedAtRcpt => {
            over.weight = less(&claim, refused.len());
            over.refused = refused.clone();
        }
        Fate::Split => {
            over.weight = less(&claim, gone);
            over.deferred = split.clone();
        }
        _ => {}
    }
    let at = Reading::from(now);
    let (phase, reply) = (Phase::RcptTo, "451 later".to_owned());
    let is_before = matches!(
        fate,
        Fate::Deferred | Fate::Released | Fate::ReleasedApart | Fate::KilledBefore
    );
    if !is_before {
        journal.hand_over(0, &claim, over).await.unwrap();
    }
    let finish = match fate {
        Fate::Accepted | Fate::RefusedAtRcpt | Fate::Split => accepted(now),
        Fate::Deferred | Fate::Blameless => Finish::Deferred {
            at,
            due_at: now,
            blameless: matches!(fate, Fate::Blameless),
            phase,
            reply,
            weight: less(&claim, refused.len()),
            refused,
        },
        Fate::Parted => Finish::Parted {
            at,
            phase,
            reply,
            refused: vec![],
            apart: split,
            weight: less(&claim, gone),
        },
        Fate::Refused => Finish::Refused {
            at,
            phase,
            reply,
            refused,
        },
        Fate::Released => Finish::Released {
            apart: None,
            at,
            phase,
            reply,
            weight: less(&claim, refused.len()),
            refused,
        },
        Fate::ReleasedApart => Finish::Released {
            apart: split,
            at,
            phase,
            reply,
            refused: vec![],
            weight: less(&claim, gone),
        },
        Fate::Lost => Finish::Lost { at, reply },
        Fate::KilledBefore | Fate::KilledAfter => return world_recovers(world),
    };
    journal.finish(0, &claim, finish).await.unwrap();
}

fn world_recovers(world: &World) {
    world.recover();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Through everything that a sender, recovery and a person do.
    #[test]
    fn the_tally_is_what_somebody_would_count(
        shared in 0_u64..6, alone in 0_u64..6, fates in prop::collection::vec(fates(), 0..12), resend: bool,
    ) {
        let world = world(shared, alone + 1);
        let other = plan(&world.store(), "other", 2, 1);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let journal = world.journal(&[]);
            let mut made = Made::default();
            for (step, fate) in fates.into_iter().enumerate() {
                befalls(&world, &journal, fate, at(step as i64 + 1), &mut made).await;
                assert_it_is_sound(&world.path);
                made.assert_told(&world);
            }
        });
        let resolution = if resend { Resolution::Resend } else { Resolution::Delivered };
        world.store().resolve(world.campaign, &Selection::All, resolution, ("ann", at(2000))).unwrap();
        assert_it_is_sound(&world.path);
        world.counts();
        prop_assert!(world.store().discard_plan(other).unwrap());
        assert_it_is_sound(&world.path);
    }
}

/// Whatever is written to the tables by whatever operation is to come.
#[test]
fn the_tally_follows_every_change_of_the_tables() {
    let world = world(3, 4);
    let connection = Connection::open(&world.path).unwrap();
    connection
        .pragma_update(None, "foreign_keys", true)
        .unwrap();
    for change in [
        "UPDATE recipient SET state = 'suppressed', message = NULL WHERE row = 1",
        "UPDATE recipient SET state = 'cancelled' WHERE row IN (2, 4)",
        "UPDATE message SET state = 'cancelled' WHERE number = 2",
        "UPDATE message SET recipients = 2, external = 1 WHERE number = 1",
        "UPDATE message SET batch = 2 WHERE number = 1",
        "UPDATE message SET batch = NULL WHERE number = 3",
        "UPDATE message SET lane = 1, shared = 1",
        "INSERT INTO message (campaign, number, shared, message_id, digest, recipients, external, batch)
         SELECT campaign, 99, 0, '<99>', digest, 1, 1, 5 FROM message WHERE number = 1",
        "INSERT INTO recipient (campaign, row, address, key, cells, message)
         SELECT campaign, 99, 'a@b', 'a@b', '[]', id FROM message WHERE number = 99",
        "UPDATE recipient SET message = (SELECT id FROM message WHERE number = 99) WHERE row = 3",
        "UPDATE recipient SET message = (SELECT id FROM message WHERE number = 99) WHERE row IN (2, 7)",
        "UPDATE message SET state = 'cancelled' WHERE number = 5",
        "UPDATE recipient SET message = (SELECT id FROM message WHERE number = 5) WHERE row = 7",
        "DELETE FROM recipient WHERE row = 3",
        "DELETE FROM message WHERE number IN (1, 99)",
        "UPDATE recipient SET state = 'refused', reply = '550' WHERE row = 6",
        "UPDATE recipient SET state = 'pending' WHERE row = 6",
    ] {
        assert!(connection.execute(change, []).unwrap() > 0, "{change}");
        assert_it_adds_up(&world.path);
    }
    connection.execute("DELETE FROM campaign", []).unwrap();
    assert_it_adds_up(&world.path);
}

#[tokio::test]
async fn a_store_of_a_former_version_is_counted_once() {
    let world = world(3, 4);
    let journal = world.journal(&[]);
    let mut made = Made::default();
    befalls(&world, &journal, Fate::Split, at(1), &mut made).await;
    befalls(&world, &journal, Fate::Refused, at(2), &mut made).await;
    drop(journal);
    let before = world.counts();
    set_back(&world.path, 7);
    assert_eq!(world.counts(), before);
    assert_it_adds_up(&world.path);
}
