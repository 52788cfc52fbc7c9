//! A file with an address or a domain a line, as people keep them and as mail programs copy them.

use super::{SuppressionEntry, Suppressions, subject};

/// What a line may say before the addresses, in whatever case.
const HEADINGS: [&str; 5] = ["email", "e-mail", "email address", "mail", "address"];

/// What stands between the columns of a list.
const BETWEEN: [char; 4] = [',', ';', '\t', '|'];

/// The lines of such a file with their numbers; none of a list with columns.
pub(super) fn of(text: &str) -> Option<Vec<(u64, &str)>> {
    let lines = (1..).zip(text.lines().map(str::trim));
    let mut lines: Vec<(u64, &str)> = lines.filter(|(_, line)| !line.is_empty()).collect();
    let (_, first) = lines.first()?;
    let bare = first.trim_matches('"');
    if HEADINGS.contains(&bare.to_lowercase().as_str()) {
        lines.remove(0);
        return (!lines.is_empty()).then_some(lines);
    }
    bare.contains('@').then_some(lines)
}

pub(super) fn read(lines: Vec<(u64, &str)>) -> Suppressions {
    let mut found = Suppressions::default();
    for (number, line) in lines {
        // Address fields of mail programs end so.
        let line = line.trim_end_matches([',', ';']).trim_end();
        let inner = line
            .strip_prefix('"')
            .and_then(|text| text.strip_suffix('"'));
        let text = inner.filter(|text| !text.contains('"')).unwrap_or(line);
        match subject(text) {
            Ok(subject) => found
                .entries
                .push(SuppressionEntry::new(subject, text, None)),
            Err(why) => {
                let why = more_than_one(text).map_or(why, str::to_owned);
                found.bad.push(format!("line {number}: {why}"));
            }
        }
    }
    found
}

/// What is wrong with a line of several parts of which the first is well.
fn more_than_one(line: &str) -> Option<&'static str> {
    let mut parts = line.split(BETWEEN).map(str::trim);
    let first = parts.next()?;
    let second = parts.next()?;
    if !first.contains('@') || subject(first).is_err() {
        return None;
    }
    Some(if second.contains('@') {
        "there are several addresses in it: write one a line"
    } else {
        "there is more in it than an address: begin the file with the line email,reason where it says why"
    })
}
