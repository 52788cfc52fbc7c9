//! An edited campaign is taken in while it is sent: nobody twice, nobody lost, whatever was edited and however far
//! the sender was.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::record::Made;
use super::*;

/// What happens to a campaign.
#[derive(Debug, Clone)]
enum Step {
    /// A message is claimed and stays in hand.
    Claim,
    /// What was claimed first is taken by the server.
    Accept,
    /// It is put off.
    Defer,
    /// It is refused for good; of a shared one, only the first recipient, and the others are put off.
    Refuse,
    /// Nobody knows.
    Lose,
    /// It is given back.
    Release,
    /// The sender dies, and the next one recovers.
    Crash,
    /// A person is put on the suppression list.
    Suppress(u8),
    /// And taken off it.
    Unsuppress(u8),
    /// A person is dropped by hand.
    Cancel(u8),
    /// Whoever was refused is queued again.
    Retry,
    /// Whoever is in doubt is sent to again.
    Resend,
    /// A list of these people, in this order, is taken in; so many share a message.
    Update(Vec<u8>, usize),
    /// The same, and these many claims are made between planning and taking in.
    UpdateLate(Vec<u8>, usize, usize),
}

fn list() -> impl Strategy<Value = Vec<u8>> {
    let all: Vec<u8> = (0..12).collect();
    proptest::sample::subsequence(all, 0..12).prop_shuffle()
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Claim),
        2 => Just(Step::Accept),
        1 => Just(Step::Defer),
        1 => Just(Step::Refuse),
        1 => Just(Step::Lose),
        1 => Just(Step::Release),
        1 => Just(Step::Crash),
        1 => (0_u8..12).prop_map(Step::Suppress),
        1 => (0_u8..12).prop_map(Step::Unsuppress),
        1 => (0_u8..12).prop_map(Step::Cancel),
        1 => Just(Step::Retry),
        1 => Just(Step::Resend),
        2 => (list(), 1_usize..4).prop_map(|(list, share)| Step::Update(list, share)),
        1 => (list(), 1_usize..4, 0_usize..3)
            .prop_map(|(list, share, claims)| Step::UpdateLate(list, share, claims)),
    ]
}

/// A campaign, its sender, and what may be true of them.
struct Run {
    world: World,
    journal: Option<Journal>,
    in_hand: Vec<Claim>,
    /// Everybody to whom a message was accepted, or may have been.
    reached: BTreeSet<String>,
    listed: Vec<String>,
    /// Everybody on the suppression list.
    suppressed: BTreeSet<String>,
    /// Everybody who was dropped by hand at some time.
    dropped: BTreeSet<String>,
    made: Made,
    seconds: i64,
}

fn address(person: u8) -> String {
    format!("p{person}@contoso.com")
}

impl Run {
    fn new(first: &[u8], share: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("postroom.db");
        let store = Store::fleeting(&path).unwrap();
        let mut writer = store.begin_plan(&new_campaign(1)).unwrap();
        let listed: Vec<String> = first.iter().copied().map(address).collect();
        write(&mut writer, None, (&listed, &BTreeSet::new()), share, "1");
        let campaign = writer.commit(listed.len() as u64, None).unwrap();
        let world = World {
            _folder: folder,
            path,
            campaign,
        };
        Self {
            world,
            journal: None,
            in_hand: vec![],
            reached: BTreeSet::new(),
            listed,
            suppressed: BTreeSet::new(),
            dropped: BTreeSet::new(),
            made: Made::default(),
            seconds: 10,
        }
    }

    fn now(&mut self) -> Timestamp {
        self.seconds += 100;
        at(self.seconds)
    }

