//! The columns of a list and the names by which templates reach them.

use std::fmt::Write as _;

use hashbrown::{HashMap, HashSet};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::near::Nearest;

/// A list's columns, in its order.
///
/// Each is reached by its `name` as the header has it (trimmed), and by its *alias*, the name in
/// `snake_case`, unless two columns share that alias: then it stands for the one that is literally
/// named so, if any, and for none otherwise. Serialised as the list of names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Columns {
    names: Vec<String>,
    /// The alias of each column, where it is another word than the name and stands for it alone.
    aliases: Vec<Option<String>>,
    index: HashMap<String, usize>,
}

/// A header that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ColumnsError {
    /// No columns at all.
    #[error("there are no columns")]
    None,
    /// A header cell without a name.
    #[error("column {column} has no name")]
    Unnamed {
        /// The column, from 1.
        column: usize,
    },
    /// Two columns of the same name.
    #[error("columns {first} and {second} are both named '{name}'")]
    Duplicate {
        /// The name.
        name: String,
        /// The earlier column, from 1.
        first: usize,
        /// The later column, from 1.
        second: usize,
    },
    /// A control character in a name; a line break or tab in a quoted name is none.
    #[error("the name of column {column} holds a control character (U+{:04X})", u32::from(*.found))]
    Control {
        /// The column, from 1.
        column: usize,
        /// The character.
        found: char,
    },
    /// More than one of these.
    #[error("{}", listed(.0))]
    Several(Vec<Self>),
}

fn listed(all: &[ColumnsError]) -> String {
    let all: Vec<String> = all.iter().map(ToString::to_string).collect();
    all.join("; ")
}

impl ColumnsError {
    /// Each thing that is wrong, in the header's order.
    pub fn each(&self) -> &[Self] {
        match self {
            Self::Several(all) => all,
            one => std::slice::from_ref(one),
        }
    }

    /// The column it is about: its name, or its number from 1 where it has none.
    pub fn column(&self) -> Option<String> {
        match self {
            Self::None | Self::Several(_) => None,
            Self::Unnamed { column } | Self::Control { column, .. } => Some(column.to_string()),
            Self::Duplicate { name, .. } => Some(name.clone()),
        }
    }

    /// What to do about it, as a sentence without its full stop.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::None | Self::Unnamed { .. } => {
                "give every column a name in the list's first line, or remove the column"
            }
            Self::Duplicate { .. } => "give each column a name of its own in the list's first line",
            Self::Control { .. } => "type the column's name afresh",
            Self::Several(all) => all.first().map_or("", Self::remedy),
        }
    }
}

impl Columns {
    /// Columns from the cells of a header.
    pub fn new(names: impl IntoIterator<Item = String>) -> Result<Self, ColumnsError> {
        let names: Vec<String> = names
            .into_iter()
            .map(|name| name.trim().to_owned())
            .collect();
        if names.is_empty() {
            return Err(ColumnsError::None);
        }
        let mut index = HashMap::with_capacity(names.len());
        let mut wrong = Vec::new();
        for (at, name) in names.iter().enumerate() {
            let second = at + 1;
            if let Err(error) = check_name(name, second) {
                wrong.push(error);
            } else if let Some(first) = index.get(name).map(|first| first + 1) {
                let name = name.clone();
                wrong.push(ColumnsError::Duplicate {
                    name,
                    first,
                    second,
                });
            } else {
                index.insert(name.clone(), at);
            }
        }
        match wrong.len() {
            0 => {}
            1 => return Err(wrong.remove(0)),
            _ => return Err(ColumnsError::Several(wrong)),
        }
        let aliases = aliases(&names, &index);
        for (at, alias) in aliases.iter().enumerate() {
            if let Some(alias) = alias {
                index.insert(alias.clone(), at);
            }
        }
        Ok(Self {
            names,
            aliases,
            index,
        })
    }

    /// How many columns there are; at least one.
    #[expect(
        clippy::len_without_is_empty,
        reason = "a list without columns can't be"
    )]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// The names, in the list's order.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Which column (from 0) a template means by `field`: a name or an alias.
    pub fn index_of(&self, field: &str) -> Option<usize> {
        self.index.get(field).copied()
    }

    /// Everything by which a template can reach a column: names and aliases.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.reachable().map(|(field, _)| field)
    }

    /// The field most like `field`, if one is near it; an alias before its name, since it is what a template can
    /// write without brackets.
    pub fn nearest(&self, field: &str) -> Option<String> {
        Nearest::name(field).among(self.fields()).found()
    }

    /// The values of one row under every name and alias; a missing cell is an empty string.
    pub fn data_of(&self, cells: &[String]) -> Map<String, Value> {
        let value = |at: usize| Value::String(cells.get(at).cloned().unwrap_or_default());
        self.reachable()
            .map(|(field, at)| (field.to_owned(), value(at)))
            .collect()
    }

    fn reachable(&self) -> impl Iterator<Item = (&str, usize)> {
        let names = self.names.iter().zip(&self.aliases).enumerate();
        names.flat_map(|(at, (name, alias))| {
            std::iter::once(name.as_str())
                .chain(alias.as_deref())
                .map(move |field| (field, at))
        })
    }

    /// The names as a sentence shows them: the first dozen, and how many more.
    pub(super) fn listed(&self) -> String {
        let shown: Vec<_> = self.names.iter().take(12).map(String::as_str).collect();
        let mut text = shown.join(", ");
        if self.names.len() > shown.len() {
            let _ = write!(text, " and {} more", self.names.len() - shown.len());
        }
        text
    }
}

impl TryFrom<Vec<String>> for Columns {
    type Error = ColumnsError;

    fn try_from(names: Vec<String>) -> Result<Self, Self::Error> {
        Self::new(names)
    }
}

impl From<Columns> for Vec<String> {
    fn from(columns: Columns) -> Self {
        columns.names
    }
}

fn check_name(name: &str, column: usize) -> Result<(), ColumnsError> {
    if name.is_empty() {
        return Err(ColumnsError::Unnamed { column });
    }
    match name
        .chars()
        .find(|c| c.is_control() && !matches!(c, '\t' | '\r' | '\n'))
    {
        Some(found) => Err(ColumnsError::Control { column, found }),
        None => Ok(()),
    }
}

fn aliases(names: &[String], by_name: &HashMap<String, usize>) -> Vec<Option<String>> {
    let all: Vec<String> = names.iter().map(|name| snake_case(name)).collect();
    let (mut seen, mut shared) = (HashSet::new(), HashSet::new());
    for alias in &all {
        if !seen.insert(alias.clone()) {
            shared.insert(alias.clone());
        }
    }
    let own = |alias: &String| {
        !alias.is_empty() && !by_name.contains_key(alias) && !shared.contains(alias)
    };
    all.into_iter()
        .map(|alias| Some(alias).filter(own))
        .collect()
}

/// `First Name` → `first_name`: lower case, whatever is neither letter nor digit as one `_`, none at
/// the edges.
fn snake_case(name: &str) -> String {
    let lower = name.to_lowercase();
    let words: Vec<_> = lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    words.join("_")
}
