//! What is still to go, from the tally or message by message.

use super::*;

/// A campaign of messages with so many recipients and external ones each.
fn campaign(store: &Store, weights: impl Iterator<Item = (u64, u64)>) -> i64 {
    let mut writer = store
        .begin_plan(&NewCampaign {
            name: "long",
            folder: "/somewhere",
            accounts: &["comms", "comms-2"],
            schedule: &Schedule::default(),
            mode: "individual",
            definition: "{}",
            fingerprint: [1; 32],
            time_zone: "UTC",
            planned_at: at(0),
        })
        .unwrap();
    let mut number = 0;
    for (recipients, external) in weights {
        number += 1;
        let id = writer
            .message(&NewMessage {
                number,
                message_id: &format!("<{number}@contoso.com>"),
                digest: [2; 32],
                recipients,
                external,
            })
            .unwrap();
        let address = format!("p{number}@contoso.com");
        let new = NewRecipient {
            row: number,
            address: &address,
            key: &address,
            cells: "[]",
        };
        writer.recipient(&new, id).unwrap();
    }
    let assign = |writer: &mut PlanWriter, first, messages, lane| {
        writer.assign(&[Run {
            first,
            messages,
            lane,
            batch: 1,
        }]);
    };
    assign(&mut writer, 1, number / 3, 1);
    assign(&mut writer, number / 3 + 1, number, 0);
    writer.commit(number, None).unwrap()
}

/// The runs as they are told, and whether the tally alone knew them.
fn told(store: &Store, campaign: i64, tells_externals: bool) -> (Vec<(u64, u64, u64)>, bool) {
    let mut runs: Vec<(u64, u64, u64)> = Vec::new();
    let each = |run: Remaining| {
        assert_eq!((run.listed, run.due_at, run.planned), (1, None, None));
        runs.push((run.messages, run.weight.recipients, run.weight.external));
    };
    store.remaining(campaign, tells_externals, each).unwrap();
    let mut read: Vec<(u64, u64, u64)> = Vec::new();
    let mut each =
        |run: Remaining| read.push((run.messages, run.weight.recipients, run.weight.external));
    store
        .read_remaining(campaign, "pending", tells_externals, &mut each)
        .unwrap();
    assert_eq!(runs, read, "both ways tell the same");
    let tallied = store.pending_as_tallied(campaign, tells_externals).unwrap();
    (runs, tallied.is_some())
}

#[test]
fn equal_messages_are_told_at_once_and_in_their_order() {
    const MANY: u64 = 2_100;
    let told_of = |weights: &dyn Fn(u64) -> (u64, u64), tells_externals| {
        let world = world(0, 1);
        let store = world.store();
        let id = campaign(&store, (0..MANY).map(weights));
        told(&store, id, tells_externals)
    };
    assert_eq!(told_of(&|_| (1, 0), true), (vec![(MANY, 1, 0)], true));
    let first_external = |n| (1, u64::from(n < 700));
    let ordered = vec![(700, 1, 1), (1_400, 1, 0)];
    assert_eq!(told_of(&first_external, true), (ordered, true));
    let last_external = |n| (1, u64::from(n >= 1_500));
    let ordered = vec![(1_500, 1, 0), (600, 1, 1)];
    assert_eq!(told_of(&last_external, true), (ordered, true));
    // One among the others: their order has to be read.
    let one_external = |n| (1, u64::from(n == 1_000));
    let mixed = vec![(1_000, 1, 0), (1, 1, 1), (1_099, 1, 0)];
    assert_eq!(told_of(&one_external, true), (mixed, false));
    assert_eq!(told_of(&one_external, false), (vec![(MANY, 1, 0)], true));
    let with_copies = |n| (1 + n % 2, 0);
    let (runs, tallied) = told_of(&with_copies, true);
    assert_eq!((runs.len() as u64, tallied), (MANY, false));
}
