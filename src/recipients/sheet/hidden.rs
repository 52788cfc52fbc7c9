//! Rows that the spreadsheet hides, by hand or by its filter. They are read all the same, and that is said: whoever
//! filters a sheet may mean only what it shows, and whoever hides a row may not.

use std::io::{BufRead, BufReader, Read, Seek};

use quick_xml::events::{BytesStart, Event};
use zip::ZipArchive;

use crate::recipients::list::Note;

/// How many rows are named.
const NAMED: usize = 10;

/// The most that is read of the parts that say where a sheet is.
const SMALL: u64 = 8 << 20;

/// The hidden rows of a sheet, from 0 and in order. What cannot be told hides nothing: whether the workbook can be
/// read is known before.
pub(super) fn rows<R: Read + Seek>(input: &mut R, sheet: &str) -> Vec<u32> {
    let Ok(mut archive) = ZipArchive::new(input) else {
        return Vec::new();
    };
    let Some(part) = part_of(&mut archive, sheet) else {
        return Vec::new();
    };
    let mut hidden = Vec::new();
    let mut next = 0;
    if let Ok(part) = archive.by_name(&part) {
        each_tag(BufReader::new(part), &mut |tag| {
            if tag.local_name().as_ref() != "row" {
                return;
            }
            let number = attribute(tag, "r").and_then(|number| number.parse::<u32>().ok());
            let row = number
                .and_then(|number| number.checked_sub(1))
                .unwrap_or(next);
            next = row.saturating_add(1);
            if attribute(tag, "hidden").is_some_and(|value| value == "1" || value == "true") {
                hidden.push(row);
            }
        });
    }
    hidden
}

/// The part of the package in which a sheet is.
fn part_of<R: Read + Seek>(archive: &mut ZipArchive<R>, sheet: &str) -> Option<String> {
    let mut relation = None;
    let book = archive.by_name("xl/workbook.xml").ok()?;
    each_tag(BufReader::new(book.take(SMALL)), &mut |tag| {
        let is_it = || attribute(tag, "name").is_some_and(|name| name == sheet);
        if tag.local_name().as_ref() == "sheet" && is_it() {
            relation = attribute(tag, "id");
        }
    });
    let relation = relation?;
    let mut target = None;
    let relations = archive.by_name("xl/_rels/workbook.xml.rels").ok()?;
    each_tag(BufReader::new(relations.take(SMALL)), &mut |tag| {
        if attribute(tag, "Id").is_some_and(|id| id == relation) {
            target = attribute(tag, "Target");
        }
    });
    let target = target?;
    Some(match target.strip_prefix('/') {
        Some(from_root) => from_root.to_owned(),
        None => format!("xl/{target}"),
    })
}

/// Calls `with` for every tag that opens something, up to the first place that is no XML.
fn each_tag(input: impl BufRead, with: &mut dyn FnMut(&BytesStart<'_>)) {
    let mut reader = quick_xml::Reader::from_reader(input);
    let mut buffer = Vec::new();
    loop {
        match reader.read_event_into(&mut buffer) {
            Ok(Event::Start(tag) | Event::Empty(tag)) => with(&tag),
            Ok(Event::Eof) | Err(_) => return,
            Ok(_) => {}
        }
        buffer.clear();
    }
}

/// The value of an attribute by its name without a prefix.
fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let mut all = tag.attributes();
    let mut all = all.with_checks(false).flatten();
    let found = all.find(|one| one.key.local_name().as_ref() == name)?;
    let value = quick_xml::escape::unescape(&found.value).ok()?;
    Some(value.into_owned())
}

/// What is to be said of hidden rows; `data`: the numbers of the rows below the header, from 0 and in order.
pub(super) fn note(hidden: &[u32], data: impl Iterator<Item = u32>) -> Option<Note> {
    let mut count = 0_u64;
    let mut first = Vec::new();
    let mut line = 0;
    let mut all = 0_u64;
    for (number, row) in (1_u64..).zip(data) {
        all = number;
        if hidden.binary_search(&row).is_ok() {
            count += 1;
            if first.is_empty() {
                line = u64::from(row) + 1;
            }
            if first.len() < NAMED {
                first.push(number.to_string());
            }
        }
    }
    let more = count - first.len() as u64;
    let named = match (first.as_slice(), more) {
        ([], _) => return None,
        ([one], 0) => format!("row {one}"),
        ([before @ .., last], 0) => format!("rows {} and {last}", before.join(", ")),
        (_, more) => format!("rows {} and {more} more", first.join(", ")),
    };
    let are = if count == 1 { "is" } else { "are" };
    Some(Note {
        code: "sheet-hidden-rows",
        line: Some(line),
        message: format!(
            "{count} of {all} rows {are} hidden in the spreadsheet, by hand or by its filter, and {are} read all the same: {named}"
        ),
        remedy: "if they are to get no mail, say whom you mean with where = \"…\" under [recipients], or copy the rows that are shown into a workbook of their own; if they are, show them in the spreadsheet to silence this"
            .to_owned(),
    })
}
