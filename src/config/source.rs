//! A configuration file's text: reading it, and parsing it with every syntax error at once.

use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::Path;

use toml::de::DeTable;

use super::{ConfigError, Problem};

/// No hand-written configuration is larger; a list named by mistake should not fill the memory.
const MAX_BYTES: u64 = 1024 * 1024;

/// More syntax errors than this are echoes of the first ones.
const MAX_SYNTAX_ERRORS: usize = 10;

/// Reads the whole file as text.
pub(super) fn read(path: &Path) -> Result<String, ConfigError> {
    let unreadable = |error| ConfigError::Unreadable(path.to_owned(), error);
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(ConfigError::Missing(path.to_owned()));
        }
        Err(error) => return Err(unreadable(error)),
    };
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(whole_file(
            path,
            "is larger than 1 MiB",
            "name a configuration file in TOML, not a list or a template",
        ));
    }
    String::from_utf8(bytes).map_err(|error| not_utf8(path, &error))
}

/// Refuses what is there and no file: a pipe may never say anything, and a device may never end.
pub(super) fn refuse_endless(path: &Path) -> Result<(), ConfigError> {
    if path
        .metadata()
        .is_ok_and(|facts| !facts.is_file() && !facts.is_dir())
    {
        return Err(whole_file(
            path,
            "is not a file",
            "put a configuration file in TOML in its place; `postroom new` writes one",
        ));
    }
    Ok(())
}

fn whole_file(path: &Path, message: &str, remedy: &str) -> ConfigError {
    ConfigError::Invalid(vec![Problem {
        file: path.to_owned(),
        line: None,
        column: None,
        key: String::new(),
        message: message.to_owned(),
        remedy: remedy.to_owned(),
    }])
}

fn not_utf8(path: &Path, error: &std::string::FromUtf8Error) -> ConfigError {
    let good = error.utf8_error().valid_up_to();
    let before = String::from_utf8_lossy(error.as_bytes().get(..good).unwrap_or_default());
    let (line, column) = position(&before, good);
    ConfigError::Invalid(vec![Problem {
        file: path.to_owned(),
        line: Some(line),
        column: Some(column),
        key: String::new(),
        message: "is not UTF-8 text from here on".to_owned(),
        remedy: "save the file again with the encoding UTF-8".to_owned(),
    }])
}

/// Line and column (in characters, both from 1) of a byte offset.
pub(super) fn position(text: &str, offset: usize) -> (usize, usize) {
    let end = text.floor_char_boundary(offset);
    let before = &text[..end];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
    let in_line = before[line_start..].trim_start_matches('\u{feff}');
    (line, in_line.chars().count() + 1)
}

/// Parses the text. An error shows no text of the file: it could be a secret.
pub(super) fn parse<'i>(path: &Path, text: &'i str) -> Result<DeTable<'i>, ConfigError> {
    let (table, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return Ok(table.into_inner());
    }
    let mut problems: Vec<Problem> = errors
        .iter()
        .map(|error| syntax_problem(path, text, error.message(), error.span()))
        .collect();
    problems.sort_by_key(|p| (p.line, p.column));
    // The parser goes on after an error, and what it says about the rest of that line helps nobody.
    problems.dedup_by_key(|p| p.line);
    problems.truncate(MAX_SYNTAX_ERRORS);
    Err(ConfigError::Invalid(problems))
}

fn syntax_problem(path: &Path, text: &str, message: &str, span: Option<Range<usize>>) -> Problem {
    let place = span.clone().map(|span| position(text, span.start));
    let duplicate = message.starts_with("duplicate key");
    let key = span.filter(|_| duplicate).and_then(|span| text.get(span));
    Problem {
        file: path.to_owned(),
        line: place.map(|(line, _)| line),
        column: place.map(|(_, column)| column),
        key: key.unwrap_or_default().to_owned(),
        message: message.to_owned(),
        remedy: if duplicate {
            "keep one of the two and take the other out"
        } else {
            "write one `key = value` a line: text in \"quotes\", lists in [brackets], tables under [name]"
        }
        .to_owned(),
    }
}
