//! Where the list's fields are used, and how: shown, asked after, compared.

use super::walk::Walker;

/// How a field is used at one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum How {
    /// Its cell is put into the mail.
    Shown {
        /// An `{{#if}}`, `{{#unless}}` or `{{#with}}` of the same field stands around it, or it has a
        /// `{{default}}`, or an empty value means nothing there: whoever wrote it knows that it may be empty.
        guarded: bool,
        /// As it is, in the HTML part: `{{{field}}}`.
        raw: bool,
    },
    /// It is asked whether it is there: `{{#if field}}`, `(not field)`.
    Tested,
    /// It is compared, looked up, counted.
    Compared,
}

/// One use of a field of the list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldUse {
    /// The field, by the name that the template calls it.
    pub field: String,
    /// The name of the source.
    pub part: String,
    /// The line, from 1, where it is known.
    pub line: Option<usize>,
    /// The column in characters, from 1: that of the tag.
    pub column: Option<usize>,
    /// What for.
    pub how: How,
    /// It is the field of each row of a person: inside [`super::ROWS`], or in an attachment's path. Elsewhere it
    /// is that of the first row.
    pub of_each_row: bool,
}

/// What the values are wanted for that are being walked through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Show,
    ShowRaw,
    Fallback,
    RawFallback,
    Test,
    Compare,
}

impl Purpose {
    /// What the value at `index` of this helper is wanted for, where the helper's own result is wanted for `self`.
    pub(super) fn inside(self, helper: &str, index: usize) -> Self {
        match (helper, index) {
            ("if" | "unless" | "and" | "or" | "not", _) => Self::Test,
            (
                "each" | "with" | "len" | "eq" | "ne" | "lt" | "le" | "lte" | "gt" | "ge" | "gte",
                _,
            )
            | ("lookup", 1) => Self::Compare,
            ("default", 0) if self == Self::Show => Self::Fallback,
            ("default", 0) if self == Self::ShowRaw => Self::RawFallback,
            ("number" | "date" | "join", _) if self == Self::Test => Self::Compare,
            _ => self,
        }
    }
}

impl Walker<'_> {
    pub(super) fn note_use(&mut self, field: &str, of_each_row: bool) {
        let guarded = self.is_optional
            || matches!(self.purpose, Purpose::Fallback | Purpose::RawFallback)
            || self.guards.iter().flatten().any(|guard| guard == field);
        let how = match self.purpose {
            Purpose::Test => How::Tested,
            Purpose::Compare => How::Compared,
            Purpose::ShowRaw | Purpose::RawFallback => How::Shown {
                guarded,
                raw: self.is_markup,
            },
            Purpose::Show | Purpose::Fallback => How::Shown {
                guarded,
                raw: false,
            },
        };
        let found = FieldUse {
            field: field.to_owned(),
            part: self.part.to_owned(),
            line: self.at.map(|(line, _)| line),
            column: self.at.map(|(_, column)| column),
            how,
            of_each_row: of_each_row || self.is_attachment,
        };
        match &mut self.condition {
            Some(condition) => condition.push(found),
            None => drop(self.uses.insert(found)),
        }
    }

    /// Ends a condition. A field that is compared in it is not taken for yes or no. Gives back the fields
    /// that it mentions.
    pub(super) fn close_condition(&mut self, outer: Option<Vec<FieldUse>>) -> Vec<String> {
        let mut found = std::mem::replace(&mut self.condition, outer).unwrap_or_default();
        let compared: Vec<String> = (found.iter())
            .filter(|one| one.how == How::Compared)
            .map(|one| one.field.clone())
            .collect();
        for one in &mut found {
            if one.how == How::Tested && compared.contains(&one.field) {
                one.how = How::Compared;
            }
        }
        let fields = found.iter().map(|one| one.field.clone()).collect();
        match &mut self.condition {
            Some(condition) => condition.extend(found),
            None => self.uses.extend(found),
        }
        fields
    }
}
