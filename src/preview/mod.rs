//! Previewing: the very bytes that would go out, for the terminal, as files, and on a page in the browser.
//!
//! A preview comes from a plan in a store, by the same renderer that sending uses. A campaign that is
//! not planned yet is planned in a store of its own that vanishes afterwards, so that there is one way
//! only; the page renders single rows by that same renderer while this goes on. The page is served on
//! loopback only, to nobody but the person who asked for it. Must not print, nor open a browser: `cli`
//! does. Called by `cli`.

mod anatomy;
mod error;
mod export;
mod mail;
mod page;
mod previewer;
#[cfg(test)]
mod tests;

pub use anatomy::{Header, Part};
pub use error::Error;
pub use export::{Exported, Kind, export};
pub use mail::Mail;
pub use page::{Note, Page, ReadInputs, Source};
pub use previewer::{Previewer, Unplanned};
