//! What a filter asks of one cell.

use std::cmp::Ordering;

use super::Number;

/// What a filter asks of one cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Test {
    Equals(Value),
    OneOf(Vec<Value>),
    Ordered(Order, Bound),
    Contains(String),
    StartsWith(String),
    EndsWith(String),
    IsEmpty,
}

/// What a cell is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// Written in quotes; kept as [`plain`] has it.
    Text(String),
    /// Written without.
    Number(Number),
}

/// On which side of a value a cell is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// What before and after is told by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Bound {
    Number(Number),
    /// `yyyy-mm-dd`, in which order is that of the text.
    Date(String),
    Text(String),
}

/// What a cell has to be so that it can be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// A number that can be read in one way only.
    Number,
    /// A date as in 2026-12-31, perhaps with a time of day.
    Date,
}

impl Test {
    /// Whether it holds for a cell, or what the cell had to be to tell.
    pub(super) fn holds(&self, cell: &str) -> Result<bool, Wanted> {
        Ok(match self {
            Self::Equals(value) => value.is(cell),
            Self::OneOf(values) => values.iter().any(|value| value.is(cell)),
            Self::Ordered(order, bound) => order.allows(bound.compared_with(cell)?),
            Self::Contains(part) => plain(cell).contains(part),
            Self::StartsWith(part) => plain(cell).starts_with(part),
            Self::EndsWith(part) => plain(cell).ends_with(part),
            Self::IsEmpty => cell.trim().is_empty(),
        })
    }
}

impl Value {
    /// A cell that is no number is not this number: nothing about that is unclear.
    fn is(&self, cell: &str) -> bool {
        match self {
            Self::Text(text) => plain(cell) == *text,
            Self::Number(number) => Number::parse(cell).as_ref() == Some(number),
        }
    }
}

impl Bound {
    /// A number or date counts as one in quotes too: `'10'` comes after `'9'`. None for what looks like a
    /// number or date and is none that can be read in one way only: as text it would come anywhere.
    pub(super) fn of(value: Value) -> Option<Self> {
        let text = match value {
            Value::Number(number) => return Some(Self::Number(number)),
            Value::Text(text) => text,
        };
        if let Some(number) = Number::parse(&text) {
            return Some(Self::Number(number));
        }
        if day_of(&text) == Some(text.as_str()) {
            return Some(Self::Date(text));
        }
        let is_words = text.starts_with(char::is_alphabetic);
        is_words.then_some(Self::Text(text))
    }

    /// How a cell stands to this.
    fn compared_with(&self, cell: &str) -> Result<Ordering, Wanted> {
        match self {
            Self::Number(number) => Number::parse(cell)
                .map(|found| found.cmp(number))
                .ok_or(Wanted::Number),
            Self::Date(date) => {
                let day = day_of(cell.trim()).ok_or(Wanted::Date)?;
                Ok(day.cmp(date.as_str()))
            }
            Self::Text(text) => Ok(plain(cell).as_str().cmp(text)),
        }
    }
}

impl Order {
    fn allows(self, found: Ordering) -> bool {
        match self {
            Self::Less => found.is_lt(),
            Self::LessOrEqual => found.is_le(),
            Self::Greater => found.is_gt(),
            Self::GreaterOrEqual => found.is_ge(),
        }
    }
}

/// Without regard to letter case and to blanks around it.
pub(super) fn plain(text: &str) -> String {
    text.trim().to_lowercase()
}

/// The day in ISO 8601, of a date or of a date with a time of day; none for a day that does not exist.
fn day_of(text: &str) -> Option<&str> {
    let (day, time) = text.split_at_checked(10)?;
    day.parse::<jiff::civil::Date>().ok()?;
    let is_moment =
        || time.starts_with(['T', 't', ' ']) && text.parse::<jiff::civil::DateTime>().is_ok();
    (time.is_empty() || is_moment()).then_some(day)
}
