//! The connection that `doctor` needs: the provider counts it among the mailbox's.

use jiff::{SignedDuration, Timestamp};

use crate::cli::Context;
use crate::cli::failure::Failure;
use crate::config::{Sender, store_path};
use crate::store::{ConnectionSlot, Error, Store};

/// A send that waits lends its connection within seconds: so long it is waited for.
const LENT: SignedDuration = SignedDuration::from_secs(15);

/// How often it is looked for.
const LOOK: SignedDuration = SignedDuration::from_millis(250);

/// What came of asking for a connection.
pub(super) enum Slot {
    /// Nobody counts it.
    NotNeeded,
    /// It is ours as long as it is kept.
    Taken(ConnectionSlot),
    /// All are taken, by these.
    InUse(Vec<User>),
}

/// A campaign whose send uses the mailbox.
pub(super) struct User {
    pub(super) campaign: String,
    /// The process.
    pub(super) who: String,
    pub(super) since: Option<Timestamp>,
    /// It waits for a limit or its hours until then.
    waits_until: Option<Timestamp>,
}

impl User {
    /// `the send of 'news' (process 4711 on mailhost)`.
    pub(super) fn words(&self) -> String {
        format!("the send of '{}' ({})", self.campaign, self.who)
    }
}

/// Takes one of the mailbox's connections. Of a send that waits one is borrowed.
pub(super) async fn take(context: &Context, sender: &Sender) -> Result<Slot, Failure> {
    let path = store_path(context.places.store.as_deref())?;
    // Looking makes no store.
    if sender.is_sandbox() || !path.exists() {
        return Ok(Slot::NotNeeded);
    }
    let store = Store::open(&path)?;
    let mailbox = sender.mailbox();
    let free = || store.connection_slot(&mailbox, sender.max_connections);
    if let Some(slot) = free()? {
        return Ok(Slot::Taken(slot));
    }
    let users = users(&store, &sender.name)?;
    let begun = context.clock.now();
    if !users.iter().any(|user| user.waits_until > Some(begun)) {
        return Ok(Slot::InUse(users));
    }
    context
        .screen
        .note("a send that waits has the mailbox's connection, and is asked to lend it");
    let give_up = begun.saturating_add(LENT).unwrap_or(begun);
    let mut wanted = None;
    while context.clock.now() < give_up {
        if wanted.is_none() {
            wanted = store.want_slot(&mailbox)?;
        }
        let next = context.clock.now().saturating_add(LOOK);
        context.clock.sleep_until(next.unwrap_or(give_up)).await;
        if let Some(slot) = free()? {
            return Ok(Slot::Taken(slot));
        }
    }
    Ok(Slot::InUse(users))
}

/// The sends that are at work by the account of this name.
fn users(store: &Store, account: &str) -> Result<Vec<User>, Error> {
    let mut users = Vec::new();
    for name in store.campaign_names()? {
        let Some(at_work) = store.sent_by(&name) else {
            continue;
        };
        let record = store.campaign(&name)?;
        let Some(record) = record.filter(|one| one.accounts.iter().any(|known| known == account))
        else {
            continue;
        };
        users.push(User {
            campaign: name,
            who: at_work.who,
            since: at_work.since,
            waits_until: record.next_send_at,
        });
    }
    Ok(users)
}
