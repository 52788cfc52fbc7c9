//! Whatever is done in whatever order: everybody is in one state, and nobody who has the mail is sent it again.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::record::Made;
use super::*;

/// Of the list: four share a message, the others have their own.
const SHARED: u64 = 4;
const PEOPLE: u64 = 7;

#[derive(Debug, Clone)]
enum Step {
    Claim,
    HandOver {
        which: usize,
        refuses: bool,
        defers: bool,
    },
    Accept(usize),
    Defer(usize),
    Refuse(usize),
    Release(usize),
    Lose(usize),
    Suppress(u64),
    SuppressDomain,
    Unsuppress(u64),
    UnsuppressDomain,
    Restore(u64),
    Retry(u64),
    RetryAll,
    Cancel(u64),
    CancelAll,
    Resolve(bool),
}

fn step() -> impl Strategy<Value = Step> {
    let row = 1..=PEOPLE;
    let which = 0_usize..3;
    prop_oneof![
        6 => Just(Step::Claim),
        6 => (which.clone(), any::<bool>(), any::<bool>())
            .prop_map(|(which, refuses, defers)| Step::HandOver { which, refuses, defers }),
        4 => which.clone().prop_map(Step::Accept),
        2 => which.clone().prop_map(Step::Defer),
        3 => which.clone().prop_map(Step::Refuse),
        1 => which.clone().prop_map(Step::Release),
        1 => which.prop_map(Step::Lose),
        3 => row.clone().prop_map(Step::Suppress),
        1 => Just(Step::SuppressDomain),
        2 => row.clone().prop_map(Step::Unsuppress),
        1 => Just(Step::UnsuppressDomain),
        2 => row.clone().prop_map(Step::Restore),
        4 => row.clone().prop_map(Step::Retry),
        2 => Just(Step::RetryAll),
        2 => row.prop_map(Step::Cancel),
        1 => Just(Step::CancelAll),
        2 => any::<bool>().prop_map(Step::Resolve),
    ]
}

/// A claim that is in hand, and whether its content may have gone out.
struct InHand {
    claim: Claim,
    left: Vec<u64>,
    handed_over: bool,
}

struct Play {
    world: World,
    journal: Journal,
    store: Store,
    hand: Vec<InHand>,
    /// Rows that the server has taken, or that a person says it has.
    have_it: BTreeSet<u64>,
    listed: BTreeSet<String>,
    made: Made,
    now: i64,
}

fn key(row: u64) -> String {
    format!("p{row}@contoso.com")
}

impl Play {
    fn new() -> Self {
        let world = world(SHARED, PEOPLE - SHARED);
        // Nothing is cut off here: the disk need not be waited for.
        Store::fleeting(&world.path).unwrap();
        Self {
            journal: world.journal(&[]),
            store: world.store(),
            hand: Vec::new(),
            have_it: BTreeSet::new(),
            listed: BTreeSet::new(),
            made: Made::default(),
            now: 1,
            world,
        }
    }

    fn is_listed(&self, row: u64) -> bool {
        self.listed.contains(&key(row)) || self.listed.contains("@contoso.com")
    }

    fn take(&mut self, which: usize, handed_over: bool) -> Option<InHand> {
        let at = self
            .hand
            .iter()
            .enumerate()
            .filter(|(_, one)| one.handed_over == handed_over)
            .map(|(at, _)| at)
            .nth(which)?;
        Some(self.hand.remove(at))
    }

    fn state(&self, row: u64) -> String {
        let person = self.store.state_of_person(self.world.campaign, &key(row));
        person.unwrap().unwrap().outcome
    }

    async fn claim(&mut self) {
        let Answer::Claimed(claim) = self.journal.claim(0, at(self.now)).await.unwrap() else {
            return;
        };
        let left: Vec<u64> = claim.recipients.iter().map(|one| one.row).collect();
        assert!(!left.is_empty(), "a message to nobody is not begun");
        for row in &left {
            assert!(!self.have_it.contains(row), "row {row} has it already");
            assert!(!self.is_listed(*row), "row {row} is never written to");
            let held = self.hand.iter().any(|one| one.left.contains(row));
            assert!(!held, "row {row} is in two hands");
        }
        assert!(claim.weight.recipients >= left.len() as u64);
        self.made.claimed(&claim, at(self.now));
        self.hand.push(InHand {
            claim: *claim,
            left,
            handed_over: false,
        });
    }

