//! What the check finds.

use std::fmt;

/// What a [`FieldProblem`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProblemKind {
    /// A field that is neither in the list nor among the campaign's values.
    UnknownField,
    /// A helper that does not exist.
    UnknownHelper,
    /// A partial that does not exist.
    UnknownPartial,
    /// A helper or field that is used as it cannot be.
    Usage,
}

/// Something that a template touches and that does not exist, or cannot be used so.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldProblem {
    /// The name of the source.
    pub part: String,
    /// The line, from 1, where it is known.
    pub line: Option<usize>,
    /// The column in characters, from 1, where it is known: that of the tag.
    pub column: Option<usize>,
    /// What it is about.
    pub kind: ProblemKind,
    /// The name as it is written in the template.
    pub found: String,
    /// The existing name that is most like it.
    pub nearest: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

impl fmt::Display for FieldProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.part)?;
        if let (Some(line), Some(column)) = (self.line, self.column) {
            write!(f, ", line {line}, column {column}")?;
        }
        write!(f, ": {}", self.message)
    }
}

/// The name that is most like `found`, if one is like it at all. Case, blanks and signs count for
/// nothing: `FirstName` is `first_name`.
pub(super) fn nearest<'n>(found: &str, names: impl Iterator<Item = &'n str>) -> Option<String> {
    let bare = |name: &str| -> String {
        name.chars()
            .filter(|c| c.is_alphanumeric())
            .flat_map(char::to_lowercase)
            .collect()
    };
    let wanted = bare(found);
    let limit = (wanted.chars().count() / 3).max(1);
    // Of names that are alike but for case and signs, the one that is written most like it.
    (names.map(|name| (strsim::damerau_levenshtein(&wanted, &bare(name)), name)))
        .filter(|&(distance, name)| {
            distance <= limit && distance < bare(name).chars().count().max(1)
        })
        .min_by_key(|&(distance, name)| (distance, strsim::damerau_levenshtein(found, name), name))
        .map(|(_, name)| name.to_owned())
}
