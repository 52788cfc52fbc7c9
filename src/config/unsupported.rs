//! What campaign.toml may say and this version cannot do yet. Refused plainly, since a feature that is
//! silently ignored sends the wrong mail. A feature that arrives takes its row out of here.

use toml::de::DeValue;

use super::Problem;
use super::section::Section;

/// A feature to come, and when a value asks for it.
struct Later {
    table: &'static str,
    key: &'static str,
    asks: fn(&DeValue<'_>) -> bool,
    what: &'static str,
    remedy: &'static str,
}

const CAMPAIGN: &[Later] = &[
    Later {
        table: "recipients",
        key: "duplicates",
        asks: |value| value.as_str() == Some("group"),
        what: "grouping the rows of a person",
        remedy: "write duplicates = \"first\", or merge the rows in the list",
    },
    Later {
        table: "recipients",
        key: "where",
        asks: |_| true,
        what: "filtering the list",
        remedy: "take it out, and filter the list before you save it",
    },
];

/// What campaign.toml asks for in vain. Keys with something wrong already are passed over.
pub(super) fn in_campaign(top: &Section<'_>) -> Vec<Problem> {
    let refusal = |later: &Later| {
        let value = top.value_in(later.table, later.key)?;
        let path = top.path_in(later.table, later.key);
        if !(later.asks)(value.get_ref()) || top.document.is_refused(&path) {
            return None;
        }
        let message = format!("{} is not supported by this version yet", later.what);
        let problem = top
            .document
            .problem(path, Some(value.span()), message, later.remedy);
        Some(problem)
    };
    CAMPAIGN.iter().filter_map(refusal).collect()
}
