//! Recipient lists and addresses: what stands in a list, and whether it can be written to.
//!
//! [`ListReader`] turns the bytes of a list into rows, one at a time, whatever the list's size; an
//! [`Address`] or a [`Mailbox`] is proof that what it holds is well formed and free of line breaks; a
//! [`Filter`] tells which rows a campaign is for.
//! Nothing is guessed silently: what was decided about a list is said ([`Reading`]), what is doubtful is
//! noted, and what is damaged or ambiguous is refused with row, line, column and remedy.
//!
//! Must not know about templates, messages or the store, and opens no file itself: whoever calls
//! hands it a `Read + Seek`. Called by `config` (the From address, the internal domains, the filter), by `template`
//! (which fields there are), by `plan` (the list) and by `store` (the frozen columns and rows).

mod address;
mod address_error;
mod cells;
mod charset;
mod columns;
mod detect;
mod domain;
mod duplicates;
mod encoding;
mod error;
mod filter;
mod guard;
mod list;
mod mailbox;
mod near;
mod problem;
mod records;
mod sheet;
mod source;
mod suppressed;
mod suppressions;
mod text;

pub use address::{Address, person_key};
pub use address_error::{AddressError, DomainError};
pub use cells::Cells;
pub use charset::Charset;
pub use columns::{Columns, ColumnsError};
pub use domain::Domains;
pub use duplicates::Duplicates;
pub use encoding::{Encoding, Rivals};
pub use error::{Place, ReadError};
pub use filter::{Filter, FilterError, RowFilter, UnknownColumn, Verdict, Wanted};
pub use guard::guarded;
pub use list::{Item, ListOptions, ListReader, Note, Reading, Refused, Row};
pub use mailbox::Mailbox;
pub use near::Nearest;
pub use problem::{ProblemKind, RowProblem};
pub use sheet::{DateStyle, NumberStyle, SheetError};
pub use suppressed::{Subject, SubjectError, SuppressedPeople};
pub use suppressions::{SuppressionEntry, Suppressions};

#[cfg(test)]
mod tests;
