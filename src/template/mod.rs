//! The Handlebars set of a campaign: subject, bodies, headers, attachment paths and addresses.
//!
//! Turns sources into a [`TemplateSet`], finds every field that the set can touch ([`TemplateSet::check`])
//! and renders it for one recipient. Pure: sources come in as strings, text goes out. Must not read
//! files, know addresses or MIME, and nothing in it depends on the time or on chance, so that the same
//! input gives the same bytes. Called by `plan` (to prove a campaign), by `send` (to render again what
//! was frozen) and by `message`, which takes what was [`Rendered`].
//!
//! Values are HTML-escaped in the HTML part only, and in partials that are rendered from it; where that
//! part is Markdown, they are held out of it ([`held`]).

mod branches;
mod check;
mod decided;
mod dialect;
mod effort;
mod error;
pub mod held;
mod helpers;
mod lengths;
mod mending;
mod partials;
mod rendered;
mod set;
mod source;
mod syntax;
mod tags;
#[cfg(test)]
mod tests;
mod tree;

pub use branches::{Arm, Branch};
pub use check::{FieldProblem, FieldUse, How, Known, ProblemKind, ROWS};
pub use error::{RenderError, TemplateError};
pub use mending::{Mended, UNKNOWN, mend, tag_length};
pub use rendered::{MAX_PART_BYTES, Rendered, merge};
pub use set::{TemplateSet, TracedSet};
pub use source::{Language, Source, Sources};
