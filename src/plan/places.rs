//! Puts findings at their place in the user's files, and adds the line that each is about.

use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::excerpt::Excerpt;
use super::findings::Finding;
use super::inputs::Inputs;
use super::sources::CAMPAIGN;
use crate::template::tag_length;

/// Completes findings about the campaign's own files: those of a key in campaign.toml get the key's line and
/// column, and all with a line and no row get that line.
pub(super) fn settle(inputs: &Inputs, findings: &mut [Finding]) {
    let mut files = Files {
        folder: &inputs.folder,
        read: Vec::new(),
    };
    for finding in findings {
        let file = finding.file.to_string_lossy().into_owned();
        if let Some(key) = file
            .strip_prefix(CAMPAIGN)
            .and_then(|rest| rest.strip_prefix(": "))
        {
            finding.file = PathBuf::from(CAMPAIGN);
            let text = files.text(Path::new(CAMPAIGN)).unwrap_or_default();
            in_campaign(text, key, finding);
        } else if finding.excerpt.is_none() && finding.row.is_none() {
            let text = files.text(&finding.file).unwrap_or_default();
            // A workbook, or a list in another encoding, has no lines to show here.
            let is_text = !text.contains(['\u{fffd}', '\0']);
            // A list's columns have names or numbers, not places in a line.
            let is_header = finding.file == inputs.list && finding.column.is_some();
            if is_text && !is_header {
                in_file(text, finding);
            }
        }
    }
}

/// The files that findings are about, read once each.
struct Files<'a> {
    folder: &'a Path,
    read: Vec<(PathBuf, Option<String>)>,
}

impl Files<'_> {
    fn text(&mut self, path: &Path) -> Option<&str> {
        /// Lists may be of any size; a template is not.
        const LARGEST: u64 = 4 << 20;
        let at = self.read.iter().position(|(known, _)| known == path);
        let at = at.unwrap_or_else(|| {
            let full = self.folder.join(path);
            let small = std::fs::metadata(&full)
                .is_ok_and(|facts| facts.is_file() && facts.len() <= LARGEST);
            let text = small.then(|| std::fs::read(&full).ok()).flatten();
            let text = text.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            let text = text.map(|text| text.trim_start_matches('\u{feff}').to_owned());
            self.read.push((path.to_owned(), text));
            self.read.len() - 1
        });
        self.read.get(at)?.1.as_deref()
    }
}

/// A finding with a line, and perhaps a column, in a text.
fn in_file(text: &str, finding: &mut Finding) {
    let Some(number) = finding.line.and_then(|line| usize::try_from(line).ok()) else {
        return;
    };
    let Some(line) = number
        .checked_sub(1)
        .and_then(|at| text.split('\n').nth(at))
    else {
        return;
    };
    let column = finding
        .column
        .as_deref()
        .and_then(|text| text.parse::<usize>().ok());
    let length = match column {
        Some(column) => tag_length(text, number, column).unwrap_or(1),
        None => line.chars().count(),
    };
    finding.excerpt = Some(Excerpt::new(
        line,
        column.unwrap_or(1).saturating_sub(1),
        length,
    ));
}

/// A finding about a key; its line and column, where it has them, are those in the key's value.
fn in_campaign(text: &str, key: &str, finding: &mut Finding) {
    let inside = finding
        .column
        .as_deref()
        .filter(|_| finding.line == Some(1))
        .and_then(|column| column.parse::<usize>().ok());
    (finding.line, finding.column) = (None, None);
    let Some((span, written)) = span_of(text, key) else {
        return;
    };
    let (line, column) = position(text, span.start);
    let shown = text.lines().nth(line - 1).unwrap_or_default();
    let raw = text.get(span.clone()).unwrap_or_default();
    // Inside a text in quotes without escapes, places can be counted.
    let countable = written.as_deref().is_some_and(|written| {
        raw.strip_prefix(['"', '\''])
            .is_some_and(|rest| rest.starts_with(written))
    });
    let (column, length) = match inside {
        Some(inside) if countable => {
            let value = written.as_deref().unwrap_or_default();
            let length = tag_length(value, 1, inside).unwrap_or(1);
            (column + inside, length)
        }
        _ => (
            column,
            raw.lines().next().unwrap_or_default().chars().count(),
        ),
    };
    finding.line = Some(line as u64);
    finding.column = Some(column.to_string());
    finding.excerpt = Some(Excerpt::new(shown, column - 1, length));
}

/// Where the value of a key stands, such as `message.attach[1]`, and its text; of a table, where its header does.
fn span_of(text: &str, key: &str) -> Option<(Range<usize>, Option<String>)> {
    let (table, _) = DeTable::parse_recoverable(text);
    let mut inside: &DeTable<'_> = table.get_ref();
    let mut found: Option<&Spanned<DeValue<'_>>> = None;
    let (first, rest) = key
        .split_once('.')
        .map_or((key, None), |(first, rest)| (first, Some(rest)));
    let mut names = vec![first];
    // A header's or image's name may have dots in it.
    match rest.and_then(|rest| rest.split_once('.')) {
        Some((second, name)) => names.extend([second, name]),
        None => names.extend(rest),
    }
    for name in names {
        let (name, index) = match name.strip_suffix(']').and_then(|name| name.split_once('[')) {
            Some((name, index)) => (name, index.parse::<usize>().ok()),
            None => (name, None),
        };
        let (_, value) = inside
            .iter()
            .find(|(key, _)| key.get_ref().as_ref() == name)?;
        found = Some(value);
        match (value.get_ref(), index) {
            (DeValue::Table(table), None) => inside = table,
            (DeValue::Array(items), Some(index)) => found = items.get(index),
            (DeValue::Array(items), None) if items.len() == 1 => found = items.first(),
            _ => {}
        }
    }
    let found = found?;
    let written = found.get_ref().as_str().map(ToString::to_string);
    Some((found.span(), written))
}

/// Line and column, both from 1, of a byte offset.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = &text[..text.floor_char_boundary(offset)];
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    (line, before[start..].chars().count() + 1)
}
