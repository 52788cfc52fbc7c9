//! `[recipients]`: to whom.

use std::path::PathBuf;

use toml::Spanned;

use super::confined::file;
use super::section::Section;
use crate::recipients::{Charset, DateStyle, Filter, ListOptions, NumberStyle};

/// The keys of `[recipients]`.
pub(super) const KEYS: &[&str] = &[
    "file",
    "address",
    "duplicates",
    "where",
    "internal",
    "encoding",
    "sheet",
    "numbers",
    "dates",
];

/// To whom the campaign goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecipientOptions {
    /// The list, relative to the campaign's folder and inside it: .csv, .tsv or .xlsx.
    pub file: PathBuf,
    /// The column with the address; found by its name when none is given.
    pub address: Option<String>,
    /// What becomes of rows with an address that was there before.
    pub duplicates: Duplicates,
    /// Which rows are meant, `where` in the file; all where there is none. Rows are filtered before anything
    /// else is asked of them.
    pub filter: Option<Filter>,
    /// Domains that count as internal; the From domain when empty.
    pub internal: Vec<String>,
    /// How the list is read: its encoding, sheet, numbers and dates.
    pub reading: ListOptions,
}

/// What becomes of rows with an address that was there before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Duplicates {
    /// The first row counts; the others become no recipient.
    #[default]
    First,
    /// All rows of a person go into one message, in which templates see them as `rows`; beside it the fields
    /// are those of the first row. Attachments named by `attach` are those of every row, each file once.
    Group,
}

/// Reads the table; none when something required is missing or wrong.
pub(super) fn read(section: &Section<'_>) -> Option<RecipientOptions> {
    let list = file(section, "file", &["csv", "tsv", "xlsx"]);
    section.require("file", "add file = \"staff.csv\" under [recipients]");
    let choices = [("first", Duplicates::First), ("group", Duplicates::Group)];
    let rest = RecipientOptions {
        file: PathBuf::new(),
        address: section.text("address").map(Spanned::into_inner),
        duplicates: section.choice("duplicates", &choices).unwrap_or_default(),
        filter: filter(section),
        internal: internal(section),
        reading: reading(section),
    };
    Some(RecipientOptions {
        file: list?,
        ..rest
    })
}

fn filter(section: &Section<'_>) -> Option<Filter> {
    let text = section.text("where")?;
    let refused = match Filter::parse(text.get_ref()) {
        Ok(filter) => return Some(filter),
        Err(refused) => refused,
    };
    let mut span = text.span();
    // Where nothing is escaped in the quotes, the place in the file can be told.
    if span.len() == text.get_ref().len() + 2 {
        let before = text.get_ref().chars().take(refused.at - 1);
        span.start += 1 + before.map(char::len_utf8).sum::<usize>();
    }
    section.refuse("where", Some(span), refused.to_string(), refused.remedy);
    None
}

/// `encoding`, `sheet`, `numbers` and `dates`.
fn reading(section: &Section<'_>) -> ListOptions {
    let encoding = section.text("encoding").and_then(|label| {
        let known = Charset::named(label.get_ref());
        if known.is_none() {
            section.refuse(
                "encoding",
                Some(label.span()),
                format!(
                    "{} is no encoding that is known",
                    section.document.shown(label.get_ref())
                ),
                "write \"utf-8\", \"windows-1252\" (Western Europe), \"windows-1250\" (Central Europe), \"windows-1251\" (Cyrillic), \"utf-16\", \"macintosh\", \"shift_jis\", \"gbk\", or another name of the WHATWG's Encoding Standard",
            );
        }
        known
    });
    let numbers = example(
        section,
        "numbers",
        NumberStyle::by_example,
        "does not show how numbers are divided",
        ("show how one number is to look", &NumberStyle::EXAMPLES),
    );
    let dates = example(
        section,
        "dates",
        DateStyle::by_example,
        "does not show how 1 March 2026 is to look",
        (
            "write that day as the mails are to have it",
            &DateStyle::EXAMPLES,
        ),
    );
    ListOptions {
        encoding,
        sheet: section.text("sheet").map(Spanned::into_inner),
        numbers,
        dates,
        ..ListOptions::default()
    }
}

/// A key that shows by an example how something is written.
fn example<T>(
    section: &Section<'_>,
    key: &'static str,
    read: impl Fn(&str) -> Option<T>,
    wrong: &str,
    (remedy, examples): (&str, &[&str]),
) -> Option<T> {
    let example = section.text(key)?;
    let style = read(example.get_ref());
    if style.is_none() {
        let shown = section.document.shown(example.get_ref());
        let remedy = format!("{remedy}: one of \"{}\"", examples.join("\", \""));
        section.refuse(
            key,
            Some(example.span()),
            format!("{shown} {wrong}"),
            remedy,
        );
    }
    style
}

fn internal(section: &Section<'_>) -> Vec<String> {
    let mut domains = Vec::new();
    for domain in section.texts("internal") {
        let name = domain.get_ref();
        let is_domain = !name.contains(|c: char| c == '@' || c == '/' || c.is_whitespace())
            && name.split('.').all(|label| !label.is_empty());
        if is_domain {
            domains.push(domain.into_inner());
        } else {
            section.refuse(
                "internal",
                Some(domain.span()),
                format!("'{name}' is not a domain"),
                "write internal = [\"contoso.com\"]: what stands after the @",
            );
        }
    }
    domains
}
