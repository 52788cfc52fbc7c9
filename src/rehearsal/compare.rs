//! The stand-in's log against the store: same recipients, same bytes, nobody twice.
//!
//! Every message is built again from what was frozen, on all cores, and must have the digest of what
//! the stand-in received. Messages that were split off share a Message-ID: they are told apart by their
//! recipients.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;

use crate::message::{Editions, Identity, Prepared};
use crate::sandbox::Received;
use crate::store::{self, Claimed, MessageOutcome, Store};

/// What the comparison came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Compared {
    /// Messages of the log.
    pub messages: u64,
    /// Recipients of the list who have their mail by the log.
    pub recipients: u64,
    /// Messages that are in doubt by the store.
    pub in_doubt: u64,
    /// Those of them that the stand-in has.
    pub arrived: u64,
    /// Where log and store differ.
    pub differences: u64,
    /// The first of these in words.
    pub listed: Vec<String>,
    /// How many recipients of the list each message of the log went to, in the log's order.
    pub people: Vec<u64>,
}

/// As many differences are put into words.
const LISTED: usize = 10;
/// Messages that a thread takes at a time, and how many such parcels wait.
const PARCEL: usize = 64;
const WAITING: usize = 8;

/// The renderers of each account that sends the campaign, by its name.
pub type Renderers = BTreeMap<String, Editions>;

/// Compares the log with the campaign in the store.
pub fn compare(
    store: &Store,
    campaign: i64,
    renderers: &Renderers,
    log: &[Received],
) -> Result<Compared, store::Error> {
    let index = Index::of(log);
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let (parcels, queue) = mpsc::sync_channel::<Vec<MessageOutcome>>(WAITING);
    let queue = Mutex::new(queue);
    let next = || {
        let queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.recv()
    };
    let work = || {
        let mut verdicts = Vec::new();
        while let Ok(parcel) = next() {
            let judged = parcel
                .iter()
                .filter_map(|message| index.judge(renderers, message));
            verdicts.extend(judged);
        }
        verdicts
    };
    let verdicts = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let read = hand_out(store, campaign, &parcels);
        drop(parcels);
        let mut verdicts = Vec::new();
        for worker in workers {
            match worker.join() {
                Ok(part) => verdicts.extend(part),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        read.map(|()| verdicts)
    })?;
    Ok(tally(log, verdicts))
}

fn hand_out(
    store: &Store,
    campaign: i64,
    parcels: &mpsc::SyncSender<Vec<MessageOutcome>>,
) -> Result<(), store::Error> {
    let mut parcel = Vec::with_capacity(PARCEL);
    // Nobody takes parcels any more only when a worker has panicked, which is told when it is joined.
    store.outcomes(campaign, |message| {
        parcel.push(message);
        if parcel.len() == PARCEL {
            let _gone = parcels.send(std::mem::replace(&mut parcel, Vec::with_capacity(PARCEL)));
        }
    })?;
    let _gone = parcels.send(parcel);
    Ok(())
}

/// What a message of the store comes to.
struct Verdict {
    /// The one of the log that is this message, and how many recipients of the list it went to.
    found: Option<(usize, usize)>,
    in_doubt: bool,
    difference: Option<String>,
}

/// The log by Message-ID.
struct Index<'a> {
    log: &'a [Received],
    by_id: HashMap<&'a str, Vec<usize>>,
}

impl<'a> Index<'a> {
    fn of(log: &'a [Received]) -> Self {
        let mut by_id: HashMap<&str, Vec<usize>> = HashMap::new();
        for (at, received) in log.iter().enumerate() {
            let id = received.message_id.as_deref().unwrap_or_default();
            by_id.entry(id).or_default().push(at);
        }
        Self { log, by_id }
    }

