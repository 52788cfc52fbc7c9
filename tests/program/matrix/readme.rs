//! The README's table of what happens says what the matrix expects.

use super::cells::{COLUMNS, Cell};
use super::rows::ROWS;
use crate::home::{Home, repository};
use crate::server::Server;

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

/// The faults are there for everybody's programs.
#[test]
fn the_stand_in_goes_wrong_as_it_is_told() {
    let home = Home::new();
    let faults = [
        "--fault",
        "dot@1=cut-line",
        "--fault",
        "rcpt@1=450 4.2.1 Later",
    ];
    let server = Server::start(&home, &faults);
    home.account(&server, "");
    home.campaign("t", 3, true);
    let ended = home.run(&["send", "news", "--yes", "--no-wait"]).exits(75);
    assert!(ended.err.contains("450 4.2.1 Later"), "{}", ended.err);
    assert!(
        ended.err.contains("in the middle of the server's answer"),
        "{}",
        ended.err
    );
    assert_eq!(server.received().len(), 2, "one in doubt, one sent");
    let said = server.stop();
    let times = |n: usize| {
        (
            said["faults"][n]["fault"].clone(),
            said["faults"][n]["times"].clone(),
        )
    };
    assert_eq!(times(0), ("dot@1=cut-line".into(), 1.into()));
    assert_eq!(times(1), ("rcpt@1=450 4.2.1 Later".into(), 1.into()));
    let wrong = home.run(&["sandbox", "--fault", "helo=drop"]).exits(2);
    assert!(
        wrong.err.contains("ehlo") && !wrong.err.contains("panicked"),
        "{}",
        wrong.err
    );
}
