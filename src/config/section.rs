//! One table of a file, read key by key; whatever is wrong is recorded with its place.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::document::Document;
use super::words::quoted;
use crate::recipients::Nearest;

/// A value of the file and where it stands.
pub(super) type Value<'d> = Spanned<DeValue<'d>>;

/// A text of the file and where it stands.
pub(super) type Text = Spanned<String>;

/// One table of a file; without one, every key is absent.
pub(super) struct Section<'d> {
    pub(super) document: &'d Document<'d>,
    table: Option<&'d DeTable<'d>>,
    /// Where the table begins; none for the top one and for one that is not there.
    span: Option<Range<usize>>,
    /// What stands before the keys in a message: the account's name, or nothing.
    base: String,
    /// The table's name in the schema.
    level: &'static str,
}

impl<'d> Section<'d> {
    /// The top table, or an account's; unknown keys in it are refused.
    pub(super) fn top(document: &'d Document<'d>, table: &'d DeTable<'d>, base: &str) -> Self {
        let section = Self {
            document,
            table: Some(table),
            span: None,
            base: base.to_owned(),
            level: "",
        };
        section.refuse_unknown();
        section
    }

    fn open(&self, level: &'static str, value: Option<(&'d DeTable<'d>, Range<usize>)>) -> Self {
        let (table, span) = value.unzip();
        let section = Self {
            document: self.document,
            table,
            span,
            base: self.base.clone(),
            level,
        };
        section.refuse_unknown();
        section
    }

    /// The table under `level`, whose keys the schema lists under the same name.
    pub(super) fn table(&self, level: &'static str) -> Self {
        let table = self.value(level).and_then(|value| {
            let remedy = format!("write it as [{}]", self.path(level));
            self.as_table(level, value, &remedy)
        });
        self.open(level, table)
    }

    /// The tables in the list under `level`, such as `limits = [{ … }]`.
    pub(super) fn tables(&self, level: &'static str) -> Option<Vec<Self>> {
        let remedy = format!("write {level} = [{{ … }}]");
        let items = self.list(level, "a list of tables", &remedy)?;
        let open = |value| {
            let table = self.as_table(level, value, &remedy)?;
            Some(self.open(level, Some(table)))
        };
        Some(items.iter().filter_map(open).collect())
    }

    fn as_table(
        &self,
        level: &str,
        value: &'d Value<'d>,
        remedy: &str,
    ) -> Option<(&'d DeTable<'d>, Range<usize>)> {
        if let DeValue::Table(table) = value.get_ref() {
            return Some((table, value.span()));
        }
        self.wrong_type(level, value, "a table", remedy);
        None
    }

    /// Whether the file has this table at all.
    pub(super) fn is_present(&self) -> bool {
        self.table.is_some()
    }

    /// The value of `key` as it stands.
    pub(super) fn value(&self, key: &str) -> Option<&'d Value<'d>> {
        self.table?.get(key)
    }

    /// The key with the tables that it is in.
    pub(super) fn path(&self, key: &str) -> String {
        self.path_in(self.level, key)
    }

    /// The key as it is called in the table `level`.
    pub(super) fn path_in(&self, level: &str, key: &str) -> String {
        let parts = [self.base.as_str(), level, key];
        let parts: Vec<&str> = parts.into_iter().filter(|p| !p.is_empty()).collect();
        parts.join(".")
    }

    /// Records that the value of `key` at `span` is wrong.
    pub(super) fn refuse(
        &self,
        key: &str,
        span: Option<Range<usize>>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let problem = self.document.problem(self.path(key), span, message, remedy);
        self.document.push(problem);
    }

    /// Records that `key` is needed and not there. Says nothing when its table is no table.
    pub(super) fn require(&self, key: &str, remedy: &str) {
        if self.value(key).is_none() && !self.document.is_refused(&self.path("")) {
            self.refuse(key, self.span.clone(), "is required", remedy);
        }
    }

    /// A line of text: not empty, without control characters.
    pub(super) fn text(&self, key: &str) -> Option<Text> {
        let value = self.value(key)?;
        self.as_text(key, value, &format!("write {key} = \"…\""))
    }