    async fn hand_over(&mut self, which: usize, refuses: bool, defers: bool) {
        let Some(mut one) = self.take(which, false) else {
            return;
        };
        let mut refused_rows = Vec::new();
        let (mut deferred, mut put_off) = (None, Vec::new());
        if refuses && one.left.len() > 1 {
            refused_rows.push(one.left.remove(0));
        }
        if defers && one.left.len() > 1 {
            let row = one.left.remove(0);
            put_off.push(row);
            deferred = Some(Split {
                rows: vec![(row, "450 4.2.1 later".into())],
                weight: Weight {
                    recipients: 1,
                    external: 0,
                },
                due_at: at(self.now + 1),
                blameless: false,
            });
        }
        let handing_over = HandOver {
            refused: refused(&refused_rows),
            deferred,
            weight: Weight {
                recipients: one.left.len() as u64,
                external: 0,
            },
            ..mark(&one.claim, at(self.now))
        };
        self.journal
            .hand_over(0, &one.claim, handing_over)
            .await
            .unwrap();
        self.made.ended(
            &one.claim,
            &refused_rows,
            "refused",
            "550 5.1.10 nobody of that name",
        );
        self.made
            .ended(&one.claim, &put_off, "deferred", "450 4.2.1 later");
        one.handed_over = true;
        self.hand.push(one);
    }

    async fn finish(&mut self, one: InHand, finish: Finish) {
        let (outcome, reply) = match &finish {
            Finish::Accepted { reply, .. } => ("sent", reply),
            Finish::Deferred { reply, .. } => ("deferred", reply),
            Finish::Refused { reply, .. } => ("refused", reply),
            Finish::Lost { reply, .. } => ("in_doubt", reply),
            Finish::Parted { reply, .. } | Finish::Released { reply, .. } => ("released", reply),
        };
        self.made.ended(&one.claim, &one.left, outcome, reply);
        self.journal.finish(0, &one.claim, finish).await.unwrap();
    }

    fn weight(one: &InHand) -> Weight {
        Weight {
            recipients: one.left.len() as u64,
            external: 0,
        }
    }

    async fn accept(&mut self, which: usize) {
        let Some(one) = self.take(which, true) else {
            return;
        };
        for row in &one.left {
            assert!(self.have_it.insert(*row), "row {row} got it twice");
        }
        self.finish(one, accepted(at(self.now))).await;
    }

    async fn defer(&mut self, which: usize) {
        let Some(one) = self.take(which, true) else {
            return;
        };
        let deferred = Finish::Deferred {
            at: at(self.now).into(),
            due_at: at(self.now + 1),
            blameless: false,
            phase: Phase::FinalDot,
            reply: "451 4.3.0 later".into(),
            refused: vec![],
            weight: Self::weight(&one),
        };
        self.finish(one, deferred).await;
    }

    async fn refuse(&mut self, which: usize) {
        let Some(one) = self.take(which, true) else {
            return;
        };
        let refused = Finish::Refused {
            at: at(self.now).into(),
            phase: Phase::FinalDot,
            reply: "554 5.7.1 no".into(),
            refused: vec![],
        };
        self.finish(one, refused).await;
    }

    async fn release(&mut self, which: usize) {
        let Some(one) = self.take(which, false) else {
            return;
        };
        let released = Finish::Released {
            apart: None,
            at: at(self.now).into(),
            phase: Phase::Connect,
            reply: "connection closed".into(),
            refused: vec![],
            weight: Self::weight(&one),
        };
        self.finish(one, released).await;
    }

    async fn lose(&mut self, which: usize) {
        let Some(one) = self.take(which, true) else {
            return;
        };
        let lost = Finish::Lost {
            at: at(self.now).into(),
            reply: "connection closed".into(),
        };
        self.finish(one, lost).await;
    }

