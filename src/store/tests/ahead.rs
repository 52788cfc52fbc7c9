//! What is read ahead is what would be found.

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone, Copy)]
enum Step {
    Accept,
    Defer(i64),
    GiveBack,
    /// Somebody is put on the suppression list at another terminal.
    Suppress(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => Just(Step::Accept),
        2 => (0_i64..6).prop_map(Step::Defer),
        1 => Just(Step::GiveBack),
        1 => (1_u64..=12).prop_map(Step::Suppress),
    ];
    prop::collection::vec(step, 1..40)
}

/// What is to be seen of an answer.
fn seen(answer: &Answer) -> String {
    match answer {
        Answer::Claimed(claim) => format!(
            "{} {} {} {} {}",
            claim.number, claim.message_id, claim.is_new, claim.failures, claim.dated_at
        ),
        other => format!("{other:?}"),
    }
}

async fn carry_out(world: &World, journal: &Journal, claim: &Claim, step: Step, now: i64) {
    match step {
        Step::Accept => {
            journal
                .hand_over(0, claim, mark(claim, at(now)))
                .await
                .unwrap();
            journal.finish(0, claim, accepted(at(now))).await.unwrap();
        }
        Step::Defer(seconds) => {
            let deferred = Finish::Deferred {
                at: at(now).into(),
                due_at: at(now + seconds),
                blameless: seconds % 2 == 0,
                phase: Phase::MailFrom,
                reply: "450 later".into(),
                refused: vec![],
                weight: claim.weight,
            };
            journal.finish(0, claim, deferred).await.unwrap();
        }
        Step::GiveBack => give_back(journal, claim).await,
        Step::Suppress(person) => {
            give_back(journal, claim).await;
            let address = format!("p{person}@contoso.com");
            let one = NewSuppression {
                subject: address.clone(),
                written: address,
                reason: String::new(),
            };
            world
                .store()
                .suppress(None, &[one], "ann", at(now))
                .unwrap();
        }
    }
}

async fn give_back(journal: &Journal, claim: &Claim) {
    let turn = Turn {
        give_back: vec![claim.clone()],
        ..Turn::default()
    };
    journal.turn(0, turn).await.unwrap();
}

/// Claims as one sender does who goes on, and as one who begins anew before each claim and knows of nothing.
async fn both(steps: &[Step]) {
    let (going_on, anew) = (world(0, 12), world(0, 12));
    let journal = going_on.journal(&[]);
    for (now, step) in (1..).zip(steps) {
        let fresh = anew.journal(&[]);
        let one = journal.claim(0, at(now)).await.unwrap();
        let other = fresh.claim(0, at(now)).await.unwrap();
        assert_eq!(seen(&one), seen(&other), "at {now}");
        if let (Answer::Claimed(one), Answer::Claimed(other)) = (one, other) {
            carry_out(&going_on, &journal, &one, *step, now).await;
            carry_out(&anew, &fresh, &other, *step, now).await;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn what_was_read_ahead_is_claimed_in_the_same_order(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(both(&steps));
    }
}
