//! Finding every field, helper and partial that a set can touch, in branches taken or not.

mod complaints;
mod elsewhere;
mod paths;
mod problem;
mod shape;
mod uses;
mod walk;

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::set::TemplateSet;
pub use problem::{FieldProblem, ProblemKind};
pub use uses::{FieldUse, How};
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

/// What a walk through all templates finds.
pub(super) struct Inspected {
    /// What is wrong.
    pub(super) problems: Vec<FieldProblem>,
    /// Which of the known fields are touched.
    pub(super) used: BTreeSet<String>,
    /// Those of them that are touched outside [`ROWS`], in parts that are rendered once for a person.
    pub(super) used_once: BTreeSet<String>,
    /// Where, and what for.
    pub(super) uses: BTreeSet<FieldUse>,
}

/// Looks into all parts.
pub(super) fn inspect(set: &TemplateSet, known: Known<'_>, data: &Map<String, Value>) -> Inspected {
    let mut walker = Walker::new(set, known, data);
    for part in set.parts_rendered_once() {
        walker.is_markup = set.is_markup(part);
        walker.is_optional = set.is_optional(part);
        walker.part(&part.name, &part.template);
    }
    let used_once = walker.used_outside_rows.clone();
    walker.is_markup = false;
    walker.is_optional = true;
    walker.is_attachment = true;
    for part in set.attachments() {
        walker.part(&part.name, &part.template);
    }
    Inspected {
        used_once,
        ..walker.finish()
    }
}