    /// A list of lines of text; empty when the key is absent.
    pub(super) fn texts(&self, key: &str) -> Vec<Text> {
        let remedy = format!("write {key} = [\"…\", \"…\"]");
        let items = self.list(key, "a list of texts", &remedy);
        let texts = items.unwrap_or_default().iter();
        texts
            .filter_map(|item| self.as_text(key, item, &remedy))
            .collect()
    }

    /// A table of texts with free keys, in the file's order; empty when the key is absent.
    pub(super) fn named_texts(&self, key: &str) -> Vec<(Text, Text)> {
        let remedy = format!("write {key} = {{ name = \"…\" }}");
        let Some(value) = self.value(key) else {
            return Vec::new();
        };
        let DeValue::Table(table) = value.get_ref() else {
            self.wrong_type(key, value, "a table of texts", &remedy);
            return Vec::new();
        };
        let mut pairs: Vec<(Text, Text)> = table
            .iter()
            .filter_map(|(name, value)| {
                let path = format!("{key}.{}", name.get_ref());
                let text = self.as_text(&path, value, &remedy)?;
                Some((Spanned::new(name.span(), name.get_ref().to_string()), text))
            })
            .collect();
        pairs.sort_by_key(|(name, _)| name.span().start);
        pairs
    }

    /// The items of a list.
    pub(super) fn list(&self, key: &str, expected: &str, remedy: &str) -> Option<&'d [Value<'d>]> {
        let value = self.value(key)?;
        if let DeValue::Array(items) = value.get_ref() {
            return Some(items);
        }
        self.wrong_type(key, value, expected, remedy);
        None
    }

    /// This value as a line of text: not empty, without control characters.
    pub(super) fn as_text(&self, key: &str, value: &Value<'_>, remedy: &str) -> Option<Text> {
        let DeValue::String(text) = value.get_ref() else {
            self.wrong_type(key, value, "text in quotes", remedy);
            return None;
        };
        let message = if text.trim().is_empty() {
            "is empty"
        } else if text.chars().any(char::is_control) {
            "has a line break or another control character"
        } else {
            return Some(Spanned::new(value.span(), text.to_string()));
        };
        self.refuse(
            key,
            Some(value.span()),
            message,
            "write one line of text, or take the key out",
        );
        None
    }

    /// Records that a value is of another type than it must be.
    pub(super) fn wrong_type(&self, key: &str, value: &Value<'_>, expected: &str, remedy: &str) {
        let found = match value.get_ref() {
            DeValue::String(_) => "text",
            DeValue::Integer(_) => "a whole number",
            DeValue::Float(_) => "a decimal number",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date or time",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        let message = format!("expected {expected}, found {found}");
        self.refuse(key, Some(value.span()), message, remedy);
    }

    fn refuse_unknown(&self) {
        let known = self
            .document
            .schema
            .iter()
            .find(|(level, _)| *level == self.level);
        let known = known.map_or(&[][..], |(_, keys)| keys);
        for (key, _) in self.table.into_iter().flatten() {
            if !known.contains(&key.get_ref().as_ref()) {
                let remedy = self.where_it_belongs(key.get_ref(), known);
                self.refuse(
                    &quoted(key.get_ref()),
                    Some(key.span()),
                    "is not a known key here",
                    remedy,
                );
            }
        }
    }

    fn where_it_belongs(&self, key: &str, known: &[&'static str]) -> String {
        let mut levels = self.document.schema.iter();
        if let Some((level, _)) = levels.find(|(_, keys)| keys.contains(&key)) {
            let table = self.path_in(level, "");
            return if table.is_empty() {
                format!(
                    "`{key}` belongs at the top of the file, above the first [table]: move it there"
                )
            } else {
                format!("`{key}` belongs to [{table}]: move it there")
            };
        }
        match Nearest::name(key).among(known.iter().copied()).found() {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => format!("take it out; the keys known here are {}", known.join(", ")),
        }
    }
}
