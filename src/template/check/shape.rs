//! What is known of the value behind a path.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{Known, ROWS};

/// The value behind a path, as far as it is known before anything is rendered.
#[derive(Debug, Clone)]
pub(super) enum Shape<'a> {
    /// All of a recipient's values: fields over the campaign's data.
    Root,
    /// One of a person's rows.
    Row,
    /// All of a person's rows.
    Rows,
    /// A cell of the list: text.
    Cell,
    /// One of these values of the campaign's data.
    Data(Vec<&'a Value>),
    /// Computed, or not to be told.
    Any,
}

/// Which of `@index`, `@key`, `@first` and `@last` have a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Locals {
    None,
    List,
    Object,
    Either,
}

impl Locals {
    pub(super) fn has(self, name: &str) -> bool {
        match name {
            "index" | "first" | "last" => self != Self::None,
            "key" => matches!(self, Self::Object | Self::Either),
            _ => false,
        }
    }
}

/// One level of `{{#each}}`, `{{#with}}` or a partial.
#[derive(Debug, Clone)]
pub(super) struct Scope<'a> {
    pub(super) base: Shape<'a>,
    /// Names given with `as |name|`, or to a partial with `name=value`.
    pub(super) params: BTreeMap<&'a str, Shape<'a>>,
    pub(super) locals: Locals,
}

impl<'a> Scope<'a> {
    pub(super) fn new(base: Shape<'a>, locals: Locals) -> Self {
        Self {
            base,
            params: BTreeMap::new(),
            locals,
        }
    }
}

impl<'a> Shape<'a> {
    /// What `name` is inside this; nothing where there is no such thing.
    pub(super) fn member(
        &self,
        name: &str,
        known: Known<'_>,
        data: &'a Map<String, Value>,
    ) -> Option<Self> {
        match self {
            Self::Any => Some(Self::Any),
            Self::Root if known.grouped && name == ROWS => Some(Self::Rows),
            Self::Root | Self::Row if known.fields.contains(name) => Some(Self::Cell),
            Self::Root => data.get(name).map(|value| Self::Data(vec![value])),
            Self::Rows => name.parse::<usize>().ok().map(|_| Self::Row),
            Self::Row | Self::Cell => None,
            Self::Data(values) => {
                // Of an empty list's entries, or of nothing, nothing can be said.
                if values.iter().all(|value| value.is_null()) {
                    return Some(Self::Any);
                }
                let inner: Vec<_> = values
                    .iter()
                    .filter_map(|value| in_data(value, name))
                    .collect();
                if inner.is_empty() {
                    None
                } else {
                    Some(Self::Data(inner))
                }
            }
        }
    }

    /// Whether it may be a list or a text.
    pub(super) fn has_length(&self) -> bool {
        match self {
            Self::Root | Self::Row => false,
            Self::Rows | Self::Cell | Self::Any => true,
            Self::Data(values) => {
                let mut values = values.iter();
                values.any(|value| value.is_array() || value.is_string())
            }
        }
    }

    /// What `{{#each}}` goes through; nothing where it cannot go through this.
    pub(super) fn entries(&self) -> Option<(Self, Locals)> {
        match self {
            Self::Any | Self::Root | Self::Row => Some((Self::Any, Locals::Either)),
            Self::Rows => Some((Self::Row, Locals::List)),
            Self::Cell => None,
            Self::Data(values) => {
                let mut inner = Vec::new();
                let (mut list, mut object) = (values.is_empty(), values.is_empty());
                for value in values {
                    match value {
                        Value::Array(entries) => {
                            list = true;
                            inner.extend(entries);
                        }
                        Value::Object(entries) => {
                            object = true;
                            inner.extend(entries.values());
                        }
                        Value::Null => (list, object) = (true, true),
                        _ => {}
                    }
                }
                let locals = match (list, object) {
                    (false, false) => return None,
                    (true, false) => Locals::List,
                    (false, true) => Locals::Object,
                    (true, true) => Locals::Either,
                };
                Some((Self::Data(inner), locals))
            }
        }
    }

    /// The names of what is inside this, to find the nearest.
    pub(super) fn names(
        &self,
        known: Known<'a>,
        data: &'a Map<String, Value>,
    ) -> BTreeSet<&'a str> {
        let mut names = BTreeSet::new();
        match self {
            Self::Root | Self::Row => {
                names.extend(known.fields.iter().map(String::as_str));
                if matches!(self, Self::Root) {
                    names.extend(data.keys().map(String::as_str));
                    names.extend(known.grouped.then_some(ROWS));
                }
            }
            Self::Data(values) => {
                let objects = values.iter().filter_map(|value| value.as_object());
                names.extend(objects.flat_map(Map::keys).map(String::as_str));
            }
            Self::Rows | Self::Cell | Self::Any => {}
        }
        names
    }
}

fn in_data<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    match value {
        Value::Object(object) => object.get(name),
        Value::Array(list) => list.get(name.parse::<usize>().ok()?),
        _ => None,
    }
}