    async fn take(&mut self, step: &Step) {
        match step {
            Step::Claim => self.claim().await,
            Step::Crash => {
                for claim in self.in_hand.drain(..) {
                    // Odd ones had come to the second mark.
                    if claim.message % 2 == 1 {
                        let journal = self.journal.as_ref().unwrap();
                        let mark = mark(&claim, at(self.seconds));
                        journal.hand_over(0, &claim, mark).await.unwrap();
                        let people = claim.recipients.into_iter();
                        self.reached.extend(people.map(|person| person.address));
                    }
                }
                self.journal = None;
                self.world.recover();
            }
            Step::Suppress(person) => {
                let address = address(*person);
                let new = NewSuppression {
                    subject: address.clone(),
                    written: address.clone(),
                    reason: String::new(),
                };
                let now = self.now();
                self.world
                    .store()
                    .suppress(None, &[new], "ann", now)
                    .unwrap();
                self.suppressed.insert(address);
            }
            Step::Unsuppress(person) => {
                let address = address(*person);
                self.world.store().unsuppress(None, &address).unwrap();
                self.suppressed.remove(&address);
            }
            Step::Cancel(person) => self.cancel(&address(*person)),
            Step::Retry => self.retry(),
            Step::Resend => self.resend(),
            Step::Update(list, share) => self.update(list, *share, 0).await,
            Step::UpdateLate(list, share, claims) => self.update(list, *share, *claims).await,
            ending => {
                if !self.in_hand.is_empty() {
                    let claim = self.in_hand.remove(0);
                    self.end(ending, claim).await;
                }
            }
        }
        self.hold();
    }

    fn cancel(&mut self, address: &str) {
        let (mut store, campaign, now) = (self.world.store(), self.world.campaign, self.now());
        if let Some(person) = store.state_of_person(campaign, address).unwrap() {
            store
                .cancel(campaign, Some(&[person.row]), "ann", now)
                .unwrap();
            self.dropped.insert(address.to_owned());
        }
    }

    fn resend(&mut self) {
        let (mut store, campaign, now) = (self.world.store(), self.world.campaign, self.now());
        let again = store
            .resolve(campaign, &Selection::All, Resolution::Resend, ("ann", now))
            .unwrap();
        for address in again.iter().flat_map(|doubt| &doubt.recipients) {
            self.reached.remove(address);
        }
    }

    fn retry(&mut self) {
        let (mut store, campaign, now) = (self.world.store(), self.world.campaign, self.now());
        let refusals = store.refusals(campaign).unwrap();
        let rows: Vec<u64> = refusals.iter().map(|one| one.row).collect();
        for one in refusals {
            if !one.in_hand && !one.suppressed {
                self.reached.remove(&one.address);
            }
        }
        store
            .retry(campaign, &rows, &|_| false, ("ann", now))
            .unwrap();
    }

    async fn claim(&mut self) {
        let now = self.now();
        let world = &self.world;
        let journal = self.journal.get_or_insert_with(|| world.journal(&[]));
        let Answer::Claimed(claim) = journal.claim(0, now).await.unwrap() else {
            return;
        };
        for person in &claim.recipients {
            assert!(
                !self.reached.contains(&person.address),
                "{} has the mail, or may have it",
                person.address
            );
            assert!(
                self.listed.contains(&person.address),
                "{} is no longer listed",
                person.address
            );
            assert!(
                !self.suppressed.contains(&person.address),
                "{} is never written to",
                person.address
            );
        }
        assert!(!claim.recipients.is_empty());
        self.made.claimed(&claim, now);
        assert!(claim.weight.recipients >= claim.recipients.len() as u64);
        self.in_hand.push(*claim);
    }

