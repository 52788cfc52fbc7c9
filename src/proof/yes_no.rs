//! Cells that say no to a person and yes to `{{#if}}`.

/// What a cell says, where it says yes or no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Nothing but no: `0`, `false`.
    No,
    /// No, where the column's other cells are answers too: `no`, `nein`, `n`. It may be a name otherwise.
    MaybeNo,
    /// Yes, in the same languages.
    Yes,
    /// Anything else.
    Other,
}

/// What a cell says. A number that is nothing (`0`, `0.00`, `0,0`) says no.
pub fn answer(cell: &str) -> Answer {
    let cell = cell.trim();
    let is = |words: &[&str]| words.iter().any(|word| cell.eq_ignore_ascii_case(word));
    if is(&["false", "falsch", "faux"]) || is_zero(cell) {
        Answer::No
    } else if is(&["no", "nein", "non", "n", "off", "nej", "nee", "nie"]) {
        Answer::MaybeNo
    } else if is(&[
        "yes", "y", "ja", "j", "oui", "o", "on", "true", "wahr", "vrai", "si", "sí", "sim", "tak",
        "x", "1",
    ]) {
        Answer::Yes
    } else {
        Answer::Other
    }
}

fn is_zero(cell: &str) -> bool {
    let (whole, rest) = cell
        .split_once(['.', ','])
        .map_or((cell, None), |(whole, rest)| (whole, Some(rest)));
    let zeros = |text: &str| text.bytes().all(|byte| byte == b'0');
    whole == "0" && rest.is_none_or(|rest| !rest.is_empty() && zeros(rest))
}
