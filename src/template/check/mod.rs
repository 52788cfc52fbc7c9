//! Finding every field, helper and partial that a set can touch, in branches taken or not.

mod complaints;
mod paths;
mod problem;
mod shape;
mod walk;

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::set::TemplateSet;
pub use problem::{FieldProblem, ProblemKind};
use walk::Walker;

/// The field that holds all rows of a person, where rows are grouped (`duplicates = "group"`).
pub const ROWS: &str = "rows";

/// What a recipient's own fields are called.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The list's columns, under all names by which templates may call them.
    pub fields: &'a BTreeSet<String>,
    /// Whether [`ROWS`] holds the person's rows, each with the same fields.
    pub grouped: bool,
}

/// What is wrong, and which of the known fields are touched.
pub(super) fn inspect(
    set: &TemplateSet,
    known: Known<'_>,
    data: &Map<String, Value>,
) -> (Vec<FieldProblem>, BTreeSet<String>) {
    let mut walker = Walker::new(set, known, data);
    for part in set.parts() {
        walker.part(&part.name, &part.template);
    }
    walker.finish()
}