    async fn end(&mut self, ending: &Step, claim: Claim) {
        let now = self.now();
        let journal = self.journal.as_ref().unwrap();
        let rows: Vec<(u64, String)> = claim
            .recipients
            .iter()
            .map(|person| (person.row, "550 no".to_owned()))
            .collect();
        let refused = usize::from(matches!(ending, Step::Refuse));
        let weight = Weight {
            recipients: (rows.len() - refused) as u64,
            external: 0,
        };
        let people: Vec<String> = claim
            .recipients
            .iter()
            .map(|person| person.address.clone())
            .collect();
        let finish = match ending {
            Step::Accept => accepted(now),
            Step::Lose => Finish::Lost {
                at: now.into(),
                reply: "it went dark".to_owned(),
            },
            Step::Refuse if rows.len() == 1 => Finish::Refused {
                at: now.into(),
                phase: Phase::RcptTo,
                reply: "550 no".to_owned(),
                refused: rows,
            },
            Step::Release => Finish::Released {
                apart: None,
                at: now.into(),
                phase: Phase::MailFrom,
                reply: "the connection broke".to_owned(),
                refused: vec![],
                weight: claim.weight,
            },
            _ => Finish::Deferred {
                at: now.into(),
                due_at: now,
                blameless: false,
                phase: Phase::RcptTo,
                reply: "450 later".to_owned(),
                refused: rows[..refused].to_vec(),
                weight,
            },
        };
        if matches!(ending, Step::Accept | Step::Lose) {
            journal
                .hand_over(0, &claim, mark(&claim, now))
                .await
                .unwrap();
            self.reached.extend(people.clone());
        }
        if matches!(ending, Step::Refuse) {
            // They are told to be refused, by whichever row they have now.
            self.reached.insert(people[0].clone());
        }
        journal.finish(0, &claim, finish).await.unwrap();
    }

    async fn update(&mut self, list: &[u8], share: usize, claims: usize) {
        let store = self.world.store();
        let record = store.campaign("news").unwrap().unwrap();
        let listed: Vec<String> = list.iter().copied().map(address).collect();
        let next = record.edition + 1;
        let mut writer = store.begin_update(&new_campaign(next), &record).unwrap();
        write(
            &mut writer,
            Some((&store, record.id)),
            (&listed, &self.suppressed),
            share,
            &next.to_string(),
        );
        let told = writer.difference().unwrap();
        for _ in 0..claims {
            self.claim().await;
            self.hold();
        }
        let now = self.now();
        let done = writer
            .update(listed.len() as u64, None, (now, "ann"), |done| {
                format!("{} new", done.newcomers.count)
            })
            .unwrap();
        assert!(claims > 0 || told == done, "{told:?} {done:?}");
        self.listed = listed;
        let all = self.world.store();
        let counts = all.recipient_counts(record.id).unwrap();
        assert_eq!(counts.pending + counts.deferred, done.going() + self.held());
        let done_last = all.history(record.id).unwrap().pop().unwrap();
        assert_eq!(
            (done_last.deed, done_last.recipients),
            (Deed::Updated, Some(done.going()))
        );
    }

    /// People in hand.
    fn held(&self) -> u64 {
        self.in_hand
            .iter()
            .map(|claim| claim.recipients.len() as u64)
            .sum()
    }

    /// What holds at every moment.
    fn hold(&self) {
        let store = self.world.store();
        let campaign = self.world.campaign;
        let mut rows = vec![];
        store
            .report(campaign, |row| {
                rows.push(row);
                Ok::<_, Error>(())
            })
            .unwrap();
        let mut records: BTreeMap<&str, &ReportRow> = BTreeMap::new();
        for row in &rows {
            let before = records.insert(&row.email, row);
            assert!(before.is_none(), "{} has two records", row.email);
        }
        for (at, address) in self.listed.iter().enumerate() {
            let row = records.get(address.as_str());
            let row = row.unwrap_or_else(|| panic!("{address} is lost"));
            assert_eq!(row.row, at as u64 + 1, "{address}");
            assert!(
                row.outcome != "cancelled" || self.dropped.contains(address),
                "{address}"
            );
        }
        for row in &rows {
            if row.row > self.listed.len() as u64 {
                let in_hand = self.in_hand.iter().flat_map(|claim| &claim.recipients);
                let in_hand = in_hand.clone().any(|one| one.address == row.email);
                let goes = ["pending", "deferred"].contains(&row.outcome.as_str());
                assert!(!goes || in_hand, "{row:?} is to be sent to");
            }
        }
        let counts = store.recipient_counts(campaign).unwrap();
        assert_eq!(counts.total(), rows.len() as u64);
        for address in &self.reached {
            let outcome = &records[address.as_str()].outcome;
            assert!(
                ["sent", "in_doubt", "refused"].contains(&outcome.as_str()),
                "{address} is {outcome}"
            );
        }
        tally::assert_it_is_sound(&self.world.path);
        self.made.assert_told(&self.world);
        self.hold_messages(&store);
    }

