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

const CAMPAIGN: &[Later] = &[Later {
    table: "recipients",
    key: "file",
    asks: |value| value.as_str().is_some_and(is_workbook),
    what: "reading .xlsx workbooks",
    remedy: "save the sheet as CSV (UTF-8) and name that file",
}];

fn is_workbook(file: &str) -> bool {
    file.to_ascii_lowercase().ends_with(".xlsx")
}

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
