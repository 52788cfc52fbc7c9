//! What the same campaign would come to, were it packed otherwise.

use jiff::Timestamp;

use super::forecast::Outlook;
use super::timetable::Timetable;
use crate::limits::Weight;

/// A way to pack a campaign, and what it comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alternative {
    /// `shared` or `individual`.
    pub mode: &'static str,
    /// How many messages.
    pub messages: u64,
    /// When the last one goes; none when the rules never allow it.
    pub finishes_at: Option<Timestamp>,
}

/// Both extremes for `recipients` people: everybody shares (only possible when nothing is personal),
/// and everybody gets their own. Copies are left out of account.
pub fn alternatives(recipients: u64, cap: u64, outlook: &Outlook) -> [Alternative; 2] {
    let cap = cap.max(1);
    let shared = std::iter::repeat_n(cap, usize::try_from(recipients / cap).unwrap_or(usize::MAX))
        .chain(Some(recipients % cap).filter(|rest| *rest > 0));
    let individual = std::iter::repeat_n(1, usize::try_from(recipients).unwrap_or(usize::MAX));
    [
        ("shared", lay_out(shared, outlook.table())),
        ("individual", lay_out(individual, outlook.table())),
    ]
    .map(|(mode, (messages, finishes_at))| Alternative {
        mode,
        messages,
        finishes_at,
    })
}

fn lay_out(sizes: impl Iterator<Item = u64>, mut table: Timetable) -> (u64, Option<Timestamp>) {
    let (mut messages, mut possible) = (0, true);
    for recipients in sizes {
        let weight = Weight {
            recipients,
            external: 0,
        };
        messages += 1;
        possible = possible && table.add(weight, recipients, None).is_ok();
    }
    let finishes_at = table.finish().finishes_at;
    (messages, finishes_at.filter(|_| possible))
}
