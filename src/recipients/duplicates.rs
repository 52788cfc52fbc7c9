//! Who was seen before.

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::address::Address;

/// The people seen so far and the row in which each came first.
///
/// A person takes 24 bytes and some 10 for finding them, however long the address: what is kept is the
/// first half of a BLAKE3 hash of [`Address::key`]. At 128 bits, ten million people meet by chance
/// with a probability of about 10^-25, far below that of a fault in the machine's memory, and nobody
/// knows how to make two keys meet on purpose in fewer than 2^64 attempts.
#[derive(Debug, Default)]
pub struct Duplicates {
    seen: Vec<Seen>,
    /// The places in `seen`: a table is half empty and moves as it grows, so what is in it should be small.
    places: HashTable<u32>,
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
        let seen = &mut self.seen;
        let hash_of = |place: &u32| seen.get(*place as usize).map_or(0, |seen| seen.key[0]);
        let is_it = |place: &u32| {
            seen.get(*place as usize)
                .is_some_and(|seen| seen.key == key)
        };
        // The key is a hash already.
        match self.places.entry(key[0], is_it, hash_of) {
            Entry::Occupied(known) => seen.get(*known.get() as usize).map(|seen| seen.row),
            Entry::Vacant(free) => {
                // More people than a number of 32 bits tells take 100 GB.
                free.insert(seen.len() as u32);
                seen.push(Seen { key, row });
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
