//! Packing: recipients whose content is equal share messages, everybody else gets their own.

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use crate::limits::Weight;

/// How a campaign is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Equal content is shared, the rest is individual.
    Auto,
    /// All content must be equal.
    Shared,
    /// Everybody gets their own message.
    Individual,
}

impl Mode {
    /// The name used in campaign.toml, in the store and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Shared => "shared",
            Self::Individual => "individual",
        }
    }
}

/// Where a recipient goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Into a new message with this number.
    New(u64),
    /// Into the message with this id in the store.
    Joins(i64),
}

/// The most that the envelope of one message may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Caps {
    pub(super) recipients: u64,
    pub(super) external: u64,
}

/// The message that a content's next recipient would join.
#[derive(Debug, Clone, Copy)]
struct Open {
    content: Content,
    message: i64,
    listed: u32,
    /// Of the envelope, copies included.
    recipients: u32,
    external: u32,
}

/// A content, told by half of its digest.
type Content = [u64; 2];

/// Packs a list as it streams by. It remembers some 50 bytes for each distinct content, nothing for
/// each recipient.
#[derive(Debug)]
pub(super) struct Packer {
    mode: Mode,
    caps: Caps,
    open: Vec<Open>,
    /// The places in `open`: a table is half empty and moves as it grows, so what is in it should be small.
    places: HashTable<u32>,
    messages: u64,
    shared: u64,
}

/// A message that has become a shared one, with what its envelope has grown to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Grown {
    pub(super) message: i64,
    pub(super) recipients: u64,
    pub(super) external: u64,
}

impl Packer {
    pub(super) fn new(mode: Mode, caps: Caps) -> Self {
        Self {
            mode,
            caps,
            open: Vec::new(),
            places: HashTable::new(),
            messages: 0,
            shared: 0,
        }
    }

    /// Where a rule counts external recipients, they and the others share no message: who is internal
    /// need not wait for it.
    fn content(&self, digest: &[u8; 32], external: bool) -> Content {
        let mut halves = [0; 2];
        for (half, bytes) in halves.iter_mut().zip(digest.as_chunks::<8>().0) {
            *half = u64::from_le_bytes(*bytes);
        }
        if external && self.caps.external != u64::MAX {
            halves.map(|half| !half)
        } else {
            halves
        }
    }

    fn find(&self, digest: &[u8; 32], external: bool) -> Option<usize> {
        let content = self.content(digest, external);
        let is_it = |place: &u32| {
            let open = self.open.get(*place as usize);
            open.is_some_and(|open| open.content == content)
        };
        let place = self.places.find(content[0], is_it)?;
        Some(*place as usize)
    }

    /// Where the next recipient of this content goes.
    pub(super) fn place(&mut self, digest: &[u8; 32], external: bool) -> Place {
        if self.mode != Mode::Individual
            && let Some(open) = (self.find(digest, external)).and_then(|at| self.open.get(at))
            && u64::from(open.recipients) < self.caps.recipients
            && u64::from(open.external) + u64::from(external) <= self.caps.external
        {
            return Place::Joins(open.message);
        }
        self.messages += 1;
        Place::New(self.messages)
    }

    /// The new message has this id in the store, and these copies beside its first recipient. Returns
    /// the content's former message, when that is a shared one: it will not grow any more.
    pub(super) fn opened(
        &mut self,
        digest: &[u8; 32],
        message: i64,
        external: bool,
        copies: Weight,
    ) -> Option<Grown> {
        if self.mode == Mode::Individual {
            return None;
        }
        let content = self.content(digest, external);
        let new = Open {
            content,
            message,
            listed: 1,
            recipients: 1 + copies.recipients as u32,
            external: u32::from(external) + copies.external as u32,
        };
        let open = &mut self.open;
        let is_it = |place: &u32| {
            let open = open.get(*place as usize);
            open.is_some_and(|open| open.content == content)
        };
        let hash_of = |place: &u32| open.get(*place as usize).map_or(0, |open| open.content[0]);
        // A digest is a hash already.
        match self.places.entry(content[0], is_it, hash_of) {
            Entry::Occupied(known) => {
                let former = open.get_mut(*known.get() as usize)?;
                std::mem::replace(former, new).grown()
            }
            Entry::Vacant(free) => {
                free.insert(open.len() as u32);
                open.push(new);
                None
            }
        }
    }