    /// None for a message that nobody can have.
    fn judge(&self, renderers: &Renderers, message: &MessageOutcome) -> Option<Verdict> {
        let in_doubt = !message.in_doubt.is_empty();
        let listed: Vec<&Claimed> = message.sent.iter().chain(&message.in_doubt).collect();
        if listed.is_empty() {
            return None;
        }
        let mut verdict = Verdict {
            found: None,
            in_doubt,
            difference: None,
        };
        let prepared = match prepare(renderers, message, &listed) {
            Ok(prepared) => prepared,
            Err(why) => {
                verdict.difference = Some(format!("message {}: {why}", message.number));
                return Some(verdict);
            }
        };
        let candidates = self.by_id.get(message.message_id.as_str());
        let is_it = |at: &&usize| {
            let received = self.log.get(**at);
            received.is_some_and(|received| is_for(received, &prepared, listed.len()))
        };
        match candidates.and_then(|candidates| candidates.iter().find(is_it)) {
            Some(&at) => {
                verdict.found = Some((at, listed.len()));
                let digest = digest_of(&prepared);
                if self
                    .log
                    .get(at)
                    .is_none_or(|received| received.digest != digest)
                {
                    verdict.difference = Some(format!(
                        "message {} to {}: the stand-in received other bytes than the plan gives",
                        message.number,
                        people(&prepared.envelope)
                    ));
                }
            }
            None if in_doubt => {}
            None => {
                verdict.difference = Some(format!(
                    "message {} to {} is sent by the store, and the stand-in has none such",
                    message.number,
                    people(&prepared.envelope)
                ));
            }
        }
        Some(verdict)
    }
}

fn digest_of(prepared: &Prepared) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    for piece in prepared.content.pieces() {
        hasher.update(piece.bytes());
    }
    hasher.finalize().into()
}

fn prepare(
    renderers: &Renderers,
    message: &MessageOutcome,
    listed: &[&Claimed],
) -> Result<Prepared, String> {
    let account = message.account.as_deref().unwrap_or_default();
    let editions = renderers
        .get(account)
        .ok_or("it was sent by an account that is not the campaign's")?;
    let date = message.dated_at.ok_or("it has no date and was sent")?;
    let identity = Identity {
        message_id: &message.message_id,
        date,
        shared: message.shared,
    };
    let people = listed
        .iter()
        .map(|person| (person.address.as_str(), person.cells.as_str()));
    let renderer = editions.of(message.edition);
    renderer
        .and_then(|renderer| renderer.prepare(people, &identity))
        .map_err(|error| format!("it cannot be built again: {error}"))
}

/// Whether the log's message went to these recipients of the list, and beside them to nobody but its
/// copies (which a server may refuse one by one).
fn is_for(received: &Received, prepared: &Prepared, listed: usize) -> bool {
    let (Some(wanted), Some(copies)) = (
        prepared.envelope.get(..listed),
        prepared.envelope.get(listed..),
    ) else {
        return false;
    };
    let Some((people, others)) = received.recipients.split_at_checked(listed) else {
        return false;
    };
    people == wanted && others.iter().all(|other| copies.contains(other))
}

/// `a@example.com`, `a@example.com and 499 others`.
fn people(envelope: &[String]) -> String {
    let first = envelope.first().map_or("nobody", String::as_str);
    match envelope.len() {
        0 | 1 => first.to_owned(),
        2 => format!("{first} and another"),
        many => format!("{first} and {} others", many - 1),
    }
}

fn tally(log: &[Received], verdicts: Vec<Verdict>) -> Compared {
    let mut compared = Compared {
        messages: log.len() as u64,
        people: vec![0; log.len()],
        ..Compared::default()
    };
    let mut known = vec![false; log.len()];
    let mut reached: HashSet<&str> = HashSet::new();
    for verdict in verdicts {
        compared.in_doubt += u64::from(verdict.in_doubt);
        if let Some(difference) = verdict.difference {
            compared.note(|| difference);
        }
        let Some((at, listed)) = verdict.found else {
            continue;
        };
        compared.arrived += u64::from(verdict.in_doubt);
        if let (Some(known), Some(received)) = (known.get_mut(at), log.get(at)) {
            *known = true;
            compared.people[at] = listed as u64;
            for person in received.recipients.iter().take(listed) {
                compared.recipients += 1;
                if !reached.insert(person) {
                    compared.note(|| format!("{person} has it twice"));
                }
            }
        }
    }
    let strangers = known.iter().zip(log).filter(|(known, _)| !**known);
    for (_, received) in strangers {
        compared.note(|| {
            format!(
                "the stand-in has {} for {}, which is not sent by the store",
                received
                    .message_id
                    .as_deref()
                    .unwrap_or("a message without Message-ID"),
                people(&received.recipients)
            )
        });
    }
    compared
}

impl Compared {
    fn note(&mut self, difference: impl FnOnce() -> String) {
        self.differences += 1;
        if self.listed.len() < LISTED {
            self.listed.push(difference());
        }
    }
}
