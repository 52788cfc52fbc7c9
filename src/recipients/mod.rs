//! Recipient lists and addresses: what stands in a list, and whether it can be written to.
//!
//! [`ListReader`] turns the bytes of a list into rows, one at a time, whatever the list's size; an
//! [`Address`] or a [`Mailbox`] is proof that what it holds is well formed and free of line breaks; a [`Filter`] tells which
//! rows a campaign is for.
//! Nothing is guessed: what is damaged or ambiguous is said with row, line, column and remedy.
//!
//! Must not know about templates, messages or the store, and opens no file itself: whoever calls
//! hands it a `Read`. Called by `config` (the From address, the internal domains, the filter), by `template`
//! (which fields there are), by `plan` (the list) and by `store` (the frozen columns and rows).

mod address;
mod address_error;
mod cells;
mod columns;
mod detect;
mod domain;
mod duplicates;
mod error;
mod filter;
mod list;
mod mailbox;
mod problem;
mod records;
mod source;

pub use address::Address;
pub use address_error::{AddressError, DomainError};
pub use cells::Cells;
pub use columns::{Columns, ColumnsError};
pub use domain::Domains;
pub use duplicates::Duplicates;
pub use error::{Place, ReadError};
pub use filter::{Filter, FilterError, RowFilter, UnknownColumn, Verdict, Wanted};
pub use list::{Item, ListOptions, ListReader, Row};
pub use mailbox::Mailbox;
pub use problem::{ProblemKind, RowProblem};

#[cfg(test)]
mod tests;
