//! Every attempt is told of everybody who was in its envelope, once, and of nobody else.

use std::collections::BTreeMap;

use super::*;

/// An attempt as it was made to somebody: when, and how it ended for them.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Told {
    at: Timestamp,
    end: Option<(String, String)>,
}

/// The attempts that were made, by whom they concerned: what the store's stories are held against.
#[derive(Debug, Default)]
pub(super) struct Made {
    attempts: BTreeMap<String, Vec<Told>>,
}

impl Made {
    /// An attempt was begun, with these people in its envelope. No two are begun at the same time.
    pub(super) fn claimed(&mut self, claim: &Claim, at: Timestamp) {
        for person in &claim.recipients {
            let told = self.attempts.entry(person.address.clone()).or_default();
            told.push(Told { at, end: None });
        }
    }

    /// So it has ended for these rows of it.
    pub(super) fn ended(&mut self, claim: &Claim, rows: &[u64], outcome: &str, reply: &str) {
        for person in &claim.recipients {
            let told = self.attempts.get_mut(&person.address);
            if let Some(last) = told
                .filter(|_| rows.contains(&person.row))
                .and_then(|all| all.last_mut())
            {
                last.end = Some((outcome.to_owned(), reply.to_owned()));
            }
        }
    }

    /// The stories tell just these attempts, and the report counts them.
    pub(super) fn assert_told(&self, world: &World) {
        let store = world.store();
        store
            .report(world.campaign, |row| {
                let made = self.attempts.get(&row.email).map_or(&[][..], Vec::as_slice);
                let told = store.story(&row.email).unwrap();
                let chapters: Vec<&Chapter> =
                    told.iter().filter(|one| one.campaign == "news").collect();
                let [chapter] = chapters.as_slice() else {
                    panic!("{} has {} chapters", row.email, chapters.len());
                };
                let told: Vec<Timestamp> =
                    chapter.attempts.iter().map(|one| one.claimed_at).collect();
                let expected: Vec<Timestamp> = made.iter().map(|one| one.at).collect();
                assert_eq!(told, expected, "{}", row.email);
                assert_eq!(row.attempts, made.len() as u64, "{}", row.email);
                assert_eq!(row.phase.is_some(), chapter.attempts.last().is_some());
                if let Some(last) = chapter.attempts.last() {
                    assert_eq!(row.account.as_ref(), Some(&last.account));
                }
                for (place, (told, made)) in chapter.attempts.iter().zip(made).enumerate() {
                    assert_eq!(told.number, place as u64 + 1);
                    if let Some((outcome, reply)) = &made.end {
                        assert_eq!(
                            told.outcome.as_ref(),
                            Some(outcome),
                            "{}: {told:?}",
                            row.email
                        );
                        assert_eq!(told.reply.as_ref(), Some(reply), "{}: {told:?}", row.email);
                    }
                }
                Ok::<_, Error>(())
            })
            .unwrap();
    }
}
