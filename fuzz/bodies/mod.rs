//! What must hold of any input, one function for each way into the program.
//!
//! Each takes bytes, hands them to the program as a list, a template, a server's replies…, and panics when
//! something that is promised does not hold. They are run by cargo-fuzz (`.ci/fuzz`) and, on the seeds and on
//! mutations of them, by `cargo test --test hostile`.

mod addresses;
mod configurations;
mod filters;
mod lists;
mod mails;
mod preview;
mod replies;
mod stand_in;
mod suppressions;
mod templates;
mod workbooks;

pub use addresses::addresses;
pub use configurations::configurations;
pub use filters::filters;
pub use lists::lists;
pub use mails::mails;
pub use preview::preview;
pub use replies::replies;
pub use stand_in::stand_in;
pub use suppressions::suppressions;
pub use templates::templates;
pub use workbooks::workbooks;

/// Pieces of an input that stand on lines of their own, between lines of `---`.
fn pieces(data: &[u8]) -> impl Iterator<Item = String> {
    let text = String::from_utf8_lossy(data).into_owned();
    let pieces: Vec<String> = text.split("\n---\n").map(str::to_owned).collect();
    pieces.into_iter()
}
