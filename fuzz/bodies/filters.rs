//! Filters: `where` under `[recipients]`.

use postroom::recipients::{Columns, Filter};

use super::pieces;

/// A filter is read or refused at a place inside it, and judges any row.
pub fn filters(data: &[u8]) {
    let mut pieces = pieces(data);
    let text = pieces.next().unwrap_or_default();
    let filter = match Filter::parse(&text) {
        Ok(filter) => filter,
        Err(error) => {
            assert!(error.at <= text.chars().count() + 1, "{error:?}");
            assert!(!error.remedy.is_empty() && !error.message.is_empty());
            return;
        }
    };
    assert_eq!(filter.as_str(), text);
    let names = ["email", "office", "age", "since"].map(str::to_owned);
    let columns = Columns::new(names).expect("these are columns");
    if let Ok(rows) = filter.for_columns(&columns) {
        let cells: Vec<String> = pieces.collect();
        assert_eq!(rows.judge(&cells), rows.judge(&cells));
    }
}
