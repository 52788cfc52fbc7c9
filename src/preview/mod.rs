//! Previewing: the very bytes that would go out, for the terminal and as files.
//!
//! A preview comes from a plan in a store, by the same renderer that sending uses. A campaign that is
//! not planned yet is planned in a store of its own that vanishes afterwards, so that there is one way
//! only. Must not print: `cli` does. Called by `cli`.

mod error;
mod export;
mod mail;
#[cfg(test)]
mod tests;

pub use error::Error;
pub use export::{Exported, export};
pub use mail::{Mail, Previewer, Unplanned};
