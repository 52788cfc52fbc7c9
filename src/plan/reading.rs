//! Reading a list on a thread of its own, while what was read is proved.

use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::Scope;

use super::ready::Counted;
use crate::recipients::{Item, ListReader, ReadError};

/// Rows that are handed over at once, and how often before the reader waits.
const ROWS: usize = 1024;
const AHEAD: usize = 4;

/// The rows of a list, in its order; reading ends when they are not wanted any more.
pub(super) fn start<'scope>(
    scope: &'scope Scope<'scope, '_>,
    list: &'scope mut ListReader<Counted>,
) -> Receiver<Vec<Result<Item, ReadError>>> {
    let (read, rows) = sync_channel(AHEAD);
    scope.spawn(move || {
        loop {
            let some: Vec<_> = list.by_ref().take(ROWS).collect();
            if some.is_empty() || read.send(some).is_err() {
                return;
            }
        }
    });
    rows
}