    /// Messages are as large as they say, and stand in an order without gaps.
    fn hold_messages(&self, store: &Store) {
        let campaign = self.world.campaign;
        let wrong: Vec<(i64, String, u64, u64)> = store
            .connection
            .prepare(
                "SELECT m.id, m.state, m.recipients, count(r.row) FROM message m LEFT JOIN recipient r
                 ON r.message = m.id AND r.state IN ('pending', 'deferred')
                 WHERE m.campaign = ? AND m.state IN ('pending', 'deferred') GROUP BY m.id
                 HAVING count(r.row) = 0 OR count(r.row) > m.recipients",
            )
            .unwrap()
            .query_map([campaign], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            })
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        assert_eq!(wrong, vec![]);
        let numbers: (u64, u64, u64) = store
            .connection
            .query_row(
                "SELECT count(*), count(DISTINCT number), coalesce(max(number), 0) FROM message WHERE campaign = ?",
                [campaign],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
            )
            .unwrap();
        assert_eq!((numbers.0, numbers.0), (numbers.1, numbers.2));
        let batches = store.batches(campaign).unwrap();
        for batch in batches {
            assert!(
                batch.messages > 0 && batch.settled <= batch.recipients,
                "{batch:?}"
            );
        }
    }
}

const NO_HOURS: &Schedule = &Schedule {
    hours: None,
    holidays: BTreeSet::new(),
    not_before: None,
    starts_late: false,
};

fn new_campaign(edition: u64) -> NewCampaign<'static> {
    NewCampaign {
        name: "news",
        folder: "/somewhere",
        accounts: &["comms"],
        schedule: NO_HOURS,
        mode: "auto",
        definition: "{}",
        fingerprint: [edition as u8; 32],
        time_zone: "UTC",
        planned_at: at(edition as i64),
    }
}

/// Writes a list into a draft, with so many people in a message; whoever is settled is kept.
fn write(
    writer: &mut PlanWriter,
    standing: Option<(&Store, i64)>,
    (listed, suppressed): (&[String], &BTreeSet<String>),
    share: usize,
    content: &str,
) {
    let mut people = vec![];
    for (at, address) in listed.iter().enumerate() {
        let row = at as u64 + 1;
        if suppressed.contains(address) {
            let new = NewRecipient {
                row,
                address,
                key: address,
                cells: "[]",
            };
            writer.suppressed(&new).unwrap();
        } else if standing.is_none_or(|(store, id)| store.kept_as(id, address).unwrap().is_none()) {
            people.push((row, address));
        } else {
            writer.keep(row, address).unwrap();
        }
    }
    let mut number = 0;
    for people in people.chunks(share) {
        number += 1;
        let message = writer
            .message(&NewMessage {
                number,
                message_id: &format!("<{number}.{content}@contoso.com>"),
                digest: *blake3::hash(content.as_bytes()).as_bytes(),
                recipients: 1,
                external: 0,
            })
            .unwrap();
        for (row, address) in people {
            let new = NewRecipient {
                row: *row,
                address,
                key: address,
                cells: "[]",
            };
            writer.recipient(&new, message).unwrap();
        }
        if people.len() > 1 {
            writer.share(message, people.len() as u64, 0).unwrap();
        }
    }
    if number > 0 {
        lay(writer, number, people.len() as u64);
    }
}

