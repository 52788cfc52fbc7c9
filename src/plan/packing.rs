//! Packing: recipients whose content is equal share messages, everybody else gets their own.

use hashbrown::HashMap;

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

/// The message that a content's next recipient would join.
#[derive(Debug, Clone, Copy)]
struct Open {
    message: i64,
    listed: u32,
    external: u32,
}

/// Packs a list as it streams by. It remembers 24 bytes or so for each distinct content, nothing for
/// each recipient.
#[derive(Debug)]
pub(super) struct Packer {
    mode: Mode,
    cap: u64,
    groups: HashMap<u128, Open>,
    messages: u64,
    shared: u64,
}

/// A message that has become a shared one, or has grown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Grown {
    pub(super) message: i64,
    pub(super) listed: u64,
    pub(super) external: u64,
}

fn key(digest: &[u8; 32]) -> u128 {
    let mut half = [0; 16];
    half.copy_from_slice(&digest[..16]);
    u128::from_le_bytes(half)
}

impl Packer {
    /// `cap`: the most listed recipients of one message, at least 1.
    pub(super) fn new(mode: Mode, cap: u64) -> Self {
        Self {
            mode,
            cap: cap.clamp(1, u64::from(u32::MAX)),
            groups: HashMap::new(),
            messages: 0,
            shared: 0,
        }
    }

    /// Where the next recipient of this content goes.
    pub(super) fn place(&mut self, digest: &[u8; 32]) -> Place {
        if self.mode != Mode::Individual
            && let Some(open) = self.groups.get(&key(digest))
            && u64::from(open.listed) < self.cap
        {
            return Place::Joins(open.message);
        }
        self.messages += 1;
        Place::New(self.messages)
    }

    /// The new message has this id in the store.
    pub(super) fn opened(&mut self, digest: &[u8; 32], message: i64, external: bool) {
        if self.mode != Mode::Individual {
            let open = Open {
                message,
                listed: 1,
                external: u32::from(external),
            };
            self.groups.insert(key(digest), open);
        }
    }

    /// A recipient has joined. Returns the message when it is full: it will not grow any more.
    pub(super) fn joined(&mut self, digest: &[u8; 32], external: bool) -> Option<Grown> {
        let open = self.groups.get_mut(&key(digest))?;
        open.listed += 1;
        open.external += u32::from(external);
        self.shared += u64::from(open.listed == 2);
        (u64::from(open.listed) == self.cap).then(|| open.grown())
    }

    /// The shared messages that are not full, in the order of the plan.
    pub(super) fn unfinished(&self) -> Vec<Grown> {
        let mut grown: Vec<Grown> = self
            .groups
            .values()
            .filter(|open| open.listed > 1 && u64::from(open.listed) < self.cap)
            .map(Open::grown)
            .collect();
        grown.sort_unstable_by_key(|grown| grown.message);
        grown
    }

    pub(super) fn messages(&self) -> u64 {
        self.messages
    }

    /// How many messages have more than one recipient.
    pub(super) fn shared_messages(&self) -> u64 {
        self.shared
    }

    /// How many different contents there are (0 when everybody gets their own anyway).
    pub(super) fn contents(&self) -> u64 {
        self.groups.len() as u64
    }
}

impl Open {
    fn grown(&self) -> Grown {
        Grown {
            message: self.message,
            listed: u64::from(self.listed),
            external: u64::from(self.external),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Packs contents given by number; returns how many recipients each message has, in order.
    fn pack(mode: Mode, cap: u64, contents: &[u8]) -> Vec<u64> {
        let mut packer = Packer::new(mode, cap);
        let mut sizes: Vec<u64> = Vec::new();
        let mut written: Vec<u64> = Vec::new();
        for content in contents {
            let digest = [*content; 32];
            match packer.place(&digest) {
                Place::New(number) => {
                    assert_eq!(number, sizes.len() as u64 + 1);
                    sizes.push(1);
                    written.push(1);
                    packer.opened(&digest, number as i64 - 1, false);
                }
                Place::Joins(message) => {
                    sizes[message as usize] += 1;
                    if let Some(full) = packer.joined(&digest, false) {
                        written[full.message as usize] = full.listed;
                    }
                }
            }
        }
        for grown in packer.unfinished() {
            written[grown.message as usize] = grown.listed;
        }
        assert_eq!(sizes, written, "what is written down is what was packed");
        assert_eq!(packer.messages(), sizes.len() as u64);
        sizes
    }

    #[test]
    fn equal_content_is_shared_up_to_the_cap() {
        assert_eq!(pack(Mode::Auto, 500, &[7; 1001]), [500, 500, 1]);
        assert_eq!(pack(Mode::Auto, 500, &[1, 2, 1, 3, 1]), [3, 1, 1]);
        assert_eq!(pack(Mode::Auto, 2, &[1, 1, 2, 1, 2]), [2, 2, 1]);
    }

    #[test]
    fn individual_means_individual() {
        assert_eq!(pack(Mode::Individual, 500, &[7; 4]), [1, 1, 1, 1]);
        assert_eq!(pack(Mode::Auto, 1, &[7; 3]), [1, 1, 1]);
    }
}
