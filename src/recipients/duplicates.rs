//! Who was seen before.

use hashbrown::HashTable;

use super::address::Address;

/// The people seen so far and the row in which each came first.
///
/// A person takes 24 bytes plus the table's own room, however long the address: what is kept is the
/// first half of a BLAKE3 hash of [`Address::key`]. At 128 bits, ten million people meet by chance
/// with a probability of about 10^-25, far below that of a fault in the machine's memory, and nobody
/// knows how to make two keys meet on purpose in fewer than 2^64 attempts.
#[derive(Debug, Default)]
pub struct Duplicates {
    seen: HashTable<Seen>,
}

#[derive(Debug)]
struct Seen {
    key: [u64; 2],
    row: u64,
}

impl Duplicates {
    /// Nobody seen yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The earlier row of this person, if there was one; otherwise `row` becomes their first.
    pub fn first_row(&mut self, address: &Address, row: u64) -> Option<u64> {
        let key = digest(&address.key());
        // The key is a hash already.
        let entry = self
            .seen
            .entry(key[0], |seen| seen.key == key, |seen| seen.key[0]);
        match entry {
            hashbrown::hash_table::Entry::Occupied(seen) => Some(seen.get().row),
            hashbrown::hash_table::Entry::Vacant(free) => {
                free.insert(Seen { key, row });
                None
            }
        }
    }
}

fn digest(key: &str) -> [u64; 2] {
    let mut halves = [0; 2];
    let hash = blake3::hash(key.as_bytes());
    for (half, bytes) in halves.iter_mut().zip(hash.as_bytes().chunks_exact(8)) {
        *half = bytes
            .iter()
            .fold(0, |number, &byte| number << 8 | u64::from(byte));
    }
    halves
}