    fn resolve(&mut self, delivered: bool) {
        let resolution = if delivered {
            Resolution::Delivered
        } else {
            Resolution::Resend
        };
        let settled = self
            .store
            .resolve(self.world.campaign, &Selection::All, resolution, by())
            .unwrap();
        let people = settled.iter().flat_map(|doubt| &doubt.recipients);
        for address in people {
            let row: u64 = address[1..address.find('@').unwrap()].parse().unwrap();
            if delivered {
                assert!(self.have_it.insert(row));
            }
        }
    }

    async fn play(&mut self, step: Step) {
        let (campaign, (by, now)) = (self.world.campaign, by());
        let everybody: Vec<u64> = (1..=PEOPLE).collect();
        match step {
            Step::Claim => self.claim().await,
            Step::HandOver {
                which,
                refuses,
                defers,
            } => self.hand_over(which, refuses, defers).await,
            Step::Accept(which) => self.accept(which).await,
            Step::Defer(which) => self.defer(which).await,
            Step::Refuse(which) => self.refuse(which).await,
            Step::Release(which) => self.release(which).await,
            Step::Lose(which) => self.lose(which).await,
            Step::Suppress(row) => self.suppress(key(row)),
            Step::SuppressDomain => self.suppress("@contoso.com".to_owned()),
            Step::Unsuppress(row) => self.unsuppress(&key(row)),
            Step::UnsuppressDomain => self.unsuppress("@contoso.com"),
            Step::Restore(row) => {
                let message = Restored {
                    row,
                    message_id: format!("<again-{row}-{}@contoso.com>", self.now),
                    digest: [2; 32],
                    recipients: 1,
                    external: 0,
                };
                self.store.restore(campaign, &[message], (by, now)).unwrap();
            }
            Step::Retry(row) => drop(retry(&self.world, &[row])),
            Step::RetryAll => drop(retry(&self.world, &everybody)),
            Step::Cancel(row) => {
                self.store.cancel(campaign, Some(&[row]), by, now).unwrap();
            }
            Step::CancelAll => {
                self.store.cancel(campaign, None, by, now).unwrap();
            }
            Step::Resolve(delivered) => self.resolve(delivered),
        }
        self.now += 1;
    }

    fn suppress(&mut self, subject: String) {
        suppress(&self.world, &subject);
        self.listed.insert(subject);
    }

    fn unsuppress(&mut self, subject: &str) {
        self.store.unsuppress(None, subject).unwrap();
        self.listed.remove(subject);
    }

    /// What holds at every moment.
    fn check(&self) {
        self.world.counts();
        tally::assert_it_is_sound(&self.world.path);
        self.made.assert_told(&self.world);
        for row in &self.have_it {
            assert_eq!(self.state(*row), "sent", "row {row}");
        }
        for row in self.hand.iter().flat_map(|one| &one.left) {
            let state = self.state(*row);
            assert!(
                ["pending", "deferred"].contains(&state.as_str()),
                "row {row} is in hand and {state}"
            );
        }
        let odd: i64 = self
            .store
            .connection
            .query_row(
                // Messages that are to go without recipients, or smaller than they are; recipients who are to
                // get one that does not go.
                "SELECT (SELECT count(*) FROM message m WHERE m.state IN ('pending', 'deferred') AND
                         (SELECT count(*) FROM recipient r WHERE r.message = m.id AND r.state IN ('pending', 'deferred'))
                         NOT BETWEEN 1 AND m.recipients - m.copies)
                      + (SELECT count(*) FROM recipient r JOIN message m ON m.id = r.message
                         WHERE r.state IN ('pending', 'deferred')
                         AND m.state NOT IN ('pending', 'deferred', 'claimed', 'handing_over'))",
                [],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(odd, 0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_done_totals_add_up_and_nobody_gets_it_twice(
        steps in prop::collection::vec(step(), 0..50),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut play = Play::new();
            for step in steps {
                play.play(step).await;
                play.check();
            }
        });
    }
}