fn lay(writer: &mut PlanWriter, messages: u64, recipients: u64) {
    writer
        .batch(&NewBatch {
            number: 1,
            account: "comms".into(),
            date: "1970-01-01".into(),
            starts_at: at(0),
            ends_at: at(0),
            messages,
            recipients,
        })
        .unwrap();
    let run = super::Run {
        first: 1,
        messages,
        lane: 0,
        batch: 1,
    };
    writer.assign(&[run]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]
    #[test]
    fn nobody_twice_and_nobody_lost_whatever_is_edited(
        first in list(),
        share in 1_usize..4,
        steps in proptest::collection::vec(step(), 1..30),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut run = Run::new(&first, share);
            run.hold();
            for step in &steps {
                run.take(step).await;
            }
        });
    }
}

#[tokio::test]
async fn who_left_while_in_hand_is_cancelled_once_they_are_not() {
    let mut run = Run::new(&[1, 2, 3], 2);
    run.take(&Step::Claim).await;
    run.take(&Step::Update(vec![2, 3, 4], 2)).await;
    run.take(&Step::Defer).await;
    let counts = run
        .world
        .store()
        .recipient_counts(run.world.campaign)
        .unwrap();
    assert_eq!(
        (counts.cancelled, counts.deferred, counts.pending),
        (1, 1, 2)
    );
    // Back again, they are new.
    run.take(&Step::Update(vec![1, 2, 3, 4], 2)).await;
    let counts = run
        .world
        .store()
        .recipient_counts(run.world.campaign)
        .unwrap();
    assert_eq!((counts.pending, counts.total()), (4, 4));
}

#[test]
fn of_two_updates_the_first_holds_and_a_dropped_one_leaves_nothing() {
    let run = Run::new(&[1, 2], 1);
    let store = run.world.store();
    let record = store.campaign("news").unwrap().unwrap();
    let begin = || {
        let mut writer = store.begin_update(&new_campaign(2), &record).unwrap();
        let listed = [address(1), address(9)];
        write(
            &mut writer,
            Some((&store, record.id)),
            (&listed, &BTreeSet::new()),
            1,
            "2",
        );
        writer
    };
    drop(begin());
    let (first, second) = (begin(), begin());
    assert_eq!(store.campaign("news").unwrap().unwrap().edition, 1);
    let words = |_: &Difference| String::new();
    first.update(2, None, (at(9), "ann"), words).unwrap();
    let refused = second.update(2, None, (at(9), "bob"), words);
    assert!(matches!(refused, Err(Error::UpdatedMeanwhile(name)) if name == "news"));
    assert_eq!(store.campaign("news").unwrap().unwrap().edition, 2);
}

#[test]
fn a_store_from_before_editions_keeps_what_it_froze() {
    let world = world(0, 1);
    let (mut writer, rows) = draft(&world.store(), "other", 0, 2);
    writer.file("agenda.pdf", b"%PDF").unwrap();
    let other = writer.commit(rows, None).unwrap();
    file::set_back(&world.path, 7);
    let store = world.store();
    let record = store.campaign("other").unwrap().unwrap();
    assert_eq!((record.edition, record.planned_at), (1, at(0)));
    assert_eq!(
        (record.definition.as_str(), record.fingerprint),
        ("{}", [1; 32])
    );
    assert_eq!(store.definition(other, 1).unwrap().as_deref(), Some("{}"));
    let file = store.frozen_file(other, 1, "agenda.pdf").unwrap();
    assert_eq!(file.as_deref(), Some(&b"%PDF"[..]));
    assert_eq!(store.message(other, 2).unwrap().unwrap().edition, 1);
}

#[test]
fn who_was_planned_by_an_earlier_version_is_known_by_todays_key() {
    let run = Run::new(&[1], 1);
    let mut store = run.world.store();
    let former = "UPDATE recipient SET key = 'another'";
    store.connection.execute(former, []).unwrap();
    let found = |store: &Store| {
        let row = store.row_of_person(run.world.campaign, &address(1));
        row.unwrap()
    };
    assert_eq!(found(&store), None);
    store
        .find_by(run.world.campaign, str::to_lowercase)
        .unwrap();
    assert_eq!(found(&store), Some(1));
}
