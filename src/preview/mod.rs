//! Previewing: the very bytes that would go out, for the terminal, as files, and on a page in the browser.
//!
//! A preview comes from a plan in a store, by the same renderer that sending uses. A campaign that is
//! not planned yet is planned in a store of its own that vanishes afterwards, so that there is one way
//! only; the page renders single rows by that same renderer while this goes on. The page is served on
//! loopback only, to nobody but the person who asked for it. A copy of a row's message that is sent to
//! somebody to look at is made here too ([`RowCopy`]). Must not print, send, nor open a browser: `cli` has
//! that done. Called by `cli`.

mod anatomy;
mod copy;
mod error;
mod export;
mod mail;
mod page;
mod previewer;
#[cfg(test)]
mod tests;

pub use anatomy::{Header, Part};
pub use copy::RowCopy;
pub use error::Error;
pub use export::{BASE_STYLE, Exported, Kind, export};
pub use mail::Mail;
pub use page::{Note, Page, ReadInputs, Source};
pub use previewer::{Previewer, Unplanned};
