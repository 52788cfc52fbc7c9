//! Grouping: the rows of a person may be scattered over the list, so all rows are held until its end.
//!
//! They are held as one text, with some 40 bytes for each row and 4 for each cell beside what stands in
//! it: as separate strings a list would take several times the room.

use std::num::NonZeroUsize;

use super::person::Person;
use crate::recipients::{Address, Duplicates, Row};

/// The rows of a list, by person.
#[derive(Debug, Default)]
pub(super) struct Gathering {
    /// Who was met, and their place in `people`.
    seen: Duplicates,
    people: Vec<Met>,
    rows: Vec<Held>,
    /// The cells of all rows, one after the other.
    text: String,
    /// How long each cell is.
    lengths: Vec<u32>,
}

#[derive(Debug)]
struct Met {
    address: Address,
    first: usize,
    last: usize,
}

#[derive(Debug)]
struct Held {
    number: u64,
    line: u64,
    /// Where its cells begin in `text`.
    text: usize,
    /// Where its cells begin in `lengths`.
    cells: usize,
    /// The person's next row; no row comes before the first one.
    next: Option<NonZeroUsize>,
}

impl Gathering {
    /// Takes a row.
    pub(super) fn add(&mut self, row: &Row, address: Address) {
        let at = self.hold(row);
        let place = self.people.len() as u64;
        let Some(known) = self.seen.first_row(&address, place) else {
            self.people.push(Met {
                address,
                first: at,
                last: at,
            });
            return;
        };
        if let Some(person) = self.people.get_mut(known as usize) {
            if let Some(last) = self.rows.get_mut(person.last) {
                last.next = NonZeroUsize::new(at);
            }
            person.last = at;
        }
    }

    fn hold(&mut self, row: &Row) -> usize {
        self.rows.push(Held {
            number: row.number,
            line: row.line,
            text: self.text.len(),
            cells: self.lengths.len(),
            next: None,
        });
        for cell in &row.cells {
            self.text.push_str(cell);
            // A record has at most 1 MiB.
            self.lengths.push(cell.len() as u32);
        }
        self.rows.len() - 1
    }

    /// How many people there are.
    pub(super) fn people(&self) -> usize {
        self.people.len()
    }

    /// Everybody with all of their rows, in the order of their first ones.
    pub(super) fn into_people(mut self) -> impl Iterator<Item = Person> {
        let people = std::mem::take(&mut self.people);
        people.into_iter().filter_map(move |met| {
            let mut next = Some(met.first);
            let mut rows = std::iter::from_fn(|| {
                let at = next?;
                let held = self.rows.get(at)?;
                next = held.next.map(NonZeroUsize::get);
                Some(self.row(at, held))
            });
            Some(Person {
                row: rows.next()?,
                further: Some(rows.collect()),
                address: met.address,
            })
        })
    }

    fn row(&self, at: usize, held: &Held) -> Row {
        let end = self.rows.get(at + 1).map(|after| after.cells);
        let lengths = self
            .lengths
            .get(held.cells..end.unwrap_or(self.lengths.len()));
        let mut from = held.text;
        let cell = |length: &u32| {
            let to = from + *length as usize;
            let cell = self.text.get(from..to).unwrap_or_default().to_owned();
            from = to;
            cell
        };
        Row {
            number: held.number,
            line: held.line,
            cells: lengths.unwrap_or_default().iter().map(cell).collect(),
            quoted: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn everybody_comes_out_with_their_rows_as_they_went_in(
            list in prop::collection::vec((0_u8..8, prop::collection::vec(".{0,6}", 0..4)), 0..60),
        ) {
            let address = |who: u8, number: usize| {
                let text = if number.is_multiple_of(2) { format!("P{who}@x.org") } else { format!("p{who}@X.org") };
                Address::parse(&text).unwrap()
            };
            let mut gathering = Gathering::default();
            let mut expected: Vec<(u8, Vec<Row>)> = Vec::new();
            for (at, (who, cells)) in list.iter().enumerate() {
                let row = Row { number: at as u64 + 1, line: at as u64 + 7, cells: cells.clone(), quoted: vec![] };
                gathering.add(&row, address(*who, at));
                match expected.iter_mut().find(|(known, _)| known == who) {
                    Some((_, rows)) => rows.push(row),
                    None => expected.push((*who, vec![row])),
                }
            }
            prop_assert_eq!(gathering.people(), expected.len());
            let people: Vec<Person> = gathering.into_people().collect();
            prop_assert_eq!(people.len(), expected.len());
            for (person, (who, rows)) in people.iter().zip(&expected) {
                prop_assert_eq!(person.address.key(), address(*who, 0).key());
                prop_assert!(person.rows().eq(rows));
                prop_assert_eq!(person.count(), rows.len() as u64);
            }
        }
    }
}
