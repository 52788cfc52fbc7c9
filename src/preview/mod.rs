//! Previewing: the very bytes that would go out, for the terminal and as files.
//!
//! A preview comes from a plan in a store, by the same renderer that sending uses. A campaign that is
//! not planned yet is planned in a store of its own that vanishes afterwards, so that there is one way
//! only. A copy of a row's message that is sent to somebody to look at is made here too ([`RowCopy`]). Must
//! not print or send: `cli` has that done. Called by `cli`.

mod copy;
mod error;
mod export;
mod mail;
#[cfg(test)]
mod tests;

pub use copy::RowCopy;
pub use error::Error;
pub use export::{Exported, export};
pub use mail::{Mail, Previewer, Unplanned};
