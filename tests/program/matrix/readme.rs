//! The README's table of what happens says what the matrix expects.

use super::cells::{COLUMNS, Cell, ROWS};
use crate::home::repository;

/// What a column of a row says: the fate of its first cell, and those of others that have a remark.
fn words(cells: &[Cell]) -> String {
    let (first, others) = cells.split_first().unwrap();
    let mut words = vec![first.fate.words().to_owned()];
    for cell in others {
        let said = match cell.note {
            Some(note) => format!("{note}: {}", cell.fate.words()),
            None => cell.fate.words().to_owned(),
        };
        if !words.contains(&said) {
            assert!(cell.note.is_some(), "{cell:?} needs a remark");
            words.push(said);
        }
    }
    words.join("; ")
}

fn line(cells: &[String]) -> String {
    format!("| {} |", cells.join(" | "))
}

/// The table as the README should have it.
fn table() -> String {
    let head: Vec<String> = ["at the …"]
        .iter()
        .chain(&COLUMNS)
        .map(ToString::to_string)
        .collect();
    let mut lines = vec![line(&head), format!("|{}", "---|".repeat(head.len()))];
    for row in &ROWS {
        let columns = row.columns.iter().map(|cells| words(cells));
        let cells: Vec<String> = [row.title.to_owned()].into_iter().chain(columns).collect();
        lines.push(line(&cells));
    }
    lines.join("\n") + "\n"
}

#[test]
fn the_readme_says_what_happens() {
    let readme = std::fs::read_to_string(repository().join("README.md")).unwrap();
    let table = table();
    let head = table.lines().next().unwrap();
    let there = readme.lines().skip_while(|line| *line != head);
    let there: Vec<&str> = there.take_while(|line| line.starts_with('|')).collect();
    assert_eq!(
        there,
        table.lines().collect::<Vec<_>>(),
        "it should be:\n{table}"
    );
}