    /// A recipient has joined the content's message.
    pub(super) fn joined(&mut self, digest: &[u8; 32], external: bool) {
        let place = self.find(digest, external);
        if let Some(open) = place.and_then(|at| self.open.get_mut(at)) {
            open.listed += 1;
            open.recipients += 1;
            open.external += u32::from(external);
            self.shared += u64::from(open.listed == 2);
        }
    }

    /// The shared messages that were never given back by [`Packer::opened`], in the order of the plan.
    pub(super) fn unfinished(&self) -> Vec<Grown> {
        let mut grown: Vec<Grown> = self.open.iter().filter_map(Open::grown).collect();
        grown.sort_unstable_by_key(|grown| grown.message);
        grown
    }

    pub(super) fn messages(&self) -> u64 {
        self.messages
    }

    /// How many messages have more than one recipient of the list.
    pub(super) fn shared_messages(&self) -> u64 {
        self.shared
    }
}

impl Open {
    /// What is to be written down, if the message is a shared one.
    fn grown(&self) -> Option<Grown> {
        (self.listed > 1).then(|| Grown {
            message: self.message,
            recipients: u64::from(self.recipients),
            external: u64::from(self.external),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Packs contents given by number, each recipient external or not; returns the envelope of each
    /// message, in order.
    fn pack(mode: Mode, caps: Caps, list: impl IntoIterator<Item = (u8, bool)>) -> Vec<(u64, u64)> {
        let mut packer = Packer::new(mode, caps);
        let mut sizes: Vec<(u64, u64)> = Vec::new();
        let mut written: Vec<(u64, u64)> = Vec::new();
        let write = |written: &mut Vec<(u64, u64)>, grown: Grown| {
            written[grown.message as usize] = (grown.recipients, grown.external);
        };
        for (content, external) in list {
            let digest = [content; 32];
            match packer.place(&digest, external) {
                Place::New(number) => {
                    assert_eq!(number, sizes.len() as u64 + 1);
                    let first = (1, u64::from(external));
                    sizes.push(first);
                    written.push(first);
                    let id = number as i64 - 1;
                    if let Some(former) = packer.opened(&digest, id, external, Weight::default()) {
                        write(&mut written, former);
                    }
                }
                Place::Joins(message) => {
                    let size = &mut sizes[message as usize];
                    *size = (size.0 + 1, size.1 + u64::from(external));
                    packer.joined(&digest, external);
                }
            }
        }
        for grown in packer.unfinished() {
            write(&mut written, grown);
        }
        assert_eq!(sizes, written, "what is written down is what was packed");
        assert_eq!(packer.messages(), sizes.len() as u64);
        let shared = sizes
            .iter()
            .filter(|(recipients, _)| *recipients > 1)
            .count();
        assert_eq!(packer.shared_messages(), shared as u64);
        sizes
    }

    fn internal(mode: Mode, cap: u64, contents: &[u8]) -> Vec<u64> {
        let caps = Caps {
            recipients: cap,
            external: u64::MAX,
        };
        let list = contents.iter().map(|content| (*content, false));
        pack(mode, caps, list)
            .into_iter()
            .map(|(recipients, _)| recipients)
            .collect()
    }

    #[test]
    fn equal_content_is_shared_up_to_the_cap() {
        assert_eq!(internal(Mode::Auto, 500, &[7; 1001]), [500, 500, 1]);
        assert_eq!(internal(Mode::Auto, 500, &[1, 2, 1, 3, 1]), [3, 1, 1]);
        assert_eq!(internal(Mode::Auto, 2, &[1, 1, 2, 1, 2]), [2, 2, 1]);
    }

    #[test]
    fn individual_means_individual() {
        assert_eq!(internal(Mode::Individual, 500, &[7; 4]), [1, 1, 1, 1]);
        assert_eq!(internal(Mode::Auto, 1, &[7; 3]), [1, 1, 1]);
    }

    #[test]
    fn a_rule_for_external_recipients_cuts_smaller_and_holds_them_apart() {
        let caps = Caps {
            recipients: 10,
            external: 2,
        };
        let list = [true, true, false, true, false].map(|external| (1, external));
        assert_eq!(pack(Mode::Auto, caps, list), [(2, 2), (2, 0), (1, 1)]);
        let no_rule = Caps {
            external: u64::MAX,
            ..caps
        };
        assert_eq!(pack(Mode::Auto, no_rule, list), [(5, 3)]);
    }
}
